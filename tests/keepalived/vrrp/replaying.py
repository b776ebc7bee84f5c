"""Golden replays of one router: a configuration, what happens to it, and everything that it does about that.

``fixtures/vrrp/<case>`` with a file ``inputs``: runs begin with ``run TITLE [CONF]`` (``router.conf`` when
none is named); every other line is ``SECONDS EVENT WORDS...``. Timers run by themselves. Commands come out
with their time in microseconds, adverts as the bytes of their packets.

    0 start                                    all interfaces are up and everything has an address
    0 interface eth1 down | script chk fail | file f -30 | process p down | bfd s up | source V down
    1 advert V 10.0.0.2 200 [KEY=VALUE...]     a good advert, changed by ttl= cs= version= password= type=
                                               vips=A,B checksum= to= count= hmac= cut=
    2 lost V 10.0.0.100                        somebody removes an address
    3 gone V TEXT                              or a route
    4 row V ZERO                               a row of the state table, whatever would lead there
    5 reload other.conf
    6 stop
    6 stall 2.5                                the process does not run for so long
    9 end                                      nothing happens, but time passes

What the daemon's own parts do beside the router (``replay_room``), and what is no decision at all:

    0 said                                     what is said about the file (others have nothing to say)
    0 plan V.virtual | options.buffers         a part of the plan
    0 socket V                                 what its socket is bound to, and the size of its buffer
    0 boot 20                                  as start, but the machine runs for so many seconds only
    0 addresses eth0 10.0.0.1 10.0.0.7         what an interface has: adverts come from one of them
    0 scripts                                  vrrp_scripts are run; each takes 10 ms, and succeeds
    1 takes chk 5 1                            from now on it takes so many seconds, and returns that
    1 runs 7 /usr/bin/web --fast               a process runs a program; it forks another one; that ends
    1 forks 7 8 | ends 8
    1 sessions                                 BFD begins
    1 packet s UP [ttl= from= yours= multihop= mult=]
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from replay_room import Room

from evener.host.vrrp_notify import fifo_line
from evener.host.vrrp_socket import AdvertSender, buffer_size, place_of
from evener.host.vrrp_system import startup_delay_us
from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.compile import compile_plan
from evener.keepalived.compile_bfd import bfd_plan
from evener.keepalived.reader import Options
from evener.keepalived.reading import Surroundings
from evener.keepalived.resolve import LoadOptions, load
from evener.keepalived.vrrp import fsm, messages
from evener.keepalived.vrrp.admission import Received
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    CancelGarp,
    Notify,
    RemoveAddresses,
    SendAdvert,
    SendGarp,
)
from evener.keepalived.vrrp.plan import Auth, Family, Instance, State, TrackKind, VrrpPlan
from evener.keepalived.vrrp.router import Router, Step, Steps
from evener.text.diagnostic import Diagnostics, Severity
from evener.wire import ah, vrrp, vrrp_hmac

HOME = Path(__file__).parents[3] / "fixtures" / "vrrp"
BOOT_US = 1_000_000_000
WALL_NS = 1_700_000_000_000_000_000
MOST_TURNS = 20_000
MTU = 1500
MACHINE = frozenset({"lo", "eth0", "eth1", "eth2", "eth3", "blue"})
UP = {"up": 1, "ok": 1, "down": 0, "fail": 0}

Row = tuple[State, fsm.Input]

_OTHER = ipaddress.ip_address("10.0.0.2").packed
_I = fsm.Input
EVENTS: dict[fsm.Input, messages.Event] = {
    **dict.fromkeys((_I.START, _I.START_AS_OWNER), messages.Started()),
    _I.START_FAULTY: messages.Started(faulty=True),
    _I.START_PENDING: messages.Started(pending=True),
    _I.FAULT: messages.FaultRaised(),
    _I.RECOVER: messages.FaultCleared(),
    _I.ZERO: messages.AdvertReceived(0, 1_000_000, _OTHER),
    _I.STRONGER: messages.AdvertReceived(200, 1_000_000, _OTHER),
    _I.TOLERATED: messages.AdvertReceived(50, 1_000_000, _OTHER),
    _I.WEAKER: messages.AdvertReceived(50, 1_000_000, _OTHER),
    _I.MIRROR: messages.AdvertReceived(100, 1_000_000, ipaddress.ip_address("10.0.0.1").packed),
    _I.RIVAL: messages.RivalSeen(),
    _I.PROMOTE: messages.Promoted(),
    _I.DEMOTE: messages.Demoted(),
    _I.PRIORITY: messages.PriorityChanged(120),
    _I.STOP: messages.Stopped(),
}
"""What makes an input; the others are timers."""


def plans_of(path: Path, *, clean: bool = True) -> tuple[VrrpPlan, BfdPlan, list[str]]:
    """``clean``: nothing is wrong with the file. The last: what is said about it."""
    found = Diagnostics()
    configuration = load(str(path), found, LoadOptions(Options(config_id="node"), Surroundings(MACHINE)))
    wrong = [d.message for d in found if d.severity >= Severity.WARNING and d.code != "planned-keyword"]
    assert wrong == [] or not clean, wrong
    return compile_plan(configuration), bfd_plan(configuration), wrong


class Replay:
    """One run of one case. ``rows`` collects the rows of the state table that were used."""

    def __init__(self, home: Path, conf: str, rows: set[Row], clean: bool) -> None:
        self.home, self.rows, self.now = home, rows, 0
        self.plan, sessions, self.wrong = plans_of(home / conf, clean=clean)
        self.router = Router(self.plan)
        self.router.wall_ns = lambda: WALL_NS + self.now * 1000
        self.senders: dict[str, AdvertSender] = {}
        self.out: list[str] = []
        self.sent = 0
        self.start_at: int | None = None
        self.room = Room(self, sessions)
        self._introduce()

    def _introduce(self) -> None:
        router = self.router
        for member in router.members.values():
            for track in member.tracks:
                if track.kind in (TrackKind.INTERFACE, TrackKind.SOURCE):
                    router.known.setdefault((track.kind, track.name), 1)
        for config in self.plan.instances:
            router.set_source(config.name, config.source or self.source(config))

    @staticmethod
    def source(config: Instance) -> bytes:
        own = "10.0.0.1" if config.family is Family.INET else "fe80::1"
        return ipaddress.ip_address(own).packed

    def play(self, at_us: int, event: str, words: list[str]) -> None:
        for _ in range(MOST_TURNS):
            timers = (self.router.next_timer(), self.room.next_timer(), self.start_at)
            timer = min((due for due in timers if due is not None), default=None)
            if timer is None or timer > BOOT_US + at_us:
                break
            self._turn(max(timer - BOOT_US, self.now))
        self.now = max(at_us, self.now)
        self.out.append(" ".join((f"{at_us / 1e6:.6f} <", event, *words)))
        self.carry_out(self._observed(lambda: self.happen(event, words)))

    def _turn(self, now: int) -> None:
        """Everything that is due."""
        self.now = now
        if self.start_at is not None and self.start_at <= self.moment():
            self.start_at = None
            self.carry_out(self._start())
        self.carry_out(self._observed(lambda: self.router.tick(self.moment())))
        self.room.run()

    # -- what the machine room wants

    def moment(self) -> int:
        return BOOT_US + self.now

    def note(self, text: str) -> None:
        self.out.append(f"{self.now / 1e6:.6f} > - {text}")

    def told(self, kind: TrackKind, name: str, value: int) -> None:
        self.carry_out(self._observed(lambda: self._track(kind, name, value)))

    def script_ended(self, name: str, ok: bool, how: str) -> None:
        self.carry_out(self._observed(lambda: self.router.script_result(self.moment(), name, ok, how)))

    def _start(self) -> Steps:
        self.room.sync.start()
        return self._observed(lambda: self.router.start(self.moment()))

    def _track(self, kind: TrackKind, name: str, value: int) -> Steps:
        if any(m.machine.state is not State.INIT for m in self.router.members.values()):
            return self.router.track(self.moment(), kind, name, value)
        self.router.know(kind, name, value)
        return []

    def _observed(self, action: Any) -> Steps:
        """Run something, noting which rows of the table are looked up."""
        classify, rows = fsm.Machine.classify, self.rows

        def noting(machine: fsm.Machine, now: int, event: messages.Event) -> fsm.Input:
            found = classify(machine, now, event)
            rows.add((machine.state, found))
            return found

        fsm.Machine.classify = noting  # type: ignore[method-assign]
        try:
            return list(action())
        finally:
            fsm.Machine.classify = classify  # type: ignore[method-assign]

    def happen(self, event: str, words: list[str]) -> Steps:
        router, now = self.router, BOOT_US + self.now
        match event, words:
            case "start", []:
                return self._start()
            case "stop", []:
                return router.stop(now)
            case "end", []:
                return []
            case "script", [name, result]:
                return router.script_result(now, name, result == "ok", result)
            case "interface", [name, value] if self.plan.debounces:
                self.room.link(name, bool(UP[value]))
                return []
            case (("interface" | "file" | "process" | "bfd" | "source"), [name, value]):
                kind, number = TrackKind(event), UP.get(value)
                return self._track(kind, name, int(value) if number is None else number)
            case "advert", [name, source, priority, *changes]:
                return router.receive(now, name, self.advert(name, source, int(priority), changes))
            case "lost", [name, address]:
                return router.address_lost(now, name, ipaddress.ip_address(address).packed)
            case "gone", [name, text]:
                return router.route_lost(now, name, text)
            case "row", [name, wanted]:
                return self._row(now, name, fsm.Input[wanted])
            case "reload", [conf]:
                return self._reload(now, conf)
            case "stall", [seconds]:
                self.now += round(float(seconds) * 1e6)
                return router.tick(self.moment())
        self._happen_beside(event, words)
        return []

    def _happen_beside(self, event: str, words: list[str]) -> None:
        """What concerns the machine room, and what the plan holds for it."""
        room = self.room
        match event, words:
            case "said", []:
                self.out += [f"{self.now / 1e6:.6f} > - {message}" for message in self.wrong]
            case "plan", [path]:
                self.note(shown(self._part(path)))
            case "socket", [name]:
                place = place_of(self.router.members[name].machine.config, self.plan.options)
                users = [c for c in self.plan.instances if place_of(c, self.plan.options) == place]
                size = buffer_size(users, self.plan.options.rx_policy, MTU)
                self.note(f"{shown(place)} buffer {size or 'of the kernel'}")
            case "boot", [seconds]:
                self.start_at = self.moment() + startup_delay_us(self.plan, round(float(seconds) * 1e6))
            case "addresses", [name, *addresses]:
                room.has(name, addresses)
            case "scripts", []:
                room.scripts.begin()
            case "takes", [name, seconds, code]:
                room.scripts.takes(name, float(seconds), int(code))
            case "runs", [pid, *command]:
                room.processes.runs(int(pid), command)
            case "forks", [parent, child]:
                room.processes.forked(int(parent), int(child))
            case "ends", [pid]:
                room.processes.ended(int(pid))
            case "sessions", []:
                room.bfd.begin()
            case "packet", [name, state, *changes]:
                room.bfd.packet(name, state, dict(change.split("=", 1) for change in changes))
            case _:
                raise AssertionError(f"unknown event {event} {words}")

    def _part(self, path: str) -> Any:
        """Of an instance, or of the plan."""
        first, *rest = path.split(".")
        members = self.router.members
        part: Any = members[first].machine.config if first in members else getattr(self.plan, first)
        for name in rest:
            part = getattr(part, name)
        return part

    def _row(self, now: int, name: str, happens: fsm.Input) -> Steps:
        member = self.router.members[name]
        machine = member.machine
        self.rows.add((machine.state, happens))
        handler, state = fsm.TABLE[machine.state, happens]
        commands = handler(machine, now, EVENTS.get(happens, messages.TimerExpired()))
        machine.state = state
        self.router._arm(member)
        return [Step(name, command) for command in commands]

    def _reload(self, now: int, conf: str) -> Steps:
        plan = plans_of(self.home / conf)[0]
        before, after = self.router.reload(now, plan)
        self.carry_out(before)
        self.plan, self.senders = plan, {}
        self.room.adopt(plan)
        self._introduce()
        return after(now)

    def advert(self, name: str, source: str, priority: int, changes: list[str]) -> Received:
        config = self.router.members[name].machine.config
        given = dict(change.split("=", 1) for change in changes)
        vips = given.get("vips")
        addresses = (
            tuple(a.packed for a in config.advertised)
            if vips is None
            else tuple(ipaddress.ip_address(word).packed for word in vips.split(",") if word)
        )
        sender, group = ipaddress.ip_address(source).packed, self.sender(config)._group
        target = ipaddress.ip_address(given["to"]).packed if "to" in given else group or self.source(config)
        advert = vrrp.Advert(
            int(given.get("version", config.version)),
            config.vrid,
            priority,
            int(given.get("cs", config.advert_cs)),
            addresses,
            int(given.get("type", config.auth)),
            given["password"].encode() if "password" in given else config.password,
        )
        as_v2 = (given["checksum"] == "v2") if "checksum" in given else config.v3_checksum_as_v2
        pdu = bytearray(vrrp.encode(advert, sender, target, as_v2=as_v2))
        if given.get("checksum") == "bad":
            pdu[6] ^= 1
        if "count" in given:
            pdu[3] = int(given["count"])
        if "hmac" in given:
            key, sequence = given["hmac"].encode(), (WALL_NS // 10**9 + int(given.get("later", 0))) << 32
            pdu += vrrp_hmac.build(int(given.get("key", 1)), key, sequence, bytes(pdu), sender)
        if "cut" in given:
            del pdu[int(given["cut"]) :]
        return Received(sender, target, int(given.get("ttl", 255)), bytes(pdu), len(pdu))

    # -- what comes out ------------------------------------------------------------------------

    def _config(self, name: str) -> Instance:
        """Of the plan that is in force: at a reload the old one, until its part is done."""
        return next(config for config in self.plan.instances if config.name == name)

    def sender(self, config: Instance) -> AdvertSender:
        if config.name not in self.senders:
            self.senders[config.name] = AdvertSender(replace(config, hmac=None), self.plan.options)
        return self.senders[config.name]

    def carry_out(self, steps: Steps) -> None:
        for name, command in steps:
            head = f"{self.now / 1e6:.6f} > {name or '-'}"
            if isinstance(command, SendAdvert):
                self._sent(head, name, command)
            elif isinstance(command, Notify):
                self.out.append(f"{head} {shown(command)}{self._programs(name, command)}")
            else:
                self.out.append(f"{head} {shown(command)}")
            self._beside(name, command)

    def _beside(self, name: str, command: messages.Command) -> None:
        """What else the VRRP process does about a command, as far as it is the machine room's decision."""
        member, room = self.router.members.get(name), self.room
        config = member.machine.config if member else None
        match command:
            case AddAddresses(addresses) if config is not None and not config.accept:
                room.rules.block(config, addresses)
            case RemoveAddresses(addresses) if config is not None:
                room.rules.release(config, addresses)
            case SendGarp(repeat, extra) if config is not None and room.paced:
                room.announced(room.pacing.announce(self.moment(), config, repeat, extra=extra))
            case CancelGarp():
                room.pacing.cancel(name)
            case Notify(told, group=False):
                room.sync.told(name, told)

    def _sent(self, head: str, name: str, command: SendAdvert) -> None:
        config = self._config(name)
        source = config.source or self.source(config)
        signed = f" signed with key {config.hmac.active}" if config.hmac and config.hmac.signs else ""
        where = f" on {config.wire}{signed}"
        self.sent += 1
        for copy in self.sender(config).copies(command.priority, source):
            if config.auth is Auth.AH:
                ah.sign(copy.packet, config.password, self.sent, unicast=config.unicast)
            target = ipaddress.ip_address(copy.destination)
            self.out.append(f"{head} advert {command.priority} to {target}{where} {copy.packet.hex()}")
        self.router.advert_sent(BOOT_US + self.now, name, command.priority)

    def _programs(self, name: str, command: Notify) -> str:
        """Which of the configured programs the notification is for, and which pipes."""
        fifos = [f.path for f in (self.plan.options.notify_fifo, self.plan.options.vrrp_notify_fifo) if f]
        pipes = f" writes {fifo_line(name, command)!r} to {fifos}" if fifos else ""
        if command.group:
            notify = next(group.notify for group in self.plan.groups if group.name == name)
        else:
            notify = self._config(name).notify
        own = getattr(notify, command.told.name.lower(), None)
        found = [program.argv for program in (own, notify.any) if program is not None]
        mails = " and mails" if notify.mail else ""
        return (f" runs {found}{mails}" if found or notify.mail else "") + pipes


