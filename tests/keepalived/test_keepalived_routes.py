"""Routes and rules: what their words amount to, and what is said of those that make no sense."""

from __future__ import annotations

import socket
import struct

import pytest
from kadtext import instance, read, said

from evener.keepalived.compile import compile_plan
from evener.keepalived.reading import Surroundings
from evener.keepalived.vrrp import plan_routes as kernel
from evener.keepalived.vrrp.plan import Track, TrackKind
from evener.keepalived.vrrp.plan_routes import Encapsulation, NextHop, Prefix, Route, Rule

MACHINE = Surroundings(
    interfaces=frozenset(["lo", "eth0"]),
    iproute_names=lambda kind: {"rt_tables": {"blue": 77}, "rt_realms": {"far": 3}}.get(kind, {}),
    vrf_table=lambda name: 500 if name == "red" else None,
)


def route(line: str) -> Route:
    made, _ = read(f"static_routes {{\n{line}\n}}\n", surroundings=MACHINE)
    assert made is not None and len(made.static_routes) == 1
    assert made.static_routes[0].route.text == line
    return made.static_routes[0].route


def rule(line: str) -> Rule:
    made, _ = read(f"static_rules {{\n{line}\n}}\n", surroundings=MACHINE)
    assert made is not None and len(made.static_rules) == 1
    return made.static_rules[0].rule


