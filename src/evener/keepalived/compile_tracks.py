"""What instances and sync groups track, from the IR to the plan: weights resolved, things looked up."""

from __future__ import annotations

from evener.keepalived.blocks.vrrp_tracking import Tracking
from evener.keepalived.complete_tracks import FILE_WEIGHT, own_weight
from evener.keepalived.ir import Configuration
from evener.keepalived.trackers.things import TrackFile, VrrpTrackProcess
from evener.keepalived.tracks import TrackEntry
from evener.keepalived.vrrp.plan import Track, TrackKind
from evener.keepalived.vrrp.plan_tracked import TrackedFile, TrackedProcess, TrackedSession


def tracks(configuration: Configuration, block: Tracking) -> tuple[Track, ...]:
    """A track without a weight has that of what it tracks; one of a thing that does not exist is left out."""
    known = {
        TrackKind.SCRIPT: {thing.name for thing in configuration.vrrp_script},
        TrackKind.FILE: {thing.name for thing in configuration.track_file},
        TrackKind.PROCESS: {thing.name for thing in configuration.vrrp_track_process},
        TrackKind.BFD: {session.name for session in tracked_sessions(configuration)},
    }
    entries: tuple[tuple[TrackKind, tuple[TrackEntry, ...]], ...] = (
        (TrackKind.INTERFACE, block.track_interface),
        (TrackKind.SCRIPT, block.track_script),
        (TrackKind.FILE, block.track_file),
        (TrackKind.PROCESS, block.track_process),
        (TrackKind.BFD, block.track_bfd),
    )
    return tuple(
        _track(configuration, kind, entry)
        for kind, listed in entries
        for entry in listed
        if kind not in known or entry.name in known[kind]
    )


def _track(configuration: Configuration, kind: TrackKind, entry: TrackEntry) -> Track:
    weight, reverse = own_weight(configuration, kind.value, entry.name)
    return Track(
        kind,
        entry.name,
        weight if entry.weight is None else entry.weight,
        reverse if entry.reverse is None else entry.reverse,
    )


def static_tracks(configuration: Configuration, instance: str) -> tuple[Track, ...]:
    """The interfaces of static things whose track_group names the instance."""
    groups = {group.name for group in configuration.track_group if instance in group.members}
    default = configuration.global_defs.default_interface or "eth0"
    devices: dict[str, None] = {}
    for entry in configuration.static_ipaddress:
        if entry.track_group in groups and not entry.no_track:
            devices[entry.dev or default] = None
    for line in configuration.static_routes:
        if line.track_group in groups and line.route.tracked and line.route.device:
            devices[line.route.device] = None
    for rule in configuration.static_rules:
        if rule.track_group in groups and rule.rule.tracked and rule.rule.input_device:
            devices[rule.rule.input_device] = None
    return tuple(Track(TrackKind.INTERFACE, device) for device in devices)


def tracked_files(configuration: Configuration) -> tuple[TrackedFile, ...]:
    return tuple(_file(file) for file in configuration.track_file)


def _file(made: TrackFile) -> TrackedFile:
    assert made.file is not None, "a track_file without a file was removed when it was read"
    weight, reverse = made.weight or (FILE_WEIGHT, False)
    if made.init_file is None:
        return TrackedFile(made.name, made.file, weight=weight, reverse=reverse)
    numbers = [int(word) for word in made.init_file if word != "overwrite"]
    initial, overwrite = numbers[-1] if numbers else 0, "overwrite" in made.init_file
    return TrackedFile(made.name, made.file, initial, overwrite, weight, reverse)


def tracked_sessions(configuration: Configuration) -> tuple[TrackedSession, ...]:
    return tuple(
        TrackedSession(made.name, *(made.weight or (0, False)))
        for made in configuration.bfd_instance
        if made.vrrp or not made.checker
    )


def tracked_processes(configuration: Configuration) -> tuple[TrackedProcess, ...]:
    return tuple(_process(process) for process in configuration.vrrp_track_process)


def _process(made: VrrpTrackProcess) -> TrackedProcess:
    match = made.param_match
    if match == "" or (match is None and len(made.process) > 1):
        match = "exact"
    weight, reverse = made.weight or (0, False)
    least = 0 if made.quorum_max == 0 else 1
    return TrackedProcess(
        name=made.name,
        argv=made.process,
        match=match,
        quorum=least if made.quorum is None else made.quorum,
        quorum_max=made.quorum_max,
        fork_delay_us=made.fork_delay or made.delay or 0,
        terminate_delay_us=made.terminate_delay or made.delay or 0,
        full_command=made.full_command or match is not None,
        weight=weight,
        reverse=reverse,
    )
