"""The house of checks over real sockets: results, reloads, suspension, and nothing left open."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checking_farm import PROMPT, farm, listener, loopback, plan_of

from evener.keepalived.lvs import checking
from evener.keepalived.lvs.probes import TcpProbe


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BOOTSTRAP_US", 0)


def tcp(port: int) -> TcpProbe:
    return TcpProbe("TCP_CHECK", loopback(port))


def test_a_listening_port_is_up_and_a_closed_one_is_down() -> None:
    with farm() as made, listener() as (open_, port):
        made.house.use(plan_of(tcp(port)))
        ((name, report),) = made.until(1)
        assert (name.virtual_server, name.index, report.up, report.first) == ("vs", 0, True, True)
        open_.close()
        assert not made.until(2)[1][1].up
        assert made.lines == [
            "Activating healthchecker for service [127.0.0.1]:tcp:80 for VS [10.0.0.5]:tcp:80",
            "TCP connection to [127.0.0.1]:tcp:80 success.",
            "TCP_CHECK on service [127.0.0.1]:tcp:80 failed.",
        ]


def test_a_source_address_that_is_not_ours_is_no_result() -> None:
    with farm() as made, listener() as (_, port):
        probe = TcpProbe("TCP_CHECK", loopback(port, source=b"\x0a\x00\x00\x07"))
        made.house.use(plan_of(probe))
        made.until_said("TCP socket bind failed. Rescheduling.")
        assert "Checker bind failed: Cannot assign requested address" in made.lines
        assert made.reports == []


def test_a_reload_leaves_an_equal_check_alone() -> None:
    with farm() as made, listener() as (_, port), listener() as (_, other):
        made.house.use(plan_of(tcp(port)))
        made.until(1)
        made.house.use(plan_of(tcp(other), tcp(port)))
        (new, old) = made.house.states().values()
        assert (old.run, new.run) == (True, False)
        name, report = made.until(2)[1]
        assert (name.index, report.up, report.first) == (0, True, True)


def test_a_changed_timing_keeps_the_state() -> None:
    with farm() as made, listener() as (_, port):
        made.house.use(plan_of(tcp(port)))
        made.until(1)
        made.house.use(plan_of(tcp(port), timing=replace(PROMPT, retry=4)))
        assert [state.run for state in made.house.states().values()] == [True]
        assert len(made.lines) == 2, "it is not activated again"


def test_a_server_without_checks_was_up() -> None:
    """One that gets an alpha check counts as up until that has failed; a new server counts as down."""
    alpha = replace(PROMPT, alpha=True)
    with farm() as made, listener() as (_, port):
        made.house.use(plan_of())
        made.house.use(plan_of(tcp(port), timing=alpha))
        assert [state.up for state in made.house.states().values()] == [True]
        made.house.use(plan_of(tcp(port), timing=alpha, port=81))
        assert [state.up for state in made.house.states().values()] == [False]


def test_suspended_checks_are_not_made() -> None:
    with farm() as made, listener() as (_, port):
        made.house.use(plan_of(tcp(port)), suspended=["vs"])
        assert made.lines[0].startswith("Deactivating healthchecker for service ")
        for _ in range(20):
            made.reactor.turn(0.01)
        assert made.reports == []
        made.house.resume("vs")
        assert made.lines[-1].startswith("Activating ")
        made.until(1)
        made.house.suspend("vs")
        assert made.lines[-1].startswith("Suspending ")


def test_nothing_stays_open() -> None:
    with farm() as made, listener(0) as (_, port):
        before = len(os.listdir("/proc/self/fd"))
        made.house.use(plan_of(*[tcp(port)] * 8))
        made.until(1)
        made.house.close()
        assert len(os.listdir("/proc/self/fd")) == before
