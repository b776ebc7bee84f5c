"""From text to the plan of the VRRP process: what was said, what global_defs says, what nobody says."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from kadtext import instance, read

from evener.keepalived.compile import compile_plan
from evener.keepalived.vrrp import plan
from evener.keepalived.vrrp.plan import Track, TrackKind
from evener.keepalived.vrrp.plan_machine import Buffer, Buffers, RxPolicy
from evener.keepalived.vrrp.plan_tracked import TrackedFile, TrackedProcess


def planned(text: str) -> plan.VrrpPlan:
    configuration, _ = read(text)
    assert configuration is not None
    return compile_plan(configuration)


def only(body: str, before: str = "") -> plan.Instance:
    (made,) = planned(before + instance(body)).instances
    return made


def test_defaults_are_those_of_the_plan() -> None:
    made = only("")
    assert made == plan.Instance(
        name="A",
        vrid=9,
        interface="eth0",
        addresses=(plan.VirtualAddress(socket.inet_aton("10.1.0.1"), 24, "eth0"),),
    )
    assert replace(planned("").options, described=(), described_parent=()) == plan.GlobalOptions()


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ("priority 77", "priority", 77),
        ("state MASTER", "state", plan.State.MASTER),
        ("state MASTER", "priority", 255),
        ("state MASTER\npriority 7", "priority", 7),
        ("version 3\nadvert_int 0.92", "advert_cs", 92),
        ("advert_int 2", "advert_cs", 200),
        ("nopreempt", "preempt", False),
        ("nopreempt\npreempt", "preempt", True),
        ("preempt\nnopreempt", "preempt", False),
        ("preempt_delay 1.5", "preempt_delay_us", 1_500_000),
        ("dont_track_primary", "track_primary", False),
        ("unicast_src_ip 10.0.0.1/24\nunicast_peer {\n10.0.0.2\n}", "source", b"\x0a\0\0\x01"),
        ("unicast_peer {\n10.0.0.2 min_ttl 254\n}", "peers", (plan.Peer(b"\x0a\0\0\x02", 254, None),)),
        ("unicast_peer {\n10.0.0.2\n}", "unicast", True),
        ("mcast_src_ip 10.0.0.1", "source", b"\x0a\0\0\x01"),
        ("authentication {\nauth_type PASS\nauth_pass abc\n}", "password", b"abc\0\0\0\0\0"),
        ("authentication {\nauth_type PASS\nauth_pass 1234567890\n}", "password", b"12345678"),
        ("authentication {\nauth_type AH\nauth_pass abc\n}", "auth", plan.Auth.AH),
        ("lower_prio_no_advert", "lower_prio_no_advert", True),
        ("down_timer_adverts 4", "down_timer_adverts", 4),
        ("track_src_ip\nmcast_src_ip 10.0.0.1", "track_source", True),
    ],
)
def test_settings_of_an_instance(body: str, field: str, value: object) -> None:
    assert getattr(only(body), field) == value


def test_an_instance_overrides_global_defs() -> None:
    before = (
        "global_defs {\nvrrp_version 3\nvrrp_garp_master_repeat 2\nvrrp_garp_master_delay 7\n"
        "vrrp_lower_prio_no_advert\nvrrp_higher_prio_send_advert\n}\n"
    )
    made = only("garp_master_repeat 3\ngarp_master_refresh 60\nlower_prio_no_advert off", before)
    assert made.version == 3
    assert (made.lower_prio_no_advert, made.higher_prio_send_advert) == (False, True)
    assert made.garp == plan.GarpOptions(3, 7_000_000, 2, 7_000_000, 60_000_000, 1)


def test_addresses() -> None:
    text = """vrrp_instance A {
interface eth0
virtual_router_id 9
virtual_ipaddress {
10.0.0.9
10.0.0.10/24 dev eth1 label eth1:x scope link brd + no_track
}
virtual_ipaddress_excluded {
10.0.9.1/30 brd -
fd00::9/128
fd00::a/128 preferred_lft forever
fd00::b/64 preferred_lft 30 home
}
}
"""
    (made,) = planned(text).instances
    first, second, third, fourth, fifth, sixth = made.addresses
    assert (first.prefix, first.device, first.broadcast) == (32, "eth0", None)
    assert second == plan.VirtualAddress(
        b"\x0a\0\0\x0a", 24, "eth1", "eth1:x", 253, b"\x0a\0\0\xff", tracked=False
    )
    assert (third.broadcast, third.advertised) == (b"\x0a\0\x09\0", False)
    assert [a.preferred_lft for a in (fourth, fifth, sixth)] == [0, None, 30]
    assert sixth.flags == 0x10
    assert made.advertised == (first, second)
    assert made.family is plan.Family.INET


def test_ipv6_is_version_3() -> None:
    text = (
        "vrrp_instance A {\ninterface e\nvirtual_router_id 9\nversion 2\nvirtual_ipaddress {\nfe80::1\n}\n}\n"
    )
    (made,) = planned(text).instances
    assert (made.version, made.family) == (3, plan.Family.INET6)


SCRIPTS = """vrrp_script c {
script "/bin/check -v 'a b'"
interval 0.5
timeout 2
weight -20 reverse
rise 2
fall 3
user nobody nogroup
init_fail
}
"""


def test_scripts_and_tracks() -> None:
    made = planned(SCRIPTS + instance("track_script {\nc\n}\ntrack_interface {\neth1 weight 5\n}"))
    assert made.scripts == (
        plan.Script(
            "c",
            plan.Program(("/bin/check", "-v", "a b"), "nobody", "nogroup"),
            500_000,
            2_000_000,
            2,
            3,
            True,
        ),
    )
    assert made.instances[0].tracks == (
        plan.Track(plan.TrackKind.INTERFACE, "eth1", 5),
        plan.Track(plan.TrackKind.SCRIPT, "c", -20, True),
    )
    (again,) = planned(SCRIPTS + instance("track_script {\nc weight 7 noreverse\n}")).instances
    assert again.tracks == (plan.Track(plan.TrackKind.SCRIPT, "c", 7, False),)


def test_notifications() -> None:
    made = only('notify_master "/a b" root :adm\nnotify /x\nnotify_deleted\nnotify_master_rx_lower_pri /y')
    assert made.notify == plan.Notifications(
        master=plan.Program(("/a", "b"), "root", "adm"),
        any=plan.Program(("/x",)),
        send_deleted=True,
        master_rx_lower_pri=plan.Program(("/y",)),
    )


def test_sync_groups() -> None:
    text = "vrrp_sync_group G {\ngroup {\nA\nB\n}\nnotify_fault /f\n}\n"
    text += instance("track_interface {\neth1 weight 5\n}") + instance("", "B").replace(" 9", " 10")
    made = planned(text)
    assert made.groups == (
        plan.SyncGroup("G", ("A", "B"), (), plan.Notifications(fault=plan.Program(("/f",)))),
    )
    assert made.instances[0].tracks == (plan.Track(plan.TrackKind.INTERFACE, "eth1", 0),)


def test_global_options() -> None:
    made = planned(
        "global_defs {\nrouter_id r\nscript_user u g\nenable_script_security\nvrrp_mcast_group4 224.0.0.19\n"
        "vrrp_garp_interval 0.001\nvrrp_startup_delay 2.5\nnotify_fifo /run/f u\nnotify_fifo_script /s\n"
        "vrrp_priority -5\nvrrp_rt_priority 50\nvrrp_cpu_affinity 0 1\nvrrp_no_swap\nvrrp_process_name p\n}\n"
    ).options
    assert (made.router_id, made.script_user, made.script_group, made.script_security) == (
        "r",
        "u",
        "g",
        True,
    )
    assert (made.mcast_group4, made.garp_interval_us, made.startup_delay_us) == (
        b"\xe0\0\0\x13",
        1000,
        2_500_000,
    )
    assert made.notify_fifo == plan.Fifo("/run/f", "u", None, plan.Program(("/s",)))
    assert made.scheduling == plan.Scheduling(-5, 50, None, (0, 1), True)
    assert made.process_name == "p"


def test_files_and_processes_are_tracked_with_their_own_weight_unless_told() -> None:
    above = """
