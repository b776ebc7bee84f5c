"""The sockets and timers of health checks: every server's checks, one after the other, in one loop.

What a check says and what its end means is decided elsewhere (``checks.run``, ``fleet``); here runs are
given connections and time. First checks are spread over the shortest interval, as the original does,
so that a thousand servers are not checked in the same millisecond. A check that is still running when
the next is due has timed out before, because its time is at most its interval.
"""

from __future__ import annotations

import contextlib
import errno
import random
import socket
import struct
from collections.abc import Callable, Sequence

from evener.haproxy.checks.outcome import Outcome
from evener.haproxy.checks.run import CheckRun, Command, Finish, Open, Write
from evener.haproxy.checks.steps import Scene
from evener.haproxy.health import CheckSettings, Health
from evener.haproxy.server_state import Server
from evener.host import net_namespaces
from evener.host.check_command import CommandCheck, connect_time
from evener.host.check_process import CheckProcesses
from evener.host.reactor import READABLE, WRITABLE, Reactor, Timer
from evener.text.record import dataclass
from evener.wire import proxy_protocol, socks4

Ended = Callable[[Server, Health, Outcome], None]
SceneOf = Callable[[Server], Scene]

_AT_ONCE = struct.pack("ii", 1, 0)


def proxy_header(opened: socket.socket, settings: CheckSettings) -> bytes:
    """A check speaks for nobody but itself: version 1 has no way to say so, version 2 has."""
    if settings.proxy_v2 and settings.proxy_local:
        here = there = (b"", 0)
    else:
        here, there = (_end(address) for address in (opened.getsockname(), opened.getpeername()))
    if not settings.proxy_v2:
        return proxy_protocol.first(*here, *there)
    fields = [(proxy_protocol.CRC32C, b"")] if settings.proxy_checksum else []
    fields += [(proxy_protocol.SSL, bytes(5))] if settings.proxy_ssl else []
    return proxy_protocol.second(*here, *there, fields)


def _end(address: object) -> tuple[bytes, int]:
    if not isinstance(address, tuple):
        return b"", 0
    host = str(address[0]).partition("%")[0]
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host), int(address[1])


@dataclass(slots=True)
class CheckTask:
    """One check of one server and when it is next due."""

    server: Server
    health: Health
    started: float = 0.0
    timer: Timer | None = None
    probe: _Probe | CommandCheck | None = None


