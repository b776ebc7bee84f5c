"""What the instances of a plan depend on, whether they were told to track it or not."""

from __future__ import annotations

from evener.keepalived.vrrp.plan import Instance, SyncGroup, Track, TrackKind, VrrpPlan


def all_tracks(config: Instance) -> tuple[Track, ...]:
    """What an instance watches: what it was told to, its source address, and the interfaces it depends on.

    These are its own, and those of its addresses and routes, unless one of them is not to be tracked.
    """
    tracks = [*config.tracks, Track(TrackKind.SOURCE, config.name)]
    devices: dict[str, None] = {}
    if config.interface is not None and config.track_primary:
        devices[config.interface] = None
    devices.update((a.device, None) for a in config.addresses if a.tracked)
    devices.update((device, None) for route in config.routes if route.tracked for device in route.devices)
    told = {track.name for track in config.tracks if track.kind is TrackKind.INTERFACE}
    own = {config.interface} if config.interface is not None and not config.track_primary else set()
    return (*tracks, *(Track(TrackKind.INTERFACE, d) for d in devices if d not in told and d not in own))


def with_group(config: Instance, group: SyncGroup | None) -> tuple[Track, ...]:
    """The same, and what its sync group tracks.

    An interface is tracked once, as in the original: the group's weight counts in the place of the
    instance's own, unless that one has no weight and so is a fault when it is down.
    """
    known = all_tracks(config)
    if group is None:
        return known
    of_group = {track.name: track for track in group.tracks if track.kind is TrackKind.INTERFACE}
    twice = {t.name for t in known if t.kind is TrackKind.INTERFACE} & of_group.keys()
    own = (of_group[t.name] if t.name in twice and _weighs(t) else t for t in known)
    others = (t for t in group.tracks if t.kind is not TrackKind.INTERFACE or t.name not in twice)
    return (*own, *others)


def _weighs(track: Track) -> bool:
    return track.kind is TrackKind.INTERFACE and track.weight != 0


def watched_interfaces(plan: VrrpPlan) -> set[str]:
    """The interfaces whose state somebody depends on."""
    tracks = [track for group in plan.groups for track in group.tracks]
    tracks += [track for config in plan.instances for track in all_tracks(config)]
    return {track.name for track in tracks if track.kind is TrackKind.INTERFACE}
