"""A reload changes what changed, and nothing else: what the kernel reports while it happens."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import Lab, Link, Router, configuration, longest_gap, packed, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)
OWN = Router(0, 150, "evener")
MORE = """
use_vmac
no_accept
virtual_ipaddress_excluded {
 10.9.0.101/24
}
virtual_routes {
 10.6.0.0/16 via 10.9.0.77 dev eth0
}
virtual_rules {
 from 10.6.0.0/16 table 300 priority 600
}
"""
STATIC = """
static_ipaddress {
 10.8.0.1/24 dev eth0
}
static_routes {
 10.7.0.0/24 via 10.9.0.77 dev eth0
}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(LINK, (OWN, Router(1, 100, "evener")))
    try:
        yield lab
    finally:
        lab.close()


def reported(lab: Lab, action: Callable[[], None], done: str) -> list[str]:
    """What the kernel tells everybody about links, addresses, routes and rules while ``action`` happens."""
    heard = Path(lab.home / "heard")
    command = ["ip", "-n", lab.spaces[0], "-o", "monitor", "link", "address", "route", "rule"]
    with heard.open("wb") as out:
        monitor = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        before = lab.log(0).count(done)
        action()
        lab.wait_for(lambda: lab.log(0).count(done) > before, done)
        time.sleep(0.5)
    finally:
        monitor.send_signal(signal.SIGKILL)
        monitor.wait(10)
    return heard.read_text("utf-8").splitlines()


def test_only_what_changed(lab: Lab) -> None:
    text = configuration(LINK, OWN, more=MORE, above=STATIC)
    lab.configure(0, text)
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership")
    time.sleep(1.5)  # the kernel speaks of the state of a link that was just made up to a second later
    since = time.time()

    def again(changed: str) -> list[str]:
        lab.configure(0, changed)
        return reported(lab, lambda: lab.signal(0, signal.SIGHUP), ": Reloading\n")

    assert again(text) == [], "nothing"
    assert again(text.replace("priority 150", "priority 160")) == [], "not even with another priority"
    more = text.replace("10.9.0.101/24", "10.9.0.101/24\n 10.9.0.102/24")
    heard = again(more)
    assert heard and all("10.9.0.102" in line for line in heard), heard
    assert packed("10.9.0.102") in lab.addresses(0)
    heard = again(text)
    assert heard and all("10.9.0.102" in line and line.startswith("Deleted") for line in heard), heard
    heard = again(text.replace("10.7.0.0/24", "10.77.0.0/24"))
    assert {line.split()[line.startswith("Deleted")] for line in heard} == {"10.7.0.0/24", "10.77.0.0/24"}
    assert lab.log(0).count("Entering MASTER STATE") == 1
    own = lab.seen().adverts(LINK.addresses[0], since)
    assert longest_gap(own) < 3 * LINK.advert_s and all(frame.priority for frame in own)