class CheckRunner:
    """Runs all checks. ``ended`` is told each outcome; ``scene`` describes a server to its check."""

    def __init__(
        self,
        reactor: Reactor,
        servers: Sequence[Server],
        ended: Ended,
        scene: SceneOf,
        spread: int = 0,
        longest_s: float = 0,
        processes: CheckProcesses | None = None,
    ) -> None:
        self._reactor = reactor
        self._ended = ended
        self._scene = scene
        self._spread = spread
        self._longest_s = longest_s
        self._processes = processes
        self._tasks = [
            CheckTask(server, health)
            for server in servers
            for health in (server.health, server.agent)
            if health is not None
        ]

    @property
    def runs_commands(self) -> bool:
        return any(task.health.settings.script.external is not None for task in self._tasks)

    def start(self) -> None:
        """Plan the first check of every server."""
        if not self._tasks:
            return
        shortest = min(task.health.settings.inter for task in self._tasks) / 1000
        if self._longest_s:
            shortest = min(shortest, self._longest_s)
        for position, task in enumerate(self._tasks):
            self._plan(task, shortest * position / len(self._tasks))

    def stop(self) -> None:
        for task in self._tasks:
            self._stop(task)

    @staticmethod
    def _stop(task: CheckTask) -> None:
        if task.timer is not None:
            task.timer.cancel()
        if task.probe is not None:
            task.probe.close()
            task.probe = None

    def add(self, server: Server) -> None:
        """Check a server that was made at run time too."""
        for health in (server.health, server.agent):
            if health is not None:
                self._tasks.append(CheckTask(server, health))
                self._plan(self._tasks[-1], 0)

    def drop(self, server: Server) -> None:
        """No more checks of a server that was deleted."""
        for task in [task for task in self._tasks if task.server is server]:
            self._stop(task)
            self._tasks.remove(task)

    def hurry(self, server: Server) -> None:
        """Check ``server`` at its fast pace: its traffic saw errors."""
        for task in self._tasks:
            fast = task.health.settings.fastinter / 1000
            if task.server is server and task.health is server.health and task.probe is None and fast:
                due = self._reactor.now() + fast
                if due < task.started + task.health.interval(server.up) / 1000:
                    self._plan(task, fast)

    def _plan(self, task: CheckTask, seconds: float) -> None:
        if task.timer is not None:
            task.timer.cancel()
        task.timer = self._reactor.later(seconds, lambda: self._begin(task))

    def _again(self, task: CheckTask) -> None:
        up = task.server.up
        seconds = task.health.interval(up) / 1000
        if self._spread:
            seconds += seconds * random.uniform(-self._spread, self._spread) / 100
        # The interval runs from one start to the next, however long the check took.
        self._plan(task, seconds - (self._reactor.now() - task.started))

    def _begin(self, task: CheckTask) -> None:
        task.started = self._reactor.now()
        if task.health.paused or not task.health.enabled:
            self._plan(task, task.health.settings.inter / 1000)
            return
        task.health.running = True

        def done(outcome: Outcome) -> None:
            task.probe = None
            task.health.running = False
            if task.health.enabled and not task.health.paused:
                self._ended(task.server, task.health, outcome)
            self._again(task)

        scene = self._scene(task.server)
        if task.health.settings.script.external is not None and self._processes is not None:
            task.probe = CommandCheck(
                self._reactor, self._processes, task.server, task.health.settings, scene, done
            )
        else:
            task.probe = _Probe(self._reactor, task, scene, done)
        task.probe.start()


