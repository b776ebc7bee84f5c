"""A change of an interface's state counts when it has lasted."""

from evener.host.vrrp_debounce import Debouncer
from evener.keepalived.vrrp.plan import Debounce, Family, Instance, VirtualInterface, VrrpPlan

PLAN = VrrpPlan(debounces=(Debounce("eth0", 1_000_000, 2_000_000),))


def debouncer(plan: VrrpPlan = PLAN, name: str = "eth0") -> Debouncer:
    made = Debouncer()
    made.adopt(plan)
    made.settle(name, True)
    return made


def test_without_a_delay_it_counts_at_once() -> None:
    made = debouncer()
    assert made.note(0, "eth1", False)
    assert made.next_timer() is None


def test_it_counts_when_it_has_lasted() -> None:
    made = debouncer()
    assert not made.note(5, "eth0", False)
    assert not made.note(500_000, "eth0", False), "the delay counts from the change"
    assert made.next_timer() == 1_000_005
    assert made.due(1_000_004) == []
    assert made.due(1_000_005) == [("eth0", False)]
    assert not made.note(1_100_000, "eth0", True)
    assert made.due(3_100_000) == [("eth0", True)]
    assert made.next_timer() is None


def test_what_comes_back_was_never_away() -> None:
    made = debouncer()
    assert not made.note(0, "eth0", False)
    assert made.note(10, "eth0", True)
    assert made.next_timer() is None


def test_a_virtual_interface_has_the_delays_of_the_one_below() -> None:
    virtual = VirtualInterface("vrrp.5", "eth0", Family.INET, b"\0" * 6)
    config = Instance("V", 5, "eth0", virtual=virtual)
    made = debouncer(VrrpPlan(instances=(config,), debounces=PLAN.debounces), "vrrp.5")
    assert not made.note(0, "vrrp.5", False)
