"""Running keepalived: the parent process and its VRRP child.

    keepalived            this module: pid files, signals, reading the configuration again, respawning
      keepalived_vrrp     host/vrrp_process: adverts and addresses; dies gracefully with its parent
        keepalived_scr    host/scripts: runs scripts

The parent reads the configuration, so that a reload is parsed - and refused - far from the adverts: the
VRRP process only ever sees a plan that compiles. (The original's daemon exits when a reload has a fatal
error, and leaves its addresses behind; here the old configuration goes on.)
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import field
from functools import partial
from pathlib import Path

from evener.host.daemon import ServiceManager
from evener.host.procname import set_process_name
from evener.host.reactor import Reactor
from evener.host.vrrp_log import LogOptions, LogSink
from evener.keepalived.vrrp.plan import VrrpPlan
from evener.text.record import dataclass

EXIT_OK, EXIT_FATAL, EXIT_CONFIG = 0, 1, 2
STOP_PATIENCE_S = 10.0
RESPAWN_PAUSE_S = 1.0
"""A child that dies at once, again and again, is not respawned faster than this."""

PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2, 36, 63)
"""Dumps, JSON and clearing of statistics are the VRRP process's business (keepalived --signum)."""

Reread = Callable[[], VrrpPlan | None]
"""Reads the configuration again; None when it must not be used (the reader has said why)."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line, as far as running is concerned."""

    foreground: bool = False
    log: LogOptions = field(default_factory=LogOptions)
    pid_file: Path = Path("/run/keepalived.pid")
    vrrp_pid_file: Path = Path("/run/keepalived_vrrp.pid")
    respawn: bool = True


def run(plan: VrrpPlan, options: RunOptions, reread: Reread) -> int:
    """Run until told to stop; returns the exit code. Daemonises first unless in the foreground."""
    log = LogSink(options.log, "Keepalived")
    if already_running(options.pid_file):
        log("daemon is already running")
        return EXIT_FATAL
    if not options.foreground and not daemonise():
        return EXIT_OK
    log = LogSink(options.log, "Keepalived")
    set_process_name(plan.options.parent_process_name or "keepalived")
    if not write_pid(options.pid_file):
        log(f"cannot write pid file {options.pid_file}")
        return EXIT_FATAL
    try:
        return Parent(plan, options, reread, log).run()
    finally:
        remove_file(options.pid_file)
        log("Stopped Keepalived")
        log.close()


class Parent:
    """The process that was started. It holds no address and sends nothing; it may wait."""

    def __init__(self, plan: VrrpPlan, options: RunOptions, reread: Reread, log: LogSink) -> None:
        self._plan = plan
        self._options = options
        self._reread = reread
        self._log = log
        self._reactor = Reactor()
        self._manager = ServiceManager()
        self._child: int | None = None
        self._channel: socket.socket | None = None
        self._started = 0.0
        self._stopping = False
        self._code = EXIT_OK

    def run(self) -> int:
        reactor = self._reactor
        reactor.on_signal(signal.SIGTERM, self._stop)
        reactor.on_signal(signal.SIGINT, self._stop)
        reactor.on_signal(signal.SIGHUP, self._reload)
        reactor.on_signal(signal.SIGCHLD, self._reap)
        for number in PASSED_ON:
            reactor.on_signal(number, partial(self._pass_on, number))
        self._log("Starting Keepalived")
        if self._plan.instances:
            self._spawn()
        self._manager.tell(f"READY=1\nMAINPID={os.getpid()}")
        reactor.run()
        return self._code

    def _spawn(self) -> None:
        from evener.host.vrrp_process import preload

        preload()
        near, far = socket.socketpair()
        parent = os.getpid()
        self._reactor.turn(0)
        self._started = self._reactor.now()
        pid = os.fork()
        if pid == 0:
            near.close()
            self._reactor.close()
            become_vrrp(self._plan, self._options, far, parent)
        far.close()
        self._child, self._channel = pid, near
        self._log(f"Starting VRRP child process, pid={pid}")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._child:
                self._child_ended(os.waitstatus_to_exitcode(status))

    def _child_ended(self, code: int) -> None:
        self._child = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        remove_file(self._options.vrrp_pid_file)
        if self._stopping:
            self._reactor.stop()
            return
        how = f"died from signal {-code}" if code < 0 else f"exited with code {code}"
        if not self._options.respawn or not self._plan.instances:
            self._log(f"VRRP child process {how}: exiting")
            self._code = EXIT_FATAL
            self._reactor.stop()
            return
        self._log(f"VRRP child process {how}: Respawning")
        lived = self._reactor.now() - self._started
        self._reactor.later(0 if lived > RESPAWN_PAUSE_S else RESPAWN_PAUSE_S, self._respawn)

    def _respawn(self) -> None:
        if not self._stopping and self._child is None and self._plan.instances:
            self._spawn()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._log("Stopping")
        self._manager.tell("STOPPING=1")
        self._stopping = True
        if self._child is None:
            self._reactor.stop()
            return
        self._pass_on(signal.SIGTERM)
        self._reactor.later(STOP_PATIENCE_S, self._insist)

    def _insist(self) -> None:
        self._pass_on(signal.SIGKILL)

    def _reload(self) -> None:
        if self._stopping:
            return
        self._log("Reloading ...")
        self._manager.tell("RELOADING=1")
        plan = self._reread()
        if plan is None:
            self._log("New config failed validation, keeping the old one")
        else:
            self._use(plan)
        self._manager.tell("READY=1")

    def _use(self, plan: VrrpPlan) -> None:
        self._plan = plan
        if self._child is None:
            self._respawn()
        elif self._channel is not None:
            self._hand_over(self._channel, plan)

    def _hand_over(self, channel: socket.socket, plan: VrrpPlan) -> None:
        from evener.host.vrrp_channel import send_plan

        try:
            send_plan(channel, plan)
        except OSError as error:
            self._log(f"cannot reach the VRRP child process: {error.strerror}")  # its end is about to be seen

    def _pass_on(self, number: int) -> None:
        if self._child is not None:
            try:
                os.kill(self._child, number)
            except ProcessLookupError:
                pass  # SIGCHLD is on its way


def become_vrrp(plan: VrrpPlan, options: RunOptions, channel: socket.socket, parent: int) -> None:
    """The child's life, from the fork to its exit; never returns."""
    from evener.host.vrrp_channel import PlanChannel
    from evener.host.vrrp_process import VrrpProcess
    from evener.host.vrrp_system import die_with_parent

    code = EXIT_FATAL
    try:
        set_process_name(plan.options.process_name or "keepalived_vrrp")
        log = LogSink(options.log, "Keepalived_vrrp")
        # A signal that comes before the loop runs must end us too, and cannot need tidying up.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        if not die_with_parent(parent):
            os._exit(EXIT_OK)
        write_pid(options.vrrp_pid_file)
        code = VrrpProcess(plan, PlanChannel(channel), log).run()
        remove_file(options.vrrp_pid_file)
    except OSError as error:
        LogSink(options.log, "Keepalived_vrrp")(f"VRRP child process failed: {error}")
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 70
    finally:
        os._exit(code)


def daemonise() -> bool:
    """Leave the terminal; False in the processes that must exit."""
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


def already_running(pid_file: Path) -> bool:
    """Whether the pid file names a living process other than ourselves."""
    try:
        text = pid_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    if not (text.isascii() and text.isdecimal()) or int(text) == os.getpid():
        return False
    try:
        os.kill(int(text), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_pid(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError:
        return False
    return True


def remove_file(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass
