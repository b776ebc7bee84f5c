"""Addresses, routes and rules as the kernel shows them: what evener sets is what keepalived sets."""

from __future__ import annotations

import re

import pytest
from lab import Lab, Link, configuration

pytestmark = [pytest.mark.netns, pytest.mark.timeout(90)]

LINK = Link(advert_cs=10)
ALL = """
virtual_ipaddress_excluded {
 10.9.0.101/24 label eth0:x
 10.9.0.102/32 scope link
 10.9.0.105/24 brd 10.9.0.255 noprefixroute
 10.9.0.106/24 brd + home
 fd09::1/64
 fd09::2/64 preferred_lft 0 -nodad
 fd09::3/128 preferred_lft 100
}
virtual_routes {
 10.6.0.0/16 via 10.9.0.77 src 10.9.0.100 table 300 mtu lock 1400 rtt 400ms rttvar 300ms quickack 1
 10.5.0.0/16 nexthop via 10.9.0.77 weight 2 nexthop via 10.9.0.78 dev eth0 onlink
 blackhole 10.4.0.0/16
 unreachable 10.4.1.0/24 metric 5
 prohibit 10.4.2.0/24 tos 4
 throw 10.4.3.0/24 table 300
 fd05::/16 dev eth0 pref high
 fd06::/16 via fd09::77 dev eth0 metric 12 advmss 1400 hoplimit 7 initcwnd 11 initrwnd 12
 10.3.0.0/16 via 10.9.0.77 scope global protocol 99 features ecn congctl reno no_track
 10.2.0.0/16 dev eth0 scope link rto_min 300ms window 3000 cwnd 5 ssthresh 6 reordering 4
 10.1.0.0/16 via 10.9.0.77 dev eth0 onlink
 multicast 239.0.0.0/8 dev eth0 table 300
 default via 10.9.0.77 metric 777
 {tunnels}
}
virtual_rules {
 to 10.6.0.0/16 table 300 preference 600
 not to 10.0.0.0/8 table 300 preference 602
 from 10.1.0.0/16 fwmark 5/7 sport 10-20 ipproto udp blackhole preference 601
 from 10.1.0.0/16 to 10.2.0.0/16 iif eth0 oif lo tos 8 lookup 301 priority 603
 from 10.1.0.0/16 goto 700 priority 604
 to 10.1.0.0/16 prohibit priority 605
 to 10.1.0.0/16 unreachable priority 606
 to 10.1.0.0/16 nop priority 607
 from all lookup 302 suppress_prefixlength 8 priority 608
 from all lookup 302 suppress_ifgroup 3 priority 609
 from all lookup 302 uidrange 5-10 priority 610
 from all lookup 302 dport 443-444 ipproto tcp priority 611
 from all lookup 302 tunnel-id 66 priority 612
 from fd02::/16 to fd03::/16 lookup 300 priority 614
 from 10.77.0.0/16 realms 5/6 table 300 priority 615
 from 10.78.0.0/16 l3mdev priority 617
}
"""
TUNNELS = """
 192.168.7.0/24 encap ip id 7 dst 10.9.0.88 ttl 5 tos 4 dev eth0
 192.168.9.0/24 encap ip id 9 src 10.9.0.100 dst 10.9.0.87 flags 4 via 10.9.0.77 dev eth0
 fd07::/16 encap ip6 id 8 dst fd09::88 hoplimit 3 dev eth0
 10.0.0.0/16 via 10.9.0.77 ttl-propagate disabled fastopen_no_cookie 1
"""
COMPLAINTS = re.compile(r"Netlink: error|[Uu]nknown|invalid|Invalid|cannot|Cannot")


def shown(lab: Lab, number: int) -> list[str]:
    """What the kernel has, with its own address left out."""
    lines = [
        line for line in lab.ip(number, "-d", "addr", "show", "dev", "eth0").splitlines() if "inet" in line
    ]
    for family in ("-4", "-6"):
        lines += lab.ip(number, "-d", family, "route", "show", "table", "all").splitlines()
        lines += lab.ip(number, "-d", family, "rule").splitlines()
    own = LINK.addresses[number]
    return [re.sub(rf"\b{re.escape(own)}\b", "OWN", line).strip() for line in lines]


def test_the_kernel_shows_the_same(lab: Lab) -> None:
    found, more = [], ALL.replace("{tunnels}", TUNNELS)
    for number in (0, 1):
        lab.configure(number, configuration(LINK, lab.routers[number], more=more))
        lab.ip(number, "addr", "add", "fd09::f/64", "dev", "eth0")
        before = shown(lab, number)
        lab.start(number)
        lab.wait_for(lambda n=number: "617:" in lab.ip(n, "rule"), "everything to be set")  # type: ignore[misc]
        found.append(shown(lab, number))
        lab.stop(number)
        if number == 0:
            assert shown(lab, number) == before, "nothing is left"
            assert not COMPLAINTS.search(lab.log(number)), lab.log(number)
    assert any("encap ip6 id 8" in line for line in found[0])
    assert sorted(found[0]) == sorted(found[1])
