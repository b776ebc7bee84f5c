"""The options of an instance between evener and Debian's keepalived 2.2.7, each in both roles.

A case goes: elect the stronger one; stop it; start it again, and see whether it takes over as it should.
Nobody may complain of what the other sends. Several pairs run at a time, so nothing here is about
milliseconds (test_failover is).
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from lab import Lab, Link, Router, configuration, packed, why_not

from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(170)]

STRONG, WEAK = 150, 100
AT_A_TIME = 8
COMPLAINTS = re.compile(
    r"bogus|[Ii]nvalid|mismatch|wrong|expected|not present|too short|checksum|[Uu]nknown|cannot"
)
SECOND = """vrrp_sync_group G {
 group {
  VI_1
  VI_2
 }
}
vrrp_instance VI_2 {
 interface eth0
 virtual_router_id 52
 version 3
 priority %d
 advert_int 0.2
 virtual_ipaddress {
  10.9.0.101/24
 }
}
"""


@dataclass(frozen=True)
class Case:
    """``more`` are lines of both instances; ``above`` blocks before them, with the priority put in."""

    link: Link
    more: str = ""
    above: str = ""
    preempts: bool = True
    delay_s: float = 0.0


V3, V2 = Link(), Link(version=2, advert_cs=100)
V6 = Link(family=Family.INET6)
CASES = {
    "v2-unicast": Case(Link(version=2, unicast=True, advert_cs=100)),
    "v2-preempt-delay-mcast-source": Case(V2, "preempt_delay 3\n mcast_src_ip {own}", delay_s=3.0),
    "v3-nopreempt-tracked-source": Case(V3, "nopreempt\n mcast_src_ip {own}\n track_src_ip", preempts=False),
    "v3-inet6-nopreempt": Case(V6, "nopreempt", preempts=False),
    "v3-vmac": Case(V3, "use_vmac"),
    "v3-vmac-xmit-base-promote": Case(V3, "use_vmac\n vmac_xmit_base\n promote_secondaries"),
    "v3-inet6-vmac": Case(V6, "use_vmac"),
    "v3-unicast-checked-ttl": Case(Link(unicast=True), "check_unicast_src\n unicast_ttl 200"),
    "v3-centiseconds-answers": Case(Link(advert_cs=5), "higher_prio_send_advert\n skip_check_adv_addr"),
    "v3-sync-group-quiet": Case(V3, "lower_prio_no_advert", above=SECOND),
}
ROLES = {"evener-is-stronger": ("evener", "keepalived"), "keepalived-is-stronger": ("keepalived", "evener")}
NAMES = [f"{case}/{role}" for case in CASES for role in ROLES]


def play(name: str) -> None:
    case_name, role = name.split("/")
    case, (strong, weak) = CASES[case_name], ROLES[role]
    lab = Lab(case.link, (Router(0, STRONG, strong), Router(1, WEAK, weak)))
    try:
        for router in lab.routers:
            more = case.more.format(own=case.link.addresses[router.number])
            above = case.above % router.priority if case.above else ""
            lab.configure(router.number, configuration(case.link, router, more=more, above=above))
        lab.start(0)
        lab.owned_by(0)
        lab.start(1)
        lab.wait_for(lambda: "Entering BACKUP STATE" in lab.log(1), "the second router")
        time.sleep(4 * case.link.advert_s)
        assert lab.owners() == [0], lab.log(1)
        lab.stop(0)
        lab.owned_by(1)
        _second_address(lab, case, 1)
        lab.start(0)
        lab.wait_for(lambda: lab.log(0).count("Entering BACKUP STATE") == 2, "the first router again")
        _come_back(lab, case)
        for number in (0, 1):
            wrong = [line for line in lab.log(number).splitlines() if COMPLAINTS.search(line)]
            assert wrong == [], f"router {number}"
    finally:
        lab.close()


def _come_back(lab: Lab, case: Case) -> None:
    """Router 0 is back, and stronger."""
    if case.delay_s:
        time.sleep(case.delay_s / 2)
        assert lab.owners() == [1], "it waits"
    if not case.preempts:
        time.sleep(6 * case.link.advert_s + 0.5)
        assert lab.owners() == [1], "it does not take over"
        return
    lab.owned_by(0)
    _second_address(lab, case, 0)


def _second_address(lab: Lab, case: Case, number: int) -> None:
    """The other instance of the sync group has come along."""
    if case.above:
        second = packed("10.9.0.101")
        lab.wait_for(
            lambda: [second in lab.addresses(n) for n in (number, 1 - number)] == [True, False], "both"
        )


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Future[None]]]:
    reason = why_not() or (None if shutil.which("keepalived") else "keepalived is not installed")
    if reason:
        pytest.skip(reason)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(play, name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_pair(name: str, outcomes: dict[str, Future[None]]) -> None:
    outcomes[name].result()
