"""Running scripts beside the VRRP process, never in it.

A script may hang, its file may live on a dead file system, and a fork of a large process takes time: none
of that may delay an advert. So a small *helper* process is forked early; it runs the vrrp_scripts at their
intervals, watches tracked files and processes, starts notify scripts and FIFO readers when told, enforces
timeouts, and reports results over a socket that the VRRP process reads without ever waiting.
``ScriptClient`` is the near end.

Each script runs in its own process group (a timeout ends its children too), with /dev/null for its
standard streams. When the VRRP process ends, in whatever way, the helper starts the notifications that
were still in the socket, ends running checks and FIFO readers, and goes; notify scripts live on.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from evener.host import core_dump
from evener.host.helper_messages import messages
from evener.host.mail import Mailer
from evener.host.procname import set_process_name
from evener.host.reactor import READABLE, Reactor, Timer
from evener.host.script_once import OnceRunner
from evener.host.script_user import Account, ScriptRefused, account_of, check_path
from evener.host.track_files import FileWatch
from evener.host.track_processes import ProcessWatch
from evener.host.vrrp_stopped import Stillness
from evener.keepalived.vrrp.plan import GlobalOptions, Mail, Program, Script, TrackKind
from evener.keepalived.vrrp.plan_tracked import TrackedFile, TrackedProcess
from evener.text.record import dataclass

if TYPE_CHECKING:
    import subprocess

MESSAGE_BYTES = 1 << 17
KILL_AFTER_S = 2.0
LOOK_US = 1_000_000
PROCESS_NAME = "keepalived_scr"


class Result(NamedTuple):
    """A vrrp_script ended: whether it succeeded, and how, in keepalived's words."""

    script: str
    ok: bool
    how: str


class Seen(NamedTuple):
    """What a tracked file holds, or whether a tracked process's quorum is met (0 or 1)."""

    kind: TrackKind
    name: str
    value: int


class Ended(NamedTuple):
    """A program run ``once``: its return code (negative: a signal), and whether its time was over."""

    number: int
    code: int
    timed_out: bool


class Line(NamedTuple):
    """Something the helper wants logged; ``detail``: with --log-detail only."""

    message: str
    detail: bool = False


Told = Result | Seen | Ended | Line
TOLD: dict[str, Callable[..., Told]] = {"result": Result, "ended": Ended, "line": Line}


