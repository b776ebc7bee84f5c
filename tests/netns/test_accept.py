"""Accept mode: what a master does not take, as a neighbour sees it; its rules beside the original's."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from lab import Lab, Link, Router, configuration, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)
OWN, OTHER = Router(0, 150, "evener"), Router(1, 100, "evener")


@pytest.fixture
def lab() -> Iterator[Lab]:
    reason = why_not()
    if reason or shutil.which("nft") is None:
        pytest.skip(reason or "nftables is not installed")
    lab = Lab(LINK, (OWN, OTHER))
    try:
        yield lab
    finally:
        lab.close()


def answers(lab: Lab) -> bool:
    """Whether a neighbour's UDP packet for the virtual address reaches the host (it says: port closed)."""
    connect = "import socket; s = socket.socket(2, 2); s.settimeout(1); s.connect(('10.9.0.100', 9))"
    probe = f"{connect}; s.send(b'x'); s.recv(1)"
    run = ["ip", "netns", "exec", lab.spaces[1], "python3", "-c", probe]
    return b"ConnectionRefused" in subprocess.run(run, check=False, capture_output=True).stderr


def rules(lab: Lab, number: int) -> str:
    run = ["ip", "netns", "exec", lab.spaces[number], "nft", "list", "ruleset"]
    text = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    return re.sub(r"packets \d+ bytes \d+", "packets N bytes N", text)


def start(lab: Lab, number: int, more: str, above: str = "") -> None:
    router = lab.routers[number]
    lab.configure(number, configuration(LINK, router, more=more, above=above))
    lab.start(number)
    lab.wait_for(lambda: lab.has_vip(number), "the address")


def test_an_address_that_takes_nothing_is_still_found(lab: Lab) -> None:
    start(lab, 0, "no_accept", "global_defs {\n nftables other\n nftables_counters\n nftables_priority -5\n}")
    assert not answers(lab)
    neighbours = lab.ip(1, "neigh", "show", "10.9.0.100")
    assert lab.mac(0).hex(":") in neighbours, "ARP is answered"
    text = rules(lab, 0)
    assert "table ip other" in text and "10.9.0.100" in text and "counter" in text and "filter - 5" in text
    lab.configure(0, configuration(LINK, OWN, more="accept"))
    lab.signal(0, 1)
    lab.wait_for(lambda: answers(lab), "packets to be taken after a reload")
    assert lab.log(0).count("Entering MASTER STATE") == 1, "and nobody noticed"
    lab.stop(0)
    assert rules(lab, 0) == ""


@pytest.mark.parametrize(
    ("more", "taken"), [("strict_mode", False), ("strict_mode\n accept", True), ("accept\n no_accept", False)]
)
def test_strict_mode_does_not_accept_unless_told_to(lab: Lab, more: str, taken: bool) -> None:
    start(lab, 0, more)
    assert answers(lab) == taken


INSTANCE = """vrrp_instance VI_{number} {{
 interface eth0
 virtual_router_id 5{number}
 version 3
 priority 150
 advert_int 0.1
 {more}
 virtual_ipaddress {{
  {vips}
 }}
}}
"""
SEVERAL = "global_defs {\n nftables\n nftables_counters\n}\n" + "".join(
    INSTANCE.format(number=number, more=more, vips=vips)
    for number, (more, vips) in enumerate(
        [
            ("no_accept", "10.9.0.101/24"),
            ("no_accept", "fe80::100\nfd00::5/64"),
            ("use_vmac", "10.9.0.102/24"),
            ("use_vmac", "fe80::102"),
        ]
    )
)


NEWER = ("mld-report", "mld-listener-report", "mld2-listener-report", "parent_link_local", '. "vrrp.53"')
"""Release 2.2.7 drops one kind of MLD report from a macvlan, and no neighbour advertisement."""


def test_the_same_rules_as_the_original(lab: Lab) -> None:
    found = []
    for number, program in ((0, "evener"), (1, "keepalived")):
        lab.routers = (OWN, Router(1, 100, program))
        lab.configure(number, SEVERAL)
        lab.ip(number, "addr", "add", f"fe80::{number + 1}/64", "dev", "eth0")
        lab.start(number)
        for wanted in ("fe80::100", "vmac_map", "10.9.0.101", "vmac_set"):
            lab.wait_for(lambda n=number, w=wanted: w in rules(lab, n), wanted)  # type: ignore[misc]
        found.append(rules(lab, number).replace(f"fe80::{number + 1} ", "fe80::N "))
        lab.stop(number)
    ours, theirs = ([line.strip() for line in text.splitlines()] for text in found)
    older = "parent_link_local" not in found[1]
    told = "icmpv6 type mld2-listener-report" if older else "of neither release"
    assert [line for line in theirs if line not in ours and not line.startswith(told)] == []
    ours_alone = ("link_local_name", "ifname", *(NEWER if older else ()))
    extra = [line for line in ours if line not in theirs]
    assert all(any(word in line for word in ours_alone) for line in extra), extra


@pytest.mark.parametrize("more", ["no_accept", "accept", "strict_mode", "strict_mode\n accept"])
def test_an_owner_of_the_addresses_beside_the_original(lab: Lab, more: str) -> None:
    """Priority 255: whether it takes packets is the same with both."""
    taken = []
    for program in ("evener", "keepalived"):
        lab.routers = (Router(0, 255, program), OTHER)
        start(lab, 0, more)
        lab.ip(1, "neigh", "flush", "all")
        taken.append((answers(lab), "10.9.0.100" in rules(lab, 0)))
        lab.stop(0)
        (lab.home / "0" / "log").unlink()
    assert taken[0] == taken[1], f"{taken[0]} beside {taken[1]}"
