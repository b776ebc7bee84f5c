"""What may not be tracked with a weight: members of a sync group move together, and an owner never moves.

A sync group without ``sync_group_tracking_weight``, and the owner of the addresses, know faults only. What
has a weight there loses it (interfaces, files of the default weight) or is not tracked at all (the others),
as in the original, and in its words. A process keeps its weight: the original does not look at those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.instance_facts import OWNER, priority_of
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import Reading
from evener.keepalived.tracks import TrackEntry

FILE_WEIGHT = 1
"""A track_file counts as it is unless it says otherwise."""

GROUP_KINDS = {
    "script": "clearing weight",
    "file": "setting weight 0",
    "process": "setting weight 0",
    "bfd": "setting weight 0",
    "interface": "clearing weight",
}


def own_weight(configuration: Configuration, kind: str, name: str) -> tuple[int, bool]:
    """The weight, and reverse, that a thing has by itself."""
    things = {
        "script": configuration.vrrp_script,
        "file": configuration.track_file,
        "process": configuration.vrrp_track_process,
        "bfd": configuration.bfd_instance,
    }.get(kind, ())
    default = (FILE_WEIGHT if kind == "file" else 0, False)
    found = next((thing for thing in things if thing.name == name), None)
    return getattr(found, "weight", None) or default


def complete_tracks(reading: Reading, configuration: Configuration) -> Configuration:
    """The configuration with the weights that can count."""
    groups = {name: group for group in configuration.vrrp_sync_group for name in group.members}
    made = []
    for instance in configuration.vrrp_instance:
        group = groups.get(instance.name)
        grouped = group is not None and not weighs(group)
        if grouped or priority_of(instance) == OWNER:
            instance = _Weights(reading, configuration, instance, grouped).take_away()
        if group is not None:
            _tracked_twice(reading, instance, group)
        made.append(instance)
    configuration = replace(configuration, vrrp_instance=tuple(made))
    owners = {i.name for i in made if priority_of(i) == OWNER}
    changed = tuple(
        _owned(reading, configuration, group) if owners.intersection(group.members) else group
        for group in configuration.vrrp_sync_group
    )
    return replace(configuration, vrrp_sync_group=changed)


def weighs(group: VrrpSyncGroup) -> bool:
    """Whether weights count in a sync group."""
    return group.sync_group_tracking_weight or group.global_tracking


class _Weights:
    """The tracks of one instance that may have no weights."""

    def __init__(
        self, reading: Reading, configuration: Configuration, instance: VrrpInstance, grouped: bool
    ) -> None:
        self.reading, self.configuration, self.instance = reading, configuration, instance
        self.grouped = grouped
        self.why = "SYNC group" if grouped else "address_owner"

    def take_away(self) -> VrrpInstance:
        made = self.instance
        return replace(
            made,
            track_interface=tuple(self._interfaces(made.track_interface)),
            track_script=tuple(self._weightless("script", made.track_script)),
            track_file=tuple(self._files(made.track_file)),
            track_bfd=tuple(self._weightless("bfd", made.track_bfd)),
        )

    def _say(self, text: str) -> None:
        self.reading.warn("weight-ignored", f"({self.instance.name}) ignoring {text}")

    def _weight(self, kind: str, entry: TrackEntry) -> int:
        return own_weight(self.configuration, kind, entry.name)[0] if entry.weight is None else entry.weight

    def _interfaces(self, entries: Iterable[TrackEntry]) -> Iterable[TrackEntry]:
        for entry in entries:
            if not entry.weight:
                yield entry
            elif self.grouped:
                self._say(f"{entry.name} tracked interface weight due to {self.why}")
                yield replace(entry, weight=0)
            else:
                self._say(f"{entry.name} tracked interface due to address owner")

    def _weightless(self, kind: str, entries: Iterable[TrackEntry]) -> Iterable[TrackEntry]:
        for entry in entries:
            weight = self._weight(kind, entry)
            if not weight:
                yield entry
                continue
            amount = "weights" if kind == "script" else f"weight {weight}"
            self._say(f"tracked {kind} {entry.name} with {amount} due to {self.why}")

    def _files(self, entries: Iterable[TrackEntry]) -> Iterable[TrackEntry]:
        for entry in entries:
            weight = self._weight("file", entry)
            if not weight:
                yield entry
            elif weight == FILE_WEIGHT:
                self._say(f"weight from tracked file {entry.name} due to {self.why}. specify weight 0")
                yield replace(entry, weight=0)
            else:
                self._say(f"tracked file {entry.name} with weight {weight} due to {self.why}")


def _owned(reading: Reading, configuration: Configuration, group: VrrpSyncGroup) -> VrrpSyncGroup:
    """A group with an owner in it."""
    changes: dict[str, tuple[TrackEntry, ...]] = {}
    for kind, cure in GROUP_KINDS.items():
        entries: tuple[TrackEntry, ...] = getattr(group, f"track_{kind}")
        kept: list[TrackEntry] = []
        for entry in entries:
            weight = entry.weight
            if weight is None:
                weight = own_weight(configuration, kind, entry.name)[0]
            if weight:
                text = f"({group.name}) Cannot have weighted track {kind} '{entry.name}'"
                reading.warn("weight-ignored", f"{text} with member having priority {OWNER} - {cure}")
                entry = replace(entry, weight=0)
            kept.append(entry)
        changes[f"track_{kind}"] = tuple(kept)
    return replace(group, **changes)  # type: ignore[arg-type]


def _tracked_twice(reading: Reading, instance: VrrpInstance, group: VrrpSyncGroup) -> None:
    tracked = {entry.name for entry in instance.track_interface}
    if not instance.dont_track_primary:
        tracked.add(instance.interface or "")
    for entry in group.track_interface:
        if entry.name in tracked:
            text = f"({instance.name}) track_interface {entry.name} is configured on VRRP instance"
            advice = "Remove vrrp instance or sync group config"
            reading.warn("tracked-twice", f"{text} and sync group. {advice}")
