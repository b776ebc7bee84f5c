"""Three nodes, and the replacement of a running pair of keepaliveds by evener, one node after the other."""

from __future__ import annotations

import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest
from lab import Lab, Link, Router, configuration, inside, ip, why_not

from evener.wire.checksum import checksum

pytestmark = [pytest.mark.netns, pytest.mark.timeout(200)]

EVERY_S = 0.02
# What a busy machine may add to a takeover.
SLACK_S = 1.0
SECOND = """vrrp_sync_group G {{
 group {{
  VI_1
  VI_2
 }}
}}
vrrp_instance VI_2 {{
 interface eth0
 virtual_router_id 52
 version 3
 priority {priority}
 advert_int 0.2
 virtual_ipaddress {{
  10.9.0.101/24
 }}
}}
"""


@pytest.fixture(autouse=True)
def possible() -> None:
    reason = why_not() or (None if shutil.which("keepalived") else "keepalived is not installed")
    if reason:
        pytest.skip(reason)


class Ping:
    """Asks an address from the switch, again and again; ``replies`` are the moments of its answers."""

    def __init__(self, lab: Lab, target: str) -> None:
        ip("addr", "add", "10.9.0.254/24", "dev", "br0", namespace=lab.switch)
        self.replies: list[float] = []
        self._socket = inside(lab.switch, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
        self._socket.settimeout(EVERY_S)
        self._target, self._ending = target, False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        body = struct.pack("!HH", 77, 1)
        sum_ = checksum(b"\x08\0\0\0" + body)
        packet = b"\x08\0" + sum_.to_bytes(2, "big") + body
        asked = 0.0
        while not self._ending:
            if time.monotonic() - asked >= EVERY_S:
                asked = time.monotonic()
                try:
                    self._socket.sendto(packet, (self._target, 0))
                except OSError:
                    pass  # nobody answers ARP at the moment
            try:
                data = self._socket.recv(256)
            except TimeoutError:
                continue
            if data[20:21] == b"\0":
                self.replies.append(time.monotonic())

    def longest_silence(self) -> float:
        self._ending = True
        self._thread.join()
        self._socket.close()
        return max(after - before for before, after in pairwise(self.replies))


FAST, SECONDS = Link(advert_cs=20), Link(version=2, advert_cs=100)
CASES: dict[str, tuple[Link, str, str]] = {
    "v3": (FAST, "", ""),
    "v2": (SECONDS, "", ""),
    "v2-password": (replace(SECONDS, password="secret"), "", ""),
    "v3-unicast": (replace(FAST, unicast=True), "", ""),
    "v2-unicast": (replace(SECONDS, unicast=True), "", ""),
    "v3-vmac": (FAST, "use_vmac", ""),
    "v2-vmac-xmit-base": (SECONDS, "use_vmac\n vmac_xmit_base", ""),
    "v3-sync-group": (FAST, "", SECOND),
}
"""The link, lines of the instance, and blocks before it."""
ORDERS = {"stronger-first": (0, 1), "weaker-first": (1, 0)}
NAMES = [f"{case}/{order}" for case in CASES for order in ORDERS]
AT_A_TIME = 4


def play(name: str) -> float:
    """Both nodes are replaced, then the new pair has to do what the old one did. The longest silence."""
    case, order = name.split("/")
    link, more, above = CASES[case]
    lab = Lab(link, (Router(0, 150, "keepalived"), Router(1, 100, "keepalived")))
    try:
        for router in lab.routers:
            filled = above.format(priority=router.priority)
            lab.configure(router.number, configuration(link, router, more=more, above=filled))
        lab.start(0)
        lab.owned_by(0)
        _start_again(lab, 1)
        ping = Ping(lab, "10.9.0.100")
        time.sleep(0.5)
        for number in ORDERS[order]:
            lab.stop(number)
            lab.owned_by(1 - number)
            lab.replace(number, "evener")
            _start_again(lab, number)
            lab.owned_by(0)
        # And the new pair works as the old one did.
        lab.stop(0)
        lab.owned_by(1)
        time.sleep(0.5)
        silence = ping.longest_silence()
        assert len(ping.replies) > 50
        return silence
    finally:
        lab.close()


def _start_again(lab: Lab, number: int) -> None:
    heard = lab.log(number).count("Entering BACKUP STATE")
    lab.start(number)
    lab.wait_for(lambda: lab.log(number).count("Entering BACKUP STATE") > heard, "its waiting")


@pytest.fixture(scope="module")
def silences() -> Iterator[dict[str, Future[float]]]:
    reason = why_not() or (None if shutil.which("keepalived") else "keepalived is not installed")
    if reason:
        pytest.skip(reason)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(play, name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_pair_is_replaced_while_it_runs(name: str, silences: dict[str, Future[float]]) -> None:
    link = CASES[name.split("/")[0]][0]
    silence = silences[name].result()
    print(f"{name}: {silence * 1000:.0f} ms without an answer")
    assert silence < 3 * link.advert_s + link.skew_s(100) + SLACK_S


def test_three_nodes() -> None:
    link = Link(advert_cs=20, nodes=3)
    lab = Lab(link, (Router(0, 150, "keepalived"), Router(1, 120, "evener"), Router(2, 90, "keepalived")))
    try:
        for router in lab.routers:
            lab.configure(router.number, configuration(link, router))
            lab.start(router.number)
            lab.owned_by(0)
        lab.wait_for(lambda: "Entering BACKUP STATE" in lab.log(2), "the third node")
        lab.stop(0)
        lab.owned_by(1)
        lab.stop(1)
        lab.owned_by(2)
        lab.start(1)
        lab.owned_by(1)
        lab.start(0)
        lab.owned_by(0)
    finally:
        lab.close()
