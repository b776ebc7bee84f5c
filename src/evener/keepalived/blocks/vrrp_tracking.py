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

INTERFACES = Values(TrackLine("interface"))
SCRIPTS = Values(TrackLine("script"))
FILES = Values(TrackLine("file"))
PROCESSES = Values(TrackLine("process"))
BFDS = Values(TrackLine("bfd"))


def on(keyword: str, doc: str, **more: Any) -> Any:
    """A script of which the first one counts."""
    return word(Script(), doc, check=instance_checks.first_script(keyword), **more)


def yes_no(doc: str, **more: Any) -> Any:
    """A ``[BOOL]`` of an instance; None leaves it to global_defs."""
    return word(OptionalBool(), doc, **{"complaint": INSTANCE_BOOL, **more})


def smtp_alert(block: str) -> Any:
    doc = "Send mail on transitions (default: smtp_alert_vrrp, else smtp_alert)."
    return yes_no(doc, complaint=f"Invalid {block} smtp_alert parameter {{word}}")


def priority_changes(of: str) -> Any:
    complaint = f"({{name}}) Invalid value '{{word}}' for {of}notify_priority_changes specified"
    return yes_no("Tell FIFOs about changes of priority.", complaint=complaint)


@dataclass(frozen=True, slots=True)
class Tracking(Block):
    """Trackers and scripts."""

    track_interface: tuple[TrackEntry, ...] = collected(INTERFACES, "Interfaces whose state decides too.")
    track_script: tuple[TrackEntry, ...] = collected(
        SCRIPTS, "Scripts (vrrp_script) whose result decides too."
    )
    track_file: tuple[TrackEntry, ...] = collected(FILES, "Files (track_file) whose value decides too.")
    track_process: tuple[TrackEntry, ...] = collected(
        PROCESSES, "Processes (vrrp_track_process) that have to run."
    )
    track_bfd: tuple[TrackEntry, ...] = collected(BFDS, "BFD sessions (bfd_instance) that have to be up.")
    notify_backup: ScriptCommand | None = on("notify_backup", "Run on the transition to backup.")
    notify_master: ScriptCommand | None = on("notify_master", "Run on the transition to master.")
    notify_fault: ScriptCommand | None = on("notify_fault", "Run on the transition to fault.")
    notify_stop: ScriptCommand | None = on("notify_stop", "Run when the daemon stops.")
    notify: ScriptCommand | None = on("notify", "Run on every transition, with four more words.")
    smtp_alert: bool | None = smtp_alert("vrrp_instance")
    notify_priority_changes: bool | None = priority_changes("")
