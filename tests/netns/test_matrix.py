"""The options of an instance between evener and Debian's keepalived 2.2.7, each in both roles.

A case goes: elect the stronger one; stop it; start it again, and see whether it takes over as it should.
Nobody may complain of what the other sends. Several pairs run at a time, so nothing here is about
milliseconds (test_failover is).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import pytest
from lab import PROGRAMS, Lab, Link, Router, configuration, ip, packed, why_not
from original import release

from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(400)]

STRONG, WEAK = 150, 100
AT_A_TIME = 6
COMPLAINTS = re.compile(
    r"IPSEC|bogus|[Ii]nvalid|mismatch|wrong|expected|not present|too short|checksum|[Uu]nknown|cannot"
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
 priority {priority}
 advert_int 0.2
 virtual_ipaddress {
  10.9.0.101/24
 }
}
"""


@dataclass(frozen=True)
class Case:
    """``more`` are lines of both instances; ``above`` blocks before them.

    In all texts, {own} is the router's address, {home} its directory, {priority} its priority, {number} its
    number, and {switch} the namespace of the switch. ``before`` prepares the router's namespace. ``second``:
    another address goes along. ``nudge``: what takes 60 off the priority of router 0, and gives it back.
    """

    link: Link
    more: str = ""
    above: str = ""
    before: str = ""
    preempts: bool = True
    delay_s: float = 0.0
    second: bool = False
    nudge: tuple[str, ...] = ()
    since: tuple[int, int] = (2, 0)
    """The release of keepalived that has it."""
    absent: bool = False
    """The file ``thing`` is not there at the start."""
    follows: tuple[str, str] = ("addr", "")
    """What ``ip`` is asked, and what it says on the owner only."""
    allowed: str = "nothing"
    """What may be complained of."""


V3, V2 = Link(), Link(version=2, advert_cs=100)
V6 = Link(family=Family.INET6)
AH = "authentication {\n  auth_type AH\n  auth_pass secret\n }"
HMAC = "auth_hmac {\n  key 1 0123456789abcdef0123456789abcdef\n  active_key 1\n }"
EXCLUDED = "virtual_ipaddress_excluded {\n  10.9.0.101/24\n }"
SCRIPT = """vrrp_script thing {
 script "/usr/bin/test -e {home}/thing"
 interval 1
 weight -60
 init_fail
}
"""
REVERSED = SCRIPT.replace("weight -60", "weight 60 reverse")
"""Adds where it fails: what takes the priority away is that it succeeds."""
FILE = "track_file thing {\n file {home}/offset\n weight 1\n}\n"
SPARE_DOWN_AND_UP = ("ip link set spare down", "ip link set spare up")
MADE_AGAIN = """ip link add eth0 type veth peer name p{number} netns {switch}
ip -n {switch} link set p{number} master br0 up
ip addr add {own}/24 dev eth0
ip link set eth0 up"""
IN_A_VRF = """ip link add blue type vrf table 10
ip link set blue up
ip link set eth0 master blue"""


def _second(line: str) -> str:
    """The sync group, with a line in its other instance."""
    return SECOND.replace(" advert_int", f" {line}\n advert_int")


ON_A_MACVLAN = SECOND.replace("interface eth0", "interface mv0")
MACVLAN = """ip link add link eth0 name mv0 type macvlan mode bridge
ip link set mv0 up
ip addr add 10.9.0.6{number}/24 dev mv0"""
"""Somebody's own, not the daemon's."""


def _group(lines: str) -> str:
    """The sync group, with lines of its own."""
    return SECOND.replace(" group {", f" {lines}\n group {{", 1)