class ScriptClient:
    """The VRRP process's end. Register ``fileno()`` for reading; ``reports()`` when it is readable."""

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options
        self._waiting: list[bytes] = []
        self._socket, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            self._socket.close()
            _become_helper(far, options)
        far.close()
        self._socket.setblocking(False)
        self._stillness = Stillness(self.pid)
        self._look_at: int | None = None

    def fileno(self) -> int:
        return self._socket.fileno()

    def check(
        self,
        scripts: Iterable[Script],
        files: Iterable[TrackedFile] = (),
        processes: Iterable[TrackedProcess] = (),
    ) -> None:
        """Run and watch exactly these from now on (those that did not change are left alone)."""
        scripts, files, processes = list(scripts), list(files), list(processes)
        self._look_at = 0 if scripts or files or processes else None
        self._send(
            {
                "check": [asdict(script) for script in scripts],
                "files": [asdict(file) for file in files],
                "processes": [asdict(process) for process in processes],
            }
        )

    def run(self, program: Program, words: tuple[str, ...] = ()) -> None:
        """Start a notify script with further words; its end is nobody's business."""
        self._send({"run": asdict(program), "words": words})

    def mail(self, mail: Mail, subject: str, body: str) -> None:
        """Send a mail, some time."""
        self._send({"mail": asdict(mail), "subject": subject, "body": body})

    def once(self, number: int, program: Program, timeout_us: int) -> None:
        """Run a program and report how it ended as ``number``."""
        self._send({"once": number, "program": asdict(program), "timeout": timeout_us})

    def forget(self, number: int) -> None:
        """End a program that was run ``once``, and report nothing."""
        self._send({"forget": number})

    def keep(self, program: Program, words: tuple[str, ...] = ()) -> None:
        """Start a FIFO reader, which is ended with the VRRP process."""
        self._send({"keep": asdict(program), "words": words})

    def _send(self, message: dict[str, Any]) -> None:
        self._waiting.append(json.dumps(message).encode())
        self.flush()

    def flush(self) -> bool:
        """Hand over what a full socket held back; True when nothing is left."""
        if _ended:
            reap()
        while self._waiting:
            try:
                self._socket.send(self._waiting[0])
            except BlockingIOError:
                return False
            except OSError:
                self._waiting.clear()  # the helper is gone; reports() says so
                return True
            self._waiting.pop(0)
        return True

    def reports(self) -> list[Told] | None:
        """What the helper has to say; None when it is gone."""
        found: list[Told] = []
        while True:
            try:
                data = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return found
            except OSError:
                return found or None
            if not data:
                return found or None
            kind, *fields = json.loads(data)
            if kind == "seen":
                found.append(Seen(TrackKind(fields[0]), fields[1], fields[2]))
            else:
                found.append(TOLD[kind](*fields))

    def next_timer(self) -> int | None:
        return self._look_at

    def look(self, now: int) -> None:
        """A helper that is stopped would let everybody believe what it said last: it is killed."""
        if self._look_at is None or now < self._look_at:
            return
        self._look_at = now + LOOK_US
        self._stillness.look()
        if self._stillness.lasts:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let the helper finish; it is not waited for longer than it takes to see the end."""
        self._socket.close()
        self._stillness.close()
        leave_to_end(self.pid)


_ended: list[int] = []
"""Helpers that are ending, or were killed: their sockets close before they are gone."""


def leave_to_end(pid: int) -> None:
    """A child is about to end: it is looked after when there is time."""
    _ended.append(pid)


def reap() -> None:
    """Let no helper that has ended stay as a zombie."""
    for pid in list(_ended):
        try:
            done = os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            done = True
        if done:
            _ended.remove(pid)


def _become_helper(far: socket.socket, options: GlobalOptions) -> None:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        core_dump.allow_no_more()
        # A helper that is started anew must not keep its creator's raw sockets open.
        os.closerange(3, far.fileno())
        os.closerange(far.fileno() + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        set_process_name(PROCESS_NAME)
        # Handlers rather than SIG_IGN: a script must not inherit deafness.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda _number, _frame: None)
        Helper(far, options).serve()
        status = 0
    finally:
        os._exit(status)


@dataclass(slots=True)
class Child:
    """A running script. ``ended`` is called with its return code (negative: a signal)."""

    process: subprocess.Popen[bytes]
    pidfd: int
    ended: Callable[[int], None]


class Helper:
    """The far end: one process, one loop."""

    def __init__(self, far: socket.socket, options: GlobalOptions) -> None:
        self._far = far
        self._options = options
        self.reactor = Reactor()
        self._children: dict[int, Child] = {}
        self._checks: dict[str, Check] = {}
        self._kept: set[int] = set()
        self._mailer = Mailer(self.reactor, self.log)
        self._files = FileWatch(self.reactor, self._file_holds, self.log)
        self._processes = ProcessWatch(self.reactor, self._process_is, buffer=options.buffers.process)
        self._once = OnceRunner(self, self._has_ended)
        far.setblocking(False)
        self.reactor.watch(far.fileno(), READABLE, self._readable)

    def serve(self) -> None:
        self.reactor.run()
        for check in self._checks.values():
            check.end()
        self._once.close()
        for pid in self._kept:
            _signal_group(pid, signal.SIGTERM)

    def _readable(self, _events: int) -> None:
        for message in messages(self._far, MESSAGE_BYTES, self.reactor.stop):
            self._obey(message)

    def _obey(self, message: dict[str, Any]) -> None:
        if "mail" in message:
            fields = message["mail"]
            mail = Mail(**{**fields, "recipients": tuple(fields["recipients"])})
            self._mailer.send(mail, message["subject"], message["body"])
            return
        if "once" in message:
            self._once.run(message["once"], _program(message["program"]), message["timeout"])
            return
        if "forget" in message:
            self._once.forget(message["forget"])
            return
        if "check" in message:
            self._set_checks([_script(fields) for fields in message["check"]])
            self._files.watch(TrackedFile(**fields) for fields in message["files"])
            self._processes.watch(_tracked_process(fields) for fields in message["processes"])
            return
        program = _program(message["run"] if "run" in message else message["keep"])
        pid = self.start(program, tuple(message["words"]), lambda _code: None)
        if pid is not None and "keep" in message:
            self._kept.add(pid)

    def _set_checks(self, scripts: list[Script]) -> None:
        wanted = {script.name: script for script in scripts}
        for name, check in list(self._checks.items()):
            if wanted.get(name) != check.script:
                check.end()
                del self._checks[name]
        for name, script in wanted.items():
            if name not in self._checks:
                self._checks[name] = Check(self, script)

    def start(self, program: Program, words: tuple[str, ...], ended: Callable[[int], None]) -> int | None:
        """Start a program; None (and a line for the log) when that is not possible."""
        import subprocess

        argv = [*program.argv, *words]
        try:
            account = account_of(program, self._options)
            check_path(program, account, self._options)
            process = _spawn(argv, account, real_path(argv[0], self._options))
        except (OSError, ValueError, subprocess.SubprocessError, ScriptRefused) as error:
            self.log(f"Couldn't execute script {argv[0]}: {error}")
            return None
        child = Child(process, os.pidfd_open(process.pid), ended)
        self._children[child.pidfd] = child
        self.reactor.watch(child.pidfd, READABLE, lambda _events: self._reap(child))
        return process.pid

    def _reap(self, child: Child) -> None:
        self.reactor.unwatch(child.pidfd)
        os.close(child.pidfd)
        del self._children[child.pidfd]
        self._kept.discard(child.process.pid)
        child.ended(child.process.wait())

    def result(self, name: str, ok: bool, how: str) -> None:
        self._report(["result", name, ok, how])

    def _has_ended(self, number: int, code: int, late: bool) -> None:
        self._report(["ended", number, code, late])

    def signal_group(self, pid: int, number: signal.Signals) -> None:
        _signal_group(pid, number)

    def _file_holds(self, name: str, value: int) -> None:
        self._report(["seen", TrackKind.FILE.value, name, value])

    def _process_is(self, name: str, enough: bool) -> None:
        self._report(["seen", TrackKind.PROCESS.value, name, int(enough)])

    def log(self, message: str, detail: bool = False) -> None:
        self._report(["line", message, detail])

    def _report(self, message: list[Any]) -> None:
        try:
            self._far.send(json.dumps(message).encode())
        except OSError:
            pass  # the VRRP process is gone (seen as end of file) or so far behind that a loss is right


class Check:
    """One vrrp_script: started every interval, ended when it takes too long."""

    def __init__(self, helper: Helper, script: Script) -> None:
        self.script = script
        self._helper = helper
        self._pid: int | None = None
        self._timed_out = False
        self._last_status: int | None = None
        self._retired = False
        self._due = helper.reactor.now()
        self._timer: Timer = helper.reactor.later(0, self._run)
        self._deadline: Timer | None = None

    def end(self) -> None:
        """No more runs; a running one is ended and its result not reported."""
        self._retired = True
        self._timer.cancel()
        if self._pid is not None:
            self._helper.signal_group(self._pid, signal.SIGKILL)

    def _run(self) -> None:
        reactor, interval = self._helper.reactor, self.script.interval_us / 1e6
        self._due = max(self._due + interval, reactor.now())
        self._timer = reactor.later(self._due - reactor.now(), self._run)
        if self._pid is not None:
            state = "being timed out" if self._timed_out else "already running"
            self._helper.log(f"Track script {self.script.name} is {state}, expect idle - skipping run")
            return
        self._timed_out = False
        self._pid = self._helper.start(self.script.program, (), self._ended)
        if self._pid is None:
            self._report(False, "failed")
            return
        patience = (self.script.timeout_us or self.script.interval_us) / 1e6
        self._deadline = reactor.later(patience, lambda: self._expire(signal.SIGTERM))

    def _expire(self, number: signal.Signals) -> None:
        if self._pid is None:
            return
        self._timed_out = True
        self._helper.signal_group(self._pid, number)
        self._deadline = self._helper.reactor.later(KILL_AFTER_S, lambda: self._expire(signal.SIGKILL))

    def _ended(self, code: int) -> None:
        pid, self._pid = self._pid, None
        if self._deadline is not None:
            self._deadline.cancel()
        if self._timed_out:
            if pid is not None:
                self._helper.signal_group(pid, signal.SIGKILL)  # what it left behind
            self._report(False, "timed_out")
        elif code < 0:
            self._report(False, f"failed (due to signal {-code})")
        else:
            self._note_status(code)
            self._report(code == 0, "succeeded" if code == 0 else f"failed (exited with status {code})")

    def _note_status(self, code: int) -> None:
        if code != (self._last_status or 0) and not self._retired:
            self._helper.log(f"Script `{self.script.name}` now returning {code}")
        self._last_status = code

    def _report(self, ok: bool, how: str) -> None:
        if not self._retired:
            self._helper.result(self.script.name, ok, how)


def real_path(program: str, options: GlobalOptions) -> str | None:
    """Where a script's links lead, unless they are to be kept; None: as it is called."""
    return os.path.realpath(program) if options.follow_links and "/" in program else None


def _spawn(argv: list[str], account: Account, path: str | None = None) -> subprocess.Popen[bytes]:
    import subprocess

    identity: dict[str, Any] = {}
    if account.uid != os.geteuid() or account.gid != os.getegid():
        identity = {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}
    return subprocess.Popen(
        argv,
        executable=path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
        **identity,
    )


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except OSError:
        pass  # it is gone already


def _program(fields: dict[str, Any]) -> Program:
    return Program(tuple(fields["argv"]), fields["user"], fields["group"])


def _tracked_process(fields: dict[str, Any]) -> TrackedProcess:
    return TrackedProcess(**{**fields, "argv": tuple(fields["argv"])})


def _script(fields: dict[str, Any]) -> Script:
    return Script(**{**fields, "program": _program(fields["program"])})
