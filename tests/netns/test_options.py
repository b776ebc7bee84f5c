"""What a master sets beside its addresses, and what moves it: each option in a lab of its own."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import PROGRAMS, Lab, Link, Router, configuration, why_not

from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)
STRONG, WEAK = Router(0, 150, "evener"), Router(1, 100, "evener")


@pytest.fixture
def lab() -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(LINK, (STRONG, WEAK))
    try:
        yield lab
    finally:
        lab.close()


STATIC = """
static_ipaddress {
 10.8.0.1/24 dev eth0
}
static_routes {
 10.7.0.0/24 via 10.9.0.77 dev eth0 metric 7
}
static_rules {
 from 10.7.0.0/24 table 77 preference 700
}
"""
VIRTUAL = """
virtual_ipaddress_excluded {
 10.9.0.101/24
}
virtual_routes {
 10.6.0.0/16 via 10.9.0.77 src 10.9.0.100 table 300 mtu lock 1400 rtt 400ms quickack 1
 10.5.0.0/16 nexthop via 10.9.0.77 weight 2 nexthop via 10.9.0.78 dev eth0 onlink
 blackhole 10.4.0.0/16
 fd05::/16 dev eth0 pref high expires 600
}
virtual_rules {
 to 10.6.0.0/16 table 300 preference 600
 not to 0.0.0.0/0 table 300 preference 602
 from 10.1.0.0/16 fwmark 5/7 sport 10-20 ipproto udp blackhole preference 601
}
"""


def test_routes_and_rules_are_set_and_taken_away(lab: Lab) -> None:
    lab.configure(0, configuration(LINK, STRONG, more=VIRTUAL, above=STATIC))
    lab.start(0)
    lab.wait_for(lambda: "10.4.0.0/16" in lab.ip(0, "route"), "the routes")
    assert "10.7.0.0/24 via 10.9.0.77 dev eth0 proto keepalived metric 7" in lab.ip(0, "route")
    assert "10.8.0.1/24" in lab.ip(0, "addr") and "10.9.0.101/24" in lab.ip(0, "addr")
    special = lab.ip(0, "route", "show", "table", "300")
    assert "10.6.0.0/16 via 10.9.0.77 dev eth0 proto keepalived src 10.9.0.100" in special
    assert "mtu lock 1400" in special and "rtt 400ms" in special and "quickack 1" in special
    several = lab.ip(0, "route", "show", "10.5.0.0/16")
    assert "via 10.9.0.77 dev eth0 weight 2" in several
    assert "via 10.9.0.78 dev eth0 weight 1 onlink" in several
    sixth = lab.ip(0, "-6", "route", "show", "fd05::/16")
    assert "pref high" in sixth and "expires" in sixth
    rules = lab.ip(0, "rule")
    assert "600:\tfrom all to 10.6.0.0/16 lookup 300 proto keepalived" in rules
    chosen = re.search(r"601:\tfrom 10.1.0.0/16 fwmark 0x5/0x7 ipproto (\S+) sport 10-20 blackhole", rules)
    assert chosen is not None and chosen[1] in ("udp", "17", "ipproto-17")  # a number without /etc/protocols
    assert "602:\tnot from all to" in rules or "602:\tnot from all lookup 300" in rules
    assert "700:\tfrom 10.7.0.0/24 lookup 77" in rules
    lab.stop(0)
    assert "10.4.0.0/16" not in lab.ip(0, "route") and lab.ip(0, "route", "show", "10.7.0.0/24") == ""
    assert "proto keepalived" not in lab.ip(0, "rule")
    assert "10.8.0.1" not in lab.ip(0, "addr")
    assert "cannot" not in lab.log(0)


def test_what_somebody_removes_is_missed(lab: Lab) -> None:
    lab.configure(0, configuration(LINK, STRONG, more=VIRTUAL, above=STATIC))
    lab.start(0)
    lab.wait_for(lambda: "10.4.0.0/16" in lab.ip(0, "route"), "the routes")
    lab.ip(0, "route", "del", "10.7.0.0/24")
    lab.wait_for(lambda: "10.7.0.0/24" in lab.ip(0, "route"), "the static route again")
    lab.ip(0, "rule", "del", "preference", "700")
    lab.wait_for(lambda: "700:" in lab.ip(0, "rule"), "the static rule again")
    lab.ip(0, "addr", "del", "10.8.0.1/24", "dev", "eth0")
    lab.wait_for(lambda: "10.8.0.1" in lab.ip(0, "addr"), "the static address again")
    lab.ip(0, "route", "del", "blackhole", "10.4.0.0/16")
    lab.wait_for(lambda: "blackhole 10.4.0.0/16 was removed, leaving MASTER" in lab.log(0), "its notice")
    lab.wait_for(lambda: "10.4.0.0/16" in lab.ip(0, "route"), "mastership again")


def test_a_tracked_file_moves_the_mastership(lab: Lab) -> None:
    path = lab.home / "offset"
    path.write_text("0\n", encoding="ascii")
    above = f"track_file offset {{\n file {path}\n weight 1\n}}\n"
    lab.configure(0, configuration(LINK, STRONG, more="track_file {\n offset\n }", above=above))
    lab.start(0)
    lab.start(1)
    lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "router 0 to be master")
    path.write_text("-60\n", encoding="ascii")
    lab.wait_for(lambda: lab.has_vip(1) and not lab.has_vip(0), "router 1 to take over")
    path.write_text("-254\n", encoding="ascii")
    lab.wait_for(lambda: "Entering FAULT STATE" in lab.log(0), "the fault")
    path.unlink()
    lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "router 0 to be master again")
    time.sleep(0.1)


KEYS = "auth_hmac {\n key 1 0123456789abcdef0123456789abcdef\n active_key 1\n}\n"


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_signed_adverts(family: Family) -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    link = Link(family=family, advert_cs=10)
    lab = Lab(link, (STRONG, WEAK))
    try:
        for router in lab.routers:
            lab.configure(router.number, configuration(link, router, more=KEYS))
            lab.start(router.number)
        lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "router 0 to be master")
        time.sleep(0.5)
        assert "Entering MASTER STATE" not in lab.log(1).split("Entering BACKUP STATE")[-1]
        assert "authentication" not in lab.log(1)
        lab.stop(0)
        lab.wait_for(lambda: lab.has_vip(1), "router 1 to take over")
        lab.configure(0, configuration(link, STRONG))
        lab.start(0)
        lab.wait_for(
            lambda: "missing authentication trailer" in lab.log(1), "an unsigned advert to be refused"
        )
        assert lab.has_vip(1)
    finally:
        lab.close()


def test_a_daemon_enters_its_namespace(lab: Lab, tmp_path: Path) -> None:
    """Started outside: the interfaces of the configuration exist inside only."""
    conf = tmp_path / "conf"
    space = f"net_namespace {lab.spaces[0]}\n"
    conf.write_text(space + configuration(LINK, STRONG), encoding="ascii")
    files = [f"-p{tmp_path}/pid", f"-r{tmp_path}/vrrp_pid"]
    test = subprocess.run(
        [*PROGRAMS["evener"], "-t", f"-f{conf}"], capture_output=True, text=True, check=False
    )
    assert (test.returncode, test.stderr) == (0, "")
    daemon = subprocess.Popen(
        [*PROGRAMS["evener"], "-n", "-l", "-G", f"-f{conf}", *files],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        lab.wait_for(lambda: lab.has_vip(0), "the address in the namespace")
    finally:
        daemon.terminate()
        daemon.wait(10)
    assert not lab.has_vip(0)
