"""The golden replays of single routers, and that nothing is without one.

EVENER_REPLAY=write writes the expectations anew; read the difference before it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from replaying import HOME, Row, cases, check, replay

from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.process_settings import ProcessSettings
from evener.keepalived.blocks.vrrp_auth import Authentication, AuthHmac
from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.declare import Block, declarations
from evener.keepalived.trackers.things import BfdInstance, TrackFile, VrrpScript, VrrpTrackProcess
from evener.keepalived.vrrp.fsm import TABLE

LATE = "tests/keepalived/vrrp/test_late_and_elsewhere.py"
COMPILE = "tests/keepalived/test_keepalived_compile.py"
BFD = "tests/keepalived/test_keepalived_bfd_compile.py"
# What the machine room alone executes, and where that is shown.
ELSEWHERE = {
    "lvs_sync_daemon_interface": "tests/host/test_vrrp_lvs_sync.py",
    "promote_secondaries": "tests/netns/test_matrix.py",
    "interface": "tests/netns/test_failover.py",
    "track_src_ip": "tests/netns/test_matrix.py",
    "no_accept": "tests/netns/test_accept.py",
    "linkbeat_use_polling": LATE,
    "thread_timer_expired": LATE,
    "timer_expired_backup": LATE,
    "use_vmac_addr": LATE,
    "vmac_garp_intvl": LATE,
    "vrf": LATE,
    "kernel_rx_buf_size": "tests/host/test_vrrp_socket.py",
    "native_ipv6": "tests/keepalived/test_keepalived_messages.py",
    "accept": "tests/netns/test_accept.py",
    "debug": "tests/keepalived/test_keepalived_messages.py",
    "no_virtual_ipaddress": "tests/keepalived/test_keepalived_messages.py",
    "global_tracking": "tests/keepalived/test_keepalived_messages.py",
    "preempt": "tests/keepalived/test_keepalived_messages.py",
    "use_ipvlan": "tests/keepalived/test_keepalived_virtual_interface.py",
    "notify_deleted": "tests/host/test_vrrp_notify.py",
    "garp_extra_if": LATE,
    "old_unicast_checksum": LATE,
    # Of global_defs: those that are not defaults of instances.
    "vrrp_garp_interval": COMPILE,
    "vrrp_gna_interval": COMPILE,
    "vrrp_min_garp": COMPILE,
    "vrrp_vmac_garp_intvl": LATE,
    "vrrp_iptables": "tests/keepalived/test_keepalived_messages.py",
    "vrrp_netlink_cmd_rcv_bufs": COMPILE,
    "vrrp_netlink_cmd_rcv_bufs_force": COMPILE,
    "vrrp_netlink_monitor_rcv_bufs": COMPILE,
    "vrrp_netlink_monitor_rcv_bufs_force": COMPILE,
    "vrrp_rx_bufs_policy": COMPILE,
    "vrrp_rx_bufs_multiplier": COMPILE,
    "vrrp_delay_after_boot": COMPILE,
    "vrrp_notify_fifo": COMPILE,
    "vrrp_notify_fifo_script": COMPILE,
    # Of what is tracked.
    "timeout": "tests/host/test_scripts.py",
    "user": "tests/host/test_scripts.py",
    "param_match": "tests/host/test_track_processes.py",
    "quorum": "tests/host/test_track_processes.py",
    "quorum_max": "tests/host/test_track_processes.py",
    "delay": "tests/host/test_track_processes.py",
    "terminate_delay": "tests/host/test_track_processes.py",
    "fork_delay": COMPILE,
    "full_command": "tests/host/test_track_processes.py",
    "neighbour_ip": BFD,
    "idle_tx": BFD,
    "passive": BFD,
    "ttl": BFD,
    "hoplimit": BFD,
    "max_hops": BFD,
    "multihop": BFD,
    "vrrp": BFD,
    "checker": BFD,
}


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
    processes = {field.name for field in fields(ProcessSettings)}
    yield from (name for name in names(GlobalDefs) if name.startswith("vrrp_") and name not in processes)


def names(cls: type[Block]) -> Iterator[str]:
    return (keyword.name for path, keyword in declarations(cls) if not keyword.planned and not path)


def configured() -> set[str]:
    """The words at the beginnings of the lines of the configurations that are replayed."""
    texts = (path.read_text(encoding="ascii") for path in HOME.glob("*/*.conf"))
    return {word for text in texts for word in re.findall(r"^\s*(\w+)", text, re.MULTILINE)}


def test_every_option_has_a_replay() -> None:
    missing = set(options()) - configured() - set(ELSEWHERE)
    assert sorted(missing) == []
    needless = set(ELSEWHERE) - set(options())
    assert sorted(needless) == []
    assert all((HOME.parents[1] / test).is_file() for test in ELSEWHERE.values())


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
