"""BFD between the nodes of a simulation: the daemon's sessions in virtual time.

A session runs when its neighbour is one of the nodes, which is known by the addresses that its own sessions
and instances send from. A neighbour from outside cannot fail by itself: the scenario says when it does.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from evener.keepalived.bfd.messages import OpenSource, SendPacket, SourceOpened, TellState
from evener.keepalived.bfd.plan import BfdPlan, SessionConfig
from evener.keepalived.bfd.sessions import Arrival, Sessions, Steps
from evener.keepalived.vrrp.plan import VrrpPlan
from evener.text.record import dataclass
from evener.wire.bfd import encode


@dataclass(frozen=True, slots=True)
class Datagram:
    """A packet on its way from a node's session to an address."""

    sender: str
    session: str
    arrival: Arrival
    target: bytes


def addresses_of(plan: VrrpPlan, bfd: BfdPlan) -> set[bytes]:
    """Where packets of a node come from, as far as its configuration tells."""
    told = [config.source for config in plan.instances] + [session.source for session in bfd.sessions]
    return {address for address in told if address is not None}


class Neighbours:
    """The sessions of one node that run. ``begin`` when the node starts."""

    def __init__(self, name: str, seed: int, plan: BfdPlan, elsewhere: Iterable[set[bytes]]) -> None:
        known = set().union(*elsewhere)
        sessions = tuple(s for s in plan.sessions if s.neighbour in known and s.source is not None)
        self.plan = replace(plan, sessions=sessions)
        self.names = frozenset(session.name for session in sessions)
        self._name, self._seed = name, seed
        self._sessions: Sessions | None = None

    def begin(self, now: int) -> Steps:
        self._sessions = Sessions(self.plan, random.Random(self._seed).randint)
        opened = (self._sessions.tell(now, name, SourceOpened()) for name in sorted(self.names))
        return [step for steps in opened for step in steps]

    def end(self) -> None:
        self._sessions = None

    def next_timer(self) -> int | None:
        return None if self._sessions is None else self._sessions.next_timer()

    def tick(self, now: int) -> tuple[list[Datagram], list[tuple[str, bool]]]:
        return ([], []) if self._sessions is None else self.sort(now, self._sessions.tick(now))

    def receive(self, now: int, arrival: Arrival) -> tuple[list[Datagram], list[tuple[str, bool]]]:
        return ([], []) if self._sessions is None else self.sort(now, self._sessions.receive(now, arrival))

    def sort(self, now: int, steps: Steps) -> tuple[list[Datagram], list[tuple[str, bool]]]:
        """What is to be sent, and which sessions came up or went down."""
        sent: list[Datagram] = []
        told: list[tuple[str, bool]] = []
        for name, command in steps:
            if isinstance(command, SendPacket):
                sent.append(self._datagram(self._config(name), encode(command.packet)))
            elif isinstance(command, TellState):
                told.append((name, command.up))
            elif isinstance(command, OpenSource) and self._sessions is not None:
                more = self.sort(now, self._sessions.tell(now, name, SourceOpened()))
                sent, told = sent + more[0], told + more[1]
        return sent, told

    def _config(self, name: str) -> SessionConfig:
        return next(session for session in self.plan.sessions if session.name == name)

    def _datagram(self, session: SessionConfig, data: bytes) -> Datagram:
        assert session.source is not None
        arrival = Arrival(data, session.source, session.neighbour, session.ttl, session.multihop)
        return Datagram(self._name, session.name, arrival, session.neighbour)
