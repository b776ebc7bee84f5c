"""The machine room of a replay: what the daemon's own parts decide beside the router, in virtual time.

Scripts that run (their timeouts), processes that are counted (delays, quorums), BFD sessions, the pace of
announcements, nftables rules, the kernel's connection synchronisation: the classes are the daemon's, and what
they would hand to the kernel is written down instead.
"""

from __future__ import annotations

import ipaddress
import itertools
import signal
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from evener.host.netlink.link import IFF_RUNNING, IFF_UP, Interface
from evener.host.reactor import Timer
from evener.host.scripts import Check
from evener.host.track_processes import Count, matches
from evener.host.vrrp_debounce import Debouncer
from evener.host.vrrp_firewall import Firewall
from evener.host.vrrp_lvs_sync import LvsSync
from evener.host.vrrp_ports import advert_source
from evener.keepalived.bfd.messages import SendPacket, SourceOpened, TellState
from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.bfd.sessions import Arrival, Sessions
from evener.keepalived.bfd.sessions import Steps as BfdSteps
from evener.keepalived.vrrp.pacing import Pacing
from evener.keepalived.vrrp.plan import Program, TrackKind, VrrpPlan
from evener.wire import bfd
from evener.wire.ipvs import STATE_MASTER
from evener.wire.nftables import Message

INDEXES = {"eth0": 2, "eth1": 3}


class Play(Protocol):
    """What the room sees of its replay."""

    plan: VrrpPlan

    def moment(self) -> int: ...
    def note(self, text: str) -> None: ...
    def told(self, kind: TrackKind, name: str, value: int) -> None: ...
    def script_ended(self, name: str, ok: bool, how: str) -> None: ...


class VirtualReactor:
    """Timers of the replay's clock."""

    def __init__(self, moment: Callable[[], int]) -> None:
        self._moment = moment
        self._timers: list[Timer] = []

    def now(self) -> float:
        return self._moment() / 1e6

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(round(self._moment() + seconds * 1e6), callback)
        self._timers.append(timer)
        return timer

    def next_timer(self) -> int | None:
        self._timers = [timer for timer in self._timers if timer.callback is not None]
        return min((int(timer.when) for timer in self._timers), default=None)

    def run(self) -> None:
        for timer in sorted(self._timers, key=lambda timer: timer.when):
            callback = timer.callback
            if timer.when <= self._moment() and callback is not None:
                timer.cancel()
                callback()


class Scripts:
    """Plays the helper process: programs take as long, and end, as the inputs say."""

    def __init__(self, play: Play, reactor: VirtualReactor) -> None:
        self.reactor = reactor
        self._play = play
        self._takes: dict[tuple[str, ...], tuple[float, int]] = {}
        self._running: dict[int, tuple[Timer, Callable[[int], None]]] = {}
        self._pids = itertools.count(101)
        self._checks: list[Check] = []

    def begin(self) -> None:
        self._checks = [Check(self, script) for script in self._play.plan.scripts]  # type: ignore[arg-type]

    def takes(self, name: str, seconds: float, code: int) -> None:
        script = next(script for script in self._play.plan.scripts if script.name == name)
        self._takes[script.program.argv] = seconds, code

    def start(self, program: Program, words: tuple[str, ...], ended: Callable[[int], None]) -> int:
        pid = next(self._pids)
        seconds, code = self._takes.get(program.argv, (0.01, 0))
        who = f" as {program.user}:{program.group or program.user}" if program.user else ""
        self._play.note(f"run {' '.join((*program.argv, *words))}{who}: process {pid}")
        self._running[pid] = self.reactor.later(seconds, lambda: self._end(pid, code)), ended
        return pid

    def _end(self, pid: int, code: int) -> None:
        timer, ended = self._running.pop(pid)
        timer.cancel()
        ended(code)

    def signal_group(self, pid: int, number: signal.Signals) -> None:
        self._play.note(f"{number.name} for the group of process {pid}")
        if pid in self._running and number is signal.SIGKILL:
            timer, ended = self._running[pid]
            timer.cancel()
            self._running[pid] = self.reactor.later(0.001, lambda: self._end(pid, -number)), ended

    def log(self, message: str, detail: bool = False) -> None:
        self._play.note(f"log {message!r}")

    def result(self, name: str, ok: bool, how: str) -> None:
        self._play.script_ended(name, ok, how)


class Processes:
    """Which processes run, as the inputs say."""

    def __init__(self, play: Play, reactor: VirtualReactor) -> None:
        def enough(name: str, value: bool) -> None:
            play.told(TrackKind.PROCESS, name, int(value))

        self._counts = [Count(process, reactor, enough) for process in play.plan.processes]  # type: ignore[arg-type]

    def runs(self, pid: int, command: list[str]) -> None:
        words = [word.encode() for word in command]
        name = words[0].rpartition(b"/")[2][:15]
        for count in self._counts:
            count.started(pid, matches(count.process, name, words))

    def forked(self, parent: int, child: int) -> None:
        for count in self._counts:
            count.forked(parent, child)

    def ended(self, pid: int) -> None:
        for count in self._counts:
            count.ended(pid)


