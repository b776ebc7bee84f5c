"""What an instance does about an input: the handlers that ``fsm.TABLE`` names, and the data they work on.

A handler gets the time and the event and returns commands. It may move the instance's timers and what it
remembers of the master, but it neither knows nor sets the state: which handler runs in which state, and
which state follows, is the table's business alone.
"""

from __future__ import annotations

import socket
from typing import Final

from evener.keepalived.vrrp import timers
from evener.keepalived.vrrp.garp import GarpSchedule
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    AddRoutes,
    AdvertReceived,
    CancelGarp,
    Command,
    Event,
    Log,
    Notify,
    PriorityChanged,
    RemoveAddresses,
    RemoveRoutes,
    SendAdvert,
    SendGarp,
    Stopped,
    TimerExpired,
    Told,
)
from evener.keepalived.vrrp.plan import OWNER_PRIORITY, STOP_PRIORITY, Instance, State
from evener.keepalived.vrrp.rogue import Rogue
from evener.keepalived.vrrp.timers import skew_us

Commands = list[Command]

REDUCED_PRIORITY: Final = OWNER_PRIORITY - 1
"""Of an owner that gave way to another one."""

PRIORITY_TOLD: Final[dict[State, Told]] = {
    State.MASTER: Told.MASTER_PRIORITY,
    State.BACKUP: Told.BACKUP_PRIORITY,
}


