"""Running keepalived: the parent process and its children.

    keepalived            this module: pid files, signals, reading the configuration again
      keepalived_vrrp     host/vrrp_process: adverts and addresses; dies gracefully with its parent
        keepalived_scr    host/scripts: runs scripts
        keepalived_dbus   host/dbus_process: with enable_dbus, the service on the bus
        vip_guard         host/vrrp_guard: takes addresses off if the others are killed or stopped
      keepalived_healthcheckers   host/checker_process: checks, and the engine that balances
      keepalived_bfd      host/bfd_process: sessions with neighbours; tells the others (host/bfd_news)

``keepalived_child`` starts a process of each kind in KINDS that the configuration asks for, and starts it
again when it dies.

The parent reads the configuration, so that a reload is parsed - and refused - far from the adverts: the
children only ever see a plan that compiles. (The original's daemon exits when a reload has a fatal
error, and leaves its addresses behind; here the old configuration goes on.)
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from evener.cli.keepalived_child import Child, ChildKind
from evener.cli.keepalived_options import (
    EXIT_FATAL,
    EXIT_OK,
    RunOptions,
    already_running,
    remove_file,
    write_pid,
)
from evener.host import core_dump
from evener.host.bfd_news import LISTENERS, newswires
from evener.host.config_copies import ConfigCopies
from evener.host.daemon import ServiceManager
from evener.host.errand import reload_marker, run_errand
from evener.host.procname import set_process_name
from evener.host.reactor import Reactor
from evener.host.reload_timer import ReloadTimer
from evener.host.vrrp_channel import PlanChannel
from evener.host.vrrp_log import LogSink
from evener.keepalived.lvs.plan_update import difference, updated
from evener.keepalived.plan import DaemonPlan

PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2, 36, 63)
"""Dumps, JSON and clearing of statistics are the children's business (keepalived --signum)."""

Reread = Callable[[str | None], DaemonPlan | None]
"""Reads the configuration again; None: it must not be used (the reader has said why, in this file too)."""


def _preload_vrrp() -> None:
    from evener.host.vrrp_process import preload

    preload()


def _live_vrrp(plan: Any, channel: PlanChannel[Any], log: LogSink) -> int:
    from evener.host.vrrp_process import VrrpProcess

    return VrrpProcess(plan, channel, log).run()


def _bury_vrrp(plan: Any) -> None:
    """The guard does it too, if it lives; but here it is done before the next process starts."""
    from evener.host.vrrp_guard import draw_up, execute

    try:
        execute(draw_up(plan))
    except OSError:
        pass  # no netlink, no addresses


def _preload_checker() -> None:
    from evener.host.checker_process import preload

    preload()


def _live_checker(plan: Any, channel: PlanChannel[Any], log: LogSink) -> int:
    from evener.host.checker_process import CheckerProcess

    return CheckerProcess(plan, channel, log).run()


def _whole(_old: Any, new: Any) -> Any:
    """Of a small part everything is sent."""
    return new


def _preload_bfd() -> None:
    import evener.host.bfd_process  # noqa: F401


def _live_bfd(plan: Any, channel: PlanChannel[Any], log: LogSink) -> int:
    from evener.host.bfd_process import BfdProcess

    return BfdProcess(plan, channel, log).run()


KINDS = (
    ChildKind(
        title="Healthcheck",
        ident="Keepalived_healthcheckers",
        key="checkers",
        process_name=lambda plan: plan.checker.options.process_name or "keepalived_healthcheckers",
        part=lambda plan: plan.checker,
        wanted=lambda plan: bool(plan.checker.virtual_servers),
        preload=_preload_checker,
        update=difference,
        body=_live_checker,
    ),
    ChildKind(
        title="VRRP",
        ident="Keepalived_vrrp",
        key="vrrp",
        process_name=lambda plan: plan.vrrp.options.process_name or "keepalived_vrrp",
        part=lambda plan: plan.vrrp,
        wanted=lambda plan: bool(plan.vrrp.instances),
        preload=_preload_vrrp,
        update=_whole,
        body=_live_vrrp,
        bury=_bury_vrrp,
    ),
    ChildKind(
        title="BFD",
        ident="Keepalived_bfd",
        key="bfd",
        process_name=lambda plan: plan.bfd.process_name or "keepalived_bfd",
        part=lambda plan: plan.bfd,
        wanted=lambda plan: bool(plan.bfd.sessions),
        preload=_preload_bfd,
        update=_whole,
        body=_live_bfd,
    ),
)
"""In the order in which they are started."""


