"""IR to the plan of the IPVS sync daemon, which the VRRP process switches."""

from __future__ import annotations

from evener.keepalived.ir import Configuration
from evener.keepalived.vrrp.plan import SyncDaemon


def lvs_sync(configuration: Configuration) -> SyncDaemon | None:
    """None without an instance: it is the state of one that says what to do."""
    words = configuration.global_defs.lvs_sync_daemon
    if words is None:
        return _old(configuration)
    instance = next((each for each in configuration.vrrp_instance if each.name == words.instance), None)
    if instance is None:
        return None
    return SyncDaemon(
        words.interface,
        instance.name,
        (instance.virtual_router_id or 0) if words.id is None else words.id,
        words.maxlen or 0,
        words.port or 0,
        words.ttl or 0,
        words.group.packed if words.group is not None else b"",
        configuration.net_namespace_ipvs,
    )


def _old(configuration: Configuration) -> SyncDaemon | None:
    """lvs_sync_daemon_interface of an instance."""
    for instance in configuration.vrrp_instance:
        if instance.lvs_sync_daemon_interface is not None:
            return SyncDaemon(
                instance.lvs_sync_daemon_interface,
                instance.name,
                0,
                namespace=configuration.net_namespace_ipvs,
            )
    return None