CASES = {
    "v2-unicast": Case(Link(version=2, unicast=True, advert_cs=100)),
    "v2-preempt-delay-mcast-source": Case(V2, "preempt_delay 3\n mcast_src_ip {own}", delay_s=3.0),
    "v2-ah": Case(V2, AH),
    "v2-unicast-ah": Case(Link(version=2, unicast=True, advert_cs=100), AH),
    "v2-hmac": Case(V2, HMAC, since=(2, 4)),
    "v3-hmac": Case(V3, HMAC, since=(2, 4)),
    "v3-inet6-hmac": Case(V6, HMAC, since=(2, 4)),
    "v3-unicast-hmac": Case(Link(unicast=True), HMAC, since=(2, 4)),
    "v3-nopreempt-tracked-source": Case(V3, "nopreempt\n mcast_src_ip {own}\n track_src_ip", preempts=False),
    "v3-inet6-nopreempt": Case(V6, "nopreempt", preempts=False),
    "v3-vmac": Case(V3, "use_vmac"),
    "v3-vmac-xmit-base-promote": Case(V3, "use_vmac\n vmac_xmit_base\n promote_secondaries"),
    "v3-inet6-vmac": Case(V6, "use_vmac"),
    "v3-ipvlan": Case(V3, "use_ipvlan ip51 10.9.0.3{number}"),
    "v3-unicast-checked-ttl": Case(Link(unicast=True), "check_unicast_src\n unicast_ttl 200"),
    "v3-centiseconds-answers": Case(Link(advert_cs=5), "higher_prio_send_advert\n skip_check_adv_addr"),
    "v3-sync-group-quiet": Case(V3, "lower_prio_no_advert", above=SECOND, second=True),
    "v3-excluded-no-accept": Case(V3, f"{EXCLUDED}\n no_accept", second=True),
    "v3-strict-accept": Case(V3, "strict_mode on\n accept\n garp_master_refresh 1"),
    "v3-tracked-interface": Case(
        V3,
        "track_interface {\n  spare weight 60\n }",
        nudge=("ip link set spare down", "ip link set spare up"),
    ),
    "v3-tracked-script": Case(
        V3, "track_script {\n  thing\n }", SCRIPT, nudge=("rm {home}/thing", "touch {home}/thing")
    ),
    "v3-tracked-file": Case(
        V3,
        "track_file {\n  thing\n }",
        FILE,
        nudge=("echo -60 > {home}/offset", "echo 0 > {home}/offset"),
    ),
    "v3-script-reverse": Case(
        V3,
        "track_script {\n  thing\n }",
        REVERSED,
        nudge=("touch {home}/thing", "rm {home}/thing"),
        absent=True,
    ),
    "v3-file-weight": Case(
        V3,
        "track_file {\n  thing weight 2\n }",
        FILE,
        nudge=("echo -30 > {home}/offset", "echo 0 > {home}/offset"),
    ),
    "v3-delays": Case(
        V3,
        "track_interface {\n  spare weight 60\n }",
        "interface_up_down_delays {\n spare 1 1\n}\n",
        nudge=("ip link set spare down", "ip link set spare up"),
    ),
    "v3-interface-fault": Case(
        V3,
        "track_interface {\n  spare\n }",
        nudge=("ip link set spare down", "ip link set spare up"),
    ),
    "v3-lower-priority-garp": Case(
        V3, "garp_lower_prio_delay 1\n garp_lower_prio_repeat 2\n garp_master_refresh 2"
    ),
    "v3-startup-and-refresh": Case(
        V3,
        "garp_master_refresh 1\n garp_master_refresh_repeat 2",
        "global_defs {\n vrrp_startup_delay 1.5\n vrrp_garp_interval 0.001\n vrrp_gna_interval 0.001\n}\n",
    ),
    "v3-dynamic-interfaces": Case(V3, above="global_defs {\n dynamic_interfaces\n}\n"),
    "v3-skip-check": Case(
        V3, above="global_defs {\n vrrp_skip_check_adv_addr\n vrrp_mcast_group4 224.0.0.77\n}\n"
    ),
    "v2-unicast-old-checksum": Case(
        Link(version=2, unicast=True, advert_cs=100), "old_unicast_checksum never"
    ),
    "v3-unicast-inet6-hmac": Case(Link(family=Family.INET6, unicast=True), HMAC, since=(2, 4)),
    "v3-routes": Case(
        V3,
        "virtual_routes {\n  10.6.0.0/16 via 10.9.0.77 dev eth0\n }\n"
        " virtual_rules {\n  from 10.6.0.0/16 table 300 priority 600\n }",
        follows=("route", "10.6.0.0/16"),
    ),
    "v3-checksum-as-v2": Case(V3, above="global_defs {\n v3_checksum_as_v2 on\n}\n", since=(2, 4)),
    "v3-inet6-vmac-xmit-base": Case(V6, "use_vmac\n vmac_xmit_base"),
    "v3-down-timer": Case(V3, "down_timer_adverts 5\n garp_master_delay 0"),
}
CASES |= {
    "v3-unicast-vmac": Case(Link(unicast=True), "use_vmac"),
    "v2-vmac-excluded": Case(V2, f"use_vmac\n {EXCLUDED}", second=True),
    "v3-sync-nopreempt": Case(V3, "nopreempt", above=_second("nopreempt"), second=True, preempts=False),
    "v3-sync-preempt-delay": Case(
        V3, "preempt_delay 3", above=_second("preempt_delay 3"), second=True, delay_s=3.0
    ),
    "v3-sync-tracks-interface": Case(
        V3, above=_group("track_interface {\n  spare\n }"), second=True, nudge=SPARE_DOWN_AND_UP
    ),
    "v3-sync-tracks-script": Case(
        V3,
        above=SCRIPT.replace(" weight -60\n", "") + _group("track_script {\n  thing\n }"),
        second=True,
        nudge=("rm {home}/thing", "touch {home}/thing"),
    ),
    "v3-sync-tracks-script-weight": Case(
        V3,
        above=SCRIPT + _group("sync_group_tracking_weight\n track_script {\n  thing\n }"),
        second=True,
        nudge=("rm {home}/thing", "touch {home}/thing"),
    ),
    "v3-sync-tracks-file": Case(
        V3,
        above=FILE + _group("track_file {\n  thing\n }"),
        second=True,
        nudge=("echo -254 > {home}/offset", "echo 0 > {home}/offset"),
    ),
    "v3-linkbeat": Case(
        V3,
        "track_interface {\n  spare weight 60\n }",
        "linkbeat_interfaces {\n spare\n}\n",
        nudge=SPARE_DOWN_AND_UP,
    ),
    "v3-interface-made-again": Case(
        V3, above="global_defs {\n dynamic_interfaces\n}\n", nudge=("ip link del eth0", MADE_AGAIN)
    ),
    "v3-vmac-base-made-again": Case(
        V3, "use_vmac", "global_defs {\n dynamic_interfaces\n}\n", nudge=("ip link del eth0", MADE_AGAIN)
    ),
    "v3-other-intervals": Case(V3, "advert_int 0.{number}9", allowed="interval mismatch"),
    "v3-inet6-other-intervals": Case(V6, "advert_int 0.{number}9", allowed="interval mismatch"),
    "v3-unicast-other-intervals": Case(
        Link(unicast=True), "advert_int 0.{number}9", allowed="interval mismatch"
    ),
    "v3-static-source": Case(
        V3,
        "mcast_src_ip 10.9.0.5{number}\n track_src_ip",
        "static_ipaddress {\n 10.9.0.5{number}/24 dev eth0\n}\n",
    ),
    "v3-on-a-macvlan": Case(V3, above=ON_A_MACVLAN, before=MACVLAN, second=True),
    "v3-vmac-on-a-macvlan": Case(
        V3,
        above=ON_A_MACVLAN.replace("router_id 52", "router_id 52\n use_vmac"),
        before=MACVLAN,
        second=True,
    ),
    "v3-vrf": Case(V3, before=IN_A_VRF),
    "v3-vrf-vmac": Case(V3, "use_vmac", before=IN_A_VRF),
    "v3-vrf-unicast": Case(Link(unicast=True), before=IN_A_VRF),
}
ROLES = {"evener-is-stronger": ("evener", "keepalived"), "keepalived-is-stronger": ("keepalived", "evener")}
NAMES = [f"{case}/{role}" for case in CASES for role in ROLES]


