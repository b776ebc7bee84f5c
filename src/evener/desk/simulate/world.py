"""Nodes, their clocks, and the wire between them: the daemon's routers run against virtual time.

Each node has a router of its own plan and a clock that may run fast or slow; what its router sends is encoded
as the daemon would encode it and reaches every node on the same interface (or the addressed one) after the
latency, unless the link is cut. So do the packets of BFD sessions between nodes. Scripts run at their
intervals and take no time; they succeed until the scenario says otherwise.
"""

from __future__ import annotations

import heapq
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from evener.desk.simulate.neighbours import Datagram, Neighbours, addresses_of
from evener.desk.simulate.scenario import Action, Scenario, rate
from evener.desk.simulate.timeline import OFF, Timeline
from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.vrrp.admission import Received
from evener.keepalived.vrrp.messages import AddAddresses, Log, RemoveAddresses, SendAdvert
from evener.keepalived.vrrp.plan import Auth, Family, Instance, State, TrackKind, VrrpPlan
from evener.keepalived.vrrp.router import Router, Steps
from evener.wire import vrrp

LATENCY_US = 200
BOOT_US = 1_000_000_000
"""A node's clock when the simulation begins; away from zero, like a real monotonic clock."""

MOST_EVENTS = 2_000_000
"""A simulation that needs more is not finished (a flood of adverts, a day of centiseconds)."""


class Flight(NamedTuple):
    """A packet on its way."""

    sender: str
    config: Instance
    destination: bytes
    pdu: bytes