class Bfd:
    """The sessions. Chance always takes the middle."""

    def __init__(self, play: Play, plan: BfdPlan) -> None:
        self._play, self._plan = play, plan
        numbers = itertools.count(1)
        self.sessions = Sessions(plan, lambda low, high: next(numbers) if low == 1 else (low + high) // 2)
        self._configs = {config.name: config for config in plan.sessions}

    def begin(self) -> None:
        for name in self._configs:
            self._carry_out(self.sessions.tell(self._play.moment(), name, SourceOpened()))

    def tick(self) -> None:
        self._carry_out(self.sessions.tick(self._play.moment()))

    def packet(self, name: str, state: str, changes: dict[str, str]) -> None:
        """A packet of a neighbour, who knows our discriminator (but with ``yours=0``)."""
        if name not in self._configs:
            self._play.note(f"no session {name}")
            return
        config, session = self._configs[name], self.sessions.by_name[name]
        yours = int(changes.get("yours", session.discriminator))
        packet = bfd.Packet(bfd.State[state], 7, yours, 1_000_000, 1_000_000, int(changes.get("mult", 3)))
        source = ipaddress.ip_address(changes["from"]).packed if "from" in changes else config.neighbour
        multihop = bool(int(changes.get("multihop", config.multihop)))
        arrival = Arrival(bfd.encode(packet), source, config.source, int(changes.get("ttl", 255)), multihop)
        self._carry_out(self.sessions.receive(self._play.moment(), arrival))

    def _carry_out(self, steps: BfdSteps) -> None:
        for name, command in steps:
            if isinstance(command, SendPacket):
                config, packet = self._configs[name], command.packet
                where = f"to {config.neighbour_text} ttl {config.ttl}{' multihop' * config.multihop}"
                self._play.note(f"{name} {packet.state.name} {packet.min_tx_us} us {where}")
            elif isinstance(command, TellState):
                self._tell(name, command.up)
            else:
                self._play.note(f"{name} {command}")

    def _tell(self, name: str, up: bool) -> None:
        config = self._configs[name]
        hearers = [
            who for who, told in (("vrrp", config.tell_vrrp), ("checkers", config.tell_checker)) if told
        ]
        self._play.note(f"{name} is {'up' if up else 'down'}, told to {hearers}")
        if config.tell_vrrp:
            self._play.told(TrackKind.BFD, name, int(up))


class Rules(Firewall):
    """The transactions of nftables as they would be sent."""

    def __init__(self, play: Play) -> None:
        super().__init__(play.plan.options.firewall, INDEXES.get, play.note)
        self._play = play

    def _send(self, messages: list[Message]) -> bool:
        for message in messages:
            self._play.note(f"nft {message.kind.name} {message.body.hex()}")
        return True


class Kernel:
    """Stands for the kernel's IPVS."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def synchronise(self, plan: Any, state: int, on: bool) -> int:
        role = "master" if state == STATE_MASTER else "backup"
        self._play.note(f"ipvs sync {role} on {plan.interface} {'starts' if on else 'ends'}")
        return 0

    def close(self) -> None:
        pass


class Sync(LvsSync):
    def __init__(self, play: Play) -> None:
        super().__init__(play.note)
        self._engine = Kernel(play)  # type: ignore[assignment]


class Room:
    """All of it. Parts that a plan or the inputs do not ask for do nothing."""

    def __init__(self, play: Play, sessions: BfdPlan) -> None:
        self._play = play
        self.reactor = VirtualReactor(play.moment)
        self.scripts = Scripts(play, self.reactor)
        self.processes = Processes(play, self.reactor)
        self.bfd = Bfd(play, sessions)
        self.rules = Rules(play)
        self.sync = Sync(play)
        self.pacing = Pacing(play.plan.options)
        self.debouncer = Debouncer()
        self.interfaces: dict[str, Interface] = {}
        self.adopt(play.plan)

    def adopt(self, plan: VrrpPlan) -> None:
        self.pacing.adopt(plan)
        self.debouncer.adopt(plan)
        self.sync.adopt(plan.lvs_sync)

    @property
    def paced(self) -> bool:
        options = self._play.plan.options
        return bool(options.garp_interval_us or options.gna_interval_us or self._play.plan.garp_groups)

    def next_timer(self) -> int | None:
        parts = (self.reactor, self.pacing, self.debouncer, self.bfd.sessions)
        timers = (part.next_timer() for part in parts)
        return min((timer for timer in timers if timer is not None), default=None)

    def run(self) -> None:
        self.reactor.run()
        self.bfd.tick()
        self.announced(self.pacing.due(self._play.moment()))
        for name, up in self.debouncer.due(self._play.moment()):
            self._play.told(TrackKind.INTERFACE, name, int(up))

    def link(self, name: str, up: bool) -> None:
        """An interface goes up or down; with delays that has to last."""
        if self.debouncer.note(self._play.moment(), name, up):
            self._play.told(TrackKind.INTERFACE, name, int(up))

    def announced(self, addresses: Iterable[Any]) -> None:
        for address in addresses:
            self._play.note(f"announce {address} on {address.device}")

    def has(self, name: str, addresses: list[str]) -> None:
        """What an interface has now, and where that lets adverts come from."""
        packed = [ipaddress.ip_address(text).packed for text in addresses]
        self.interfaces[name] = Interface(name, INDEXES[name], IFF_UP | IFF_RUNNING, addresses=packed)
        plan = self._play.plan
        virtual = frozenset(a.packed for config in plan.instances for a in config.addresses)
        for config in plan.instances:
            source = advert_source(config, self.interfaces.get(config.interface or ""), virtual)
            text = "nothing" if source is None else str(ipaddress.ip_address(source))
            self._play.note(f"{config.name} sends from {text}")
            self._play.told(TrackKind.SOURCE, config.name, int(source is not None))