track_file f { file /run/f
 weight -2 reverse
 init_file 5 overwrite
}
vrrp_track_process p { process "/usr/sbin/haproxy" -W
 quorum_max 3
 delay 0.5
 fork_delay 0.25
}
"""
    made, _ = read(above + instance("track_file { f }\ntrack_process { p weight 7 }"))
    assert made is not None
    plan = compile_plan(made)
    assert plan.files == (TrackedFile("f", "/run/f", 5, overwrite=True),)
    assert plan.processes == (
        TrackedProcess("p", ("/usr/sbin/haproxy", "-W"), "exact", 1, 3, 250_000, 500_000, full_command=True),
    )
    assert plan.instances[0].tracks == (
        Track(TrackKind.FILE, "f", -2, reverse=True),
        Track(TrackKind.PROCESS, "p", 7),
    )


def test_mail_needs_a_server_and_somebody_to_read_it() -> None:
    settings = (
        "global_defs {\nrouter_id r\nsmtp_server 10.0.0.25 2525\nsmtp_alert\nsmtp_connect_timeout 7\n%s}\n"
    )
    readers = (
        "notification_email {\na@x\nb@x\n}\nnotification_email_from k@x\nsmtp_helo_name me\nno_email_faults\n"
    )
    assert planned(settings % "" + instance("")).options.mail is None
    made = planned(settings % readers + instance("") + instance("smtp_alert off", "B").replace(" 9", " 10"))
    assert made.options.mail == plan.Mail("10.0.0.25", 2525, "k@x", ("a@x", "b@x"), "me", 7)
    assert made.options.mail_faults is False
    assert [config.notify.mail for config in made.instances] == [True, False]


def test_paces_and_delays_of_interfaces() -> None:
    above = """
