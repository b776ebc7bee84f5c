"""keepalived.data: the lines that the original writes of the same configuration (release 2.4.3)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kadtext import read

from evener.host.vrrp_dump import place
from evener.keepalived.compile import compile_plan
from evener.keepalived.describe_globals import Process
from evener.keepalived.describe_globals import describe as describe_globals
from evener.keepalived.vrrp.describe import World, text
from evener.keepalived.vrrp.plan import State, TrackKind
from evener.keepalived.vrrp.router import Router

CONFIGURATION = """
global_defs {
 router_id x
 json_version 2
 data_use_instance
}
track_file tf {
 file /tmp/f
}
vrrp_script sc {
 script "/bin/true -e /tmp"
 interval 2
 rise 2
}
vrrp_instance A {
 interface eth0
 virtual_router_id 51
 priority 150
 state MASTER
 authentication {
  auth_type PASS
  auth_pass secret
 }
 track_script { sc weight 7 reverse }
 track_file { tf weight 2 }
 notify_master "/bin/true x y"
 virtual_ipaddress {
   10.9.0.100/24 label eth0:1
   10.9.0.101/24 dev eth1 brd 10.9.0.255 scope link
   10.9.0.102
 }
 virtual_ipaddress_excluded {
   10.9.0.103/24
 }
}
vrrp_instance B {
 interface eth2
 virtual_router_id 52
 version 3
 no_accept
 preempt_delay 5
 unicast_src_ip 10.9.0.1
 unicast_ttl 64
 unicast_peer {
  10.9.0.2 min_ttl 5 max_ttl 60
 }
 virtual_ipaddress {
   10.9.0.105/24
 }
}
vrrp_sync_group G {
 group { B }
 smtp_alert
}
"""
ORIGINAL = """
 Router ID = x
 VRRP IPv4 mcast group = 224.0.0.18
 Gratuitous ARP repeat = 5
 json_version 2
------< VRRP Topology >------
 VRRP Instance = A
   VRRP Version = 2
   State = MASTER
   Flags: none
   Wantstate = MASTER
   Number of tracker faults = 0
   Flags of interface faults - (none)
   Interface = eth0
   Multicast address 224.0.0.18
   Virtual Router ID = 51
   Priority = 150
   Effective priority = 149
   Advert interval = 1 sec
   Preempt = enabled
   Authentication type = SIMPLE_PASSWORD
   Password = ********
   Virtual IP (3):
     10.9.0.100/24 dev eth0 scope global label eth0:1 set
     10.9.0.101/24 brd 10.9.0.255 dev eth1 scope link set
     10.9.0.102 dev eth0 scope global set
   Virtual IP Excluded :
     10.9.0.103/24 dev eth0 scope global set
   Tracked scripts :
     sc weight 7 reverse
   Tracked files :
     tf, weight 2
   Master state transition script = '/bin/true' 'x' 'y', uid:gid 0:0
 VRRP Instance = B
   Sync group = G
   State = FAULT
     Using unicast
   Flags of interface faults:
     i/f down
   Read timeout = DISABLED
   Using src_ip = 10.9.0.1 (from configuration)
   Advert interval = 1000 milli-sec
   Accept = disabled
   Preempt delay = 5 secs
   Virtual IP (1):
     10.9.0.105/24 dev eth2 scope global
   Unicast TTL = 64
     10.9.0.2 min_ttl 5 max_ttl 60
------< VRRP Sync groups >------
 VRRP Sync Group = G, FAULT
   VRRP member instances :
   Using smtp notification = yes
------< VRRP Scripts >------
 VRRP Script = sc
   Command = '/bin/true' '-e' '/tmp'
   Status = GOOD
------< VRRP Track files >------
   Status = 3
"""


def router() -> Router:
    configuration, _ = read(CONFIGURATION)
    made = Router(compile_plan(configuration))
    for name, source in (("A", b"\x0a\x09\x00\x01"), ("B", b"\x0a\x09\x00\x01")):
        made.set_source(name, source)
    made.start(0)
    made.script_result(10, "sc", True, "")
    made.track(10, TrackKind.FILE, "tf", 3)
    made.tick(4_000_000)
    made.track(5_000_000, TrackKind.SOURCE, "B", 1)
    return made


def test_the_same_lines_in_the_same_order() -> None:
    made = router()
    assert made.members["A"].machine.state is State.MASTER
    made.known[TrackKind.INTERFACE, "eth2"] = 0
    made._judge(6_000_000, made.members["B"])
    written = text(made, World(lambda us: 1_700_000_000 + us / 1e6, lambda program: "0:0"))
    at = iter(written.splitlines())
    for line in ORIGINAL.strip("\n").splitlines():
        assert any(line == found for found in at), f"{line!r} is missing, or too late, in\n{written}"
    assert "secret" not in written


def test_where_the_files_are() -> None:
    assert place("/run/x", "keepalived.data", "_i") == Path("/run/x")
    assert place(None, "keepalived.data", "_i").name == "keepalived_i.data"


def test_settings_of_the_whole_daemon() -> None:
    """As keepalived 2.4.3 prints them for this configuration."""
    configuration, _ = read(
        "net_namespace_ipvs\ninstance one\nglobal_defs {\nprocess_names\nchecker_process_name c\n"
        "lvs_timeouts tcp 5 udp 6\nlvs_flush_on_stop VS\nnftables t\nnftables_counters\n"
        "bfd_cpu_affinity 0\nvrrp_rx_bufs_policy MTU\numask 022\nlog_unknown_vrids\nvmac_prefix v\n"
        "vrrp_garp_extra_if all 60\nvrrp_garp_master_repeat 3\nreload_time_file /when\nreload_repeat\n"
        "config_save_dir /kept\ndynamic_interfaces\nmax_auto_priority -1\nstate_dump_file /s\n}\n"
    )
    assert configuration is not None
    lines = describe_globals(configuration, Process.VRRP)
    for expected in (
        " Config save dir = /kept",
        " Network namespace ipvs = (default)",
        " Instance name = one",
        " VRRP process name = keepalived_vrrp",
        " LVS process name = c",
        " Reload time file = /when (repeat)",
        " Allow interface changes = false",
        " LVS TCP timeout = 5",
        " LVS TCP timeout = 6",
        " LVS flush on stop = VS",
        " Gratuitous ARP for each secondary i/f = 60s",
        " Gratuitous ARP lower priority repeat = 3",
        " nftables table name = t",
        " nftables base chain priority = -1",
        " nftables don't force use ifindex for link local IPv6",
        " nftables with counters",
        " Max auto priority = Disabled",
        " BFD CPU Affinity = 0",
        " BFD realtime limit = 10000",
        " rx_bufs_policy = MTU",
        " umask = 022",
        " log_unknown_vrids",
        " VMAC prefix = v",
        " state dump file /s",
    ):
        assert expected in lines
