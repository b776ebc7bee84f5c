"""One BFD session: when it sends, what it believes of its neighbour, and whether it is up.

Theory of operation. ``handle(now, event)`` classifies the event into an ``Input`` - a packet by the state
that its sender is in, a timer by what is due - and ``TABLE`` gives the handler and the state that follows
(RFC 5880 section 6.2). No handler sets the state. What a packet says about the neighbour (its intervals,
its discriminator) is learnt before the table is asked, and what follows for our own timers afterwards.

Three deadlines, in microseconds of the caller's clock: the next periodic packet, the end of the detection
time, and (without a socket) the next attempt to open one.

Authority: RFC 5880, and keepalived 2.4 where it leaves a choice:
* packets are sent every ``idle_tx`` until both ends are up, then every ``min_tx`` (or as slowly as the
  neighbour wishes), each interval shortened by 10 to 25 % at random (6.8.7);
* what a poll sequence announces counts from the packet with P or F on (6.8.3);
* a neighbour that goes down administratively takes the session down, but is nobody's failure: those who
  track the session are not told (RFC 5882 section 4.2);
* there is no echo and no authentication, and demand mode only as the neighbour asks for it.
A changed state is told to the neighbour at once (6.8.7, a SHOULD), not with the next periodic packet.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from evener.keepalived.bfd.messages import (
    Command,
    Event,
    Log,
    OpenSource,
    PacketReceived,
    SendPacket,
    SourceOpened,
    TellState,
    TimerExpired,
)
from evener.keepalived.bfd.plan import SessionConfig
from evener.wire.bfd import Diagnostic, Packet, State

OPEN_AGAIN_US = 60_000_000
Random = Callable[[int, int], int]
Commands = list[Command]


class Input(Enum):
    """What an event amounts to for a session."""

    OPENED = auto()
    FAILED = auto()
    PEER_ADMIN_DOWN = auto()  # a packet, by its sender's state
    PEER_DOWN = auto()
    PEER_INIT = auto()
    PEER_UP = auto()
    SILENCE = auto()  # the detection time has passed
    SEND = auto()  # the periodic packet (without a socket: an attempt to open one) is due
    NOTHING = auto()


HEARD: Final = {
    State.ADMIN_DOWN: Input.PEER_ADMIN_DOWN,
    State.DOWN: Input.PEER_DOWN,
    State.INIT: Input.PEER_INIT,
    State.UP: Input.PEER_UP,
}
STATE_TEXT: Final = {
    State.ADMIN_DOWN: "AdminDown",
    State.DOWN: "Down",
    State.INIT: "Init",
    State.UP: "Up",
}
DIAGNOSTIC_TEXT: Final = {
    Diagnostic.NONE: "No Diagnostic",
    Diagnostic.EXPIRED: "Control Detection Time Expired",
    Diagnostic.ECHO_FAILED: "Echo Function Failed",
    Diagnostic.NEIGHBOUR_DOWN: "Neighbor Signaled Session Down",
    Diagnostic.FORWARDING_RESET: "Forwarding Plane Reset",
    Diagnostic.PATH_DOWN: "Path Down",
    Diagnostic.CONCATENATED_DOWN: "Concatenated Path Down",
    Diagnostic.ADMIN_DOWN: "Administratively Down",
    Diagnostic.REVERSE_CONCATENATED_DOWN: "Reverse Concatenated Path Down",
}


class Session:
    """``discriminator`` is ours and never changes; ``random(low, high)`` includes both ends."""

    __slots__ = (
        "config",
        "demanded",
        "detection_us",
        "diagnostic",
        "discriminator",
        "heard_at",
        "peer_diagnostic",
        "peer_discriminator",
        "peer_min_rx_us",
        "peer_min_tx_us",
        "peer_multiplier",
        "peer_state",
        "polling",
        "random",
        "send_at",
        "silent_at",
        "state",
        "tx_us",
    )

    def __init__(self, config: SessionConfig, discriminator: int, random: Random) -> None:
        self.config = config
        self.discriminator = discriminator
        self.random = random
        self.state = State.ADMIN_DOWN
        self.diagnostic = Diagnostic.NONE
        self.tx_us = config.idle_tx_us
        self.polling = self.demanded = False
        self.detection_us = 0
        self.heard_at = 0
        self.send_at: int | None = None
        self.silent_at: int | None = None
        self.peer_state = State.DOWN
        self.peer_diagnostic = Diagnostic.NONE
        self.peer_discriminator = 0
        self.peer_min_rx_us = 1  # RFC 5880 6.8.1
        self.peer_min_tx_us = 0
        self.peer_multiplier = 0

    @property
    def up(self) -> bool:
        return self.state is State.UP

    def next_timer(self) -> int | None:
        """When ``handle(now, TimerExpired())`` is wanted next."""
        return min((due for due in (self.send_at, self.silent_at) if due is not None), default=None)

    def handle(self, now: int, event: Event) -> Commands:
        """Tell the session what happened; carry out what it returns, in order."""
        commands = self._learn(now, event.packet) if isinstance(event, PacketReceived) else []
        before = self.state
        handler, self.state = TABLE[before, self.classify(now, event)]
        commands += handler(self, now, event)
        if isinstance(event, PacketReceived) and before is not State.ADMIN_DOWN:
            commands += self._answer(now, event.packet, self.state is not before)
        return commands

    def classify(self, now: int, event: Event) -> Input:
        """What ``event`` amounts to; changes nothing."""
        if isinstance(event, PacketReceived):
            return HEARD[event.packet.state]
        if isinstance(event, TimerExpired):
            if self.silent_at is not None and self.silent_at <= now:
                return Input.SILENCE
            return Input.SEND if self.send_at is not None and self.send_at <= now else Input.NOTHING
        return Input.OPENED if isinstance(event, SourceOpened) else Input.FAILED

    def reconfigure(self, now: int, config: SessionConfig) -> Commands:
        """Take over a new configuration of the same session; changed timers are negotiated (6.8.3)."""
        old, self.config = self.config, config
        timers = old.min_rx_us, old.min_tx_us, old.multiplier
        if self.up and timers != (config.min_rx_us, config.min_tx_us, config.multiplier):
            self.polling = True
            return [self._packet()]
        return []

    # -- packets -------------------------------------------------------------------------------

    def _learn(self, now: int, packet: Packet) -> Commands:
        """What a packet says about its sender."""
        if self.state is State.ADMIN_DOWN:
            return []
        self.peer_discriminator = packet.mine
        self.peer_state = packet.state
        self.peer_diagnostic = packet.diagnostic
        self.peer_min_rx_us = packet.min_rx_us
        self.peer_min_tx_us = packet.min_tx_us
        self.peer_multiplier = packet.multiplier
        self.demanded = packet.demand
        self.polling &= not packet.final
        self.heard_at = now
        commands: Commands = []
        if not self.up or packet.poll or packet.final:
            self._choose_interval(now)
            detection = packet.multiplier * max(self.config.min_rx_us, packet.min_tx_us)
            if detection != self.detection_us:
                commands.append(
                    self._log(f"Detection time is {detection} us (was {self.detection_us} us)", indented=True)
                )
                self.detection_us = detection
        self.silent_at = now + self.detection_us
        return commands

    def _choose_interval(self, now: int) -> None:
        """How often we send: fast only when both ends are (about to be) up."""
        fast = self.peer_state is State.UP and self.state in (State.INIT, State.UP)
        wanted = max(self.config.min_tx_us if fast else self.config.idle_tx_us, self.peer_min_rx_us)
        sooner, self.tx_us = wanted < self.tx_us, wanted
        if sooner and self.send_at is not None:
            self._schedule(now)

    def _answer(self, now: int, packet: Packet, changed: bool) -> Commands:
        """What has to be sent because of a packet, and whether packets go on."""
        if self._quiet():
            self.send_at = None
        elif self.send_at is None:
            self._schedule(now)
        if packet.poll:
            # 6.8.7: a packet with F must not have P; it carries our parameters all the same.
            self.polling = False
            return [self._packet(final=True)]
        return [self._packet()] if changed and self.send_at is not None else []

    def _quiet(self) -> bool:
        """6.8.7: no periodic packets while passive and unheard, unwanted, or on demand."""
        if self.peer_discriminator == 0:
            return self.config.passive
        both_up = self.up and self.peer_state is State.UP
        return self.peer_min_rx_us == 0 or (self.demanded and both_up and not self.polling)

    def _schedule(self, now: int) -> None:
        # 6.8.7: reduced by up to a quarter, and by at least a tenth when one loss is fatal; keepalived
        # always takes the tenth.
        self.send_at = now + self.tx_us - self.random(self.tx_us // 10, self.tx_us // 4)

    def _packet(self, final: bool = False) -> SendPacket:
        config = self.config
        return SendPacket(
            Packet(
                state=self.state,
                mine=self.discriminator,
                yours=self.peer_discriminator,
                min_tx_us=config.min_tx_us if self.up else config.idle_tx_us,
                min_rx_us=config.min_rx_us,
                multiplier=config.multiplier,
                diagnostic=self.diagnostic,
                poll=self.polling and not final,
                final=final,
            )
        )

    # -- handlers; self.state is the state that follows ----------------------------------------

    def begin(self, now: int, event: Event) -> Commands:
        self.diagnostic = Diagnostic.NONE
        self.tx_us = self.config.idle_tx_us
        if self._quiet():
            return []
        self._schedule(now)
        return [self._packet()]

    def block(self, now: int, event: Event) -> Commands:
        self.diagnostic = Diagnostic.ADMIN_DOWN
        self.silent_at = None
        self.send_at = now + OPEN_AGAIN_US
        return [self._log(f"Entering {STATE_TEXT[State.ADMIN_DOWN]} state")]

    def open_source(self, now: int, event: Event) -> Commands:
        self.send_at = now + OPEN_AGAIN_US
        return [OpenSource()]

    def send(self, now: int, event: Event) -> Commands:
        self._schedule(now)
        return [self._packet()]

    def rise(self, now: int, event: Event) -> Commands:
        self.diagnostic = Diagnostic.NONE
        return [self._log(f"Entering {STATE_TEXT[State.INIT]} state", detail=True)]

    def come_up(self, now: int, event: Event) -> Commands:
        self.diagnostic = Diagnostic.NONE
        self.polling = self.config.idle_tx_us != self.config.min_tx_us
        return [self._log(f"Entering {STATE_TEXT[State.UP]} state"), TellState(True)]

    def follow_down(self, now: int, event: Event) -> Commands:
        return self._fall(now, Diagnostic.NEIGHBOUR_DOWN, was_up=True)

    def give_up(self, now: int, event: Event) -> Commands:
        """The neighbour ended before the session was up."""
        return self._fall(now, Diagnostic.NEIGHBOUR_DOWN, was_up=False)

    def lose(self, now: int, event: Event) -> Commands:
        late = now - self.heard_at - self.detection_us
        passed = (now - self.heard_at) // 1000
        log = self._log(f"Expired after {passed} ms ({late} usec overdue)")
        self.peer_discriminator = 0
        return [log, *self._fall(now, Diagnostic.EXPIRED, was_up=True), *self._last_word(now)]

    def despair(self, now: int, event: Event) -> Commands:
        """The same before the session was up."""
        self.peer_discriminator = 0
        return [*self._fall(now, Diagnostic.EXPIRED, was_up=False), *self._last_word(now)]

    def forget(self, now: int, event: Event) -> Commands:
        """6.8.1: after a detection time without packets the neighbour's discriminator is not known."""
        self.peer_discriminator = 0
        self.peer_min_rx_us = 1
        self.peer_state = State.DOWN
        self.silent_at = None
        self.polling = self.demanded = False
        self.tx_us = self.config.idle_tx_us
        if self._quiet():
            self.send_at = None
        return []

    def _fall(self, now: int, why: Diagnostic, was_up: bool) -> Commands:
        self.diagnostic = why
        self.polling = False
        self.tx_us = max(self.config.idle_tx_us, self.peer_min_rx_us)
        if not was_up:
            return []
        log = self._log(
            f"Entering {STATE_TEXT[State.DOWN]} state (Local diagnostic - {DIAGNOSTIC_TEXT[why]},"
            f" Remote diagnostic - {DIAGNOSTIC_TEXT[self.peer_diagnostic]})"
        )
        told = why is Diagnostic.EXPIRED or self.peer_state is not State.ADMIN_DOWN
        return [log, TellState(False)] if told else [log]

    def _last_word(self, now: int) -> Commands:
        """After a detection time: the neighbour may still hear us, unless we wait for it to begin."""
        self.silent_at = None
        self.demanded = False
        if self._quiet():
            self.send_at = None
            return []
        self._schedule(now)
        return [self._packet()]

    def ignore(self, now: int, event: Event) -> Commands:
        return []

    def _log(self, message: str, *, detail: bool = False, indented: bool = False) -> Log:
        name = " " * (len(self.config.name) + 2) if indented else f"({self.config.name})"
        return Log(f"{name} {message}", detail)


