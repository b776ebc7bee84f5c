"""use_vmac: the virtual MAC address on the wire, and failover with Debian's keepalived in both roles."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest
from lab import Lab, Link, Router, configuration, on_time, why_not

from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINKS = {
    Family.INET: (Link(advert_cs=20), "00005e000133"),
    Family.INET6: (Link(family=Family.INET6, advert_cs=20), "00005e000233"),
}


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    strong, weak, family = request.param
    if "keepalived" in (strong, weak) and shutil.which("keepalived") is None:
        pytest.skip("keepalived is not installed")
    lab = Lab(LINKS[family][0], (Router(0, 150, strong), Router(1, 100, weak)))
    try:
        yield lab
    finally:
        lab.close()


PAIRS = [
    (strong, weak, family)
    for family in LINKS
    for strong, weak in (("evener", "evener"), ("evener", "keepalived"), ("keepalived", "evener"))
]


@pytest.mark.parametrize("lab", PAIRS, indirect=True, ids=lambda p: f"{p[0]}-{p[1]}-{p[2].name}")
def test_failover_keeps_the_mac_address(lab: Lab) -> None:
    link, mac = LINKS[lab.link.family]
    for router in lab.routers:
        lab.configure(router.number, configuration(link, router, more="use_vmac"))
    lab.start(1)
    lab.wait_for(lambda: "Entering BACKUP STATE" in lab.log(1), "router 1 to begin")
    lab.start(0)
    vip = link.vip.partition("/")[0]
    lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "router 0 to be master")
    assert vip in lab.ip(0, "addr", "show", "vrrp.51")
    announced = bytes.fromhex(mac)
    lab.wait_for(lambda: bool(lab.seen().announcements(announced)), "announcements from the virtual MAC")
    time.sleep(0.3)
    lab.stop(0)
    lab.wait_for(lambda: lab.has_vip(1), "router 1 to take over")
    lab.wait_for(lambda: "vrrp.51" not in lab.ip(0, "link"), "the interface to be removed")
    zero = [f.at for f in lab.seen().frames if f.priority == 0 and f.mac == announced]
    first = [f.at for f in lab.seen().frames if f.priority == 100 and f.mac == announced]
    assert zero and first
    later = min(at for at in first if at > zero[-1])
    assert on_time(later - zero[-1], link.skew_s(100))


@pytest.mark.parametrize("lab", [("evener", "evener", Family.INET)], indirect=True)
def test_adverts_may_use_the_interface_below(lab: Lab) -> None:
    link = LINKS[Family.INET][0]
    for router in lab.routers:
        more = "use_vmac vmac51 02:11:22:33:44\nvmac_xmit_base"
        lab.configure(router.number, configuration(link, router, more=more))
    lab.start(0)
    lab.start(1)
    lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "router 0 to be master")
    assert lab.mac(0, "vmac51").hex() == "021122334433"
    own = lab.mac(0)
    assert any(f.priority == 150 and f.mac == own for f in lab.seen().frames)
    assert lab.seen().announcements(bytes.fromhex("021122334433"))


@pytest.mark.parametrize("lab", [("evener", "evener", Family.INET)], indirect=True)
def test_an_interface_that_vanishes_is_made_again(lab: Lab) -> None:
    link = LINKS[Family.INET][0]
    lab.configure(0, configuration(link, lab.routers[0], more="use_vmac"))
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "router 0 to be master")
    lab.ip(0, "link", "del", "vrrp.51")
    lab.wait_for(lambda: lab.log(0).count("Entering MASTER STATE") == 2, "mastership again")
    lab.wait_for(lambda: lab.has_vip(0), "the address again")
