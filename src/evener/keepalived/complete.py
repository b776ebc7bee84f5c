"""What can only be judged when everything was read: instances, groups and scripts beside each other.

Takes a ``Configuration`` as it was written and returns it with the original's corrections made: an
interval rounded, an incompatible setting cleared, an impossible instance removed. Each correction is
reported in the original's words, without a place in the file (they name their block). The order of
the checks is that in which the messages were seen to come.
"""

from __future__ import annotations

from dataclasses import replace

from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.complete_instance import InstanceCompletion
from evener.keepalived.complete_scripts import (
    complete_check_scripts,
    complete_parent_scripts,
    complete_vrrp_scripts,
)
from evener.keepalived.complete_servers import complete_servers
from evener.keepalived.complete_tracks import complete_tracks
from evener.keepalived.ends import unicast_said
from evener.keepalived.instance_facts import OWNER, family_of, multicast_group
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import CHECKER, VRRP, Reading


def complete(reading: Reading, configuration: Configuration) -> Configuration:
    """The configuration as it will be executed."""
    place = reading.default_user_place()
    if place is not None:
        message = "Unable to set default user keepalived_script for script"
        reading.alert("no-default-user", message, place)
    complete_parent_scripts(reading, configuration)
    reading.silent = VRRP in reading.ended
    configuration = _vrrp(reading, configuration)
    reading.silent = CHECKER in reading.ended
    configuration = complete_servers(reading, configuration)
    complete_check_scripts(reading, configuration)
    return configuration


def _vrrp(reading: Reading, configuration: Configuration) -> Configuration:
    """Where the process of the original ends, the rest is corrected in silence."""
    if reading.missing_interfaces:
        reading.alert("missing-interface", "Non-existent interface specified in configuration")
        reading.silent = True
    configuration = complete_vrrp_scripts(reading, configuration)
    configuration = _groups(reading, _possible(reading, configuration))
    made = []
    for instance in configuration.vrrp_instance:
        completed = InstanceCompletion(reading, configuration.global_defs, instance).complete()
        if completed is None:
            reading.silent = True
        else:
            made.append(completed)
    configuration = replace(configuration, vrrp_instance=tuple(made))
    if reading.silent:
        configuration = _groups(reading, configuration)  # without those that cannot be
    _same_router(reading, configuration)
    return complete_tracks(reading, configuration)


def _possible(reading: Reading, configuration: Configuration) -> Configuration:
    """Without the instances that lack what every instance has."""
    kept = []
    for instance in configuration.vrrp_instance:
        message = ""
        if instance.virtual_router_id is None:
            code, message = "no-vrid", f"({instance.name}) the virtual router id must be set"
        elif instance.interface is None and not unicast_said(reading, instance):
            code, message = "no-interface", f"({instance.name}) Unknown interface!"
        if message:
            reading.alert(code, message)
            reading.silent = True
        else:
            kept.append(instance)
    return replace(configuration, vrrp_instance=tuple(kept))


def _same_router(reading: Reading, configuration: Configuration) -> None:
    """A VRID is used once per interface, family and group; instances with peers may share it."""
    seen: dict[tuple[object, ...], VrrpInstance] = {}
    again = False
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
            again = True
    reading.silent = reading.silent or again


def _groups(reading: Reading, configuration: Configuration) -> Configuration:
    instances = {instance.name: instance for instance in configuration.vrrp_instance}
    taken: set[str] = set()
    kept: list[VrrpSyncGroup] = []
    for group in configuration.vrrp_sync_group:
        members = _members(reading, group, instances, taken)
        lines = tuple(tuple(n for n in line if n in members) for line in group.group)
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


def _members(
    reading: Reading, group: VrrpSyncGroup, instances: dict[str, VrrpInstance], taken: set[str]
) -> set[str]:
    """The members that exist and are in no other group."""
    found: set[str] = set()
    owners = True
    for name in group.members:
        instance = instances.get(name)
        if instance is None:
            message = f"Virtual router {name} specified in sync group {group.name} doesn't exist - ignoring"
            reading.alert("unknown-instance", message)
            continue
        if name in taken:
            message = f"Virtual router {name} cannot exist in more than one sync group; ignoring {group.name}"
            reading.alert("member-twice", message)
            continue
        if found and owners and instance.state == "BACKUP":
            message = f"Sync group {group.name} has some member(s) as address owner and some not as address"
            reading.alert("owner-and-others", f"{message} owner. This won't work.")
        owners = owners and instance.state == "MASTER" and instance.priority == OWNER
        found.add(name)
        taken.add(name)
    return found
