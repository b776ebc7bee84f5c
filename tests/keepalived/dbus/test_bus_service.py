"""The service on the DBus: objects, calls and signals, without a bus."""

from __future__ import annotations

import pytest

from evener.keepalived.dbus.objects import BusPlan, bus_plan
from evener.keepalived.dbus.service import (
    INVALID,
    PEER,
    PROPERTIES,
    STATES,
    TOLD,
    UNKNOWN,
    Action,
    Answer,
    Ask,
    Call,
    Failure,
    Reply,
    Service,
    Signal,
    not_found,
)
from evener.keepalived.vrrp.plan import Family, GlobalOptions, Instance, State, VrrpPlan
from evener.keepalived.vrrp.plan_machine import BusOptions
from evener.wire.dbus import Variant

VRRP, INSTANCE = "org.keepalived.Vrrp1.Vrrp", "org.keepalived.Vrrp1.Instance"
ROOT = "/org/keepalived/Vrrp1"
ONE, SIX = f"{ROOT}/Instance/eth0/51/IPv4", f"{ROOT}/Instance/eth0_7/52/IPv6"
PLAN = BusPlan("org.keepalived.Vrrp1", f"{ROOT}/Vrrp", {"VI_1": ONE, "VI_6": SIX})


def service() -> Service:
    return Service(PLAN, {"VI_1": 2, "VI_6": 1}, lambda: "0123")


def planned(options: GlobalOptions) -> BusPlan | None:
    instances = (
        Instance("VI_1", 51, "eth0"),
        Instance("VI_6", 52, "eth0.7", family=Family.INET6),
        Instance("NONE", 53, None, unicast=True),
    )
    return bus_plan(VrrpPlan(options, instances))


def test_paths() -> None:
    assert planned(GlobalOptions()) is None
    plan = planned(GlobalOptions(bus=BusOptions()))
    none = f"{ROOT}/Instance/none/53/IPv4"
    assert plan == BusPlan("org.keepalived.Vrrp1", f"{ROOT}/Vrrp", {"VI_1": ONE, "VI_6": SIX, "NONE": none})


def test_paths_of_other_names() -> None:
    plan = planned(GlobalOptions(bus=BusOptions("org.x.Y", "no-if", "blue"), instance="a-1"))
    assert plan is not None
    assert (plan.service, plan.vrrp) == ("org.x.Y", f"{ROOT}/blue/a_1/Vrrp")
    assert plan.instances["NONE"] == f"{ROOT}/blue/a_1/Instance/no_if/53/IPv4"


NAME, STATE = Variant("(s)", ("VI_1",)), Variant("(us)", (2, "Master"))
BOTH = {"Name": NAME, "State": STATE}


