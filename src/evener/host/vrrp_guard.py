"""What is left to do when the VRRP process is killed: its addresses are taken off the interfaces.

A process that dies of SIGKILL (or of its own defect) cannot let go of anything, and its addresses would
answer beside the next master's. A *guard* waits at the other end of a socket: it sees the end of the VRRP
process within a millisecond, and then takes off what a master of the plan may have set - unless it was
told farewell first, which is what happens in an orderly end. The process that is started in place of the
killed one is a backup first, so the two do not get in each other's way.

A process that is *stopped* (SIGSTOP, a debugger) or *hangs* says nothing either, and the others elect a
master while its addresses are still there. The guard looks at it twice in each advert interval
(host/vrrp_stopped, host/vrrp_hang: not fooled by a busy machine), takes the addresses off before anybody's
master-down timer runs out, and tells it so: what it reads first when it goes on is that it is not master any
more. One that hangs for good is killed, so that another is started.

The guard has nothing else to do, and is nobody's child: it has a session of its own, hangs below init, and
is not called keepalived. So it outlives what ends all of the daemon at once: a signal to the process group,
to every descendant, or to everything of that name. It is forked from the VRRP process, and so knows the plan
without being told; another plan gets another guard. One that is killed itself is replaced.

What ends or freezes a whole control group or container reaches the guard too, and nothing is left that could
act: the addresses are then taken off when the daemon is started again.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from typing import NoReturn

from evener.host.netlink import addr, route
from evener.host.netlink.rtnl import RtnlSocket
from evener.host.procname import set_process_name
from evener.host.vrrp_hang import Absence, Promise
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_loop import clock
from evener.keepalived.vrrp.plan import Instance, VirtualAddress, VrrpPlan
from evener.keepalived.vrrp.plan_routes import Route, Rule
from evener.text.record import dataclass

PROCESS_NAME = "vip_guard"
FAREWELL, LAPSED = b"f", b"l"
PAUSE_US = 1_000_000
"""A guard that dies at once, again and again, is not replaced faster than this."""
SHORTEST_LOOK_US, LONGEST_LOOK_US = 5_000, 1_000_000
SHORTEST_PATIENCE_US = 200_000
"""With short intervals a machine may well be as late as that."""
DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


@dataclass(frozen=True, slots=True)
class Will:
    """What a master of a plan may have set.

    ``look_us``: how often it is seen to that the master is alive; ``patience_us``: how late it may be.
    """

    addresses: tuple[VirtualAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    look_us: int = LONGEST_LOOK_US
    patience_us: int = LONGEST_LOOK_US


def draw_up(plan: VrrpPlan) -> Will:
    return Will(
        tuple(address for config in plan.instances for address in config.addresses),
        tuple(route for config in plan.instances for route in config.routes),
        tuple(rule for config in plan.instances for rule in config.rules),
        look_us(min((config.advert_us for config in plan.instances), default=LONGEST_LOOK_US)),
        min((patience_us(config) for config in plan.instances), default=LONGEST_LOOK_US),
    )


def look_us(advert_us: int) -> int:
    """Two looks in an advert interval: a master is deposed by the second one, with two intervals to spare."""
    return min(max(advert_us // 2, SHORTEST_LOOK_US), LONGEST_LOOK_US)


def patience_us(config: Instance) -> int:
    """How late an advert may be: until the others' timers run out, less half an interval for the look."""
    return max((2 * config.down_timer_adverts - 3) * config.advert_us // 2, SHORTEST_PATIENCE_US)


def execute(will: Will) -> None:
    """Take it all off; what is not there does not matter."""
    rtnl = RtnlSocket()
    try:
        addr.remove(rtnl, will.addresses, _index_of, _say_nothing)
        route.remove_rules(rtnl, will.rules, _say_nothing)
        route.remove(rtnl, will.routes, _index_of, _say_nothing)
    finally:
        rtnl.close()


class Guard:
    """The VRRP process's end. ``watch`` and ``unwatch`` register descriptors with its loop; ``lapsed`` is
    called when everything has been taken off because this process did not run."""

    def __init__(
        self,
        watch: Callable[[int, Callable[[], None]], None],
        unwatch: Callable[[int], None],
        lapsed: Callable[[], None],
        log: LogSink,
    ) -> None:
        self._watch, self._unwatch, self._lapsed, self._log = watch, unwatch, lapsed, log
        self._will = Will()
        self.promise = Promise()
        self._socket: socket.socket | None = None
        self._again_at: int | None = None
        self._set_up_at = 0

    def keep(self, plan: VrrpPlan) -> None:
        """Guard what this plan may set, from now on."""
        will = draw_up(plan)
        if will == self._will:
            return
        self._will = will
        before = self._socket
        self._set_up()
        if before is not None:
            self._dismiss(before)

    def next_timer(self) -> int | None:
        return self._again_at

    def run(self, now: int) -> None:
        if self._again_at is not None and self._again_at <= now:
            self._set_up()

    def close(self) -> None:
        """Everything has been taken off in order."""
        self._again_at = None
        if self._socket is not None:
            self._dismiss(self._socket)
            self._socket = None

    def _set_up(self) -> None:
        self._again_at, self._set_up_at = None, clock()
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            pid = os.fork()
        except OSError as error:
            self._log(f"cannot start a guard of the virtual addresses: {error.strerror}")
            self._again_at = clock() + PAUSE_US
            return
        if pid == 0:
            _become_guard(far, self._will, self.promise, self._log)
        far.close()
        os.waitpid(pid, 0)  # it forks, and goes
        near.setblocking(False)
        self._socket = near
        self._watch(near.fileno(), self._spoke)

    def _spoke(self) -> None:
        assert self._socket is not None
        try:
            said = self._socket.recv(64)
        except OSError:
            said = b""
        if said:
            self._lapsed()
        else:
            self._lost()

    def _lost(self) -> None:
        assert self._socket is not None
        self._log("guard of the virtual addresses died: starting another")
        self._unwatch(self._socket.fileno())
        self._socket.close()
        self._socket = None
        self._again_at = max(clock(), self._set_up_at + PAUSE_US)

    def _dismiss(self, near: socket.socket) -> None:
        self._unwatch(near.fileno())
        try:
            near.send(FAREWELL)
        except OSError:
            pass  # it is gone already
        near.close()


def _become_guard(far: socket.socket, will: Will, promise: Promise, log: LogSink) -> NoReturn:
    """In the forked process; never returns."""
    guarded = os.getppid()
    try:
        os.setsid()
        if os.fork() == 0:
            _keep_nothing_but(far.fileno())
            set_process_name(PROCESS_NAME)
            absence = Absence(guarded, promise, will.patience_us)
            _stand_by(far, will, absence, LogSink(log.options, PROCESS_NAME))
    finally:
        os._exit(0)


def _keep_nothing_but(descriptor: int) -> None:
    """What the VRRP process has open must close when it dies."""
    signal.set_wakeup_fd(-1)
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))


def _stand_by(far: socket.socket, will: Will, absence: Absence, log: LogSink) -> None:
    said = _watch_over(far, will, absence, log)
    if said != FAREWELL:
        execute(will)
        log("the VRRP process is gone: its virtual addresses are taken off")


def _watch_over(far: socket.socket, will: Will, absence: Absence, log: LogSink) -> bytes:
    """Until it says something, or is gone."""
    while not select.select([far], [], [], will.look_us / 1e6)[0]:
        now = clock()
        how = absence.begins(now)
        if how:
            far.send(LAPSED)
            execute(will)
            log(f"the VRRP process {how}: its virtual addresses are taken off")
        elif absence.is_hopeless(now):
            log("the VRRP process goes on hanging: it is killed")
            absence.end()
    return far.recv(1)


def _index_of(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def _say_nothing(_message: str) -> None:
    """Nobody waits for it any more."""
