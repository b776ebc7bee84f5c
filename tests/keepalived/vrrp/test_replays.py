"""The golden replays of single routers, and that nothing is without one.

EVENER_REPLAY=write writes the expectations anew; read the difference before it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from replaying import HOME, Row, cases, check, replay

from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.static import GarpGroup
from evener.keepalived.blocks.vrrp_auth import Authentication, AuthHmac
from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.declare import Block, declarations
from evener.keepalived.ir import Configuration
from evener.keepalived.trackers.things import BfdInstance, TrackFile, VrrpScript, VrrpTrackProcess
from evener.keepalived.vrrp.fsm import TABLE

OTHERS = re.compile(
    # Other processes: BFD and checkers, their servers, DBus and SNMP.
    r"bfd_(?!instance)|checker_|lvs_(?!sync)|nftables_ipvs|virtual_server|SSL|no_checker"
    r"|smtp_alert_checker|rs_init|enable_(dbus|snmp|traps)|dbus_|snmp_|process_names?$"
    # The parent's: it acts before there is a plan, or with the text (tests/netns, tests/cli).
    r"|reload_|startup_|shutdown_|child_wait|umask|tmp_config|config_save|include_check|random_seed|iproute_"
    r"|net_namespace|namespace_with|use_pid_dir|instance$|data_use_instance"
)
"""Global words that are not of the VRRP process."""


@cache
def outcome(case: Path) -> tuple[str, frozenset[Row]]:
    rows: set[Row] = set()
    return "\n".join(replay(case, rows)) + "\n", frozenset(rows)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_replay(case: Path) -> None:
    check(case, outcome(case)[0])


def test_every_row_of_the_state_table_has_a_replay() -> None:
    used = {row for case in cases() for row in outcome(case)[1]}
    missing = sorted(f"{state.name} {happens.name}" for state, happens in set(TABLE) - used)
    assert missing == []


def options() -> Iterator[str]:
    """The keywords of instances, groups and what they track that are executed, and those of all of them."""
    tracked = (VrrpScript, VrrpTrackProcess, TrackFile, BfdInstance)
    for cls in (VrrpInstance, VrrpSyncGroup, Authentication, AuthHmac, *tracked):
        yield from names(cls)
    yield from (name for name in names(GlobalDefs) if not OTHERS.match(name))
    yield from (name for name in names(Configuration) if not OTHERS.match(name))
    yield from names(GarpGroup)


def names(cls: type[Block]) -> Iterator[str]:
    return (keyword.name for path, keyword in declarations(cls) if not keyword.planned and not path)


def configured() -> set[str]:
    """The words at the beginnings of the lines of the configurations that are replayed."""
    texts = (path.read_text(encoding="ascii") for path in HOME.glob("*/*.conf"))
    return {word for text in texts for word in re.findall(r"^\s*(\w+)", text, re.MULTILINE)}


def test_every_option_has_a_replay() -> None:
    assert sorted(set(options()) - configured()) == []


DECISIVE = sorted(HOME.glob("option-*"))


@pytest.mark.parametrize("case", DECISIVE, ids=lambda case: case.name)
def test_the_option_makes_the_difference(case: Path, tmp_path: Path) -> None:
    """Without the lines that end with ``# option`` (a block: from there to its brace) it goes otherwise."""
    for path in case.iterdir():
        text = path.read_text(encoding="ascii")
        if path.suffix == ".conf":
            text, count = re.subn(r"^.*\{ # option\n(?:.*\n)*? \}\n|^.*[^{] # option\n", "", text, flags=re.M)
            assert count, f"{path} has no line that is the option"
        (tmp_path / path.name).write_text(text, encoding="ascii")
    assert "\n".join(replay(tmp_path, set(), clean=False)) + "\n" != outcome(case)[0]
