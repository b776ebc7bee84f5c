"""What the checker process executes: virtual servers with every default resolved. Times are microseconds.

``CheckerPlan`` is made by ``compile_lvs`` and travels pickled from the parent to the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evener.keepalived.arguments import SECOND
from evener.keepalived.described import Lines
from evener.keepalived.lvs.check_plan import Check
from evener.keepalived.lvs.ipvs import Forwarding, Service, ServiceKey
from evener.keepalived.vrrp.plan import Fifo, Mail, Program, Scheduling
from evener.keepalived.vrrp.plan_machine import Buffers
from evener.text.record import dataclass

if TYPE_CHECKING:
    from evener.keepalived.snmp.plan import SnmpPlan


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server says for the checks in it, and what is only shown (``describe``)."""

    connect_timeout_us: int = 5 * SECOND
    delay_loop_us: int = 60 * SECOND
    retry: int | None = None
    delay_before_retry_us: int | None = None
    warmup_us: int | None = None
    virtualhost: str | None = None
    inhibit: bool = False
    forwarding: Forwarding = Forwarding()
    snmp_name: str | None = None
    weight: int = 1
    """Of a virtual server: what its real servers have that say nothing themselves."""


@dataclass(frozen=True, slots=True)
class RealServer:
    """A server behind a virtual server; (address, port) is its identity there."""

    address: bytes
    port: int
    shown: str
    """As messages show it: ``[10.0.0.7]:tcp:80``."""
    forwarding: Forwarding = Forwarding()
    weight: int = 1
    upper: int = 0
    lower: int = 0
    inhibit: bool = False
    alpha: bool = False
    notify_up: Program | None = None
    notify_down: Program | None = None
    mail: bool = False
    checks: tuple[Check, ...] = ()
    settings: Settings = Settings()


@dataclass(frozen=True, slots=True)
class SorryServer:
    address: bytes
    port: int
    shown: str
    forwarding: Forwarding = Forwarding()
    inhibit: bool = False


@dataclass(frozen=True, slots=True)
class VirtualServer:
    """``members`` are the services of it in the engine: one, or those of its virtual_server_group."""

    name: str
    """Its identity over reloads: what stands behind ``virtual_server`` in canonical form."""
    shown: str
    """As messages show it: ``[10.0.0.5]:tcp:80``."""
    members: tuple[ServiceKey, ...]
    service: Service
    """What all members have in common; its key is that of the first."""
    real_servers: tuple[RealServer, ...] = ()
    sorry: SorryServer | None = None
    group: str = ""
    """Of the virtual_server_group that the members come from."""
    quorum: int = 1
    hysteresis: int = 0
    alpha: bool = False
    omega: bool = False
    ha_suspend: bool = False
    quorum_up: Program | None = None
    quorum_down: Program | None = None
    mail: bool = False
    settings: Settings = Settings()


@dataclass(frozen=True, slots=True)
class Marking:
    """nftables_ipvs: groups become one service each, of packets that nftables marks."""

    table: str = "keepalived_ipvs"
    priority: int = -1
    first: int = 1000
    """The first mark that is given."""


@dataclass(frozen=True, slots=True)
class CheckerOptions:
    engine: str = "auto"
    """auto, ipvs or nft (``--lvs-engine``)."""
    approximate: bool = False
    """Schedulers that the engine lacks are replaced by the nearest one."""
    disconnect: bool = False
    """Connections of a real server that is removed are ended (nft)."""
    control: str = ""
    """Path of the control socket; empty: none."""
    release: bool = True
    """False: --dont-release-ipvs."""
    flush: bool = False
    flush_on_stop: str | None = None
    """None, "all" or "vs": lvs_flush_on_stop."""
    timeouts_s: tuple[int, int, int] | None = None
    """tcp, tcpfin, udp; 0 leaves one as it is."""
    init_notifies: bool = False
    log_all_failures: bool = False
    checker_mails: bool = True
    """False: no_checker_emails: only when the state of a real server changes."""
    router_id: str = ""
    notify_fifo: Fifo | None = None
    lvs_notify_fifo: Fifo | None = None
    mail: Mail | None = None
    scheduling: Scheduling = Scheduling()
    instance: str = ""
    """The daemon's name among several in a network namespace."""
    namespace: str | None = None
    """Network namespace of the engine; empty: that of process 1, None: our own."""
    marking: Marking | None = None
    buffers: Buffers = Buffers()
    process_name: str | None = None
    script_user: str | None = None
    script_group: str | None = None
    script_security: bool = False
    described: Lines = ()
    """Lines on the settings of the whole daemon (``describe``)."""
    snmp: SnmpPlan | None = None


@dataclass(frozen=True, slots=True)
class CheckerPlan:
    options: CheckerOptions = CheckerOptions()
    virtual_servers: tuple[VirtualServer, ...] = ()
