"""The keywords that vrrp_instance and vrrp_sync_group have in common: tracking and notification."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import OptionalBool
from evener.keepalived.blocks import instance_checks
from evener.keepalived.blocks.common import INSTANCE_BOOL
from evener.keepalived.declare import Block, Values, collected, word
from evener.keepalived.scripts import Script, ScriptCommand
from evener.keepalived.tracks import TrackEntry, TrackLine
from evener.text.record import dataclass

INTERFACES = Values(TrackLine("interface", 253))
SCRIPTS = Values(TrackLine("script", 253))
FILES = Values(TrackLine("file", 254))
PROCESSES = Values(TrackLine("process", 254))
BFDS = Values(TrackLine("bfd", 253))


def on(doc: str, **more: Any) -> Any:
    return word(Script(), doc, **more)


def yes_no(doc: str, **more: Any) -> Any:
    """A ``[BOOL]`` of an instance; None leaves it to global_defs."""
    return word(OptionalBool(), doc, complaint=INSTANCE_BOOL, **more)


@dataclass(frozen=True, slots=True)
class Tracking(Block):
    """Trackers and scripts."""

    track_interface: tuple[TrackEntry, ...] = collected(
        INTERFACES, "Interfaces whose state decides too.", check=instance_checks.tracked_interface
    )
    track_script: tuple[TrackEntry, ...] = collected(
        SCRIPTS,
        "Scripts (vrrp_script) whose result decides too.",
        check=instance_checks.tracked_script,
    )
    track_file: tuple[TrackEntry, ...] = collected(
        FILES,
        "Files (track_file) whose value decides too.",
        check=instance_checks.tracked_file,
    )
    track_process: tuple[TrackEntry, ...] = collected(
        PROCESSES,
        "Processes (vrrp_track_process) that have to run.",
        check=instance_checks.tracked_process,
    )
    track_bfd: tuple[TrackEntry, ...] = collected(
        BFDS,
        "BFD sessions (bfd_instance) that have to be up.",
    )
    notify_backup: ScriptCommand | None = on("Run on the transition to backup.")
    notify_master: ScriptCommand | None = on("Run on the transition to master.")
    notify_fault: ScriptCommand | None = on("Run on the transition to fault.")
    notify_stop: ScriptCommand | None = on("Run when the daemon stops.")
    notify: ScriptCommand | None = on("Run on every transition, with four more words.")
    smtp_alert: bool | None = yes_no("Send mail on transitions (default: smtp_alert_vrrp, else smtp_alert).")
    notify_priority_changes: bool | None = yes_no("Tell FIFOs about changes of priority.")
