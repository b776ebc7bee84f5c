"""Commands of the control socket, and what operators' wishes do to a virtual server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.keepalived.lvs.check_plan import Check, CheckId, Probe, Report
from evener.keepalived.lvs.control import answer
from evener.keepalived.lvs.director import Director, Step
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    DeleteDestination,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
    SetDestination,
    Traffic,
)
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, SorryServer, VirtualServer
from evener.keepalived.vrrp.plan import Family

KEY = ServiceKey(Family.INET, 6, bytes((10, 0, 0, 5)), 80)
MARK = ServiceKey(Family.INET6, 0, b"", 0, 7)
VS, RS = "10.0.0.5:80/tcp", "10.1.0.1:80"


def real(number: int, **more: object) -> RealServer:
    shown = f"[10.1.0.{number}]:tcp:80"
    checks = (Check(Probe("TCP_CHECK")),)
    return RealServer(bytes((10, 1, 0, number)), 80, shown, checks=checks, **more)  # type: ignore[arg-type]


PLAN = CheckerPlan(
    virtual_servers=(
        VirtualServer(
            "10.0.0.5 80 TCP", "[10.0.0.5]:tcp:80", (KEY,), Service(KEY, "rr"), (real(1), real(2)),
            SorryServer(bytes((10, 1, 0, 9)), 80, "[10.1.0.9]:tcp:80"),
        ),
        VirtualServer("fwmark 7", "FWM 7", (MARK,), Service(MARK, "sh")),
    )
)  # fmt: skip


class Machine:
    engine = "nft"

    def __init__(self) -> None:
        self.ended: list[DestinationKey] = []
        self.can = True

    def traffic(self) -> dict:
        return {(KEY, None): Traffic(7, 1, 2, 3, 4, 5, 6), (KEY, where(1)): Traffic(connections=3)}

    def disconnect(self, key: ServiceKey, destinations: list[DestinationKey]) -> int | None:
        self.ended += destinations
        return len(destinations) if self.can else None


def where(number: int) -> DestinationKey:
    return DestinationKey(Family.INET, bytes((10, 1, 0, number)), 80)


def destination(number: int, weight: int = 1) -> Destination:
    return Destination(where(number), weight=weight)


@pytest.fixture
def director() -> Director:
    director = Director(PLAN)
    director.start()
    return director


def says(director: Director, line: str, machine: Machine | None = None) -> str:
    return answer(line, director, machine or Machine()).text


def does(director: Director, line: str) -> Step:
    found = answer(line, director, Machine())
    assert not found.text.startswith("error")
    return found.step


def test_drain_weight_disable_and_back(director: Director) -> None:
    assert does(director, f"drain {VS} {RS}").changes == (SetDestination(KEY, destination(1, 0)),)
    assert "drain  weight 0" in says(director, f"show services {VS}")
    assert does(director, f"enable {VS} {RS}").changes == (SetDestination(KEY, destination(1)),)
    assert does(director, f"set weight {VS} {RS} 40").changes == (SetDestination(KEY, destination(1, 40)),)
    assert does(director, f"disable {VS} {RS}").changes == (DeleteDestination(KEY, where(1)),)
    assert does(director, f"enable {VS} {RS}").changes == (AddDestination(KEY, destination(1, 40)),)
    assert does(director, f"clear {VS}").changes == (SetDestination(KEY, destination(1)),)
    assert director.overrides == {}


def test_a_check_does_not_enable_what_is_disabled(director: Director) -> None:
    does(director, f"disable {VS} {RS}")
    check = CheckId("10.0.0.5 80 TCP", bytes((10, 1, 0, 1)), 80, 0)
    assert director.report(check, Report(up=False)).changes == ()
    assert director.report(check, Report(up=True, weight=9)).changes == ()
    assert does(director, f"enable {VS} {RS}").changes == (AddDestination(KEY, destination(1, 9)),)


def test_the_quorum_follows(director: Director) -> None:
    does(director, f"disable {VS} 10.1.0.1:80")
    step = does(director, f"drain {VS} 10.1.0.2:80")
    assert AddDestination(KEY, destination(9)) in step.changes
    assert "quorum down (0/1)  sorry server 10.1.0.9:80 active" in says(director, "show services")


def test_wishes_outlive_reloads_and_the_server(director: Director) -> None:
    does(director, f"drain {VS} {RS}")
    assert director.use(PLAN).changes == ()
    virtual = PLAN.virtual_servers[0]
    without = replace(PLAN, virtual_servers=(replace(virtual, real_servers=(real(2),)),))
    assert DeleteDestination(KEY, where(1)) in director.use(without).changes
    assert "10.1.0.1:80  drain" in says(director, "show overrides")
    assert AddDestination(KEY, destination(1, 0)) in director.use(PLAN).changes
    heavier = replace(PLAN, virtual_servers=(replace(virtual, real_servers=(real(1, weight=5), real(2))),))
    assert SetDestination(KEY, destination(1, 5)) not in director.use(heavier).changes
    assert does(director, f"enable {VS} {RS}").changes == (SetDestination(KEY, destination(1, 5)),)


@pytest.mark.parametrize("name", [VS, "10.0.0.5:80", "'10.0.0.5 80 TCP'", "[10.0.0.5]:tcp:80"])
@pytest.mark.parametrize("server", [RS, "10.1.0.1", "[10.1.0.1]:tcp:80"])
def test_names(director: Director, name: str, server: str) -> None:
    assert says(director, f"drain {name} {server}") == f"{VS} {RS}: drain\n"


def test_show(director: Director) -> None:
    shown = json.loads(says(director, "show services json"))
    assert [row["name"] for row in shown] == [VS, "fwmark:7"]
    assert shown[0]["real_servers"][0] == {
        "name": RS, "state": "up", "weight": 1, "configured_weight": 1, "method": "NAT", "checks": 1,
        "failed_checks": 0, "transitions": 0, "override": "none",
    }  # fmt: skip
    counted = json.loads(says(director, f"show stats {VS} json"))
    assert (counted[0]["connections"], counted[0]["bytes_in"], counted[0]["active"]) == (7, 3, 5)
    assert [each["connections"] for each in counted[0]["real_servers"]] == [3, 0]
    assert "drain" in says(director, "help")


def test_flush(director: Director) -> None:
    machine = Machine()
    assert says(director, f"flush {VS} {RS}", machine) == "1 ended\n" and machine.ended == [where(1)]
    assert says(director, f"flush {VS}", machine) == "2 ended\n"
    machine.can = False
    assert says(director, f"flush {VS}", machine) == "error: the engine nft cannot end connections\n"


def test_metrics(director: Director) -> None:
    does(director, f"disable {VS} {RS}")
    text = says(director, "show metrics")
    labels = f'virtual_server="{VS}",real_server="{RS}"'
    for line in (
        f'keepalived_lvs_virtual_server_connections_total{{virtual_server="{VS}",engine="nft"}} 7',
        f'keepalived_lvs_virtual_server_quorum_up{{virtual_server="{VS}",engine="nft"}} 1',
        f'keepalived_lvs_real_server_state{{{labels},state="disabled"}} 1',
        f'keepalived_lvs_real_server_state{{{labels},state="up"}} 0',
        f"keepalived_lvs_real_server_transitions_total{{{labels}}} 1",
        f"keepalived_lvs_real_server_overridden{{{labels}}} 1",
    ):
        assert line in text.splitlines()
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_labels_are_escaped() -> None:
    name = 'a"b\\c'
    virtual = VirtualServer(f"group {name} TCP", "G", (KEY,), Service(KEY, "rr"), group=name)
    director = Director(CheckerPlan(virtual_servers=(virtual,)))
    director.start()
    assert 'virtual_server="group:a\\"b\\\\c/tcp"' in says(director, "show metrics")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "unknown command"),
        ("show", "unknown command"),
        ("drain 10.0.0.5:80", "unknown command"),
        ("drain 10.0.0.6:80 10.1.0.1", "no virtual server is called"),
        ("drain 10.0.0.5:80 10.1.0.7", "no real server of it is called"),
        (f"set weight {VS} {RS} -1", "a weight is a number"),
        (f"set weight {VS} {RS} 65536", "a weight is a number"),
        (f"set weight {VS} {RS} 1_0", "a weight is a number"),
        (f"set weight {VS} {RS} \u0663", "a weight is a number"),
        ("show services a b", "one virtual server"),
        ("drain 'x", "No closing quotation"),
    ],
)
def test_wrong_commands(director: Director, line: str, why: str) -> None:
    found = answer(line, director, Machine())
    assert found.text.startswith("error: ") and why in found.text and found.step == Step()


@given(st.text(max_size=200))
def test_anything_may_come(line: str) -> None:
    director = Director(PLAN)
    director.start()
    answer(line, director, Machine())
    answer(f"drain {line}", director, Machine())
    answer(f"show services {line}", director, Machine())
