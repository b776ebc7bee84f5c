"""Words of LVS: what is said about bad ones (as the original says it), and what good ones stand for."""

# ruff: noqa: E501 - a configuration stands on one line
from __future__ import annotations

import pytest
from kadtext import read

from evener.keepalived.blocks.group_lines import BadRange, members, span_of
from evener.keepalived.compile_lvs import compile_lvs
from evener.keepalived.compile_lvs_sync import lvs_sync
from evener.keepalived.lvs.ipvs import Forwarding, Method, Service, TunnelChecksum, TunnelType
from evener.keepalived.vrrp.plan import SyncDaemon

REAL = "real_server 10.0.0.7 80 { }"

GLOBALS = [
    ("lvs_timeouts", ["lvs_timeouts requires at least one option"]),
    (
        "lvs_timeouts tcp abc udp",
        [
            "invalid number 'abc'",
            "Invalid lvs_timeout tcp (abc) - ignoring",
            "No value specified for lvs_timeout udp - ignoring",
        ],
    ),
    (
        "lvs_timeouts foo 3",
        ["Unknown option foo specified for lvs_timeouts", "Unknown option 3 specified for lvs_timeouts"],
    ),
    ("lvs_sync_daemon eth0 VI_1 5", ['Please use keyword "id" before lvs_sync_daemon SYNCID']),
    (
        "lvs_sync_daemon eth0 VI_1 id abc ttl 0 group 10.0.0.1 zzz",
        [
            "invalid number 'abc'",
            "Invalid syncid (abc) - defaulting to vrid",
            "number '0' outside range [1, 255]",
            "Invalid lvs_sync_daemon ttl (0) - ignoring",
            "lvs_sync_daemon group address 10.0.0.1 is not multicast - ignoring",
            "Unknown option zzz specified for lvs_sync_daemon",
        ],
    ),
    ("lvs_flush_on_stop vs", ["Unknown lvs_flush_on_stop type vs"]),
]

LINES = [
    ("10.0.0.5-3 80", "Address range end is not greater than address range start - 10.0.0.5-3 - skipping"),
    (
        "10.0.1.3-10.0.0.1",
        "Address range end is less than address range start - 10.0.1.3-10.0.0.1 - skipping",
    ),
    ("10.0.0.8/28 80", "Address mask bits not empty - 10.0.0.8/28 - skipping"),
    ("10.0.0.0/0", "Invalid netmask - 10.0.0.0/0 - skipping"),
    ("10.0.0.0/33", "Invalid netmask - 10.0.0.0/33 - skipping"),
    ("10.0.0.0/1_0", "Invalid netmask - 10.0.0.0/1_0 - skipping"),
    ("10.0.0.1-x", "Virtual server group range '10.0.0.1-x' has extra characters at end 'x'"),
    ("10.0.0.1-300", "Virtual server group range '10.0.0.1-300' end '300' too large"),
    ("10.0.0.1 80000", "Invalid virtual server group IP address 10.0.0.1 /port/80000 - skipping"),
    ("10.0.0.1-10.0.0.zz 80", "Invalid range end 10.0.0.1-10.0.0.zz - skipping"),
    ("2001:db8::5-fffff 80", "Virtual server group range '2001:db8::5-fffff' end 'fffff' too large"),
    (
        "2001:db8::5-10.0.0.3",
        "Virtual server group range '2001:db8::5-10.0.0.3' has extra characters at end '.0.0.3'",
    ),
    ("fwmark 3 inet7", "(g): fwmark '3' family inet7 unknown - ignoring"),
    ("fwmark x", "(g): fwmark 'x' must be in [0, 4294967295] - ignoring"),
    ("10.0.0.0/8 80", "More than 65536 addresses - 10.0.0.0/8 - skipping"),
]

METHODS = [
    ("TUN type", "Missing tunnel type for virtual server."),
    ("TUN type foo", "Unknown tunnel type foo for virtual server."),
    ("TUN type gue", "gue tunnels require port, otherwise cannot have port."),
    ("TUN type gue port", "Missing port for virtual server gue tunnel."),
    ("TUN type gue port 0", "Invalid gue tunnel port 0 for virtual server."),
    ("TUN port 33", "gue tunnels require port, otherwise cannot have port."),
    ("TUN csum", "ipip tunnels do not support checksum option."),
    ("TUN type gre remcsum", "gre tunnels do not support remote checksum option."),
    ("NAT type foo", "Unknown tunnel type foo for virtual server."),
    ("nat", "PARSER : unknown [nat] routing method for virtual server."),
]


