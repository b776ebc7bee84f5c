"""All BFD sessions of the process: which one a packet is for, and why it is dropped when it is for none.

Every method takes the time and returns ``Step``s: a session's name, and a command. ``host/bfd_process``
carries them out. ``dropped`` counts what was not heard, by its reason; rubbish costs no more than that.
"""

from __future__ import annotations

import socket
from collections import Counter
from typing import NamedTuple

from evener.keepalived.bfd.messages import (
    Command,
    Event,
    Log,
    PacketReceived,
    TellState,
    TimerExpired,
)
from evener.keepalived.bfd.plan import ANY_HOPS, BfdPlan, SessionConfig
from evener.keepalived.bfd.session import Commands, Random, Session
from evener.wire.bfd import Defect, decode

NO_SESSION = "no such session"
TOO_MANY_HOPS = "too many hops"


class Arrival(NamedTuple):
    """A datagram. ``destination`` and ``ttl`` None: the kernel did not say."""

    data: bytes
    source: bytes
    destination: bytes | None
    ttl: int | None
    multihop: bool


class Step(NamedTuple):
    name: str
    command: Command


Steps = list[Step]


class Sessions:
    """See the module. ``by_name`` holds them."""

    def __init__(self, plan: BfdPlan, random: Random) -> None:
        self._random = random
        self.by_name: dict[str, Session] = {}
        self.dropped: Counter[str] = Counter()
        self._by_discriminator: dict[int, Session] = {}
        for config in plan.sessions:
            self.by_name[config.name] = self._new(config)
        self._index()

    def next_timer(self) -> int | None:
        timers = (session.next_timer() for session in self.by_name.values())
        return min((timer for timer in timers if timer is not None), default=None)

    def tick(self, now: int) -> Steps:
        """Run the timers that are due."""
        steps: Steps = []
        for name, session in self.by_name.items():
            timer = session.next_timer()
            if timer is not None and timer <= now:
                steps += _steps(name, session.handle(now, TimerExpired()))
        return steps

    def tell(self, now: int, name: str, event: Event) -> Steps:
        return _steps(name, self.by_name[name].handle(now, event))

    def states(self) -> Steps:
        """The state of every session, for those who have just begun to track them."""
        return [Step(name, TellState(session.up)) for name, session in self.by_name.items()]

    def receive(self, now: int, arrival: Arrival) -> Steps:
        """A datagram has arrived on one of the ports."""
        packet = decode(arrival.data)
        if isinstance(packet, Defect):
            return self._drop(arrival, packet.value)
        # 6.8.6: our discriminator alone selects the session, whichever address the neighbour sends from.
        session = self._by_discriminator.get(packet.yours) if packet.yours else self._neighbour(arrival)
        if session is None:
            return self._drop(arrival, NO_SESSION)
        if _came_too_far(session.config, arrival.ttl):
            return self._drop(arrival, TOO_MANY_HOPS)
        return _steps(session.config.name, session.handle(now, PacketReceived(packet)))

    def reload(self, now: int, plan: BfdPlan) -> tuple[set[str], Steps]:
        """Replace the plan. Returns the sessions that are new (they have no socket yet), and steps."""
        old, self.by_name = self.by_name, {}
        fresh: set[str] = set()
        steps: Steps = []
        for config in plan.sessions:
            session = old.get(config.name)
            if session is None or session.config.identity != config.identity:
                self.by_name[config.name] = self._new(config)
                fresh.add(config.name)
            else:
                self.by_name[config.name] = session
                steps += _steps(config.name, session.reconfigure(now, config))
        self._index()
        return fresh, steps

    def _new(self, config: SessionConfig) -> Session:
        while True:
            discriminator = self._random(1, (1 << 32) - 1)
            if discriminator not in self._by_discriminator:
                session = self._by_discriminator[discriminator] = Session(config, discriminator, self._random)
                return session

    def _index(self) -> None:
        self._by_discriminator = {session.discriminator: session for session in self.by_name.values()}

    def _neighbour(self, arrival: Arrival) -> Session | None:
        """6.8.6: a packet that does not know our discriminator yet is found by its addresses."""
        for session in self.by_name.values():
            config = session.config
            own = config.source is None or arrival.destination in (None, config.source)
            if own and (config.neighbour, config.multihop) == (arrival.source, arrival.multihop):
                return session
        return None

    def _drop(self, arrival: Arrival, why: str) -> Steps:
        self.dropped[why] += 1
        family = socket.AF_INET if len(arrival.source) == 4 else socket.AF_INET6
        sender = socket.inet_ntop(family, arrival.source)
        return [Step("", Log(f"Discarding packet from {sender} ({why})", detail=True))]


def _came_too_far(config: SessionConfig, ttl: int | None) -> bool:
    """RFC 5881 section 5, with as many hops as were allowed."""
    return config.max_hops != ANY_HOPS and ttl is not None and ttl + config.max_hops < config.ttl


def _steps(name: str, commands: Commands) -> Steps:
    return [Step(name, command) for command in commands]
