"""keepalived.json of evener and of keepalived, for the same configuration: the same keys and values."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import replace
from difflib import unified_diff
from typing import Any

import pytest
from lab import PROGRAMS, Lab, Link, configuration
from original import original_has

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


SIGUSR1, SIGUSR2 = 10, 12
RICH_ABOVE = """
global_defs {
 router_id rich
 notification_email { a@example.org }
 notification_email_from k@example.org
 smtp_server 127.0.0.1 1
 vrrp_notify_fifo HOME/fifo
 notify_fifo HOME/fifo2
 vrrp_garp_extra_if all 5
 max_auto_priority 20
 nftables table
 iproute_usr_dir /etc/iproute2
 iproute_etc_dir /etc/iproute2
}
garp_group {
 garp_interval 0.01
 interfaces {
  eth0
 }
}
static_routes {
 10.6.0.0/16 via 10.9.0.77 dev eth0
}
vrrp_script check {
 script "/usr/bin/true"
 interval 1.5
 weight 5
 rise 2
}
track_file number {
 file HOME/number
 weight 1
 init_file 3
}
vrrp_track_process absent {
 process nobody-runs-this 300
 delay 1
 weight 3
}
bfd_instance session {
 neighbor_ip 10.9.0.88
 source_ip OWN
}
vrrp_sync_group G {
 group {
  VI_1
  VI_2
 }
 sync_group_tracking_weight
 track_script {
  check
 }
}
vrrp_instance VI_2 {
 interface eth0
 use_vmac
 virtual_router_id 53
 version 3
 priority 100
 advert_int 0.15
 nopreempt
 track_process {
  absent
 }
 virtual_ipaddress {
  10.9.0.102/24
 }
}
vrrp_instance VI_3 {
 interface eth0
 virtual_router_id 54
 version 2
 priority 110
 no_accept
 unicast_src_ip OWN
 unicast_peer {
  10.9.0.88 min_ttl 3
 }
 track_bfd {
  session weight 5
 }
 virtual_ipaddress {
  10.9.0.105/24 label eth0:5
 }
}
"""
RICH_MORE = """
 track_file {
  number
 }
 notify_master "/usr/bin/true a b"
"""
PASSING = re.compile(
    r"\d{10}\.\d{6}( \([^)]*\))?|fd(_in|_out)? *=? *\d+|0x[0-9a-fx(nil)]{5,}|(?<=Sent: )\d+|\d+(?=(, tos| $))"
)
"""Moments, descriptors, pointers, discriminators, and how many adverts there were so far."""
OTHERS = re.compile(r" *(MAC =|thread_|sands_|fd_|fd |send error|libnftnl|IPv6 address = fe80)")
"""What differs from one machine or one build to another, and what we do not have."""


def data_of(lab: Lab, number: int) -> dict[str, list[str]]:
    home = lab.home / str(number)
    above = RICH_ABOVE.replace("HOME", str(home)).replace("OWN", lab.link.addresses[number])
    lab.configure(number, configuration(LINK, lab.routers[number], more=RICH_MORE, above=above))
    lab.start(number)
    lab.wait_for(lambda: bytes((10, 9, 0, 105)) in lab.addresses(number), "mastership of the slowest")
    time.sleep(6)  # all scripts have run, and what is announced twice has been
    lab.signal(number, SIGUSR1)
    lab.signal(number, SIGUSR2)
    names = ("keepalived.data", "keepalived_bfd.data", "keepalived_parent.data", "keepalived.stats")
    lab.wait_for(lambda: all((home / name).exists() for name in names), "the files")
    time.sleep(0.5)
    lab.stop(number)
    return {name: comparable_lines((home / name).read_text("utf-8"), lab, number) for name in names}


def comparable_lines(text: str, lab: Lab, number: int) -> list[str]:
    own = re.compile(re.escape(lab.link.addresses[number]) + r"\b")
    text = own.sub("OWN", text.replace(str(lab.home / str(number)), "HOME"))
    told = (line for line in text.splitlines() if original_has("DBUS") or not line.startswith(" DBus "))
    return [PASSING.sub("*", line) for line in told if not OTHERS.match(line)]


def release() -> tuple[int, ...]:
    command = [*PROGRAMS["keepalived"], "-v"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"v(\d+)\.(\d+)", asked.stdout + asked.stderr)
    return tuple(map(int, found.groups())) if found else ()


@pytest.mark.skipif(release() < (2, 4), reason="the lines are those of release 2.4 (EVENER_KEEPALIVED)")
def test_the_same_data_and_statistics(lab: Lab) -> None:
    ours, theirs = data_of(lab, 0), data_of(lab, 1)
    for name in ours:
        assert ours[name] == theirs[name], "\n".join(unified_diff(ours[name], theirs[name], lineterm=""))


@pytest.mark.skipif(release() < (2, 4), reason="the lines are those of release 2.4 (EVENER_KEEPALIVED)")
def test_the_same_data_of_a_backup(lab: Lab) -> None:
    """Each behind the other."""
    ours, theirs = behind(lab, 0, 1), behind(lab, 1, 0)
    assert ours == theirs, "\n".join(unified_diff(ours, theirs, lineterm=""))


def behind(lab: Lab, backup: int, master: int) -> list[str]:
    for number, priority in ((master, 200), (backup, 100)):
        lab.configure(number, configuration(LINK, replace(lab.routers[number], priority=priority)))
        lab.start(number)
        lab.wait_for(lambda number=number: "Entering BACKUP" in lab.log(number), "the start")  # type: ignore[misc]
        lab.owned_by(master)
    time.sleep(1)
    path = lab.home / str(backup) / "keepalived.data"
    lab.signal(backup, SIGUSR1)
    lab.wait_for(path.exists, "the file")
    time.sleep(0.5)
    lab.stop(backup)
    lab.stop(master)
    other = re.escape(lab.link.addresses[master]) + r"\b"
    text = re.sub(other, "OTHER", path.read_text("utf-8"))
    return [line for line in comparable_lines(text, lab, backup) if "iproute" not in line]
