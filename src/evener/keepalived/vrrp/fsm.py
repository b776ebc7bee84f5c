"""The VRRP state machine of one instance: everything that decides who is master lives here.

Theory of operation. ``handle(now, event)`` first *classifies* the event into an ``Input``: an advert, for
example, is ZERO, STRONGER, TOLERATED, WEAKER or MIRROR, depending on its priority, its sender and what
this instance is willing to accept. ``TABLE`` then gives, for every pair of state and input, the handler
that produces commands and the state that follows; no handler sets the state, so the table cannot lie.
Commands come back in the order in which they must be carried out: an advert precedes the addresses, and
these precede the ARPs (the old master has to let go before neighbours are told where to look).

Time is an integer of microseconds on a monotonic clock that the caller owns. The machine knows no
socket, no interface and no other instance; what a sync group wants arrives as events.

Authority: RFC 3768 section 6.4, RFC 9568 section 6.4, and keepalived 2.4 where it differs:
* an instance starts in BACKUP even with ``state MASTER``, unless it owns the addresses (priority 255);
* a master answers a weaker advert with one of its own (RFC 9568; ``lower_prio_no_advert`` for older RFCs);
* a backup that may preempt ignores weaker adverts rather than following them, so its timer runs out;
* FAULT: something tracked is down; nothing is sent or heard.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from evener.keepalived.vrrp.handlers import Commands, Duties
from evener.keepalived.vrrp.messages import (
    AdvertReceived,
    Demoted,
    Event,
    FaultCleared,
    FaultRaised,
    PriorityChanged,
    Promoted,
    RivalSeen,
    Started,
    Stopped,
    TimerExpired,
)
from evener.keepalived.vrrp.plan import OWNER_PRIORITY, STOP_PRIORITY, Instance, State
from evener.keepalived.vrrp.timers import skew_us


class Input(Enum):
    """What an event amounts to for an instance in its present state."""

    START = auto()  # the process is up
    START_AS_OWNER = auto()  # the same, for the owner of the addresses
    START_FAULTY = auto()  # the same, while something decisive is down
    START_PENDING = auto()  # the same, while a decisive script has not answered yet
    FAULT = auto()
    RECOVER = auto()
    TIMEOUT = auto()  # the master-down or the advert timer ran out
    HELD = auto()  # the same in BACKUP, but the sync group cannot become master yet
    GARP_DUE = auto()
    ZERO = auto()  # an advert: the master resigns
    STRONGER = auto()  # an advert: its sender shall be master
    TOLERATED = auto()  # an advert: weaker, but we must not preempt (yet)
    WEAKER = auto()  # an advert: its sender shall not be master
    MIRROR = auto()  # an advert: our priority from our address
    RIVAL = auto()  # another member of the sync group met a weaker master
    PROMOTE = auto()
    DEMOTE = auto()
    PRIORITY = auto()
    STOP = auto()
    NOTHING = auto()  # a timer that is not due


Handler = Callable[[Duties, int, Event], Commands]


class Machine(Duties):
    """One instance. ``may_become_master`` is asked when its timer runs out (a sync group may say no)."""

    __slots__ = ("may_become_master",)

    def __init__(self, config: Instance, source: bytes = b"") -> None:
        super().__init__(config, source)
        self.may_become_master: Callable[[], bool] = lambda: True

    def next_timer(self) -> int | None:
        """When ``handle(now, TimerExpired())`` is wanted next, in the clock's microseconds; None: never."""
        garp = self.garp.next_timer()
        if self.deadline is None:
            return garp
        return self.deadline if garp is None else min(self.deadline, garp)

    def handle(self, now: int, event: Event) -> Commands:
        """Tell the machine what happened; carry out what it returns, in order."""
        handler, state = TABLE[self.state, self.classify(now, event)]
        # The handler still sees the state that is being left; TABLE alone decides what follows.
        commands = handler(self, now, event)
        self.state = state
        return commands

    def classify(self, now: int, event: Event) -> Input:
        """What ``event`` amounts to; changes nothing."""
        match event:
            case AdvertReceived():
                return self._classify_advert(now, event)
            case TimerExpired():
                return self._classify_timer(now)
            case Started():
                return self._classify_start(event)
            case _:
                return PLAIN[type(event)]

    def _classify_start(self, event: Started) -> Input:
        if event.faulty:
            return Input.START_FAULTY
        if event.pending:
            return Input.START_PENDING
        owner = self.config.owner and self.config.state is State.MASTER
        return Input.START_AS_OWNER if owner else Input.START

    def _classify_timer(self, now: int) -> Input:
        if self.deadline is not None and self.deadline <= now:
            if self.state is State.MASTER and self._overslept(now):
                return Input.DEMOTE
            held = self.state is State.BACKUP and not self.may_become_master()
            return Input.HELD if held else Input.TIMEOUT
        garp = self.garp.next_timer()
        return Input.GARP_DUE if garp is not None and garp <= now else Input.NOTHING

    def _overslept(self, now: int) -> bool:
        """timer_expired_backup: an advert is so late that another router may have become master."""
        other, interval = self.config.other_priority, self.config.advert_us
        if other is None or self.deadline is None:
            return False
        return now - self.deadline > 2 * interval + skew_us(self.config.version, other, interval)

    def _classify_advert(self, now: int, advert: AdvertReceived) -> Input:
        if advert.priority == STOP_PRIORITY:
            return Input.ZERO
        if self.state is State.MASTER:
            return self._compare(now, advert)
        if advert.priority >= (OWNER_PRIORITY if self.regains(advert) else self.priority):
            return Input.STRONGER
        return Input.TOLERATED if self._must_not_preempt(now) else Input.WEAKER

    def _compare(self, now: int, advert: AdvertReceived) -> Input:
        # RFC 9568 6.4.3: equal priorities are decided by the senders' primary addresses.
        ours, theirs = (self.priority, self.source), (advert.priority, advert.source)
        if theirs == ours:
            return Input.MIRROR
        stubborn = theirs[0] == OWNER_PRIORITY and self.rogue is not None and self.rogue.insists(now)
        return Input.STRONGER if theirs > ours or stubborn else Input.WEAKER

    def _must_not_preempt(self, now: int) -> bool:
        if not self.config.preempt:
            return True
        delayed = self.config.preempt_delay_us > 0
        return delayed and (self.preempt_at is None or now < self.preempt_at)

    def reconfigure(self, config: Instance) -> None:
        """Take over a new configuration of the same virtual router; state and timers go on."""
        self.config = config
        self.garp.options = config.garp