class _Probe:
    """One run of one check with its socket and its timer."""

    def __init__(
        self, reactor: Reactor, task: CheckTask, scene: Scene, done: Callable[[Outcome], None]
    ) -> None:
        self._reactor = reactor
        self._server = task.server
        self._settings = task.health.settings
        self._done = done
        self._run = CheckRun(self._settings.script, scene, reactor.now())
        self._socket: socket.socket | None = None
        self._connecting = False
        self._pending = b""
        self._proxied = False  #: the connection begins with a PROXY header
        self._tunnel = b""  #: what a SOCKS4 proxy is asked first
        self._broken = 0  #: the errno that writing ended with
        self._told = b""  #: what it has answered so far
        self._linger = True
        self._timer: Timer | None = None

    def start(self) -> None:
        self._arm(connect_time(self._settings))
        self._obey(self._run.start(self._reactor.now()))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._reactor.unwatch(self._socket.fileno())
            if not self._linger:
                # A reset: no port is kept waiting for a connection that nobody will use again.
                with contextlib.suppress(OSError):
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._socket.close()
            self._socket = None

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(seconds, lambda: self._obey(self._run.expired(self._reactor.now())))

    def _obey(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Finish):
                self.close()
                self._done(command.outcome)
            elif isinstance(command, Write):
                self._pending += command.data
                self._flush()
            else:
                self._open(command)

    def _open(self, command: Open) -> None:
        self._hang_up()
        self._connecting = True
        try:
            error = self._connect(command)
        except ValueError as wrong:
            self._hang_up()
            self._obey(self._run.refused(self._reactor.now(), str(wrong)))
            return
        except OSError as refused:  # no descriptor left, or an address that is none
            error = refused.errno or errno.EADDRNOTAVAIL
        if error in (0, errno.EINPROGRESS) and self._socket is not None:
            self._reactor.watch(self._socket.fileno(), WRITABLE, self._ready)
        else:
            self._hang_up()
            self._obey(self._run.failed(self._reactor.now(), error))

    def _connect(self, command: Open) -> int:
        """Begin to connect; the errno of ``connect``. Raises OSError."""
        family, address = self._target(command)
        settings = self._settings
        self._tunnel = self._told = b""
        self._broken = 0
        if settings.socks4 is not None and (command.socks4 or (command.default and settings.via_socks4)):
            self._tunnel = socks4.request(str(address[0]), int(address[1]))
            address = settings.socks4
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._linger = command.linger
        with net_namespaces.inside(settings.namespace):
            opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket = opened
        self._proxied = command.send_proxy or (settings.send_proxy and command.default)
        self._pending = b""
        if family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if command.mute and not self._proxied:
                # The handshake is not completed when it ends with a reset: a server is not even woken.
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        return opened.connect_ex(address)

    def _target(self, command: Open) -> tuple[int, tuple[str, int] | str]:
        server, settings = self._server, self._settings
        host = command.address or settings.address or server.address
        if not host:
            raise OSError(errno.EADDRNOTAVAIL, "the server's name is not resolved")
        if server.family == socket.AF_UNIX and host == server.address:
            return socket.AF_UNIX, host
        port = command.port or settings.port or server.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return family, (host, port)

    def _ready(self, events: int) -> None:
        opened = self._socket
        if opened is None:
            return
        if self._connecting:
            self._connected(opened)
        elif events & READABLE:
            self._read(opened)
        elif self._pending:
            self._flush()

    def _connected(self, opened: socket.socket) -> None:
        error = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error == errno.ECONNRESET:
            self._broken, error = error, 0  # there was a connection: without one it is ECONNREFUSED
        if error:
            self._hang_up()
            self._obey(self._run.failed(self._reactor.now(), error))
            return
        self._connecting = False
        if self._proxied:
            try:
                self._pending = proxy_header(opened, self._settings)
            except OSError:
                self._pending = b""  # it is gone already, which reading will tell
        self._reactor.watch(opened.fileno(), READABLE, self._ready)
        if self._settings.timeout:
            self._arm(self._settings.timeout / 1000)
        if self._tunnel:
            opened.send(self._tunnel)
            return
        self._flush()
        self._obey(self._run.opened(self._reactor.now()))

    def _tunnelled(self, data: bytes) -> None:
        """A part of the proxy's answer."""
        self._told += data
        granted = socks4.granted(self._told)
        if granted is None and data:
            return
        self._tunnel = b""
        if granted:
            self._flush()
            self._obey(self._run.opened(self._reactor.now()))
            return
        self._hang_up()
        told = "SOCKS4 Proxy deny the request" if data else "SOCKS4 Proxy handshake aborted by server"
        self._obey(self._run.refused(self._reactor.now(), told))

    def _flush(self) -> None:
        opened = self._socket
        if opened is None or not self._pending:
            return
        try:
            self._pending = self._pending[opened.send(self._pending) :]
        except BlockingIOError:
            pass
        except OSError as error:
            # What the server said before it closed is still to be read.
            self._broken, self._pending = self._broken or error.errno or 0, b""
        watched = READABLE | WRITABLE if self._pending else READABLE
        self._reactor.watch(opened.fileno(), watched, self._ready)

    def _read(self, opened: socket.socket) -> None:
        now = self._reactor.now()
        try:
            data = opened.recv(socks4.REPLY_SIZE - len(self._told) if self._tunnel else 16384)
        except BlockingIOError:
            return
        except OSError as error:
            self._hang_up()
            self._obey(self._run.failed(now, error.errno or 0))
            return
        if self._tunnel:
            self._tunnelled(data)
        elif data:
            self._obey(self._run.received(now, data))
        elif self._broken:
            self._hang_up()
            self._obey(self._run.failed(now, self._broken))
        else:
            self._linger = True
            self._reactor.unwatch(opened.fileno())
            self._obey(self._run.closed(now))