class Node:
    """One machine. ``router`` None: it is off."""

    def __init__(self, name: str, number: int, plan: VrrpPlan) -> None:
        # Signatures prove nothing here: everybody is who he is.
        unsigned = tuple(
            replace(config, hmac=None, auth=Auth.PASS if config.auth is Auth.AH else config.auth)
            for config in plan.instances
        )
        self.name, self.number, self.plan = name, number, replace(plan, instances=unsigned)
        self.router: Router | None = None
        self.rate = 1.0
        self._from, self._local = 0, BOOT_US
        self.links: dict[str, bool] = {}
        self.scripts_ok = {script.name: True for script in plan.scripts}
        self.values: dict[tuple[TrackKind, str], int] = {}
        self.script_due: dict[str, int] = {}
        self.start_due: int | None = None
        self.neighbours = Neighbours(name, number, BfdPlan(), ())

    def local(self, now: int) -> int:
        return self._local + round((now - self._from) * self.rate)

    def real(self, local: int) -> int:
        """When (in simulation time) the node's clock will show ``local``; never too early."""
        return self._from + -int(-(local - self._local) // self.rate)

    def set_rate(self, now: int, value: float) -> None:
        self._local, self._from, self.rate = self.local(now), now, value

    def source(self, config: Instance) -> bytes:
        if config.source is not None:
            return config.source
        if config.family is Family.INET:
            return bytes((192, 0, 2, self.number))
        return socket.inet_pton(socket.AF_INET6, f"fe80::{self.number:x}")

    def hears_on(self, interface: str | None) -> bool:
        return interface is None or self.links.get(interface, True)

    @property
    def linked(self) -> bool:
        """Whether some interface works: which one a session uses is not known."""
        own = {config.interface for config in self.plan.instances}
        return any(self.hears_on(interface) for interface in own)

    def next_timer(self) -> int | None:
        """In simulation time."""
        if self.router is None:
            return None
        dues = [self.router.next_timer(), *self.script_due.values(), self.start_due]
        dues.append(self.neighbours.next_timer())
        local = min((due for due in dues if due is not None), default=None)
        return None if local is None else self.real(local)


class World:
    """See the module. ``run`` returns what was seen."""

    def __init__(
        self,
        plans: Sequence[tuple[str, VrrpPlan]],
        scenario: Scenario,
        sessions: Mapping[str, BfdPlan] | None = None,
    ) -> None:
        self.nodes = {name: Node(name, number, plan) for number, (name, plan) in enumerate(plans, 1)}
        self.scenario = scenario
        self.timeline = Timeline(tuple(self.nodes))
        self.cut: set[tuple[str, str]] = set()
        """From whom to whom packets are lost."""
        self.finished = True
        self._flights: list[tuple[int, int, Flight | Datagram]] = []
        self._serial = count()
        self._built: dict[tuple[str, str, int, bytes], bytes] = {}
        self.watchers: list[Callable[[int], None]] = []
        self._do: dict[str, Callable[[int, Node, tuple[str, ...]], None]] = {
            "start": self._start, "stop": self._stop, "crash": self._crash, "cut": self._cut,
            "mend": self._mend, "mute": self._mute, "unmute": self._unmute,
            "down": self._link, "up": self._link, "script": self._script,
            "file": self._value, "process": self._value, "bfd": self._value, "clock": self._clock,
        }  # fmt: skip
        self._action: Action | None = None
        self._introduce(sessions or {})

    def _introduce(self, sessions: Mapping[str, BfdPlan]) -> None:
        """Which of their BFD sessions have a neighbour here."""
        plans = {name: sessions.get(name, BfdPlan()) for name in self.nodes}
        self._own = {name: addresses_of(node.plan, plans[name]) for name, node in self.nodes.items()}
        for name, node in self.nodes.items():
            elsewhere = (own for other, own in self._own.items() if other != name)
            node.neighbours = Neighbours(name, node.number, plans[name], elsewhere)

    def run(self) -> Timeline:
        scenario = self.scenario
        actions = list(scenario.actions)
        first: dict[str, str] = {}
        for action in actions:
            if action.kind in ("start", "stop", "crash"):
                first.setdefault(action.node, action.kind)
        begin = [Action(0, "start", name) for name in self.nodes if first.get(name) != "start"]
        pending = sorted([*begin, *actions], key=lambda action: action.at_us)
        now = 0
        for _ in range(MOST_EVENTS):
            now = self._next(pending)
            if now >= scenario.duration_us:
                break
            while pending and pending[0].at_us <= now:
                self._act(now, pending.pop(0))
            self._land(now)
            for node in self.nodes.values():
                timer = node.next_timer()
                if timer is not None and timer <= now:
                    self._tick(now, node)
            for watch in self.watchers:
                watch(now)
        else:
            self.finished = False
            self.timeline.say(now, "", f"more than {MOST_EVENTS} events: ended early")
        self.timeline.finish(scenario.duration_us if self.finished else now)
        return self.timeline

    def _next(self, pending: list[Action]) -> int:
        moments = [timer for node in self.nodes.values() if (timer := node.next_timer()) is not None]
        if pending:
            moments.append(pending[0].at_us)
        if self._flights:
            moments.append(self._flights[0][0])
        return min(moments, default=self.scenario.duration_us)

    # -- what the scenario does ----------------------------------------------------------------

    def _act(self, now: int, action: Action) -> None:
        self._action = action
        if now or action.kind != "start":
            self.timeline.say(now, action.node, " ".join((action.kind, *action.words)))
        self._do[action.kind](now, self.nodes[action.node], action.words)

    def _start(self, now: int, node: Node, _words: tuple[str, ...]) -> None:
        if node.router is not None:
            return
        router = node.router = Router(node.plan)
        for config in node.plan.instances:
            router.know(TrackKind.SOURCE, config.name, True)
            router.set_source(config.name, node.source(config))
        for track in {track for member in router.members.values() for track in member.tracks}:
            if track.kind is TrackKind.INTERFACE:
                router.know(TrackKind.INTERFACE, track.name, node.hears_on(track.name))
            elif track.kind is TrackKind.BFD:
                up = 0 if track.name in node.neighbours.names else 1
                router.know(TrackKind.BFD, track.name, node.values.get((TrackKind.BFD, track.name), up))
        for file in node.plan.files:
            initial = file.initial or 0
            router.know(TrackKind.FILE, file.name, node.values.get((TrackKind.FILE, file.name), initial))
        for process in node.plan.processes:
            key = (TrackKind.PROCESS, process.name)
            router.know(*key, node.values.get(key, 1))
        local = node.local(now)
        node.start_due = local + node.plan.options.startup_delay_us
        node.script_due = {script.name: local for script in node.plan.scripts}
        self._sessions_did(now, node, *node.neighbours.sort(local, node.neighbours.begin(local)))
        for config in node.plan.instances:
            self.timeline.state(now, node.name, config.name, State.INIT)

    def _stop(self, now: int, node: Node, _words: tuple[str, ...]) -> None:
        if node.router is not None:
            self._carry_out(now, node, node.router.stop(node.local(now)))
            self._off(now, node)

    def _crash(self, now: int, node: Node, _words: tuple[str, ...]) -> None:
        if node.router is not None:
            self._off(now, node)

    def _off(self, now: int, node: Node) -> None:
        node.router, node.start_due = None, None
        node.neighbours.end()
        node.script_due.clear()
        self.timeline.drops_all(now, node.name)
        for config in node.plan.instances:
            self.timeline.state(now, node.name, config.name, OFF)

    def _ways(self, node: Node, words: tuple[str, ...]) -> set[tuple[str, str]]:
        others = words or tuple(name for name in self.nodes if name != node.name)
        return {(node.name, other) for other in others}

    def _cut(self, _now: int, node: Node, words: tuple[str, ...]) -> None:
        for way in self._ways(node, words):
            self.cut |= {way, way[::-1]}

    def _mend(self, _now: int, node: Node, words: tuple[str, ...]) -> None:
        for way in self._ways(node, words):
            self.cut -= {way, way[::-1]}

    def _mute(self, _now: int, node: Node, words: tuple[str, ...]) -> None:
        self.cut |= self._ways(node, words)

    def _unmute(self, _now: int, node: Node, words: tuple[str, ...]) -> None:
        self.cut -= self._ways(node, words)

    def _link(self, now: int, node: Node, words: tuple[str, ...]) -> None:
        assert self._action is not None
        up = self._action.kind == "up"
        node.links[words[0]] = up
        self._track(now, node, TrackKind.INTERFACE, words[0], int(up))

    def _script(self, _now: int, node: Node, words: tuple[str, ...]) -> None:
        node.scripts_ok[words[0]] = words[1] == "ok"

    def _value(self, now: int, node: Node, words: tuple[str, ...]) -> None:
        assert self._action is not None
        kind = TrackKind(self._action.kind)
        value = int(words[1]) if kind is TrackKind.FILE else int(words[1] == "up")
        node.values[kind, words[0]] = value
        if kind is not TrackKind.BFD or words[0] not in node.neighbours.names:
            self._track(now, node, kind, words[0], value)

    def _clock(self, now: int, node: Node, words: tuple[str, ...]) -> None:
        node.set_rate(now, rate(words[0]) or 1.0)

    def _track(self, now: int, node: Node, kind: TrackKind, name: str, value: int) -> None:
        if node.router is None:
            return
        if node.start_due is not None:
            node.router.know(kind, name, value)
            return
        self._carry_out(now, node, node.router.track(node.local(now), kind, name, value))

    # -- what the nodes do ---------------------------------------------------------------------

    def _tick(self, now: int, node: Node) -> None:
        router, local = node.router, node.local(now)
        assert router is not None
        if node.start_due is not None and node.start_due <= local:
            node.start_due = None
            self._carry_out(now, node, router.start(local))
        for script in node.plan.scripts:
            due = node.script_due.get(script.name)
            if due is not None and due <= local and node.start_due is None:
                node.script_due[script.name] = due + script.interval_us
                good = node.scripts_ok[script.name]
                steps = router.script_result(local, script.name, good, "succeeded" if good else "failed")
                self._carry_out(now, node, steps)
            elif due is not None and due <= local:
                node.script_due[script.name] = node.start_due or local
        if node.start_due is None:
            self._carry_out(now, node, router.tick(local))
        self._sessions_did(now, node, *node.neighbours.tick(local))

    def _carry_out(self, now: int, node: Node, steps: Steps) -> None:
        for name, command in steps:
            if isinstance(command, SendAdvert):
                self._send(now, node, name, command.priority)
            elif isinstance(command, AddAddresses):
                for address in command.addresses:
                    self.timeline.holds(now, node.name, str(address))
            elif isinstance(command, RemoveAddresses):
                for address in command.addresses:
                    self.timeline.drops(now, node.name, str(address))
            elif isinstance(command, Log) and not command.detail:
                self.timeline.say(now, node.name, command.message)
        if node.router is not None:
            for member in node.router.members.values():
                self.timeline.state(now, node.name, member.name, member.machine.state)

    # -- the wire ------------------------------------------------------------------------------

    def _send(self, now: int, node: Node, name: str, priority: int) -> None:
        config = next(c for c in node.plan.instances if c.name == name)
        if not node.hears_on(config.interface):
            return
        options = node.plan.options
        group = config.mcast_group or (
            options.mcast_group4 if config.family is Family.INET else options.mcast_group6
        )
        for destination in [peer.packed for peer in config.peers] if config.unicast else [group]:
            flight = Flight(node.name, config, destination, self._pdu(node, config, priority, destination))
            heapq.heappush(self._flights, (now + LATENCY_US, next(self._serial), flight))
        if node.router is not None:
            node.router.advert_sent(now, name, priority)

    def _pdu(self, node: Node, config: Instance, priority: int, destination: bytes) -> bytes:
        key = (node.name, config.name, priority, destination)
        if key not in self._built:
            advert = vrrp.Advert(
                config.version, config.vrid, priority, config.advert_cs,
                tuple(a.packed for a in config.advertised), int(config.auth), config.password,
            )  # fmt: skip
            source = node.source(config)
            self._built[key] = vrrp.encode(advert, source, destination, as_v2=config.v3_checksum_as_v2)
        return self._built[key]

    def _land(self, now: int) -> None:
        while self._flights and self._flights[0][0] <= now:
            flight = heapq.heappop(self._flights)[2]
            for node in self.nodes.values():
                if isinstance(flight, Datagram):
                    self._hand_over(now, node, flight)
                elif node.router is not None and self.connected(flight.sender, node.name):
                    self._deliver(now, node, flight)

    def _deliver(self, now: int, node: Node, flight: Flight) -> None:
        router, sent = node.router, flight.config
        assert router is not None
        source = self.nodes[flight.sender].source(sent)
        received = Received(source, flight.destination, 255, flight.pdu, len(flight.pdu))
        for config in node.plan.instances:
            heard = config.vrid == sent.vrid and config.family is sent.family
            addressed = not sent.unicast or config.source in (None, flight.destination)
            if heard and addressed and same_wire(config, sent) and node.hears_on(config.interface):
                self._carry_out(now, node, router.receive(node.local(now), config.name, received))

    def _sessions_did(self, now: int, node: Node, sent: list[Datagram], told: list[tuple[str, bool]]) -> None:
        for datagram in sent:
            if node.values.get((TrackKind.BFD, datagram.session), 1) and node.linked:
                heapq.heappush(self._flights, (now + LATENCY_US, next(self._serial), datagram))
        for name, up in told:
            self.timeline.say(now, node.name, f"BFD session {name} is {'up' if up else 'down'}")
            self._track(now, node, TrackKind.BFD, name, int(up))

    def _hand_over(self, now: int, node: Node, datagram: Datagram) -> None:
        """A packet of a session; ``bfd NODE SESSION down`` keeps those of that session from arriving."""
        reached = datagram.target in self._own[node.name] and self.connected(datagram.sender, node.name)
        if reached and node.linked and node.router is not None:
            self._sessions_did(now, node, *node.neighbours.receive(node.local(now), datagram.arrival))

    def connected(self, sender: str, hearer: str) -> bool:
        return sender != hearer and (sender, hearer) not in self.cut


def same_wire(first: Instance, second: Instance) -> bool:
    """Interfaces of one name are one network; unicast reaches everywhere."""
    return first.unicast or second.unicast or first.interface == second.interface
