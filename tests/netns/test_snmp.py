"""SNMP of VRRP, beside the original: through the same master agent the same walk, the same traps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from itertools import takewhile

import pytest
from lab import PROGRAMS, Lab, Link, Router, ip
from original import original_has
from snmp_lab import Master, missing

pytestmark = [
    pytest.mark.netns,
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

KEEPALIVED, VRRP, VRRPV3 = "1.3.6.1.4.1.9586.100.5", "1.3.6.1.2.1.68", "1.3.6.1.2.1.207"
INSTANCE = f"{KEEPALIVED}.2.3.1"
STATE, PRIORITY, EFFECTIVE, PREEMPT, ACCEPT = (f"{INSTANCE}.{column}" for column in (4, 7, 8, 13, 27))
LAST = "= INTEGER: 5 "
"""In the traps of those that stop."""
DEPTHS = ((f"{KEEPALIVED}.1.3", 14), (f"{KEEPALIVED}.1", 11), (KEEPALIVED, 13), (VRRPV3, 12), (VRRP, 10))
CONFIGURATION = """
global_defs {
 router_id lab
 snmp_socket unix:%s
 enable_snmp_vrrp
 enable_snmp_rfc
 enable_traps
 script_user root
 enable_script_security
 notification_email {
  a@example.com
  b@example.com
 }
 notification_email_from k@example.com
 smtp_server 127.0.0.1 2525
 smtp_connect_timeout 7
}
static_ipaddress {
 10.8.0.1/24 dev eth0 label eth0:x
 fd01::1/64 dev eth0
}
static_routes {
 10.77.0.0/16 via 10.9.0.2 dev eth0 table 20 mtu 1300 metric 3
 10.78.0.0/16 dev eth0 table 21 rtt 300ms rttvar lock 400ms src 10.9.0.1
 10.79.0.0/16 nexthop via 10.9.0.2 dev eth0 weight 3 nexthop via 10.9.0.3 dev eth0 onlink
 blackhole 10.80.0.0/16
}
static_rules {
 from 10.55.0.0/16 to 10.56.0.0/24 table 20 priority 200
 from 10.57.0.0/16 fwmark 3/7 iif eth0 tos 16 table 20 priority 201
 from all table 20 uidrange 5-7 priority 300
 to 10.58.0.0/16 unreachable priority 301
 from all table 20 suppress_prefixlength 3 priority 302
}
vrrp_script good {
 script "/usr/bin/true x"
 interval 2
 weight 5
 rise 2
 fall 3
}
vrrp_script bad {
 script "/usr/bin/false"
 interval 1
 weight -4 reverse
 init_fail
}
vrrp_track_file number {
 file %s
 weight 2
 init_file 4 overwrite
}
vrrp_track_process nobody {
 process evnobody a b
 param_match initial
 weight 3
 quorum 1
 delay 2
}
vrrp_sync_group G {
 group {
  grouped
 }
 notify_master "/usr/bin/true m"
 smtp_alert
}
vrrp_instance one {
 interface eth0
 virtual_router_id 51
 version 2
 priority 150
 advert_int 1
 nopreempt
 authentication {
  auth_type PASS
  auth_pass abc
 }
 track_interface {
  lo weight 3
 }
 track_script {
  good
  bad
 }
 track_file {
  number weight 1
 }
 track_process {
  nobody weight 2
 }
 notify "/usr/bin/true all"
 notify_backup /usr/bin/true
 virtual_ipaddress {
  10.9.0.100/24 dev eth0 label eth0:1
  10.9.0.90/32 brd 10.9.0.255 scope link
 }
 virtual_ipaddress_excluded {
  10.9.0.101
 }
 virtual_routes {
  10.60.0.0/16 via 10.9.0.2 dev eth0 metric 7
 }
 virtual_rules {
  from 10.61.0.0/16 table 20 priority 400
 }
}
vrrp_instance alone {
 interface eth0
 version 3
 virtual_router_id 53
 advert_int 0.5
 priority 100
 accept
 garp_master_delay 7
 unicast_peer {
  10.9.0.2
 }
 virtual_ipaddress {
  10.9.0.103
 }
}
vrrp_instance grouped {
 interface eth0
 version 3
 virtual_router_id 54
 advert_int 0.5
 virtual_ipaddress {
  fe80::5
  fd00::6
 }
}
"""


@dataclass(frozen=True)
class Seen:
    """Of one program."""

    walk: list[str]
    bulk: list[str]
    traps: list[str]
    set: dict[str, list[str]]


def kept(line: str) -> bool:
    """Moments aside; and of the original "advertised" is right of the first instance only."""
    late = re.match(rf"\.{re.escape(KEEPALIVED)}\.2\.6\.1\.11\.[2-9]", line)
    return "Timeticks" not in line and not late and not line.startswith(f".{KEEPALIVED}.1.1.0")


def column(line: str) -> str:
    """The name without the row: the trees have their columns at these depths."""
    name = line.split(" ")[0].lstrip(".")
    for tree, depth in DEPTHS:
        if name.startswith(tree + "."):
            return ".".join(name.split(".")[:depth])
    return name


def settled(master: Master) -> bool:
    """Two are master, one has no address to send from; all scripts have run."""
    states = [line[-1:] for line in master.walk(STATE)]
    return states == ["2", "2", "3"] and master.walk(EFFECTIVE)[0].endswith(": 166")


def change(master: Master) -> dict[str, list[str]]:
    def put(name: str, value: str) -> list[str]:
        return master.ask("snmpset", name, "i", value, community="private")

    return {
        "priority": put(f"{PRIORITY}.2", "77"),
        "too low": put(f"{PRIORITY}.2", "0"),
        "preempt": put(f"{PREEMPT}.3", "2"),
        "neither": put(f"{PREEMPT}.3", "3"),
        "accept": put(f"{ACCEPT}.2", "2"),
        "effective": master.walk(EFFECTIVE),
        "after": master.walk(PREEMPT),
    }


def watch(program: str) -> Seen:
    lab = Lab(Link(nodes=1), (Router(0, 100, program),))
    master = Master(lab)
    try:
        ip("link", "set", "eth0", "address", "02:00:00:00:00:07", namespace=lab.spaces[0])
        lab.configure(0, CONFIGURATION % (master.socket, lab.home / "number"))
        lab.start(0)
        lab.wait_for(lambda: settled(master), "two masters and a fault")
        walk = [line for tree in (KEEPALIVED, VRRP, VRRPV3) for line in master.walk(tree)]
        walk = [line.replace(str(lab.home), "/home") for line in walk]
        bulk = [line.replace(str(lab.home), "/home") for line in master.walk(KEEPALIVED, "snmpbulkwalk")]
        done = change(master)
        lab.stop(0)
        lab.wait_for(lambda: sum(LAST in trap for trap in master.traps()) == 4, "the last traps")
        return Seen(walk, bulk, master.traps(), done)
    finally:
        master.close()
        lab.close()


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Seen]]:
    if not original_has("SNMP_VRRP"):
        pytest.skip("the keepalived that is here has no SNMP")
    yield {program: watch(program) for program in PROGRAMS}


def test_the_same_walk(seen: dict[str, Seen]) -> None:
    """Line by line, of the columns that the original's release has."""
    theirs = [line for line in seen["keepalived"].walk if kept(line)]
    has = {column(line) for line in theirs}
    ours = [line for line in seen["evener"].walk if kept(line) and column(line) in has]
    assert "\n".join(unified_diff(theirs, ours, n=0, lineterm="")) == ""
    assert len(theirs) > 350


def test_bulk_requests_see_what_single_ones_see(seen: dict[str, Seen]) -> None:
    own = seen["evener"]
    single = list(takewhile(lambda line: line.startswith(f".{KEEPALIVED}"), own.walk))
    assert [line for line in own.bulk if kept(line)] == [line for line in single if kept(line)]


def test_the_same_traps(seen: dict[str, Seen]) -> None:
    assert sorted(seen["evener"].traps) == sorted(seen["keepalived"].traps)


def test_the_same_can_be_set(seen: dict[str, Seen]) -> None:
    assert seen["evener"].set == seen["keepalived"].set
