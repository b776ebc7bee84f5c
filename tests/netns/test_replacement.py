"""Three nodes, and the replacement of a running pair of keepaliveds by evener, one node after the other."""

from __future__ import annotations

import shutil
import socket
import struct
import threading
import time
from itertools import pairwise

import pytest
from lab import Lab, Link, Router, configuration, inside, ip, why_not

from evener.wire.checksum import checksum

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

EVERY_S = 0.02
# What a busy machine may add to a takeover.
SLACK_S = 1.0


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


def test_a_pair_is_replaced_while_it_runs() -> None:
    link = Link(advert_cs=20)
    lab = Lab(link, (Router(0, 150, "keepalived"), Router(1, 100, "keepalived")))
    try:
        lab.start(0)
        lab.start(1)
        lab.owned_by(0)
        ping = Ping(lab, "10.9.0.100")
        time.sleep(0.5)
        lab.stop(0)
        lab.owned_by(1)
        lab.replace(0, "evener")
        lab.start(0)
        lab.owned_by(0)
        lab.stop(1)
        lab.replace(1, "evener")
        lab.start(1)
        lab.wait_for(lambda: "Starting Keepalived\n" in lab.log(1), "the second evener")
        lab.wait_for(lambda: lab.log(1).count("Entering BACKUP STATE") >= 3, "its waiting", 20)
        time.sleep(1)
        assert lab.owners() == [0]
        # And the new pair works as the old one did.
        lab.stop(0)
        lab.owned_by(1)
        time.sleep(0.5)
        silence = ping.longest_silence()
        assert len(ping.replies) > 50
        assert silence < 3 * link.advert_s + link.skew_s(100) + SLACK_S
    finally:
        lab.close()


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
