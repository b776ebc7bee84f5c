"""global_defs: settings of the whole daemon and defaults for what is configured elsewhere.

The keywords of the VRRP process are executed; those of the checker, BFD, SNMP and DBus parts, and of
mail, are read and kept until those parts exist. Several global_defs blocks add up.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from evener.keepalived.arguments import Flag, Number, OptionalString, String, Strings
from evener.keepalived.blocks.common import first_only, yes_no
from evener.keepalived.blocks.service_settings import ServiceSettings
from evener.keepalived.declare import block, planned, word
from evener.keepalived.include import ALL_CHECKS, Check
from evener.keepalived.numbers import UINT_MAX
from evener.keepalived.scripts import Script, ScriptCommand, User, UserArgument
from evener.text.record import dataclass

SCRIPT_TIMEOUT = Number(1, 1000)

INCLUDE_CHECKS = {
    "read": Check.READ,
    "match": Check.MATCH,
    "wildcard_match": Check.WILDCARD_MATCH,
    "brace_match": Check.BRACE_MATCH,
}


def user_exists(reading: Any, builder: Any, value: User, span: Any) -> User | None:
    """The script user is looked up at once, as the scripts of the whole configuration depend on it."""
    exists = reading.surroundings.user_exists
    reading.default_user_fails = exists is not None and not exists(value.name, value.group)
    if not reading.default_user_fails:
        return value
    reading.alert("unknown-user", "Error setting global script uid/gid", span)
    return None


IPROUTE = ("iproute_usr_dir", "/usr/share/iproute2"), ("iproute_etc_dir", "/etc/iproute2")


def iproute_directory(place: int) -> Any:
    """From here on names of tables and the like are looked up in this directory; the second one wins."""

    def check(reading: Any, builder: Any, value: str, span: Any) -> str:
        names = reading.surroundings.iproute_names
        if names is not None:
            found = [builder.get((keyword,)) or usual for keyword, usual in IPROUTE]
            found[place] = value
            changed = partial(names, directories=tuple(found))
            reading.surroundings = replace(reading.surroundings, iproute_names=changed)
        return value

    return check


def set_include_check(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...]:
    """include_check acts on the includes that follow. ``+x`` and ``-x`` change, ``x`` alone replaces."""
    check = reading.include_check if value and all(w[0:1] in ("+", "-") for w in value) else Check.NONE
    for name in value:
        kind = INCLUDE_CHECKS.get(name.lstrip("+-"))
        if kind is None:
            reading.alert("unknown-include-check", f"Unknown include_check type '{name}' - ignoring", span)
        else:
            check = check & ~kind if name.startswith("-") else check | kind
    reading.include_check = check if value else ALL_CHECKS
    return value


@block("global_defs")
@dataclass(frozen=True, slots=True)
class GlobalDefs(ServiceSettings):
    """All of global_defs. ``name`` is always empty."""

    router_id: str | None = word(
        String(),
        "What this machine is called (default: its host name).",
        missing="routerid name missing - ignoring",
    )
    use_symlink_paths: bool | None = yes_no(
        "Do not resolve symbolic links in paths of scripts.",
        complaint="Invalid value '{word}' for global use_symlink_path specified",
    )
    set_supplementary_groups: bool | None = yes_no("Scripts run with all groups of their user.")
    startup_script: ScriptCommand | None = word(
        Script(),
        "Run once before anything else.",
        check=first_only("startup_script", "startup script already specified"),
    )
    startup_script_timeout: int | None = word(
        SCRIPT_TIMEOUT,
        "Seconds it may take (default 10).",
        complaint="startup_script_timeout '{word}' must be in [1, 1000] - ignoring",
    )
    shutdown_script: ScriptCommand | None = word(
        Script(),
        "Run once after everything else.",
        check=first_only("shutdown_script", "shutdown script already specified"),
    )
    shutdown_script_timeout: int | None = word(
        SCRIPT_TIMEOUT,
        "Seconds it may take (default 10).",
        complaint="shutdown_script_timeout '{word}' must be in [1, 1000] - ignoring",
    )
    notify_fifo: ScriptCommand | None = word(
        Script(),
        "FIFO that gets every change of state.",
        check=first_only("notify_fifo", "notify_fifo already specified - ignoring {word}"),
    )
    notify_fifo_script: ScriptCommand | None = word(
        Script(),
        "Reader of that FIFO.",
        check=first_only("notify_fifo_script", "notify_fifo_script already specified - ignoring {word}"),
    )
    vrrp_notify_fifo: ScriptCommand | None = word(
        Script(),
        "FIFO that gets every change of VRRP state.",
        check=first_only("vrrp_notify_fifo", "vrrp_notify_fifo already specified - ignoring {word}"),
    )
    vrrp_notify_fifo_script: ScriptCommand | None = word(
        Script(),
        "Reader of that FIFO.",
        check=first_only(
            "vrrp_notify_fifo_script", "vrrp_notify_fifo_script already specified - ignoring {word}"
        ),
    )
    script_user: User | None = word(
        UserArgument(), "Who runs scripts (default keepalived_script, or else root).", check=user_exists
    )
    enable_script_security: bool = word(
        Flag(), "Do not run scripts as root that others may write.", default=False
    )
    umask: tuple[str, ...] = word(
        Strings("<NUMBER>|<BITS>", good="022"),
        "File mode creation mask, as a number or as S_IWGRP|S_IWOTH.",
        default=(),
    )
    random_seed: int | None = planned(
        Number(0, UINT_MAX), "Start of the random numbers, for tests.", complaint="random_seed {word} invalid"
    )
    reload_check_config: str | None = word(
        OptionalString("[<LOG_FILE>]"), "Test a new configuration before a reload (always done); log of it."
    )
    reload_time_file: str | None = planned(String("<PATH>"), "File that holds the time of the next reload.")
    reload_repeat: bool = planned(Flag(), "Reload again when that file changes.", default=False)
    reload_file: str | None = word(OptionalString("[<PATH>]"), "File that exists while a reload is done.")
    include_check: tuple[str, ...] | None = word(
        Strings("[+|-][read|match|wildcard_match|brace_match]...", least=0, good="read match"),
        "Which includes that find nothing are errors.",
        bad=("include_check readable",),
        check=set_include_check,
    )
    config_save_dir: str | None = planned(
        String("<PATH>"), "Save configuration and state around reloads here."
    )
    tmp_config_directory: str | None = word(
        String("<PATH>"), "Keep the copy of the configuration here; no effect: no copy is written."
    )
    data_use_instance: bool | None = yes_no(
        "Names of dump files contain instance and namespace.",
        complaint="Invalid value '{word}' for global date_use_instance specified",
    )
    json_version: int | None = word(
        Number(1, 2), "Layout of the JSON dump.", complaint="Invalid JSON version"
    )
    iproute_usr_dir: str | None = word(
        String("<PATH>"), "Where iproute2 keeps its names.", check=iproute_directory(0)
    )
    iproute_etc_dir: str | None = word(
        String("<PATH>"), "Where iproute2 keeps changed names.", check=iproute_directory(1)
    )
    state_dump_file: str | None = word(String("<PATH>"), "Where USR1 writes the state.")
    stats_dump_file: str | None = word(String("<PATH>"), "Where USR2 writes statistics.")
    json_dump_file: str | None = word(String("<PATH>"), "Where the JSON dump is written.")