def run(plan: DaemonPlan, options: RunOptions, reread: Reread) -> int:
    """Run until told to stop; returns the exit code. Daemonises first unless in the foreground."""
    log = LogSink(options.log, "Keepalived")
    name = plan.vrrp.options.parent_process_name or "keepalived"
    if already_running(options.pid_file, name):
        log("daemon is already running")
        return EXIT_FATAL
    if not options.foreground and not daemonise():
        return EXIT_OK
    log = LogSink(options.log, "Keepalived")
    set_process_name(name)
    if not write_pid(options.pid_file):
        log(f"cannot write pid file {options.pid_file}")
        return EXIT_FATAL
    if plan.parent.umask is not None and not options.umask_given:
        os.umask(plan.parent.umask)
    if options.core_dump:
        core_dump.allow(log)
    restore = core_dump.use_pattern(options.core_pattern, log) if options.core_pattern else None
    try:
        run_errand("startup", plan.parent.startup, plan, log)
        return Parent(plan, options, reread, log).run()
    finally:
        run_errand("shutdown", plan.parent.shutdown, plan, log)
        remove_file(options.pid_file)
        if restore is not None:
            restore()
        log("Stopped Keepalived")
        log.close()


class Parent:
    """The process that was started. It holds no address and sends nothing; it may wait."""

    def __init__(self, plan: DaemonPlan, options: RunOptions, reread: Reread, log: LogSink) -> None:
        self._reread = reread
        self._plan = plan
        self._log = log
        self._reactor = Reactor()
        self._manager = ServiceManager()
        self._stopping = False
        self._code = EXIT_OK
        self._deaf_to_sigint = options.ignore_sigint
        self._copies = ConfigCopies(log)
        self._timer = ReloadTimer(self._reactor, self._reload, log)
        news = newswires()
        self._children = [
            Child(kind, plan, options, self._reactor, log, news, self._spawned) for kind in KINDS
        ]

    def run(self) -> int:
        reactor = self._reactor
        reactor.on_signal(signal.SIGTERM, self._stop)
        if self._deaf_to_sigint:
            # Blocked rather than ignored: the children, which inherit it, may do with it what they like.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        reactor.on_signal(signal.SIGINT, self._stop)
        reactor.on_signal(signal.SIGHUP, self._reload)
        reactor.on_signal(signal.SIGCHLD, self._reap)
        for number in PASSED_ON:
            reactor.on_signal(number, partial(self._pass_on, number))
        reactor.on_signal(signal.SIGUSR1, self._dump)
        self._log("Starting Keepalived")
        for child in self._children:
            child.start_if_wanted()
        self._used(self._plan)
        self._manager.tell(f"READY=1\nMAINPID={os.getpid()}")
        reactor.run()
        return self._code

    def _spawned(self, kind: ChildKind) -> None:
        """A process that may track BFD sessions has to learn how they stand."""
        if kind.key in LISTENERS:
            for child in self._children:
                if child.kind.key == "bfd":
                    child.restate()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children:
                if child.pid == pid:
                    self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, code: int) -> None:
        if not child.ended(code, self._stopping):
            self._code = EXIT_FATAL
            self._stop()
        if self._stopping and not any(child.pid for child in self._children):
            self._reactor.stop()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._log("Stopping")
        self._manager.tell("STOPPING=1")
        self._stopping = True
        if not any(child.pid for child in self._children):
            self._reactor.stop()
            return
        self._pass_on(signal.SIGTERM)
        self._reactor.later(self._plan.parent.patience_s, partial(self._pass_on, signal.SIGKILL))

    def _reload(self) -> None:
        if self._stopping:
            return
        self._log("Reloading ...")
        self._manager.tell("RELOADING=1")
        with reload_marker(self._plan.parent.reload_file):
            plan = self._reread(self._plan.parent.reload_log)
        if plan is None:
            see = self._plan.parent.reload_log
            self._log(f"New config failed validation, {f'see {see}, ' if see else ''}keeping the old one")
        else:
            # What is as it was is the old object: there are not two of it, and nobody looks at it again.
            checker = updated(self._plan.checker, difference(self._plan.checker, plan.checker))
            self._plan = plan = replace(plan, checker=checker)
            for child in self._children:
                child.use(plan)
            self._used(plan)
        self._manager.tell("READY=1")

    def _used(self, plan: DaemonPlan) -> None:
        """What the parent itself does with a plan that is in force."""
        self._copies.keep(plan.parent.saved)
        self._timer.use(plan.parent.reload_time)

    def _dump(self) -> None:
        """Our own part of the data, and every child's."""
        from evener.host.vrrp_dump import write_parent

        write_parent(self._plan.vrrp.options, self._log)
        self._pass_on(signal.SIGUSR1)

    def _pass_on(self, number: int) -> None:
        for child in self._children:
            child.signal(number)


def daemonise() -> bool:
    """Leave the terminal; False in the process that must exit."""
    if os.fork():
        return False
    os.setsid()
    if os.fork():
        os._exit(EXIT_OK)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return True
