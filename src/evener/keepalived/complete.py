"""What can only be judged when everything was read: instances, groups and scripts beside each other.

Takes a ``Configuration`` as it was written and returns it with the original's corrections made: an
interval rounded, an incompatible setting cleared, an impossible instance removed. Each correction is
reported in the original's words, without a place in the file (they name their block). The order of
the checks is that in which the messages were seen to come.
"""

from __future__ import annotations

from dataclasses import replace

from evener.keepalived.alike import unlike
from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.complete_instance import InstanceCompletion
from evener.keepalived.complete_scripts import complete_scripts
from evener.keepalived.complete_servers import complete_servers
from evener.keepalived.complete_tracks import complete_tracks
from evener.keepalived.instance_facts import family_of, multicast_group
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import Reading


def complete(reading: Reading, configuration: Configuration) -> Configuration:
    """The configuration as it will be executed."""
    made = []
    for instance in configuration.vrrp_instance:
        completed = InstanceCompletion(reading, configuration.global_defs, instance).complete()
        if completed is not None:
            made.append(completed)
    configuration = replace(configuration, vrrp_instance=tuple(made))
    _same_router(reading, configuration)
    configuration = _groups(reading, configuration)
    configuration = complete_tracks(reading, configuration)
    _sessions(reading, configuration)
    configuration = complete_servers(reading, configuration)
    configuration = complete_scripts(reading, configuration)
    if reading.missing_interfaces:
        message = "Non-existent interface specified in configuration"
        reading.alert("missing-interface", message)
    return configuration


def _same_router(reading: Reading, configuration: Configuration) -> None:
    """A VRID is used once per interface, family and group; instances with peers may share it."""
    seen: dict[tuple[object, ...], VrrpInstance] = {}
    for instance in configuration.vrrp_instance:
        family = family_of(instance)
        group: object = multicast_group(configuration.global_defs, instance, family)
        if instance.unicast_peer:
            group = tuple(sorted(str(peer.address) for peer in instance.unicast_peer))
        key = (instance.interface, instance.virtual_router_id, family, group)
        other = seen.setdefault(key, instance)
        if other is not instance:
            use = f"both use VRID {instance.virtual_router_id} with IPv{family}"
            place = f"on interface {instance.interface or '(none)'}"
            reading.alert("duplicate-vrid", f"{other.name} and {instance.name} {use} {place}")


def _groups(reading: Reading, configuration: Configuration) -> Configuration:
    names = {instance.name for instance in configuration.vrrp_instance}
    kept: list[VrrpSyncGroup] = []
    for group in configuration.vrrp_sync_group:
        for name in group.members:
            if name not in names:
                message = (
                    f"Virtual router {name} specified in sync group {group.name} doesn't exist - ignoring"
                )
                reading.alert("unknown-instance", message)
        lines = tuple(tuple(n for n in line if n in names) for line in group.group)
        made = replace(group, group=tuple(line for line in lines if line))
        if not made.members:
            message = (
                f"Sync group {group.name}, no matching virtual router found in group declaration - removing"
            )
            reading.alert("empty-group", message)
            continue
        if len(made.members) == 1:
            message = (
                f"Sync group {group.name} has only 1 virtual router(s) - this probably isn't what you want"
            )
            reading.warn("group-of-one", message)
        kept.append(made)
    return replace(configuration, vrrp_sync_group=tuple(kept))


def _sessions(reading: Reading, configuration: Configuration) -> None:
    """BFD sessions may be declared after what uses them."""
    names = {session.name for session in configuration.bfd_instance}
    names |= reading.said.get("bfd_instance", set())  # disabled, and reported
    for block in (*configuration.vrrp_instance, *configuration.vrrp_sync_group):
        for entry in block.track_bfd:
            if entry.name not in names:
                message = f"({block.name}) track bfd {entry.name} not found, ignoring..."
                reading.alert("unknown-track", message, entry.at)
    for server in unlike(configuration.virtual_server):
        for real in server.real_server:
            for check in real.bfd_check:
                if check.bfd_name is not None and check.bfd_name not in names:
                    place = f"([{real.name[0]}]:{(server.protocol or 'none').lower()}:{real.name[1]})"
                    message = f"{place} BFD_CHECK - BFD {check.bfd_name} not configured"
                    reading.alert("unknown-track", message, check.spans.get("bfd_name"))