def packed(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def test_a_plain_route() -> None:
    made = route("10.5.0.0/16 via 10.0.0.1 dev eth0 src 10.0.0.9 metric 0x10")
    assert made.destination == Prefix(packed("10.5.0.0"), 16)
    assert (made.via, made.device, made.metric) == (packed("10.0.0.1"), "eth0", 16)
    assert (made.table, made.protocol, made.mode, made.tracked) == (254, 18, "prepend", True)


def test_names_and_numbers() -> None:
    made = route("default table blue realms far/7 tos 0x10 scope link onlink append")
    assert (made.destination, made.table, made.realms) == (Prefix(), 77, 3 << 16 | 7)
    assert (made.tos, made.scope, made.onlink, made.mode) == (16, 253, True, "append")
    assert route("unreachable 10.0.0.0/8 vrf red").kind == 7
    assert route("10.0.0.0/8 dev eth0 vrf red").table == 500
    assert route("10.0.0.0/8 dev eth0 protocol bird no_track table 300".replace("bird", "12")).protocol == 12


def test_metrics_have_the_kernels_units() -> None:
    made = route(
        "10.0.0.0/8 dev eth0 mtu lock 1400 rtt 2s rttvar 400ms rto_min 200 features ecn congctl lock bbr"
    )
    assert dict(made.metrics) == {"MTU": 1400, "RTT": 16000, "RTTVAR": 1600, "RTO_MIN": 200, "FEATURES": 1}
    assert (made.locked, made.congestion_control) == (("MTU", "CC_ALGO"), "bbr")


def test_several_ways() -> None:
    made = route("10.0.0.0/8 nexthop via 10.0.0.1 weight 3 nexthop dev eth0 onlink realms far")
    assert made.next_hops == (
        NextHop(packed("10.0.0.1"), weight=3),
        NextHop(device="eth0", onlink=True, realms=3),
    )
    assert route("10.0.0.0/8 via 10.0.0.1 or 10.0.0.2").next_hops == (
        NextHop(packed("10.0.0.1")),
        NextHop(packed("10.0.0.2")),
    )
    assert route("fd00::/8 pref low expires 60 dev eth0").family == socket.AF_INET6


ROUTES = [
    ("foo", ["VRRP parsed invalid IP foo. skipping IP...", "unknown route keyword foo"]),
    ("via 10.0.0.1", ["Route must have a destination"]),
    ("inet6 default dev eth0", ["Route must have a destination"]),
    ("10.0.0.0/8 metric x", ["invalid number 'x'", "Invalid metric x specified for route"]),
    ("10.0.0.0/8 via x", ["VRRP parsed invalid IP x. skipping IP...", "invalid route via address x"]),
    ("10.0.0.0/8 via fd00::1", ["Cannot mix IPv4 and IPv6 addresses for route"]),
    ("10.0.0.0/8 gw 10.0.0.1", ['"gw" for routes is deprecated. Please use "via"']),
    ("10.0.0.0/8 table green", ["Routing table green not found for route"]),
    ("10.0.0.0/8 dev eth7", ["WARNING - interface eth7 for VROUTE nexthop doesn't exist"]),
    ("10.0.0.0/8 metric -1", ["Invalid metric -1 specified for route"]),
    ("10.0.0.0/8 metric 1_0", ["Invalid metric 1_0 specified for route"]),
    ("10.0.0.0/8 vrf eth0", ["VRF eth0 not found for route"]),
    ("10.0.0.0/8 expires 5", ["expires is only valid for IPv6"]),
    ("10.0.0.0/8 dev eth0 track_group none", ["track_group none not found"]),
    ("10.0.0.0/8 nexthop via 10.0.0.1 mtu 5", ["Route has trailing nonsense after nexthops - mtu"]),
    ("10.0.0.0/8 nexthop via 10.0.0.1 weight 0", ["Invalid weight 0 specified for route"]),
    (
        "10.0.0.0/8 dev eth0 protocol static",
        ["Route cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting protocol"],
    ),
]


@pytest.mark.parametrize(("line", "expected"), ROUTES)
def test_wrong_routes(line: str, expected: list[str]) -> None:
    lines = said(f"static_routes {{\n{line}\n}}\n", surroundings=MACHINE)
    missing = ["Non-existent interface specified in configuration"] if "eth7" in line else []
    assert lines == [f"(Line 2) {text}" for text in expected] + missing


def test_a_plain_rule() -> None:
    made = rule("not from 10.0.0.0/24 iif eth0 table blue preference 5 suppress_prefixlength 0")
    assert (made.action, made.table, made.inverted, made.input_device) == (1, 77, True, "eth0")
    assert made.source == Prefix(packed("10.0.0.0"), 24)
    assert dict(made.attributes) == {"PRIORITY": 5, "PROTOCOL": 18, "SUPPRESS_PREFIXLEN": 0}


def test_other_rules() -> None:
    made = rule("fwmark 0x5/7 uidrange 5-9 dport 80-90 ipproto tcp goto 90 preference 80 no_track")
    assert made.action == kernel.FR_ACT_GOTO
    assert made.ranges == (("UID_RANGE", 5, 9), ("DPORT_RANGE", 80, 90))
    assert dict(made.attributes) == {"FWMARK": 5, "FWMASK": 7, "GOTO": 90, "IP_PROTO": 6, "PRIORITY": 80}
    assert rule("to fd00::/8 type prohibit preference 4").action == kernel.FR_ACT_PROHIBIT
    assert dict(rule("l3mdev preference 4").attributes)["L3MDEV"] == 1


RULES = [
    ("from foo", ["VRRP parsed invalid IP foo. skipping IP...", "Invalid rule from address foo"]),
    ("from 10.0.0.0/8 preference 5", ["No action specified for rule - ignoring"]),
    ("from 10.0.0.0/8 to fd00::/8 table 5", ["rule specification has mixed IPv4 and IPv6"]),
    ("from 10.0.0.0/8 table 0", ["Table 0 is not valid"]),
    ("from 10.0.0.0/8 often", ["Unknown rule option often"]),
    ("inet6 from fd00::1 table 5", ["Unknown rule option fd00::1"]),
    ("from 10.0.0.1 dport 443 table 5 preference 5", ["invalid dport range 443"]),
    ("from 10.0.0.1 uidrange 5 table 5", ["Invalid uidrange uidrange specified"]),
    ("to 10.0.0.1 table 5 goto x", ["invalid number 'x'", "Invalid target goto specified"]),
    ("from 10.0.0.0/8 local", ["Invalid rule action local"]),
    ("from 10.0.0.0/8 preference 5 goto 5", ["Invalid rule - preference 5 >= goto target 5"]),
    ("from 10.0.0.0/8 goto 5", ["Invalid rule - goto target 5 specified without preference"]),
    ("from 10.0.0.0/8 iif eth7 table 5", ["WARNING - interface eth7 for rule doesn't exist"]),
    (
        "from 10.0.0.0/8 blackhole realms 5",
        ["suppressor/realm specified for non table action - skipping"],
    ),
    ("from 10.0.0.0/8 fwmark x table 5", ["Invalid rule fwmark x specified"]),
    ("from 10.0.0.0/8 sport 70000 table 5 preference 9", ["invalid sport range 70000"]),
]


@pytest.mark.parametrize(("line", "expected"), RULES)
def test_wrong_rules(line: str, expected: list[str]) -> None:
    lines = said(f"static_rules {{\n{line}\n}}\n", surroundings=MACHINE)
    missing = ["Non-existent interface specified in configuration"] if "eth7" in line else []
    assert lines == [f"(Line 2) {text}" for text in expected] + missing


def test_rules_without_a_preference_count_down() -> None:
    text = instance(
        "virtual_rules {\nfrom 10.0.0.0/8 table 5\nfrom 11.0.0.0/8 table 5\nto fd00::/8 table 5\n}"
    )
    sentence = "Rule has no preference specified - setting to {}. This is probably not what you want."
    assert said(text) == [
        f"(Line {line}) {sentence.format(number)}" for line, number in ((3, 16384), (4, 16383), (5, 16384))
    ]


def test_a_track_group_makes_its_instances_watch_the_interface() -> None:
    text = "track_group G {\ngroup { A }\n}\nstatic_routes {\n10.4.0.0/16 dev eth1 track_group G\n}\n"
    made, found = read(text + instance(""))
    assert made is not None and not found.has_errors
    plan = compile_plan(made)
    assert plan.instances[0].tracks == (Track(TrackKind.INTERFACE, "eth1"),)
    assert plan.static.routes[0].device == "eth1"


def test_encapsulations() -> None:
    stack = (100 << 12).to_bytes(4, "big") + (200 << 12 | 1 << 8).to_bytes(4, "big")
    assert route("10.0.0.0/8 encap mpls 100/200 via 10.0.0.1").encap == Encapsulation(1, ((1, stack),))
    made = route("10.0.0.0/8 encap ip id 7 dst 10.0.0.9 src 10.0.0.8 ttl 5 tos 4 flags 1 dev eth0").encap
    ends = ((2, packed("10.0.0.9")), (3, packed("10.0.0.8")))
    assert made == Encapsulation(
        2, ((1, (7).to_bytes(8, "big")), *ends, (4, b"\5"), (5, b"\4"), (6, struct.pack("=H", 1)))
    )
    six = route("fd01::/16 encap ip6 dst fd00::9 hoplimit 3 tc 1 dev eth0").encap
    assert six == Encapsulation(4, ((2, packed("fd00::9")), (4, b"\3"), (5, b"\1")))
    ila = route("fd01::/16 encap ila 1:2:3:4 dev eth0").encap
    assert ila == Encapsulation(3, ((1, bytes.fromhex("0001000200030004")),))
    hops = route("10.0.0.0/8 nexthop encap ip id 4 dev eth0 nexthop via 10.0.0.1").next_hops
    assert hops[0].encap is not None and hops[1].encap is None
    assert route("10.0.0.0/8 via 10.0.0.1 ttl-propagate disabled").ttl_propagate is False


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("encap", "Missing encap type"),
        ("encap gre", "Unknown encap type - gre"),
        ("encap mpls", "missing address for MPLS encapsulation"),
        ("encap mpls 100/x", "invalid mpls address 100/x for encapsulation"),
        ("encap mpls 1048576", "invalid mpls address 1048576 for encapsulation"),
        ("encap ila 1:2", "invalid locator 1:2 for ila encapsulation"),
        ("encap ip ttl 5", "address or id missing for ip encapsulation"),
        ("encap ip dst fd00::1", "IPv6 address fd00::1 not valid for ip encapsulation"),
        ("encap ip id 1 ttl 256", "ttl 256 is not valid for ip encapsulation"),
    ],
)
def test_encapsulations_that_make_no_sense(words: str, message: str) -> None:
    _, found = read(f"static_routes {{\n10.0.0.0/8 dev eth0 {words}\n}}\n", surroundings=MACHINE)
    assert [message] == [d.message for d in found]
