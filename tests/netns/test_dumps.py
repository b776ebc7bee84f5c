"""keepalived.json of evener and of keepalived, for the same configuration: the same keys and values."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from lab import Lab, Link, configuration

pytestmark = [pytest.mark.netns, pytest.mark.timeout(90)]

LINK = Link(advert_cs=10)
ABOVE = """
vrrp_sync_group G {
 group {
  VI_1
  VI_2
 }
}
vrrp_instance VI_2 {
 interface eth0
 virtual_router_id 52
 version 2
 priority 150
 advert_int 1
 authentication {
  auth_type PASS
  auth_pass secret
 }
 smtp_alert
 nopreempt
 virtual_ipaddress {
  10.9.0.101/24
 }
}
vrrp_instance VI_3 {
 interface eth0
 use_vmac
 virtual_router_id 53
 version 3
 priority 100
 advert_int 0.15
 garp_lower_prio_delay 3
 garp_lower_prio_repeat 2
 garp_master_refresh 7
 notify_master "/usr/bin/true a b"
 notify_backup "/usr/bin/true"
 notify_stop "/usr/bin/true"
 virtual_ipaddress {
  10.9.0.102/24
 }
}
vrrp_instance VI_4 {
 interface eth0
 virtual_router_id 54
 version 3
 priority 100
 advert_int 0.1
 preempt_delay 2
 virtual_ipaddress {
  fd09::1/64
 }
}
"""
MORE = """
 track_interface {
  lo
 }
 virtual_ipaddress_excluded {
  10.9.0.103/32 scope link label eth0:x
 }
 virtual_routes {
  10.6.0.0/16 via 10.9.0.77 dev eth0 src 10.9.0.100 table 300 mtu lock 1400 rtt 400ms metric 5
  10.5.0.0/16 nexthop via 10.9.0.77 weight 2 nexthop via 10.9.0.78
  blackhole 10.4.0.0/16 no_track
  fd05::/16 dev eth0 pref high
 }
 virtual_rules {
  from 10.6.0.0/16 table 300 preference 600
  not to 10.0.0.0/8 fwmark 5/7 sport 10-20 ipproto udp blackhole preference 601
  from all lookup 302 suppress_prefixlength 8 uidrange 5-10 tos 8 priority 602 no_track
 }
 preempt_delay 1
 no_accept
"""


def dumped(lab: Lab, number: int) -> str:
    lab.ip(number, "addr", "add", f"fe80::{number + 1}/64", "dev", "eth0")
    lab.configure(number, configuration(LINK, lab.routers[number], more=MORE, above=ABOVE))
    lab.start(number)
    lab.wait_for(lambda: lab.has_vip(number), "mastership")
    time.sleep(0.5)
    path = lab.home / str(number) / "keepalived.json"
    lab.signal(number, 36)
    lab.wait_for(lambda: path.exists() and path.read_text("utf-8").rstrip().endswith("]"), "the file")
    lab.stop(number)
    return path.read_text("utf-8").strip()


def comparable(text: str) -> dict[str, Any]:
    """Without moments, and what releases say differently."""
    found = {entry["data"]["iname"]: entry["data"] for entry in json.loads(text)}
    for data in found.values():
        assert data.pop("last_transition") > 0
        data.pop("auth_data", None)  # 2.2.7 tells the password
        # Release 2.2.7 says no_track of every route, and add of some; 2.4 where the kernel has put it.
        known = (re.sub(r"^(add|prepend) ", "", line) for line in data.get("vroutes", []))
        data["vroutes"] = [re.sub(r"( no_track| \[.*\])*$", "", line) for line in known]
    return found


def test_the_same_json(lab: Lab) -> None:
    ours, theirs = dumped(lab, 0), dumped(lab, 1)
    one, other = comparable(ours), comparable(theirs)
    for name in one:
        for key in one[name]:
            assert one[name][key] == other[name].get(key), f"{key} of {name}"
    assert one == other
    assert list(json.loads(ours)[0]["data"]) == list(json.loads(theirs)[0]["data"]), "in the same order"
    assert ours[:20] == theirs[:20], "not even blanks differ"