def shown(value: Any) -> str:
    """A command (or a part of one) without what is as always."""
    if isinstance(value, bytes) and len(value) in (4, 16):
        return str(ipaddress.ip_address(value))
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return "(" + ", ".join(shown(item) for item in value) + ")"
    if is_dataclass(value) and not isinstance(value, type):
        parts = [
            f"{field.name}={shown(getattr(value, field.name))}"
            for field in fields(value)
            if getattr(value, field.name) != field.default
        ]
        return f"{type(value).__name__}({', '.join(parts)})"
    return repr(value)


def replay(case: Path, rows: set[Row], *, clean: bool = True) -> Iterator[str]:
    """Everything that comes out of the runs of a case."""
    run: Replay | None = None
    lines = (case / "inputs").read_text(encoding="ascii").splitlines()
    clean = clean and "0 said" not in lines
    for line in lines:
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "run":
            if run is not None:
                yield from (*run.out, counters(run), "")
            conf = words[-1] if words[-1].endswith(".conf") else "router.conf"
            run = Replay(case, conf, rows, clean)
            yield line
            continue
        assert run is not None, "a run comes first"
        run.play(round(float(words[0]) * 1e6), words[1], words[2:])
    assert run is not None
    yield from (*run.out, counters(run))


def counters(run: Replay) -> str:
    """What the statistics say in the end."""
    parts = []
    for name, member in run.router.members.items():
        stats = member.admission.stats
        counted = {f.name: getattr(stats, f.name) for f in fields(stats) if getattr(stats, f.name)}
        parts.append(f"{name}: {member.machine.state.name} {member.machine.priority} {counted}")
    return "\n".join(parts)


def cases() -> list[Path]:
    return sorted(path.parent for path in HOME.glob("*/inputs"))


def check(case: Path, got: str) -> None:
    expected = case / "expected"
    if os.environ.get("EVENER_REPLAY") == "write":
        expected.write_text(got, encoding="ascii")
    assert got.splitlines() == expected.read_text(encoding="ascii").splitlines()