def lacks(interface: str) -> Failure:
    return Failure(UNKNOWN, f"No such interface “{interface}” on object at path {ONE}")


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (Call(ONE, PROPERTIES, "Get", "ss", (INSTANCE, "Name")), Reply("v", (NAME,))),
        (Call(ONE, PROPERTIES, "Get", "ss", (INSTANCE, "State")), Reply("v", (STATE,))),
        (
            Call(ONE, PROPERTIES, "GetAll", "s", (INSTANCE,)),
            Reply("a{sv}", ({"Name": NAME, "State": STATE},)),
        ),
        (Call(PLAN.vrrp, PROPERTIES, "GetAll", "s", (VRRP,)), Reply("a{sv}", ({},))),
        (
            Call(ONE, PROPERTIES, "Set", "ssv", (INSTANCE, "Name")),
            Failure(INVALID, "Property “Name” is not writable"),
        ),
        (Call(ONE, PROPERTIES, "Set", "ssv", (INSTANCE, "No")), Failure(INVALID, "No such property “No”")),
        (Call(ONE, PROPERTIES, "Get", "ss", (VRRP, "Name")), Failure(INVALID, f"No such interface “{VRRP}”")),
        (Call(ONE, PROPERTIES, "Get", "s", (INSTANCE,)), lacks(PROPERTIES)),
        (Call("/", PEER, "Ping"), Reply()),
        (Call(ONE, PEER, "GetMachineId"), Reply("s", ("0123",))),
        (
            Call(ONE, PEER, "Ping", "s"),
            Failure(UNKNOWN, f"No such interface “{PEER}” on object at path {ONE}"),
        ),
        (Call(ROOT, VRRP, "PrintData"), Failure(UNKNOWN, f"Object does not exist at path “{ROOT}”")),
        (Call(PLAN.vrrp, "", "PrintData"), Failure(UNKNOWN, f"Object does not exist at path “{PLAN.vrrp}”")),
        (Call(PLAN.vrrp, VRRP, "SendGarp"), Failure(UNKNOWN, "No such method “SendGarp”")),
        (
            Call(PLAN.vrrp, VRRP, "PrintData", "a(s)"),
            Failure(INVALID, "Type of message, “(a(s))”, does not match expected type “()”"),
        ),
        (Call(PLAN.vrrp, VRRP, "PrintStats"), Ask(Action.PRINT_STATS)),
        (Call(PLAN.vrrp, VRRP, "ReloadConfig"), Ask(Action.RELOAD)),
        (Call(SIX, INSTANCE, "SendGarp"), Ask(Action.SEND_GARP, "VI_6")),
    ],
)
def test_calls(call: Call, answer: Answer) -> None:
    assert service().answer(call) == answer


@pytest.mark.parametrize(
    ("path", "below", "has"),
    [
        ("/", ["org"], ()),
        (ROOT, ["Vrrp", "Instance"], ()),
        (f"{ROOT}/Instance", ["eth0", "eth0_7"], ()),
        (f"{ROOT}/Inst", [], ()),
        (ONE, [], (INSTANCE, PEER)),
        (PLAN.vrrp, [], (VRRP, PROPERTIES)),
    ],
)
def test_introspection(path: str, below: list[str], has: tuple[str, ...]) -> None:
    from xml.etree import ElementTree

    answer = service().answer(Call(path, "org.freedesktop.DBus.Introspectable", "Introspect"))
    assert isinstance(answer, Reply)
    root = ElementTree.fromstring(answer.values[0])
    assert [node.get("name") for node in root.findall("node")] == below
    interfaces = [node.get("name") for node in root.findall("interface")]
    assert set(has) <= set(interfaces)
    assert len(interfaces) == (4 if has else 0)


def changed(path: str, state: int) -> Signal:
    return Signal(path, INSTANCE, "VrrpStatusChange", "u", (state,))


def test_signals() -> None:
    told = service()
    assert told.started() == [Signal(PLAN.vrrp, VRRP, "VrrpStarted"), changed(ONE, 2), changed(SIX, 1)]
    assert told.changed("VI_1", 2) == []
    assert told.changed("VI_1", 3) == [changed(ONE, 3)]
    assert told.changed("NOBODY", 3) == []
    told.adopt(BusPlan(PLAN.service, PLAN.vrrp, {"NEW": ONE}), {"NEW": 3})
    assert told.reloaded() == Signal(PLAN.vrrp, VRRP, "VrrpReloaded")
    assert told.changed("VI_1", 1) == []
    assert told.changed("NEW", 97) == [changed(ONE, 97)]
    assert told.stopped() == Signal(PLAN.vrrp, VRRP, "VrrpStopped")


def test_every_state_has_a_name() -> None:
    assert {state.value for state in State} | set(TOLD.values()) == set(STATES)


def test_an_instance_that_is_gone() -> None:
    assert not_found(PLAN, "VI_1") == Failure(INVALID, "Instance 'eth0/51/IPv4' not found")
    assert not_found(PLAN, "GONE") == Failure(INVALID, "Instance 'GONE' not found")
