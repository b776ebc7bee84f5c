"""IR to what the processes need for SNMP; None: nobody asked for any."""

from __future__ import annotations

from dataclasses import replace

from evener.keepalived.arguments import address
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.ir import Configuration
from evener.keepalived.snmp.plan import GlobalFacts, SnmpPlan, SyncWords

MAIL_PORT = 25
MAIL_TIMEOUT_S = 30
VS_AGE_US = 5_000_000
RELEASE = "2.4.3"
"""The release whose MIB this is."""


def snmp_plan(configuration: Configuration) -> SnmpPlan | None:
    settings = configuration.global_defs
    rfc = settings.enable_snmp_rfc
    vrrp, checker = settings.enable_snmp_vrrp, settings.enable_snmp_checker
    made = SnmpPlan(
        _facts(configuration),
        settings.snmp_socket,
        vrrp=vrrp,
        rfcv2=rfc or settings.enable_snmp_rfcv2,
        rfcv3=rfc or settings.enable_snmp_rfcv3,
        checker=checker,
        vrrp_has_globals=vrrp and not (checker and configuration.virtual_server),
        sync=_sync(configuration),
        vs_age_us=VS_AGE_US
        if settings.snmp_vs_stats_update_interval is None
        else settings.snmp_vs_stats_update_interval,
        rs_age_us=settings.snmp_rs_stats_update_interval or 0,
    )
    return made if made.of_vrrp or made.checker else None


def _sync(configuration: Configuration) -> SyncWords | None:
    words = configuration.global_defs.lvs_sync_daemon
    if words is None:
        return None
    instance = next((i for i in configuration.vrrp_instance if i.name == words.instance), None)
    number = words.id
    if number is None:  # as the daemon itself takes it
        number = instance.virtual_router_id if instance is not None else None
    return SyncWords(
        words.interface,
        words.instance or "",
        number or 0,
        words.maxlen or 0,
        words.port or 0,
        words.ttl or 0,
        words.group.packed if words.group is not None else b"",
    )


def with_snmp(configuration: Configuration, *, everything: bool, socket: str | None) -> Configuration:
    """What the command line adds: --snmp enables all parts, --snmp-agent-socket says where the master is."""
    settings: GlobalDefs = configuration.global_defs
    if everything:
        settings = replace(settings, enable_snmp_vrrp=True, enable_snmp_rfc=True, enable_snmp_checker=True)
    if socket is not None:
        settings = replace(settings, snmp_socket=socket)
    return replace(configuration, global_defs=settings)


def _facts(configuration: Configuration) -> GlobalFacts:
    settings = configuration.global_defs
    host, *port = settings.smtp_server or ("",)
    server = address(host)
    return GlobalFacts(
        version=f"Keepalived v{RELEASE}",
        router_id=settings.router_id,
        smtp_server=server.packed if server is not None else b"",
        smtp_port=int(port[0]) if port else MAIL_PORT if host else 0,
        smtp_timeout_s=settings.smtp_connect_timeout or (MAIL_TIMEOUT_S if host else 0),
        mail_from=settings.notification_email_from,
        mail_to=tuple(line[0] for line in settings.notification_email),
        mail_faults=not settings.no_email_faults,
        alert=settings.smtp_alert,
        alert_vrrp=settings.smtp_alert_vrrp,
        alert_checker=settings.smtp_alert_checker,
        traps=settings.enable_traps,
        linkbeat_polls=configuration.linkbeat_use_polling,
        lvs_flush=settings.lvs_flush,
        lvs_flush_on_stop=settings.lvs_flush_on_stop,
        namespace=configuration.net_namespace or "",
        dbus=settings.enable_dbus,
        dynamic_interfaces=settings.dynamic_interfaces is not None,
        v3_checksum_as_v2=bool(settings.v3_checksum_as_v2),
    )
