"""One process of the daemon that the parent keeps alive: fork, plans, end, and being started again.

What a child does is named by its ``ChildKind``: which part of the plan it executes, whether that part
asks for a process at all, and the function that is its life. The parent has one ``Child`` for each kind and
treats all of them alike.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from evener.cli.keepalived_options import EXIT_FATAL, EXIT_OK, RunOptions, remove_file, write_pid
from evener.host.bfd_news import Newswires
from evener.host.procname import set_process_name
from evener.host.reactor import Reactor
from evener.host.vrrp_channel import PlanChannel, send_plan
from evener.host.vrrp_log import LogSink
from evener.keepalived.plan import DaemonPlan
from evener.text.record import dataclass

RESPAWN_PAUSE_S = 1.0
"""A child that dies at once, again and again, is not respawned faster than this."""

EXIT_SOFTWARE = 70


@dataclass(frozen=True, slots=True)
class ChildKind:
    """A process of the daemon."""

    title: str
    """As messages of the parent call it: ``Starting VRRP child process``."""
    ident: str
    """What its own messages start with."""
    key: str
    """Of ``RunOptions.pid_files``."""
    process_name: Callable[[DaemonPlan], str]
    part: Callable[[DaemonPlan], Any]
    """What is sent to it."""
    wanted: Callable[[DaemonPlan], bool]
    preload: Callable[[], None]
    """Imports what it needs, in the parent: a respawned child then starts at once."""
    update: Callable[[Any, Any], Any]
    """From the part it has and the one it is to have: what is sent to it."""
    body: Callable[[Any, PlanChannel[Any], LogSink], int]
    """Its life: the first plan, where later ones come from, its log; returns the exit code."""
    bury: Callable[[Any], None] = lambda part: None
    """Takes away what one that was killed has left."""


class Child:
    """A kind, and the process of that kind if there is one (``pid``)."""

    def __init__(
        self,
        kind: ChildKind,
        plan: DaemonPlan,
        options: RunOptions,
        reactor: Reactor,
        log: LogSink,
        news: Newswires | None = None,
        spawned: Callable[[ChildKind], None] = lambda kind: None,
    ) -> None:
        self.pid: int | None = None
        self.kind = kind
        self._news = news
        self._spawned = spawned
        self._plan = plan
        self._options = options
        self._reactor = reactor
        self._log = log
        self._channel: socket.socket | None = None
        self._sent: Any = None
        self._started = 0.0

    def start_if_wanted(self) -> None:
        if self.pid is None and self._wanted:
            self._spawn()

    def use(self, plan: DaemonPlan) -> None:
        """The configuration was read again."""
        self._plan = plan
        if self.pid is None:
            self.start_if_wanted()
        elif not self._wanted:
            self.signal(signal.SIGTERM)
        elif self._channel is not None:
            self._hand_over(self._channel)

    def restate(self) -> None:
        """Send it the plan that it has: it tells its listeners again how things stand."""
        if self.pid is not None and self._channel is not None:
            self._hand_over(self._channel)

    def signal(self, number: int) -> None:
        if self.pid is not None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass  # SIGCHLD is on its way

    def ended(self, code: int, stopping: bool) -> bool:
        """It has exited: start it again if it is to run. False: it may not be, and the daemon must end."""
        self.pid = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        remove_file(self._pid_file)
        if code != EXIT_OK:
            self.kind.bury(self._sent)
        if stopping or not self._wanted:
            return True
        how = f"died from signal {-code}" if code < 0 else f"exited with code {code}"
        if not self._options.respawn:
            self._log(f"{self.kind.title} child process {how}: exiting")
            return False
        self._log(f"{self.kind.title} child process {how}: Respawning")
        lived = self._reactor.now() - self._started
        self._reactor.later(0 if lived > RESPAWN_PAUSE_S else RESPAWN_PAUSE_S, self.start_if_wanted)
        return True

    @property
    def _wanted(self) -> bool:
        return self.kind.key not in self._options.without and (
            self._options.forced or self.kind.wanted(self._plan)
        )

    @property
    def _pid_file(self) -> Any:
        return self._options.pid_files[self.kind.key]

    def _hand_over(self, channel: socket.socket) -> None:
        part = self.kind.part(self._plan)
        try:
            send_plan(channel, self.kind.update(self._sent, part))
            self._sent = part
        except OSError as error:  # its end is about to be seen
            self._log(f"cannot reach the {self.kind.title} child process: {error.strerror}")

    def _spawn(self) -> None:
        self.kind.preload()
        near, far = socket.socketpair()
        parent = os.getpid()
        self._reactor.turn(0)
        self._started = self._reactor.now()
        self._sent = self.kind.part(self._plan)
        pid = os.fork()
        if pid == 0:
            near.close()
            self._reactor.close()
            self._become(far, parent)
        far.close()
        self.pid, self._channel = pid, near
        self._log(f"Starting {self.kind.title} child process, pid={pid}")
        self._spawned(self.kind)

    def _become(self, channel: socket.socket, parent: int) -> None:
        """The child's life, from the fork to its exit; never returns."""
        from evener.host.vrrp_system import die_with_parent

        kind, code = self.kind, EXIT_FATAL
        try:
            set_process_name(kind.process_name(self._plan))
            log = LogSink(self._options.log, kind.ident)
            # A signal that comes before the loop runs must end us too, and cannot need tidying up.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            if not die_with_parent(parent):
                os._exit(EXIT_OK)
            write_pid(self._pid_file)
            code = kind.body(kind.part(self._plan), PlanChannel(channel, self._news), log)
            remove_file(self._pid_file)
        except OSError as error:
            LogSink(self._options.log, kind.ident)(f"{kind.title} child process failed: {error}")
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = EXIT_SOFTWARE
        finally:
            os._exit(code)
