"""One run of an external check: a command that is started by the helper, and the time it may take."""

from __future__ import annotations

from collections.abc import Callable

from evener.haproxy.checks.external import Target, ended, invocation
from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.checks.steps import Scene
from evener.haproxy.health import CheckSettings
from evener.haproxy.server_state import Server
from evener.host.check_process import CheckProcesses
from evener.host.reactor import Reactor, Timer


def connect_time(settings: CheckSettings) -> float:
    """With ``timeout check``: min(timeout connect, inter) to connect, then that to answer; without
    it ``inter`` for all (manual, ``timeout check``). A command gets the first of them for everything."""
    if settings.timeout and settings.connect_timeout:
        return min(settings.connect_timeout, settings.inter) / 1000
    return settings.inter / 1000


class CommandCheck:
    """``done`` gets the outcome once, unless ``close`` comes first."""

    def __init__(
        self,
        reactor: Reactor,
        processes: CheckProcesses,
        server: Server,
        settings: CheckSettings,
        scene: Scene,
        done: Callable[[Outcome], None],
    ) -> None:
        self._reactor = reactor
        self._processes = processes
        self._server = server
        self._settings = settings
        self._scene = scene
        self._done = done
        self._started = reactor.now()
        self._number = 0
        self._timer: Timer | None = None

    def start(self) -> None:
        server, external = self._server, self._settings.script.external
        assert external is not None
        target = Target(
            server.plan.name,
            server.plan.id,
            server.address,
            server.port,
            server.maxconn,
            self._scene.connections,
        )
        words, environment = invocation(external, target)
        self._timer = self._reactor.later(connect_time(self._settings), self._expired)
        self._number = self._processes.run(words, environment, self._ended)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._processes.end(self._number)

    def _duration(self) -> int:
        return max(0, int((self._reactor.now() - self._started) * 1000))

    def _ended(self, status: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._done(ended(status, self._duration()))

    def _expired(self) -> None:
        self._processes.end(self._number)
        self._done(Outcome(CheckStatus.PROCTOUT, 0, "", self._duration()))