garp_group {
 garp_interval 0.5
 interfaces {
  eth1
  eth2
 }
}
interface_up_down_delays {
 eth0 0.25 1
 eth1 2
}
"""
    made = planned(above + instance(""))
    assert made.garp_groups == (plan.GarpGroup(("eth1", "eth2"), 500_000, 0),)
    assert made.debounces == (
        plan.Debounce("eth0", 250_000, 1_000_000),
        plan.Debounce("eth1", 2_000_000, 2_000_000),
    )


def test_unicast_without_peers_may_be_a_fault() -> None:
    assert only("unicast_fault_no_peer").mute
    assert not only("").mute
    assert only("priority 255\nowner_ignore_adverts").owner_ignores_adverts


def test_auth_hmac() -> None:
    key = f"key 1 {'k' * 32}\n"
    text = f"auth_hmac {{\n{key}key 2 file:/k\nactive_key 2\nmode permissive\n}}\nadvert_int 3"
    keys = (plan.HmacKey(1, b"k" * 32), plan.HmacKey(2, path="/k"))
    assert only(text).hmac == plan.HmacAuth(keys, 2, 9, timed=True, signs=True, insists=False)
    made = only(f"auth_hmac {{\n{key}active_key 1\nanti_replay monotonic\nmode receive-only\n}}").hmac
    assert made == plan.HmacAuth(keys[:1], 1, 5, timed=False, signs=False, insists=False)
    assert only("auth_hmac {\nactive_key 3\n}").hmac is None
    assert only(f"auth_hmac {{\n{key}}}").hmac is None  # which one is to sign has to be said


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("vrrp_garp_interval 0.5", "garp_interval_us", 500_000),
        ("vrrp_gna_interval 0.25", "gna_interval_us", 250_000),
        ("vrrp_delay_after_boot 9", "delay_after_boot_us", 9_000_000),
        ("vrrp_netlink_cmd_rcv_bufs 70000", "buffers", Buffers(command=Buffer(70000))),
        ("vrrp_netlink_monitor_rcv_bufs 80000", "buffers", Buffers(monitor=Buffer(80000))),
        ("vrrp_netlink_cmd_rcv_bufs_force yes", "buffers", Buffers(command=Buffer(force=True))),
        ("vrrp_netlink_monitor_rcv_bufs_force yes", "buffers", Buffers(monitor=Buffer(force=True))),
        ("vrrp_rx_bufs_policy ADVERT", "rx_policy", RxPolicy("ADVERT")),
        ("vrrp_rx_bufs_policy MTU\nvrrp_rx_bufs_multiplier 7", "rx_policy", RxPolicy("MTU", 7)),
        ("vrrp_notify_fifo /run/a", "vrrp_notify_fifo", plan.Fifo("/run/a")),
        (
            "vrrp_notify_fifo /run/a\nvrrp_notify_fifo_script /bin/true",
            "vrrp_notify_fifo",
            plan.Fifo("/run/a", script=plan.Program(("/bin/true",))),
        ),
    ],
)
def test_what_the_process_is_told(line: str, field: str, value: object) -> None:
    found = getattr(planned(f"global_defs {{\n{line}\n}}\n{instance('')}").options, field)
    assert found == value


def test_the_least_announcements() -> None:
    """vrrp_min_garp, where nothing else is said."""
    made = only("", "global_defs {\nvrrp_min_garp yes\n}\n").garp
    assert (made.master_repeat, made.master_delay_us) == (1, 0)
    made = only("garp_master_repeat 3", "global_defs {\nvrrp_min_garp yes\n}\n").garp
    assert made.master_repeat == 3