def messages(text: str) -> list[str]:
    return [each.message for each in read(text)[1]]


@pytest.mark.parametrize(("line", "expected"), GLOBALS)
def test_global_words(line: str, expected: list[str]) -> None:
    assert messages(f"global_defs {{\n{line}\n}}") == expected


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_lines_of_groups(line: str, expected: str) -> None:
    assert expected in messages(f"virtual_server_group g {{\n{line}\n10.0.0.1 80\n}}")


@pytest.mark.parametrize(("method", "expected"), METHODS)
def test_methods(method: str, expected: str) -> None:
    text = f"virtual_server 10.0.0.1 80 {{\nlvs_method {method}\nprotocol TCP\n{REAL}\n}}"
    assert expected in messages(text)


def test_a_group_without_lines_or_with_vague_marks_is_removed() -> None:
    assert messages("virtual_server_group g {\n10.0.0.300\n}")[-1:] == [
        "virtual server group g has no entries - removing"
    ]
    assert messages("virtual_server_group g {\n10.0.0.1\nfd00::1\nfwmark 3\n}") == [
        "virtual server group g cannot have IPv4, IPv6 and fwmark without family - removing"
    ]


@pytest.mark.parametrize(
    ("word", "first", "last", "count"),
    [
        ("10.0.0.5", "10.0.0.5", "10.0.0.5", 1),
        ("10.0.0.5-20", "10.0.0.5", "10.0.0.20", 16),
        ("10.0.0.250-10.0.1.10", "10.0.0.250", "10.0.1.10", 17),
        ("10.0.0.8/29", "10.0.0.8", "10.0.0.15", 8),
        ("fd00::fe-1ff", "fd00::fe", "fd00::1ff", 258),
        ("fd00::/126", "fd00::", "fd00::3", 4),
    ],
)
def test_addresses_of_a_word(word: str, first: str, last: str, count: int) -> None:
    made = members((word, "80"))
    assert [str(made[0]), str(made[-1]), len(made)] == [first, last, count]


def test_no_word_is_a_traceback() -> None:
    for word in (
        "",
        "-",
        "/",
        "10.0.0.1-",
        "10.0.0.1/",
        "10.0.0.1/-1",
        "fd00::1-",
        "10.0.0.1-١",
        "fd00::-fd01::",
    ):
        try:
            span_of(word)
        except BadRange:
            pass


def service(words: str, head: str = "10.0.0.1 80") -> Service:
    made = compile_lvs(read(f"virtual_server {head} {{\n{words}\nprotocol TCP\n{REAL}\n}}")[0])
    return made.virtual_servers[0].service


@pytest.mark.parametrize(
    ("word", "prefix", "mask"),
    [("255.255.255.0", 24, b""), ("255.0.255.0", 16, b"\xff\0\xff\0"), ("24", 2, b"\0\0\0\x18")],
)
def test_granularity_is_any_netmask_and_asks_for_persistence(word: str, prefix: int, mask: bytes) -> None:
    made = service(f"persistence_granularity {word}")
    assert (made.prefix, made.mask, made.timeout_s) == (prefix, mask, 360)


def test_tunnels() -> None:
    text = (
        f"virtual_server 10.0.0.1 80 {{\nlvs_method TUN type gue port 6080 remcsum\nprotocol TCP\n{REAL}\n}}"
    )
    real = compile_lvs(read(text)[0]).virtual_servers[0].real_servers[0]
    assert real.forwarding == Forwarding(Method.TUN, TunnelType.GUE, 6080, TunnelChecksum.REMOTE)


def test_the_sync_daemon_follows_an_instance() -> None:
    instance = "vrrp_instance VI {\ninterface eth0\nvirtual_router_id 51\npriority 100\nvirtual_ipaddress {\n10.0.0.9\n}\n%s\n}"
    made = lvs_sync(
        read("global_defs {\nlvs_sync_daemon eth1 VI maxlen 900 group 224.0.0.9\n}\n" + instance % "")[0]
    )
    assert made == SyncDaemon("eth1", "VI", 51, maxlen=900, group=b"\xe0\0\0\x09")
    assert lvs_sync(read(instance % "lvs_sync_daemon_interface eth2")[0]) == SyncDaemon("eth2", "VI", 0)
    assert lvs_sync(read("global_defs {\nlvs_sync_daemon eth1 other\n}\n" + instance % "")[0]) is None
