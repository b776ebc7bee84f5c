"""What the control plane keeps of every server and backend: operational state, flags, weight.

Three things decide whether a server takes traffic: its operational state (checks, agent, the runtime
API), its administrative flags (maintenance, drain, own or inherited), and its weight. How they change
is ``fleet``'s affair; here is what they mean. Times are monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from enum import IntEnum, IntFlag

from evener.haproxy.addresses import Address
from evener.haproxy.columns import Column
from evener.haproxy.health import CheckSettings, Health, InitState
from evener.haproxy.observe import Observer, ObserveSettings
from evener.haproxy.plan import BackendPlan, ServerPlan
from evener.text.record import dataclass

CellReader = Callable[[int, Column], int]

SCALE = 16  #: the WEIGHT cell counts sixteenths, so that a slow start has room


class Operation(IntEnum):
    """``srv_op_state``."""

    STOPPED = 0
    STARTING = 1
    RUNNING = 2
    STOPPING = 3


class Admin(IntFlag):
    """``srv_admin_state``. F: forced from the runtime API, I: inherited, C: from the configuration."""

    FORCED_MAINT = 1
    INHERITED_MAINT = 2
    CONFIGURED_MAINT = 4
    FORCED_DRAIN = 8
    INHERITED_DRAIN = 16
    RESOLUTION_MAINT = 32  #: its name has no address yet


NO_FLAGS = Admin(0)
RESOLVED = Address("", 0)  #: stands for the address of a server that a test has made without a line
MAINT = Admin.FORCED_MAINT | Admin.INHERITED_MAINT | Admin.RESOLUTION_MAINT
DRAIN = Admin.FORCED_DRAIN | Admin.INHERITED_DRAIN


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the control plane needs of a ``server`` line beyond the plan."""

    check: CheckSettings | None = None
    agent: CheckSettings | None = None
    tracks: tuple[int, int] | None = None  #: (backend index, server index)
    observe: ObserveSettings | None = None
    slowstart: int = 0
    shutdown_sessions: bool = False  #: on-marked-down shutdown-sessions
    shutdown_backups: bool = False  #: on-marked-up shutdown-backup-sessions
    cookie: str = ""
    referenced: bool = False  #: a use-server rule names it


@dataclass(frozen=True, slots=True)
class FarmSettings:
    label: str = "backend"  #: how messages call the proxy: ``backend`` or ``proxy``
    log_health_checks: bool = False


@dataclass(slots=True, eq=False)
class Server:
    """One server as it stands. ``changed`` and ``down_since`` are monotonic seconds."""

    plan: ServerPlan
    settings: ServerSettings
    farm: Farm
    address: str
    port: int
    family: int
    weight: int
    maxconn: int
    operation: Operation = Operation.RUNNING
    admin: Admin = NO_FLAGS
    health: Health | None = None
    agent: Health | None = None
    observer: Observer | None = None
    told: int | None = None  #: the level that an operator gave a server that is not checked
    observed: int = 0  #: how often ``on-error`` acted
    tracked: Server | None = None
    followers: list[Server] = field(default_factory=list)
    changed: float = 0.0
    downtime: float = 0.0
    downs: int = 0
    written: dict[Column, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.farm.plan.name}/{self.plan.name}"

    @property
    def label(self) -> str:
        return f"{'Backup ' if self.plan.backup else ''}Server {self.name}"

    @property
    def in_maintenance(self) -> bool:
        return bool(self.admin & MAINT)

    @property
    def draining(self) -> bool:
        return bool(self.admin & DRAIN)

    @property
    def up(self) -> bool:
        """Accepts connections addressed to it (persistence), even if it is not balanced to."""
        return self.operation is not Operation.STOPPED and not self.in_maintenance

    def effective_weight(self, now: float) -> int:
        """In sixteenths. A slow start climbs to the full weight in sixteen steps."""
        if self.operation is not Operation.STARTING or not self.settings.slowstart:
            return self.weight * SCALE
        elapsed = (now - self.changed) * 1000
        return self.weight * min(SCALE, 1 + int(SCALE * elapsed / self.settings.slowstart))

    @property
    def usable(self) -> bool:
        """May be chosen by the balancing."""
        running = self.operation in (Operation.RUNNING, Operation.STARTING)
        return running and not self.in_maintenance and not self.draining and self.weight > 0


@dataclass(slots=True, eq=False)
class Farm:
    """The servers of one backend."""

    plan: BackendPlan
    settings: FarmSettings
    servers: list[Server] = field(default_factory=list)
    was_up: bool = True
    changed: float = 0.0
    downtime: float = 0.0
    downs: int = 0
    dynamic_cookies: bool | None = None  #: as set at run time; None: as configured
    cookie_secret: str | None = None

    def count(self) -> tuple[int, int]:
        """(active, backup) usable servers."""
        usable = [server.plan.backup for server in self.servers if server.usable]
        return usable.count(False), usable.count(True)

    @property
    def up(self) -> bool:
        return not self.servers or any(server.usable for server in self.servers)


def make_server(
    plan: ServerPlan, settings: ServerSettings, farm: Farm, cell: CellReader, now: float
) -> Server:
    server = Server(
        plan, settings, farm, plan.address, plan.port, plan.family, plan.weight, plan.maxconn, changed=now
    )
    server.health = Health(settings.check) if settings.check is not None else None
    server.agent = Health(settings.agent) if settings.agent is not None else None
    if settings.observe is not None and settings.check is not None:
        server.observer = Observer(settings.observe, plan.row, cell)
    down = settings.check is not None and settings.check.init in (InitState.DOWN, InitState.FULLY_DOWN)
    if plan.disabled:
        server.admin = Admin.FORCED_MAINT | Admin.CONFIGURED_MAINT
        if server.health is not None:
            server.health.paused = True
            server.health.level = 0
    unresolved = not plan.dynamic and plan.family == 0 and not getattr(plan.ir, "address", RESOLVED).resolved
    if unresolved:
        server.admin |= Admin.RESOLUTION_MAINT
        if server.health is not None:
            server.health.paused = True
    if plan.disabled or down or unresolved:
        server.operation = Operation.STOPPED
    return server
