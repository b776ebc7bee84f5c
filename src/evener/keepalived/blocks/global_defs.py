"""global_defs: settings of the whole daemon and defaults for what is configured elsewhere.

Several global_defs blocks add up.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

from evener.keepalived.arguments import Flag, NonEmpty, Number, OnlyName, OptionalString, String, Strings
from evener.keepalived.blocks.common import first_only, yes_no
from evener.keepalived.blocks.service_settings import ServiceSettings
from evener.keepalived.declare import block, word
from evener.keepalived.include import ALL_CHECKS, Check
from evener.keepalived.numbers import UINT_MAX
from evener.keepalived.scripts import NOBODY, Script, ScriptCommand, User, UserArgument
from evener.text.record import dataclass

SCRIPT_TIMEOUT = Number(1, 1000)

INCLUDE_CHECKS = {
    "read": Check.READ,
    "match": Check.MATCH,
    "wildcard_match": Check.WILDCARD_MATCH,
    "brace_match": Check.BRACE_MATCH,
}


def user_exists(reading: Any, builder: Any, value: User, span: Any) -> User:
    """The script user is looked up at once, as the scripts of the whole configuration depend on it. Where
    there is no such user, those that name none are not run: as somebody else they must not."""
    exists = reading.surroundings.user_exists
    fails = exists is not None and not exists(value.name, value.group)
    reading.default_user_fails = reading.script_user_fails = fails
    if not reading.default_user_fails:
        return value
    reading.alert("unknown-user", "Error setting global script uid/gid", span)
    return NOBODY


def _nobody(reading: Any, user: User | None) -> bool:
    """Whether there is nobody to run a script as that names ``user``, or none."""
    exists = reading.surroundings.user_exists
    if user is None:
        return bool(reading.default_user_fails)
    return exists is not None and not exists(user.name, user.group)


def parent_script(when: str) -> Any:
    """The check of what runs before and after everything else: the first one counts, if it has a user."""
    only = first_only(f"{when}_script", f"{when} script already specified")

    def check(reading: Any, builder: Any, value: ScriptCommand, span: Any) -> ScriptCommand | None:
        first: ScriptCommand | None = only(reading, builder, value, span)
        if first is None or not _nobody(reading, first.user):
            return first
        reading.alert("unknown-user", f"Invalid {when} script", span)
        return None

    return check


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
    """include_check acts on the includes that follow: ``+x`` and ``-x`` change, a first ``x`` replaces."""
    check = reading.include_check if value else ALL_CHECKS
    for index, word_ in enumerate(value):
        sign = word_[:1] if word_[:1] in ("+", "-") else ""
        if index and not sign:
            message = f"Duplicate include_check '{word_}' specified - ignoring"
            reading.alert("duplicate-include-check", message, span)
            continue
        name = word_[len(sign) :]
        kind = INCLUDE_CHECKS.get(name)
        if kind is None:
            reading.alert("unknown-include-check", f"Unknown include_check type '{name}' - ignoring", span)
            kind = Check.NONE
        elif not sign:
            kind |= Check.READ
        check = check & ~kind if sign == "-" else check | kind if sign else kind
    reading.include_check = check
    return value


UMASK_BITS = {
    "IRUSR": 0o400, "IWUSR": 0o200, "IXUSR": 0o100, "IRWXU": 0o700,
    "IRGRP": 0o040, "IWGRP": 0o020, "IXGRP": 0o010, "IRWXG": 0o070,
    "IROTH": 0o004, "IWOTH": 0o002, "IXOTH": 0o001, "IRWXO": 0o007,
}  # fmt: skip
UMASK_DIGITS = re.compile(r"0[xX][0-9a-fA-F]{1,3}|0[0-7]{0,5}|[1-9][0-9]{0,4}", re.ASCII)


def umask_of(words: tuple[str, ...]) -> tuple[str, int]:
    """What is wrong with a mask (empty when nothing is), and the mask."""
    if words[0][:1].isascii() and words[0][:1].isdigit():
        if len(words) > 1:
            return "Extra parameter(s) to umask option", 0
        text = words[0]
        base = 16 if text[1:2] in ("x", "X") else 8 if text[0] == "0" else 10
        value = int(text, base) if UMASK_DIGITS.fullmatch(text) else -1
        return ("", value) if 0 <= value <= 0o777 else (f"invalid umask value {text}", 0)
    bits, more = 0, True
    for word_ in words:
        at = 0
        while at < len(word_):
            if not more:
                if word_[at] != "|":
                    return f"Invalid umask syntax {word_}", 0
                more, at = True, at + 1
                continue
            bit = UMASK_BITS.get(word_[at : at + 5])
            if bit is None:
                return f"Unknown umask bit {word_[at:]}", 0
            bits, at, more = bits | bit, at + 5, False
    return ("umask missing bit value", 0) if more else ("", bits)


def set_umask(reading: Any, builder: Any, value: tuple[str, ...], span: Any) -> tuple[str, ...] | None:
    problem, _ = umask_of(value)
    if not problem:
        return value
    reading.alert("bad-umask", problem, span)
    return None


def set_seed(reading: Any, builder: Any, value: int, span: Any) -> int:
    reading.seed = value
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
    set_supplementary_groups: bool | None = yes_no(
        "Scripts run with all groups of their user.",
        complaint="Invalid set_supplementary_groups parameter {word}",
    )
    startup_script: ScriptCommand | None = word(
        Script(),
        "Run once before anything else.",
        check=parent_script("startup"),
        missing="startup script missing",
    )
    startup_script_timeout: int | None = word(
        SCRIPT_TIMEOUT,
        "Seconds it may take (default 10).",
        complaint="startup_script_timeout '{word}' must be in [1, 1000] - ignoring",
        missing="startup_script_timeout requires value",
    )
    shutdown_script: ScriptCommand | None = word(
        Script(),
        "Run once after everything else.",
        check=parent_script("shutdown"),
        missing="shutdown script missing",
    )
    shutdown_script_timeout: int | None = word(
        SCRIPT_TIMEOUT,
        "Seconds it may take (default 10).",
        complaint="shutdown_script_timeout '{word}' must be in [1, 1000] - ignoring",
        missing="shutdown_script_timeout requires value",
    )
    notify_fifo: ScriptCommand | None = word(
        Script(),
        "FIFO that gets every change of state.",
        check=first_only("notify_fifo", "notify_fifo already specified - ignoring {word}"),
        missing="No notify_fifo name specified",
    )
    notify_fifo_script: ScriptCommand | None = word(
        Script(),
        "Reader of that FIFO.",
        check=first_only("notify_fifo_script", "notify_fifo_script already specified - ignoring {word}"),
        missing="No notify_fifo_script specified",
    )
    vrrp_notify_fifo: ScriptCommand | None = word(
        Script(),
        "FIFO that gets every change of VRRP state.",
        check=first_only("vrrp_notify_fifo", "vrrp_notify_fifo already specified - ignoring {word}"),
        missing="No vrrp_notify_fifo name specified",
    )
    vrrp_notify_fifo_script: ScriptCommand | None = word(
        Script(),
        "Reader of that FIFO.",
        check=first_only(
            "vrrp_notify_fifo_script", "vrrp_notify_fifo_script already specified - ignoring {word}"
        ),
        missing="No vrrp_notify_fifo_script specified",
    )
    script_user: User | None = word(
        UserArgument(),
        "Who runs scripts (default keepalived_script, or else root).",
        check=user_exists,
        missing="No script username specified",
    )
    enable_script_security: bool = word(
        Flag(), "Do not run scripts as root that others may write.", default=False
    )
    umask: tuple[str, ...] = word(
        Strings("<NUMBER>|<BITS>", good="022"),
        "File mode creation mask, as a number or as IWGRP|IWOTH.",
        default=(),
        bad=("umask 999", "umask IRUSRx", "umask x"),
        check=set_umask,
    )
    random_seed: int | None = word(
        Number(0, UINT_MAX),
        "Start of the random numbers, for tests.",
        complaint="random_seed {word} invalid",
        check=set_seed,
    )
    reload_check_config: str | None = word(
        OptionalString("[<LOG_FILE>]"), "Test a new configuration before a reload (always done); log of it."
    )
    reload_time_file: str | None = word(
        OnlyName("<PATH>"), "File that holds the time of the next reload.", missing="reload_time_file invalid"
    )
    reload_repeat: bool = word(
        Flag(), "Keep that file: a time of day without a date comes every day.", default=False
    )
    reload_file: str | None = word(OptionalString("[<PATH>]"), "File that exists while a reload is done.")
    include_check: tuple[str, ...] | None = word(
        Strings("[+|-][read|match|wildcard_match|brace_match]...", least=0, good="match +wildcard_match"),
        "Which includes that find nothing are errors.",
        bad=("include_check readable", "include_check read match"),
        check=set_include_check,
    )
    config_save_dir: str | None = word(
        String("<PATH>"), "Keep the configuration as it was read at the start and at each reload here."
    )
    tmp_config_directory: str | None = word(
        String("<PATH>"),
        "Keep the copy of the configuration here; no effect: no copy is written.",
        missing="{keyword} missing directory name",
        check=first_only("tmp_config_directory", "tmp_config_directory already specified - ignoring"),
    )
    data_use_instance: bool | None = yes_no(
        "Names of dump files contain instance and namespace.",
        complaint="Invalid value '{word}' for global date_use_instance specified",
    )
    json_version: int | None = word(
        Number(1, 2),
        "Layout of the JSON dump.",
        complaint="Invalid JSON version",
        missing="{keyword} requires version",
    )
    iproute_usr_dir: str | None = word(
        OnlyName("<PATH>"),
        "Where iproute2 keeps its names.",
        check=iproute_directory(0),
        missing="{keyword} requires path",
    )
    iproute_etc_dir: str | None = word(
        OnlyName("<PATH>"),
        "Where iproute2 keeps changed names.",
        check=iproute_directory(1),
        missing="{keyword} requires path",
    )
    state_dump_file: str | None = word(
        NonEmpty("<PATH>"), "Where USR1 writes the state.", missing="{keyword} requires a non-empty path"
    )
    stats_dump_file: str | None = word(
        NonEmpty("<PATH>"), "Where USR2 writes statistics.", missing="{keyword} requires a non-empty path"
    )
    json_dump_file: str | None = word(
        NonEmpty("<PATH>"), "Where the JSON dump is written.", missing="{keyword} requires a non-empty path"
    )
