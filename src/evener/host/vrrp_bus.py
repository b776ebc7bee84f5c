"""The VRRP process's end of the DBus interface: a helper process is told the states, and asks for deeds.

Nothing here waits, and nothing that happens to the helper matters to an election. One that dies is replaced;
one that does not read what it is told is ended, and replaced. Without ``enable_dbus`` there is no helper, and
the bus's modules are not even imported.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from evener.host.procname import set_process_name
from evener.host.scripts import leave_to_end
from evener.host.vrrp_dump import Dumps
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_loop import Loop, clock
from evener.keepalived.vrrp.messages import Notify, SendGarp
from evener.keepalived.vrrp.plan import State, VrrpPlan
from evener.keepalived.vrrp.router import Router

if TYPE_CHECKING:
    from evener.keepalived.dbus.objects import BusPlan

PROCESS_NAME = "keepalived_dbus"
MESSAGE_BYTES = 1 << 16
SEND_BYTES = 1 << 22
SO_SNDBUFFORCE = 32
PAUSE_US = 1_000_000
"""A helper that dies at once, again and again, is not replaced faster than this."""

Watch = Callable[[int, Callable[[], None]], None]
Announce = Callable[[str, SendGarp], None]
Deeds = Mapping[str, Callable[[str], bool]]
"""What may be asked for (the methods' names), each a function of an instance's name; False: there is none."""


def bus_end(loop: Loop, router: Router, dumps: Dumps, announce: Announce, log: LogSink) -> BusEnd:
    """``announce`` sends gratuitous ARPs of an instance."""

    def states() -> dict[str, int]:
        return {name: member.machine.state.value for name, member in router.members.items()}

    return BusEnd(loop.watch, loop.unwatch, states, deeds(router, dumps, announce, log), log)


def deeds(router: Router, dumps: Dumps, announce: Announce, log: LogSink) -> Deeds:
    """By the names of the methods; what is done is logged as the original does."""

    def logged(message: str, deed: Callable[[], None]) -> Callable[[str], bool]:
        def run(_name: str) -> bool:
            log(f"{message} on DBus request")
            deed()
            return True

        return run

    def send_garp(name: str) -> bool:
        if name not in router.members:
            return False
        log(f"Sending garps on {name} on DBus request")
        if router.members[name].machine.state is State.MASTER:
            announce(name, SendGarp(1))
        return True

    def reload(_name: str) -> bool:
        os.kill(os.getppid(), signal.SIGHUP)
        return True

    return {
        "PrintData": logged("Printing VRRP data", dumps.data),
        "PrintStats": logged("Printing VRRP stats", dumps.statistics),
        "PrintStatsClear": logged("Printing and clearing VRRP stats", dumps.clear_statistics),
        "ReloadConfig": reload,
        "SendGarp": send_garp,
    }


class BusEnd:
    """``states`` tells the number of every instance's state."""

    def __init__(
        self,
        watch: Watch,
        unwatch: Callable[[int], None],
        states: Callable[[], dict[str, int]],
        deeds: Deeds,
        log: LogSink,
    ) -> None:
        self._watch, self._unwatch, self._states, self._log = watch, unwatch, states, log
        self._deeds = deeds
        self._plan: BusPlan | None = None
        self._socket: socket.socket | None = None
        self._pid = 0
        self._again_at: int | None = None
        self._set_up_at = 0

    def begin(self, plan: VrrpPlan) -> None:
        """The instances have their first states, or will not have them for a while."""
        if self._plan is None:
            self.adopt(plan)

    def adopt(self, plan: VrrpPlan) -> None:
        """This is to be on the bus from now on (or nothing)."""
        if plan.options.bus is None and self._plan is None:
            return
        from evener.keepalived.dbus.objects import bus_plan

        before, self._plan = self._plan, bus_plan(plan)
        if before is None or self._plan is None or before.service != self._plan.service:
            self._farewell()
            if self._plan is not None:
                self._set_up()
        else:
            self._send("adopt", (self._plan.service, self._plan.vrrp, self._plan.instances), self._states())

    def told(self, name: str, command: Notify) -> None:
        """An instance has told its state."""
        if self._socket is None or command.group:
            return
        from evener.keepalived.dbus.service import TOLD

        if command.told in TOLD:
            self._send("state", name, TOLD[command.told])

    def next_timer(self) -> int | None:
        return self._again_at

    def run(self, now: int) -> None:
        if self._again_at is not None and self._again_at <= now:
            self._set_up()

    def close(self) -> None:
        self._plan = None
        self._farewell()

    # -- the helper ----------------------------------------------------------------------------

    def _set_up(self) -> None:
        assert self._plan is not None
        self._again_at, self._set_up_at = None, clock()
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        with suppress(OSError):
            near.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SEND_BYTES)
        try:
            self._pid = os.fork()
        except OSError as error:
            self._log(f"cannot start the DBus helper: {error.strerror}")
            self._again_at = clock() + PAUSE_US
            return
        if self._pid == 0:
            # Before its start, an instance listens as one in BACKUP does; so the original calls it.
            states = {name: state or State.BACKUP.value for name, state in self._states().items()}
            _become_helper(far, self._plan, states, self._log)
        far.close()
        near.setblocking(False)
        self._socket = near
        self._watch(near.fileno(), self._asked)

    def _send(self, *words: Any) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(json.dumps(words).encode())
        except BlockingIOError:
            self._log("DBus helper does not read: ending it")
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._lost()
        except OSError:
            self._lost()

    def _asked(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        _ask, deed, name = json.loads(data)
        self._send("done", self._deeds[deed](name))

    def _lost(self) -> None:
        if self._plan is not None:
            self._log("DBus helper process died: starting another")
            self._again_at = max(clock(), self._set_up_at + PAUSE_US)
        self._let_go()

    def _farewell(self) -> None:
        self._again_at = None
        self._send("stop")
        self._let_go()

    def _let_go(self) -> None:
        if self._socket is not None:
            self._unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None
            leave_to_end(self._pid)


def _become_helper(far: socket.socket, plan: BusPlan, states: dict[str, int], log: LogSink) -> None:
    """In the forked process; never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        # Its end is that of the VRRP process, which it tells the bus of; what ends them all ends it last.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        os.closerange(3, far.fileno())
        os.closerange(far.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        set_process_name(PROCESS_NAME)
        from evener.host.dbus_process import live

        live(far, plan, states, log)
        status = 0
    finally:
        os._exit(status)