@cache
def has(kind: str, *words: str) -> bool:
    """Whether the kernel has such interfaces."""
    space = f"ev{os.getpid()}{kind}"
    ip("netns", "add", space)
    ip("link", "add", "under", "type", "veth", namespace=space)
    over = ["ip", "-n", space, "link", "add", "link", "under", "over", "type", kind, *words]
    able = subprocess.run(over, check=False, capture_output=True).returncode == 0
    ip("netns", "del", space)
    return able


def why_skipped(case: Case) -> str | None:
    if release() < case.since:
        return f"keepalived {case.since[0]}.{case.since[1]} has it"
    if "vrf" in case.before and not has("vrf", "table", "10"):
        return "the kernel has no vrf"
    return "the kernel has no ipvlan" if "ipvlan" in case.more and not has("ipvlan") else None


def play(name: str) -> None:
    case_name, role = name.split("/")
    case, (strong, weak) = CASES[case_name], ROLES[role]
    lab = Lab(case.link, (Router(0, STRONG, strong), Router(1, WEAK, weak)))
    try:
        for router in lab.routers:
            _prepare(lab, case, router)
        lab.start(0)
        lab.owned_by(0)
        lab.start(1)
        lab.wait_for(lambda: "Entering BACKUP STATE" in lab.log(1), "the second router")
        time.sleep(4 * case.link.advert_s)
        assert lab.owners() == [0], lab.log(1)
        for owner, nudge in zip((1, 0), case.nudge, strict=False):
            _shell(lab, nudge, 0)
            lab.owned_by(owner)
        lab.stop(0)
        lab.owned_by(1)
        _second_address(lab, case, 1)
        _follower(lab, case, 1)
        backups = lab.log(0).count("Entering BACKUP STATE")
        lab.start(0)
        lab.wait_for(lambda: lab.log(0).count("Entering BACKUP STATE") > backups, "the first router again")
        _come_back(lab, case)
        for number in (0, 1):
            wrong = [line for line in lab.log(number).splitlines() if COMPLAINTS.search(line)]
            assert [line for line in wrong if case.allowed not in line] == [], f"router {number}"
    finally:
        lab.close()


