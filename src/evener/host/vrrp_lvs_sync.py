"""The kernel's synchronisation of IPVS connections, which follows the state of a VRRP instance.

The master's kernel sends its connections, the others' kernels receive them: a kernel is the one or the
other, never both. Without the kernel's IPVS there is nothing to synchronise, which is said once.
"""

from __future__ import annotations

from collections.abc import Callable

from evener.host.namespace import within
from evener.host.netlink.ipvs import Ipvs, open_ipvs
from evener.keepalived.lvs.refusals import START_DAEMON, STOP_DAEMON, command_refused
from evener.keepalived.vrrp.messages import Told
from evener.keepalived.vrrp.plan import SyncDaemon
from evener.wire.ipvs import STATE_BACKUP, STATE_MASTER

TOLD = {
    Told.MASTER: STATE_MASTER,
    Told.BACKUP: STATE_BACKUP,
    Told.FAULT: STATE_BACKUP,
    Told.STOP: None,
    Told.DELETED: None,
}


class LvsSync:
    """``adopt`` a plan (None: no synchronisation), then ``told`` what becomes of its instance."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._plan: SyncDaemon | None = None
        self._engine: Ipvs | None = None
        self._state: int | None = None

    def adopt(self, plan: SyncDaemon | None) -> None:
        """Before the first start, and at a reload: what stays as it was is not disturbed."""
        if plan == self._plan:
            return
        state = self._state
        self._become(None)
        self._plan = plan
        if plan is not None and self._open():
            self._become(state)

    def start(self) -> None:
        if self._plan is not None and self._state is None:
            self._become(STATE_BACKUP)

    def told(self, name: str, told: Told) -> None:
        if self._plan is not None and name == self._plan.instance and told in TOLD:
            self._become(TOLD[told])

    def close(self) -> None:
        self._become(None)
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _open(self) -> bool:
        if self._engine is None:
            try:
                self._engine = within(self._plan.namespace if self._plan else None, open_ipvs)
            except OSError as error:
                self._log(f"IPVS: Can't initialize ipvs: {error.strerror}")
        return self._engine is not None

    def _become(self, state: int | None) -> None:
        if state == self._state or self._engine is None or self._plan is None:
            return
        if self._state is not None:
            self._order(self._state, False)
        self._state = state
        if state is not None:
            self._order(state, True)

    def _order(self, state: int, on: bool) -> None:
        assert self._engine is not None and self._plan is not None
        code = self._engine.synchronise(self._plan, state, on)
        if code:
            self._log(command_refused(START_DAEMON if on else STOP_DAEMON, code))
