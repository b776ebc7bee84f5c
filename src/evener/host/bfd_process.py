"""The BFD process: carries out what the sessions decide, and tells them what happens.

As ``vrrp_process``, but smaller: its plan comes from the parent, its states go to the processes that track
them (``bfd_news``). Whenever a plan arrives all states are told again, which is also how a listener that was
started anew learns them: the parent sends the plan once more.
"""

from __future__ import annotations

import os
import random
import signal
from functools import partial

from evener.host.bfd_dump import Dumps
from evener.host.bfd_news import Newswires
from evener.host.bfd_socket import Listener, Source
from evener.host.vrrp_channel import PlanChannel
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_loop import Loop, clock, settle_memory
from evener.host.vrrp_system import apply_scheduling, prefer_realtime, wake_precisely
from evener.keepalived.bfd.messages import Log, OpenSource, SendPacket, SourceFailed, SourceOpened, TellState
from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.bfd.sessions import Sessions, Steps
from evener.wire.bfd import encode

RETRY_US = 100_000
SIGNAL_STATS, SIGNAL_STATS_CLEAR, SIGNAL_JSON = 12, 63, 36


class BfdProcess:
    """See the module. ``run`` returns an exit code."""

    def __init__(self, plan: BfdPlan, channel: PlanChannel[BfdPlan], log: LogSink) -> None:
        self._plan, self._channel, self._log = plan, channel, log
        self._news: Newswires = channel.news
        self._stopping = False
        self._loop = Loop()
        self._sessions = Sessions(plan, random.SystemRandom().randint)
        self._listeners: dict[bool, Listener] = {}
        self._sources: dict[str, Source] = {}
        self._mute: set[str] = set()
        self._retry_at: int | None = None

    def run(self) -> int:
        apply_scheduling(self._plan.scheduling, self._log)
        wake_precisely()
        dumps = Dumps(self._sessions, lambda: self._plan.described, self._log)
        self._loop.on_signals(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGHUP: lambda: os.kill(os.getppid(), signal.SIGHUP),
                signal.SIGUSR1: dumps.data,
                SIGNAL_STATS: dumps.data,
                SIGNAL_STATS_CLEAR: dumps.clear_statistics,
                SIGNAL_JSON: dumps.json,
            }
        )
        self._loop.watch(self._channel.fileno(), self._parent_spoke)
        if not self._listen():
            return 1
        self._open(set(self._sessions.by_name))
        self._carry_out(self._sessions.states())
        settle_memory()
        prefer_realtime(self._plan.scheduling, self._log)
        while not self._stopping:
            self._loop.turn((self._sessions.next_timer(), self._retry_at))
            self._carry_out(self._sessions.tick(clock()))
            self._write_again()
        return self._shut_down()

    def _stop(self) -> None:
        self._stopping = True

    def _shut_down(self) -> int:
        self._log("Stopped", detail=True)
        for listener in self._listeners.values():
            listener.close()
        for source in self._sources.values():
            source.close()
        self._loop.close()
        self._log.close()
        return 0

    # -- the plan ------------------------------------------------------------------------------

    def _parent_spoke(self) -> None:
        plans, alive = self._channel.receive()
        for plan in plans:
            self._reload(plan)
        if not alive:
            self._stop()

    def _reload(self, plan: BfdPlan) -> None:
        self._plan = plan
        fresh, steps = self._sessions.reload(clock(), plan)
        for name in (*fresh, *(self._sources.keys() - self._sessions.by_name.keys())):
            if name in self._sources:
                self._sources.pop(name).close()
        self._listen()
        self._carry_out(steps)
        self._open(fresh)
        self._carry_out(self._sessions.states())

    def _listen(self) -> bool:
        """Open the ports that are in use and close the others; False when not one could be opened."""
        wanted = {session.config.multihop for session in self._sessions.by_name.values()}
        for multihop in self._listeners.keys() - wanted:
            listener = self._listeners.pop(multihop)
            self._loop.unwatch(listener.fileno())
            listener.close()
        for multihop in wanted - self._listeners.keys():
            try:
                listener = self._listeners[multihop] = Listener(multihop)
            except OSError as error:
                kind = "multihop listening" if multihop else "listening"
                self._log(f"Unable to open {kind} socket: {error.strerror}")
                continue
            self._loop.watch(listener.fileno(), partial(self._deliver, listener))
        return bool(self._listeners) or not wanted

    def _open(self, names: set[str]) -> None:
        for name in names:
            self._carry_out(self._open_one(name))

    def _open_one(self, name: str) -> Steps:
        session = self._sessions.by_name[name]
        try:
            self._sources[name] = Source(session.config)
        except OSError as error:
            self._log(f"({name}) bind() error ({error.strerror})")
            self._log(f"({name}) Unable to open output socket, disabling instance")
            return self._sessions.tell(clock(), name, SourceFailed())
        return self._sessions.tell(clock(), name, SourceOpened())

    # -- what happens, and what is to be done ---------------------------------------------------

    def _deliver(self, listener: Listener) -> None:
        now = clock()
        for arrival in listener.arrivals():
            self._carry_out(self._sessions.receive(now, arrival))

    def _carry_out(self, steps: Steps) -> None:
        for name, command in steps:
            match command:
                case SendPacket(packet):
                    self._send(name, encode(packet))
                case TellState(up):
                    self._tell(name, up)
                case OpenSource():
                    self._carry_out(self._open_one(name))
                case Log(message, detail):
                    self._log(message, detail)

    def _send(self, name: str, data: bytes) -> None:
        source = self._sources.get(name)
        if source is None:
            return
        try:
            source.send(data)
        except OSError as error:
            if name not in self._mute:
                self._log(f"({name}) Error sending packet ({error.strerror})")
            self._mute.add(name)
            return
        self._mute.discard(name)

    def _tell(self, name: str, up: bool) -> None:
        config = self._sessions.by_name[name].config
        for wanted, key in ((config.tell_vrrp, "vrrp"), (config.tell_checker, "checkers")):
            if wanted:
                self._news[key].write(name, up)
        self._write_again()

    def _write_again(self) -> None:
        written = [wire.flush() for wire in self._news.values()]
        self._retry_at = None if all(written) else clock() + RETRY_US
