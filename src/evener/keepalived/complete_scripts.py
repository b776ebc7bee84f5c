"""Scripts: whether they can be run, and whether the configuration says how safe they have to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from evener.keepalived.blocks.vrrp_tracking import Tracking
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import DEFAULT_USER, Program, Reading
from evener.keepalived.scripts import NOBODY, ScriptCommand, User
from evener.keepalived.twins import unlike

T = TypeVar("T", bound=Tracking)

NOTIFIES = (
    "notify_backup", "notify_master", "notify_fault", "notify_stop", "notify", "notify_deleted",
    "notify_master_rx_lower_pri",
)  # fmt: skip
VIOLATION = "SECURITY VIOLATION - {kind}scripts are being executed but script_security not enabled.{more}"
PRESENT = frozenset({Program.FINE, Program.UNSAFE, Program.INSECURE, Program.NOT_EXECUTABLE})


def complete_parent_scripts(reading: Reading, configuration: Configuration) -> None:
    """What runs before and after everything else."""
    if reading.surroundings.program is None:
        return
    settings = configuration.global_defs
    found = _states(reading, configuration, (settings.startup_script, settings.shutdown_script))
    _judge(reading, configuration, found, "start/shutdown ")


def complete_vrrp_scripts(reading: Reading, configuration: Configuration) -> Configuration:
    """Take away tracked scripts that cannot be run, and what tracks them; warn about security once."""
    if reading.surroundings.program is None or not configuration.vrrp_instance:
        return configuration
    dropped: set[str] = set()
    found: set[Program] = set()
    for script in configuration.vrrp_script:
        state = _state(reading, configuration, script.script, script.user)
        if state in (Program.INSECURE, Program.MISSING):
            reason = "due to insecure" if state is Program.INSECURE else "since not found/accessible"
            reading.warn("script-disabled", f"Disabling track script {script.name} {reason}")
        if state in (Program.INSECURE, Program.MISSING, Program.NOT_EXECUTABLE):
            dropped.add(script.name)
        found.add(state)
    settings = configuration.global_defs
    fifos = (settings.notify_fifo_script, settings.vrrp_notify_fifo_script)
    found |= _states(reading, configuration, (*_commands(configuration), *fifos))
    _judge(reading, configuration, found, "")
    return _without(configuration, dropped) if dropped else configuration


def complete_check_scripts(reading: Reading, configuration: Configuration) -> None:
    if reading.surroundings.program is None or not configuration.virtual_server:
        return
    settings = configuration.global_defs
    fifos = (settings.notify_fifo_script, settings.lvs_notify_fifo_script)
    found = _states(reading, configuration, (*_server_commands(configuration), *fifos))
    for server in unlike(configuration.virtual_server):
        for real in server.real_server:
            for check in real.misc_check:
                found.add(_state(reading, configuration, check.misc_path, check.user))
    _judge(reading, configuration, found, "check ")


def _judge(reading: Reading, configuration: Configuration, found: set[Program], kind: str) -> None:
    if configuration.global_defs.enable_script_security or not found & PRESENT:
        return
    more = " There are insecure scripts." if Program.UNSAFE in found else ""
    reading.warn("script-security", VIOLATION.format(kind=kind, more=more))


def _states(
    reading: Reading, configuration: Configuration, commands: Iterable[ScriptCommand | None]
) -> set[Program]:
    return {_state(reading, configuration, c, c.user) for c in commands if c is not None and c.argv}


def _state(
    reading: Reading, configuration: Configuration, command: ScriptCommand | None, user: User | None
) -> Program:
    """What is known of a script; one whose user does not exist is none."""
    program, exists = reading.surroundings.program, reading.surroundings.user_exists
    assert program is not None
    if command is None or not command.argv:
        return Program.MISSING
    if user is None:
        user = configuration.global_defs.script_user
        if user == NOBODY:
            return Program.MISSING
        if user is None and exists is not None and exists(DEFAULT_USER, None):
            user = User(DEFAULT_USER)
    elif exists is not None and not exists(user.name, user.group):
        return Program.MISSING
    return program(command.argv, user, configuration.global_defs.enable_script_security)


def _commands(configuration: Configuration) -> Iterator[ScriptCommand]:
    blocks: tuple[Tracking, ...] = (*configuration.vrrp_instance, *configuration.vrrp_sync_group)
    for block in blocks:
        for name in NOTIFIES:
            command = getattr(block, name, None)
            if command is not None:
                yield command


def _server_commands(configuration: Configuration) -> Iterator[ScriptCommand]:
    """What the checker process runs, but for checks."""
    for server in unlike(configuration.virtual_server):
        found = [server.quorum_up, server.quorum_down]
        for real in server.real_server:
            found += [real.notify_up, real.notify_down]
        yield from (command for command in found if command is not None)


def _without(configuration: Configuration, dropped: set[str]) -> Configuration:
    return replace(
        configuration,
        vrrp_script=tuple(s for s in configuration.vrrp_script if s.name not in dropped),
        vrrp_instance=tuple(_untracked(i, dropped) for i in configuration.vrrp_instance),
        vrrp_sync_group=tuple(_untracked(g, dropped) for g in configuration.vrrp_sync_group),
    )


def _untracked(block: T, dropped: set[str]) -> T:
    return replace(block, track_script=tuple(t for t in block.track_script if t.name not in dropped))