class Duties:
    """One instance without its table. ``wants_master``: only the sync group holds it back.

    ``source`` is the address its adverts come from (ties are broken by it); times are microseconds.
    """

    __slots__ = (
        "config",
        "deadline",
        "garp",
        "master_advert_us",
        "master_priority",
        "master_source",
        "preempt_at",
        "priority",
        "rogue",
        "source",
        "state",
        "wants_master",
    )

    def __init__(self, config: Instance, source: bytes = b"") -> None:
        self.config: Instance = config
        self.source = source
        self.state = State.INIT
        self.priority = config.priority
        self.garp = GarpSchedule(config.garp)
        self.wants_master = False
        self.deadline: int | None = None
        self.preempt_at: int | None = None
        self.master_advert_us = config.advert_us
        self.master_priority = 0
        self.rogue: Rogue | None = None
        self.master_source = b""

    # -- timers --------------------------------------------------------------------------------

    @property
    def _skew_priority(self) -> int:
        # An owner that lowered its priority for a while keeps the owner's short skew.
        return OWNER_PRIORITY if self.config.owner else self.priority

    def master_down_us(self) -> int:
        config = self.config
        return timers.master_down_us(
            config.version, self._skew_priority, self.master_advert_us, config.down_timer_adverts
        )

    def _restart_master_down(self, now: int) -> None:
        self.deadline = now + self.master_down_us()

    def _schedule_advert(self, now: int) -> None:
        # Counted from when this advert was due, not from when we woke up, so that adverts do not drift; those
        # that were missed in a long sleep are left out, and the beat goes on.
        due, interval = self.deadline, self.config.advert_us
        if due is None or now < due:
            self.deadline = now + interval
        else:
            self.deadline = due + interval * ((now - due) // interval + 1)

    # -- handlers: starting and stopping -------------------------------------------------------

    def begin(self, now: int, event: Event) -> Commands:
        self.master_advert_us = self.config.advert_us
        self._restart_master_down(now)
        # Addresses that a predecessor left behind would answer beside the real master.
        return [
            *self._take_off(),
            self._log("Entering BACKUP STATE (init)"),
            Notify(Told.BACKUP, self.priority),
        ]

    def begin_as_owner(self, now: int, event: Event) -> Commands:
        # The shortest way to MASTER is a timer that is already due.
        self.master_advert_us = self.config.advert_us
        self.deadline = now
        return []

    def begin_faulty(self, now: int, event: Event) -> Commands:
        return [
            *self._take_off(),
            self._log("Entering FAULT STATE (init)"),
            Notify(Told.FAULT, self.priority),
        ]

    def await_scripts(self, now: int, event: Event) -> Commands:
        return self._take_off()

    def resign(self, now: int, event: Event) -> Commands:
        """The process stops while we are master: priority 0 lets a backup take over within skew time."""
        return [
            SendAdvert(STOP_PRIORITY),
            self._log("sent 0 priority", detail=True),
            *self._let_go(),
            *self.halt(now, event),
        ]

    def halt(self, now: int, event: Event) -> Commands:
        self.deadline = None
        self.garp.cancel()
        deleted = isinstance(event, Stopped) and event.deleted
        if not deleted:
            return [Notify(Told.STOP, self.priority)]
        told = Told.DELETED if self.config.notify.send_deleted else Told.FAULT
        return [Notify(told, self.priority)]

    # -- handlers: fault -----------------------------------------------------------------------

    def enter_fault(self, now: int, event: Event) -> Commands:
        self.deadline = None
        self._forget_master()
        return [self._log("Entering FAULT STATE"), Notify(Told.FAULT, self.priority)]

    def abdicate(self, now: int, event: Event) -> Commands:
        """Fault while master: tell the backups if we still can, and let go."""
        self.deadline = None
        self._forget_master()
        return [
            self._log("Entering FAULT STATE"),
            SendAdvert(STOP_PRIORITY),
            *self._let_go(),
            Notify(Told.FAULT, self.priority),
        ]

    def recover(self, now: int, event: Event) -> Commands:
        self._forget_master()
        self._restart_master_down(now)
        return [self._log("Entering BACKUP STATE"), Notify(Told.BACKUP, self.priority)]

    # -- handlers: backup ----------------------------------------------------------------------

    def hasten(self, now: int, event: Event) -> Commands:
        """RFC 9568 6.4.2: a master that resigns is replaced after the skew alone."""
        commands = self._regain(event)
        self.deadline = now + skew_us(self.config.version, self._skew_priority, self.master_advert_us)
        return [*commands, self._log("Backup received priority 0 advertisement", detail=True)]

    def follow(self, now: int, event: Event) -> Commands:
        """A master that we accept: wait for its next advert."""
        commands = self._regain(event) + self._learn_master(event)
        if self.preempt_at is not None:
            self.preempt_at = None
            commands.append(self._log("stop preempt delay", detail=True))
        self.wants_master = False
        self._restart_master_down(now)
        return commands

    def tolerate(self, now: int, event: Event) -> Commands:
        """A weaker master that we must not preempt, at all or until the delay is over."""
        commands = self._regain(event) + self._learn_master(event)
        delay = self.config.preempt_delay_us
        if self.config.preempt and delay and self.preempt_at is None:
            self.preempt_at = now + delay
            commands.append(self._log(f"start preempt delay ({delay / 1e6:.6f})", detail=True))
        self.wants_master = False
        self._restart_master_down(now)
        return commands

    def discard(self, now: int, event: Event) -> Commands:
        assert isinstance(event, AdvertReceived)
        return [
            *self._regain(event),
            self._log(
                f"received lower priority ({event.priority}) advert from {_text(event.source)} - discarding"
            ),
        ]

    def regains(self, advert: AdvertReceived) -> bool:
        """Whether an owner that gave way to another one may be the owner again."""
        if self.priority != REDUCED_PRIORITY or not self.config.owner:
            return False
        return advert.source != self.master_source or advert.priority != OWNER_PRIORITY

    def _regain(self, event: Event) -> Commands:
        assert isinstance(event, AdvertReceived)
        if not self.regains(event):
            return []
        self.priority = OWNER_PRIORITY
        return [
            self._log(f"Restoring our priority to {OWNER_PRIORITY} since received advert with lower priority")
        ]

    def _learn_master(self, event: Event) -> Commands:
        # RFC 9568 6.4.2: Master_Adver_Interval is what the master says. Version 2 has no such thing.
        assert isinstance(event, AdvertReceived)
        self.master_priority, self.master_source = event.priority, event.source
        old, new = self.master_advert_us, event.interval_us
        if self.config.version != 3 or new == old or new <= 0:
            return []
        self.master_advert_us = new
        change = f"from {old // 1000}ms to {new // 1000}ms"
        return [self._log(f"advertisement interval updated {change} by master", detail=True)]

    def wait_for_group(self, now: int, event: Event) -> Commands:
        self.wants_master = True
        self._restart_master_down(now)
        return []

    def readjust(self, now: int, event: Event) -> Commands:
        """A new priority moves the running timer by the difference in skew, and no further."""
        before = self.master_down_us()
        commands = self.reprioritise(now, event)
        if self.deadline is not None:
            self.deadline += self.master_down_us() - before
        return commands

    def take_over(self, now: int, event: Event) -> Commands:
        timed_out = isinstance(event, TimerExpired)
        self.wants_master = True
        self.master_advert_us = self.config.advert_us
        self.deadline = now + self.config.advert_us
        repeat = self.garp.become_master(now)
        return [
            *([self._log("Receive advertisement timeout", detail=True)] if timed_out else []),
            SendAdvert(self.priority),
            self._log("Entering MASTER STATE"),
            *self._put_on(),
            *([SendGarp(repeat)] if repeat else []),
            Notify(Told.MASTER, self.priority),
        ]

    # -- handlers: master ----------------------------------------------------------------------

    def advertise(self, now: int, event: Event) -> Commands:
        self._schedule_advert(now)
        logs = self._watch_rogue(now) if self.rogue is not None else []
        return [SendAdvert(self.priority), *self.announce(now, event), *logs]

    def _watch_rogue(self, now: int) -> Commands:
        assert self.rogue is not None
        if not self.rogue.is_silent(now):
            self.rogue.advert_sent(now, self.config.advert_us)
            return []
        self.rogue = None
        return [Log(f"({self.config.name}): rogue address owner appears to have stopped advertising")]

    def announce(self, now: int, event: Event) -> Commands:
        repeat = self.garp.due(now)
        commands: Commands = [SendGarp(repeat)] if repeat else []
        if self.garp.extra_due(now):
            commands.append(SendGarp(1, extra=True))
        return commands

    def reassert(self, now: int, event: Event) -> Commands:
        """RFC 9568 6.4.3: somebody resigned while we are master; say at once that we are here."""
        self.deadline = now + self.config.advert_us
        return [SendAdvert(self.priority), self._log("Master received priority 0 message", detail=True)]

    def yield_to(self, now: int, event: Event) -> Commands:
        assert isinstance(event, AdvertReceived)
        commands: Commands = []
        if self.config.higher_prio_send_advert:
            # Lets the other master notice that there were two, and refresh its neighbours.
            commands.append(SendAdvert(self.priority))
        commands += self._describe_stronger(event)
        commands += self._learn_master(event)
        return commands + self.step_down(now, event)

    def _describe_stronger(self, event: AdvertReceived) -> Commands:
        name = _text(event.source)
        sender = f"Master received advert from {name}"
        if event.priority > self.priority:
            return [self._log(f"{sender} with higher priority {event.priority}, ours {self.priority}")]
        logs: Commands = []
        if event.priority == OWNER_PRIORITY and event.source > self.source:
            logs.append(self._two_owners(event))
        elif event.priority == OWNER_PRIORITY:
            self.priority, self.rogue = REDUCED_PRIORITY, None
            why = "is still advertising as address owner, please resolve - reducing our priority"
            logs.append(self._log(f"{name} {why}"))
        return [
            *logs,
            self._log(f"{sender} with same priority {event.priority} but higher IP address than ours"),
        ]

    def _two_owners(self, event: AdvertReceived) -> Log:
        others = f"local instance and {_text(event.source)} are both configured as address owner"
        return self._log(f"CONFIGURATION ERROR: {others}, please resolve")

    def step_down(self, now: int, event: Event) -> Commands:
        self.preempt_at = None
        self.wants_master = False
        self._restart_master_down(now)
        return [self._log("Entering BACKUP STATE"), *self._let_go(), Notify(Told.BACKUP, self.priority)]

    def rebuke(self, now: int, event: Event) -> Commands:
        """Two masters met and we are the stronger one: make the other one and the neighbours see it."""
        assert isinstance(event, AdvertReceived)
        answer = not self.config.lower_prio_no_advert
        commands: Commands = []
        if event.priority == OWNER_PRIORITY and self.rogue is None:
            self.rogue = Rogue(event.source, event.interval_us)
            commands.append(self._two_owners(event))
        commands.append(
            self._log(
                f"Received advert from {_text(event.source)} with lower priority {event.priority},"
                f" ours {self.priority}{', forcing new election' if answer else ''}"
            )
        )
        if answer:
            self.deadline = now + self.config.advert_us
            commands.append(SendAdvert(self.priority))
        return [
            *commands,
            *self.refresh_neighbours(now, event),
            Notify(Told.MASTER_RX_LOWER_PRI, self.priority),
        ]

    def refresh_neighbours(self, now: int, event: Event) -> Commands:
        repeat = self.garp.rival_seen(now)
        return [SendGarp(repeat)] if repeat else []

    def wonder(self, now: int, event: Event) -> Commands:
        return [self._log("WARNING - equal priority advert received from remote host with our IP address.")]

    # -- handlers: any state -------------------------------------------------------------------

    def reprioritise(self, now: int, event: Event) -> Commands:
        assert isinstance(event, PriorityChanged)
        if event.priority == self.priority:
            return []
        message = f"Changing effective priority from {self.priority} to {event.priority}"
        self.priority = event.priority
        told = PRIORITY_TOLD.get(self.state)
        notify = [Notify(told, self.priority)] if told and self.config.notify.priority_changes else []
        return [self._log(message), *notify]

    def ignore(self, now: int, event: Event) -> Commands:
        return []

    # -- pieces --------------------------------------------------------------------------------

    def _let_go(self) -> Commands:
        self.garp.cancel()
        return [CancelGarp(), *self._take_off()]

    def _put_on(self) -> Commands:
        """Addresses first: a route may name one of them as its source."""
        config = self.config
        commands: Commands = [AddAddresses(config.addresses)]
        if config.routes or config.rules:
            commands.append(AddRoutes(config.routes, config.rules))
        return commands

    def _take_off(self) -> Commands:
        config = self.config
        routes: Commands = (
            [RemoveRoutes(config.routes, config.rules)] if config.routes or config.rules else []
        )
        return [*routes, RemoveAddresses(config.addresses)]

    def _forget_master(self) -> None:
        self.preempt_at = None
        self.wants_master = False
        self.master_advert_us = self.config.advert_us

    def _log(self, message: str, *, detail: bool = False) -> Log:
        return Log(f"({self.config.name}) {message}", detail)


def _text(source: bytes) -> str:
    if not source:
        return "?"
    return socket.inet_ntop(socket.AF_INET if len(source) == 4 else socket.AF_INET6, source)
