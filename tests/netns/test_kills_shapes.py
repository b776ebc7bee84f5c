"""Processes that die or are stopped, of routers of every shape: macvlans, sync groups, many instances.

As in test_kills, router 0 is master and loses processes. All addresses go and come together, nothing ever has
two owners, and the other processes of a daemon (checkers, BFD, scripts) are back without a transition.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from deaths import kill, never_two_owners, processes
from lab import Lab, Link, Router, configuration, descendants, packed, serial, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(90)]

SECOND = """
vrrp_instance VI_{number} {{
 interface eth0
 virtual_router_id {vrid}
 version 3
 priority {priority}
 advert_int {advert_s:g}
 {more}
 virtual_ipaddress {{
  10.9.1.{number}/24
 }}
}}
"""
SERVER = """
virtual_server 10.9.0.200 80 {
 lb_algo rr
 lb_kind NAT
 protocol TCP
 real_server 10.9.0.201 80 {
 }
}
bfd_instance s {
 neighbor_ip 10.9.0.7
 source_ip 10.9.0.1
}
vrrp_script chk {
 script /usr/bin/true
 interval 1
}
"""


LINK = Link(advert_cs=20)


@dataclass(frozen=True)
class Shape:
    """What both routers are like. ``beside``: so many further instances."""

    link: Link = LINK
    more: str = ""
    above: str = ""
    beside: int = 0

    def configuration(self, router: Router) -> str:
        further = "".join(
            SECOND.format(
                number=number,
                vrid=100 + number,
                priority=router.priority,
                advert_s=self.link.advert_s,
                more=self.more,
            )
            for number in range(2, self.beside + 2)
        )
        return configuration(self.link, router, more=self.more, above=self.above) + further

    @property
    def addresses(self) -> list[str]:
        return [self.link.vip, *(f"10.9.1.{number}" for number in range(2, self.beside + 2))]


GROUP = "vrrp_sync_group G {\n group {\n  VI_1\n  VI_2\n }\n}"
SHAPES = {
    "v2-one-second": Shape(Link(version=2, advert_cs=100)),
    "vmac": Shape(more="use_vmac"),
    "vmac-xmit-base": Shape(more="use_vmac\n vmac_xmit_base"),
    "sync-group": Shape(above=GROUP, beside=1),
    "fifty-instances": Shape(Link(advert_cs=50), beside=49),
}


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    shape: Shape = request.param
    lab = Lab(shape.link, (Router(0, 150, "evener"), Router(1, 100, "evener")))
    try:
        for router in lab.routers:
            lab.configure(router.number, shape.configuration(router))
        if shape.above == SERVER:
            lab.which = ["--lvs-engine=nft", f"-c{lab.home}/checkers{next(serial)}"]
        lab.start(0)
        lab.start(1)
        all_owned(lab, shape, 0)
        yield lab
    finally:
        lab.close()


def all_owned(lab: Lab, shape: Shape, number: int) -> None:
    def owned() -> bool:
        mine, others = set(lab.addresses(number)), set(lab.addresses(1 - number))
        wanted = {packed(address) for address in shape.addresses}
        return wanted <= mine and not wanted & others

    lab.wait_for(owned, f"ownership of everything by {number} alone")


each_shape = pytest.mark.parametrize(
    ("lab", "shape"), [(shape, shape) for shape in SHAPES.values()], ids=SHAPES, indirect=["lab"]
)


@each_shape
def test_a_killed_process_is_back(lab: Lab, shape: Shape) -> None:
    kill(lab, "keepalived_vrrp")
    never_two_owners(lab, 3 * shape.link.advert_s, *shape.addresses)  # before it takes over again
    all_owned(lab, shape, 0)


@each_shape
def test_a_killed_daemon_leaves_nothing(lab: Lab, shape: Shape) -> None:
    kill(lab, "keepalived_vrrp", "keepalived")
    lab.processes.pop(0).wait(10)
    all_owned(lab, shape, 1)


@each_shape
def test_a_stopped_process_leaves_nothing(lab: Lab, shape: Shape) -> None:
    kill(lab, "keepalived_vrrp", how=signal.SIGSTOP)
    never_two_owners(lab, 5 * shape.link.advert_s, *shape.addresses)
    all_owned(lab, shape, 1)
    kill(lab, "keepalived_vrrp", how=signal.SIGCONT)
    all_owned(lab, shape, 0)


ALL_PROCESSES = Shape(more="track_script {\n  chk\n }\n track_bfd {\n  s weight 10\n }", above=SERVER)
CHILDREN = {
    "checkers": "keepalived_heal",
    "bfd": "keepalived_bfd",
    "helper": "keepalived_scr",
}


@pytest.mark.parametrize("lab", [ALL_PROCESSES], indirect=True, ids=[""])
def test_other_processes_are_back_without_a_transition(lab: Lab) -> None:
    """Killed one after the other; the script helper is also replaced when it is stopped."""
    before = processes(lab)
    for name, how in (*((c, signal.SIGKILL) for c in CHILDREN.values()), ("keepalived_scr", signal.SIGSTOP)):
        found = next(full for full in before if full.startswith(name))
        old = processes(lab)[found]
        kill(lab, found, how=how)
        lab.wait_for(lambda f=found, o=old: processes(lab).get(f, o) != o, f"another {found}")  # type: ignore[misc]
    assert set(processes(lab)) == set(before)
    assert lab.owners() == [0]
    assert lab.log(0).count("Entering MASTER STATE") == 1


@pytest.mark.parametrize("lab", [ALL_PROCESSES], indirect=True, ids=[""])
def test_a_stopped_parent_does_not_matter(lab: Lab) -> None:
    """Until the VRRP process dies as well: nobody starts another, and the guard does what is to be done."""
    kill(lab, "keepalived", how=signal.SIGSTOP)
    never_two_owners(lab, 1)
    assert lab.owners() == [0]
    kill(lab, "keepalived_vrrp")
    lab.owned_by(1)
    kill(lab, "keepalived", how=signal.SIGCONT)
    lab.owned_by(0)
    assert len(descendants(lab.processes[0].pid)) >= 3
