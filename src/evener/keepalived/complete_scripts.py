"""Scripts: whether they can be run, and whether the configuration says how safe they have to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from evener.keepalived.alike import unlike
from evener.keepalived.blocks.vrrp_tracking import Tracking
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import Program, Reading
from evener.keepalived.scripts import ScriptCommand

T = TypeVar("T", bound=Tracking)

NOTIFIES = ("notify_backup", "notify_master", "notify_fault", "notify_stop", "notify", "notify_deleted")
VIOLATION = "SECURITY VIOLATION - {kind}scripts are being executed but script_security not enabled."


def complete_scripts(reading: Reading, configuration: Configuration) -> Configuration:
    """Take away tracked scripts that cannot be run, and what tracks them; warn about security once."""
    program = reading.surroundings.program
    if program is None:
        return configuration
    runs = False
    dropped: set[str] = set()
    for script in configuration.vrrp_script:
        found = program(script.script.argv) if script.script else Program.MISSING
        runs = runs or found is Program.FINE
        if found is Program.MISSING:
            message = f"Disabling track script {script.name} since not found/accessible"
            reading.warn("script-disabled", message)
            dropped.add(script.name)
    runs = runs or any(program(command.argv) is Program.FINE for command in _commands(configuration))
    if runs and not configuration.global_defs.enable_script_security:
        reading.warn("script-security", VIOLATION.format(kind=""))
    if not configuration.global_defs.enable_script_security and any(
        program(command.argv) is Program.FINE for command in _server_commands(configuration)
    ):
        reading.warn("script-security", VIOLATION.format(kind="check "))
    return _without(configuration, dropped) if dropped else configuration


def _commands(configuration: Configuration) -> Iterator[ScriptCommand]:
    blocks: tuple[Tracking, ...] = (*configuration.vrrp_instance, *configuration.vrrp_sync_group)
    for block in blocks:
        for name in NOTIFIES:
            command = getattr(block, name, None)
            if command is not None and command.argv:
                yield command


def _server_commands(configuration: Configuration) -> Iterator[ScriptCommand]:
    """What the checker process runs."""
    for server in unlike(configuration.virtual_server):
        found = [server.quorum_up, server.quorum_down]
        for real in server.real_server:
            found += [real.notify_up, real.notify_down, *(check.misc_path for check in real.misc_check)]
        yield from (command for command in found if command is not None and command.argv)


def _without(configuration: Configuration, dropped: set[str]) -> Configuration:
    return replace(
        configuration,
        vrrp_script=tuple(s for s in configuration.vrrp_script if s.name not in dropped),
        vrrp_instance=tuple(_untracked(i, dropped) for i in configuration.vrrp_instance),
        vrrp_sync_group=tuple(_untracked(g, dropped) for g in configuration.vrrp_sync_group),
    )


def _untracked(block: T, dropped: set[str]) -> T:
    return replace(block, track_script=tuple(t for t in block.track_script if t.name not in dropped))