Handler = Callable[[Session, int, Event], Commands]

_S, _I = Session, Input

TABLE: Final[dict[tuple[State, Input], tuple[Handler, State]]] = {
    # ADMIN_DOWN: there is no socket to send from (yet).
    (State.ADMIN_DOWN, _I.OPENED): (_S.begin, State.DOWN),
    (State.ADMIN_DOWN, _I.FAILED): (_S.block, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.PEER_ADMIN_DOWN): (_S.ignore, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.PEER_DOWN): (_S.open_source, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.PEER_INIT): (_S.open_source, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.PEER_UP): (_S.open_source, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.SILENCE): (_S.ignore, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.SEND): (_S.open_source, State.ADMIN_DOWN),
    (State.ADMIN_DOWN, _I.NOTHING): (_S.ignore, State.ADMIN_DOWN),
    (State.DOWN, _I.OPENED): (_S.ignore, State.DOWN),
    (State.DOWN, _I.FAILED): (_S.block, State.ADMIN_DOWN),
    (State.DOWN, _I.PEER_ADMIN_DOWN): (_S.ignore, State.DOWN),
    (State.DOWN, _I.PEER_DOWN): (_S.rise, State.INIT),
    (State.DOWN, _I.PEER_INIT): (_S.come_up, State.UP),
    (State.DOWN, _I.PEER_UP): (_S.ignore, State.DOWN),
    (State.DOWN, _I.SILENCE): (_S.forget, State.DOWN),
    (State.DOWN, _I.SEND): (_S.send, State.DOWN),
    (State.DOWN, _I.NOTHING): (_S.ignore, State.DOWN),
    (State.INIT, _I.OPENED): (_S.ignore, State.INIT),
    (State.INIT, _I.FAILED): (_S.block, State.ADMIN_DOWN),
    (State.INIT, _I.PEER_ADMIN_DOWN): (_S.give_up, State.DOWN),
    (State.INIT, _I.PEER_DOWN): (_S.ignore, State.INIT),
    (State.INIT, _I.PEER_INIT): (_S.come_up, State.UP),
    (State.INIT, _I.PEER_UP): (_S.come_up, State.UP),
    (State.INIT, _I.SILENCE): (_S.despair, State.DOWN),
    (State.INIT, _I.SEND): (_S.send, State.INIT),
    (State.INIT, _I.NOTHING): (_S.ignore, State.INIT),
    (State.UP, _I.OPENED): (_S.ignore, State.UP),
    (State.UP, _I.FAILED): (_S.block, State.ADMIN_DOWN),
    (State.UP, _I.PEER_ADMIN_DOWN): (_S.follow_down, State.DOWN),
    (State.UP, _I.PEER_DOWN): (_S.follow_down, State.DOWN),
    (State.UP, _I.PEER_INIT): (_S.ignore, State.UP),
    (State.UP, _I.PEER_UP): (_S.ignore, State.UP),
    (State.UP, _I.SILENCE): (_S.lose, State.DOWN),
    (State.UP, _I.SEND): (_S.send, State.UP),
    (State.UP, _I.NOTHING): (_S.ignore, State.UP),
}