def _prepare(lab: Lab, case: Case, router: Router) -> None:
    _shell(lab, "mkdir -p {home}; touch {home}/thing; echo 0 > {home}/offset", router.number)
    _shell(lab, "ip link add spare type veth; ip link set spare up; ip link set veth0 up", router.number)
    _shell(lab, case.before, router.number)
    if case.absent:
        _shell(lab, "rm {home}/thing", router.number)
    more, above = (_filled(lab, text, router) for text in (case.more, case.above))
    lab.configure(router.number, configuration(case.link, router, more=more, above=above))


def _filled(lab: Lab, text: str, router: Router) -> str:
    own, home = lab.link.addresses[router.number], str(lab.home / str(router.number))
    found = text.replace("{own}", own).replace("{home}", home)
    found = found.replace("{priority}", str(router.priority)).replace("{number}", str(router.number))
    return found.replace("{switch}", lab.switch)


def _shell(lab: Lab, command: str, number: int) -> None:
    text = _filled(lab, command, lab.routers[number])
    subprocess.run(["ip", "netns", "exec", lab.spaces[number], "sh", "-ec", text], check=True)


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


def _follower(lab: Lab, case: Case, number: int) -> None:
    """Routes and rules have come along."""
    question, answer = case.follows
    if answer:
        lab.wait_for(
            lambda: [answer in lab.ip(n, question) for n in (number, 1 - number)] == [True, False], answer
        )


def _second_address(lab: Lab, case: Case, number: int) -> None:
    """The other instance of the sync group has come along."""
    if case.second:
        second = packed("10.9.0.101")
        lab.wait_for(
            lambda: [second in lab.addresses(n) for n in (number, 1 - number)] == [True, False], "both"
        )


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    reason = why_not() or (None if shutil.which(PROGRAMS["keepalived"][0]) else "keepalived is not installed")
    if reason:
        pytest.skip(reason)
    chosen = {item.callspec.params["name"] for item in request.session.items if item.module is request.module}  # type: ignore[attr-defined]
    possible = [name for name in NAMES if name in chosen and why_skipped(CASES[name.split("/")[0]]) is None]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(play, name) for name in possible}


@pytest.mark.parametrize("name", NAMES)
def test_pair(name: str, outcomes: dict[str, Future[None]]) -> None:
    if name not in outcomes:
        pytest.skip(why_skipped(CASES[name.split("/")[0]]) or "")
    outcomes[name].result()