PLAIN: Final[dict[type[Event], Input]] = {
    FaultRaised: Input.FAULT,
    FaultCleared: Input.RECOVER,
    PriorityChanged: Input.PRIORITY,
    Promoted: Input.PROMOTE,
    Demoted: Input.DEMOTE,
    RivalSeen: Input.RIVAL,
    Stopped: Input.STOP,
}

_M, _I = Duties, Input

TABLE: Final[dict[tuple[State, Input], tuple[Handler, State]]] = {
    # INIT: not started, waiting for the first result of a decisive script, or stopped.
    (State.INIT, _I.START): (_M.begin, State.BACKUP),
    (State.INIT, _I.START_AS_OWNER): (_M.begin_as_owner, State.BACKUP),
    (State.INIT, _I.START_FAULTY): (_M.begin_faulty, State.FAULT),
    (State.INIT, _I.START_PENDING): (_M.await_scripts, State.INIT),
    (State.INIT, _I.FAULT): (_M.enter_fault, State.FAULT),
    (State.INIT, _I.RECOVER): (_M.recover, State.BACKUP),
    (State.INIT, _I.TIMEOUT): (_M.ignore, State.INIT),
    (State.INIT, _I.HELD): (_M.ignore, State.INIT),
    (State.INIT, _I.GARP_DUE): (_M.ignore, State.INIT),
    (State.INIT, _I.ZERO): (_M.ignore, State.INIT),
    (State.INIT, _I.STRONGER): (_M.ignore, State.INIT),
    (State.INIT, _I.TOLERATED): (_M.ignore, State.INIT),
    (State.INIT, _I.WEAKER): (_M.ignore, State.INIT),
    (State.INIT, _I.MIRROR): (_M.ignore, State.INIT),
    (State.INIT, _I.RIVAL): (_M.ignore, State.INIT),
    (State.INIT, _I.PROMOTE): (_M.ignore, State.INIT),
    (State.INIT, _I.DEMOTE): (_M.recover, State.BACKUP),
    (State.INIT, _I.PRIORITY): (_M.reprioritise, State.INIT),
    (State.INIT, _I.STOP): (_M.halt, State.INIT),
    (State.INIT, _I.NOTHING): (_M.ignore, State.INIT),
    # BACKUP: the deadline is the master-down timer.
    (State.BACKUP, _I.START): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.START_AS_OWNER): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.START_FAULTY): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.START_PENDING): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.FAULT): (_M.enter_fault, State.FAULT),
    (State.BACKUP, _I.RECOVER): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.TIMEOUT): (_M.take_over, State.MASTER),
    (State.BACKUP, _I.HELD): (_M.wait_for_group, State.BACKUP),
    (State.BACKUP, _I.GARP_DUE): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.ZERO): (_M.hasten, State.BACKUP),
    (State.BACKUP, _I.STRONGER): (_M.follow, State.BACKUP),
    (State.BACKUP, _I.TOLERATED): (_M.tolerate, State.BACKUP),
    (State.BACKUP, _I.WEAKER): (_M.discard, State.BACKUP),
    (State.BACKUP, _I.MIRROR): (_M.follow, State.BACKUP),
    (State.BACKUP, _I.RIVAL): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.PROMOTE): (_M.take_over, State.MASTER),
    (State.BACKUP, _I.DEMOTE): (_M.ignore, State.BACKUP),
    (State.BACKUP, _I.PRIORITY): (_M.readjust, State.BACKUP),
    (State.BACKUP, _I.STOP): (_M.halt, State.INIT),
    (State.BACKUP, _I.NOTHING): (_M.ignore, State.BACKUP),
    # MASTER: the deadline is the advert timer.
    (State.MASTER, _I.START): (_M.ignore, State.MASTER),
    (State.MASTER, _I.START_AS_OWNER): (_M.ignore, State.MASTER),
    (State.MASTER, _I.START_FAULTY): (_M.ignore, State.MASTER),
    (State.MASTER, _I.START_PENDING): (_M.ignore, State.MASTER),
    (State.MASTER, _I.FAULT): (_M.abdicate, State.FAULT),
    (State.MASTER, _I.RECOVER): (_M.ignore, State.MASTER),
    (State.MASTER, _I.TIMEOUT): (_M.advertise, State.MASTER),
    (State.MASTER, _I.HELD): (_M.advertise, State.MASTER),
    (State.MASTER, _I.GARP_DUE): (_M.announce, State.MASTER),
    (State.MASTER, _I.ZERO): (_M.reassert, State.MASTER),
    (State.MASTER, _I.STRONGER): (_M.yield_to, State.BACKUP),
    (State.MASTER, _I.TOLERATED): (_M.rebuke, State.MASTER),
    (State.MASTER, _I.WEAKER): (_M.rebuke, State.MASTER),
    (State.MASTER, _I.MIRROR): (_M.wonder, State.MASTER),
    (State.MASTER, _I.RIVAL): (_M.refresh_neighbours, State.MASTER),
    (State.MASTER, _I.PROMOTE): (_M.ignore, State.MASTER),
    (State.MASTER, _I.DEMOTE): (_M.step_down, State.BACKUP),
    (State.MASTER, _I.PRIORITY): (_M.reprioritise, State.MASTER),
    (State.MASTER, _I.STOP): (_M.resign, State.INIT),
    (State.MASTER, _I.NOTHING): (_M.ignore, State.MASTER),
    # FAULT: no deadline; only recovery, the group or the end matter.
    (State.FAULT, _I.START): (_M.ignore, State.FAULT),
    (State.FAULT, _I.START_AS_OWNER): (_M.ignore, State.FAULT),
    (State.FAULT, _I.START_FAULTY): (_M.ignore, State.FAULT),
    (State.FAULT, _I.START_PENDING): (_M.ignore, State.FAULT),
    (State.FAULT, _I.FAULT): (_M.ignore, State.FAULT),
    (State.FAULT, _I.RECOVER): (_M.recover, State.BACKUP),
    (State.FAULT, _I.TIMEOUT): (_M.ignore, State.FAULT),
    (State.FAULT, _I.HELD): (_M.ignore, State.FAULT),
    (State.FAULT, _I.GARP_DUE): (_M.ignore, State.FAULT),
    (State.FAULT, _I.ZERO): (_M.ignore, State.FAULT),
    (State.FAULT, _I.STRONGER): (_M.ignore, State.FAULT),
    (State.FAULT, _I.TOLERATED): (_M.ignore, State.FAULT),
    (State.FAULT, _I.WEAKER): (_M.ignore, State.FAULT),
    (State.FAULT, _I.MIRROR): (_M.ignore, State.FAULT),
    (State.FAULT, _I.RIVAL): (_M.ignore, State.FAULT),
    (State.FAULT, _I.PROMOTE): (_M.take_over, State.MASTER),
    (State.FAULT, _I.DEMOTE): (_M.recover, State.BACKUP),
    (State.FAULT, _I.PRIORITY): (_M.reprioritise, State.FAULT),
    (State.FAULT, _I.STOP): (_M.halt, State.INIT),
    (State.FAULT, _I.NOTHING): (_M.ignore, State.FAULT),
}
