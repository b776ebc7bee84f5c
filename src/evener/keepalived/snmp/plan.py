"""What of SNMP a process executes, with everything resolved."""

from __future__ import annotations

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class SyncWords:
    """lvs_sync_daemon as it was told; 0 and empty: not told."""

    interface: str
    instance: str
    sync_id: int = 0
    maxlen: int = 0
    port: int = 0
    ttl: int = 0
    group: bytes = b""


@dataclass(frozen=True, slots=True)
class GlobalFacts:
    """The scalars of KEEPALIVED-MIB's global part. None: was not told."""

    version: str = ""
    router_id: str | None = None
    smtp_server: bytes = b""
    smtp_port: int = 0
    smtp_timeout_s: int = 30
    mail_from: str | None = None
    mail_to: tuple[str, ...] = ()
    mail_faults: bool = True
    alert: bool | None = None
    alert_vrrp: bool | None = None
    alert_checker: bool | None = None
    traps: bool = False
    linkbeat_polls: bool = False
    lvs_flush: bool = False
    lvs_flush_on_stop: str | None = None
    namespace: str = ""
    dbus: bool = False
    dynamic_interfaces: bool = False
    v3_checksum_as_v2: bool = False


@dataclass(frozen=True, slots=True)
class SnmpPlan:
    """``socket``: of the master agent. The trees that are registered are named by the flags."""

    facts: GlobalFacts
    socket: str | None = None
    vrrp: bool = False
    rfcv2: bool = False
    rfcv3: bool = False
    checker: bool = False
    vrrp_has_globals: bool = False
    """The global part is the checker's, where there is one that serves it."""
    sync: SyncWords | None = None
    """lvs_sync_daemon."""
    vs_age_us: int = 0
    rs_age_us: int = 0
    """How old statistics may be that are shown."""

    @property
    def of_vrrp(self) -> bool:
        return self.vrrp or self.rfcv2 or self.rfcv3
