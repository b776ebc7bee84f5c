"""BFD between real processes: evener against Debian's keepalived in both roles, and two eveners over IPv6.

Router 0 tracks its session without a weight, router 1 with one that makes it the stronger: who holds the
address shows what the VRRP process was told. All pairs run at the same time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lab import Lab, Link, Router, configuration, descendants, inside, packed, why_not

from evener.keepalived.vrrp.plan import Family
from evener.wire.bfd import SINGLE_HOP_PORT, Packet, State, encode

pytestmark = [pytest.mark.netns, pytest.mark.timeout(100)]

PAIRS = {
    "keepalived-is-the-neighbour": ("evener", "keepalived", Family.INET, False),
    "keepalived-tracks-us": ("keepalived", "evener", Family.INET, False),
    "two-eveners-inet6": ("evener", "evener", Family.INET6, False),
    "group-of-evener": ("evener", "keepalived", Family.INET, True),
    "group-of-keepalived": ("keepalived", "evener", Family.INET, True),
}
"""Who is stronger and who weaker; whether a sync group tracks the session, rather than an instance."""
GROUP = """vrrp_sync_group G {{
 group {{
  VI_1
  VI_2
 }}
 {more}
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
PATIENCE_S = 20.0
THROWN = 50
DROPPED = dict.fromkeys(
    ("too small", "no such session", "too many hops", "detection multiplier is zero"), THROWN
)


def conf(link: Link, router: Router, weight: str, *, with_session: bool = True, grouped: bool = False) -> str:
    """Router 1 waits for router 0 to begin."""
    own, other = link.addresses[router.number], link.addresses[1 - router.number]
    passive = "passive" if router.number else ""
    # fe80:: needs a zone, which a bfd_instance cannot name: addresses of their own.
    if link.family is Family.INET6:
        own, other = (f"fd09::{number + 1}" for number in (router.number, 1 - router.number))
    above = f"""bfd_instance peer {{
 source_ip {own}
 neighbor_ip {other}
 min_tx 50
 min_rx 60
 multiplier 4
 {passive}
}}
"""
    tracked = f"track_bfd {{\n peer {weight}\n }}"
    if not with_session:
        above = tracked = ""
    if grouped:
        weighs = "sync_group_tracking_weight\n" if weight else ""
        above += GROUP.format(more=weighs + tracked, priority=router.priority)
        tracked = ""
    return configuration(link, router, above=above, more=tracked)


def prepare(strong: str, weak: str, family: Family, grouped: bool = False) -> Lab:
    lab = Lab(Link(family=family, advert_cs=20), (Router(0, 150, strong), Router(1, 100, weak)))
    for number in (0, 1):
        if family is Family.INET6:
            lab.ip(number, "addr", "add", f"fd09::{number + 1}/64", "dev", "eth0", "nodad")
        weight = "" if number == 0 else "weight 60"
        lab.configure(number, conf(lab.link, lab.routers[number], weight, grouped=grouped))
    return lab


def holds(lab: Lab, number: int) -> None:
    """Wait until router ``number`` alone has the address."""
    lab.wait_for(
        lambda: lab.has_vip(number) and not lab.has_vip(1 - number), f"mastership of {number}", PATIENCE_S
    )


def holds_all(lab: Lab, number: int, grouped: bool) -> None:
    holds(lab, number)
    second = packed("10.9.0.101")
    lab.wait_for(
        lambda: [second in lab.addresses(n) for n in (number, 1 - number)] == [grouped, False], "the other"
    )


def come_up(lab: Lab, times: int = 1) -> None:
    """Wait until both have seen their session come up; ``times``: so often since the beginning."""

    def both() -> bool:
        return all(lab.log(number).count("Entering Up state") >= times for number in (0, 1))

    lab.wait_for(both, "the session", PATIENCE_S)


def play(strong: str, weak: str, family: Family, grouped: bool) -> None:
    lab = prepare(strong, weak, family, grouped)
    try:
        lab.start(0)
        lab.start(1)
        come_up(lab)
        holds_all(lab, 1, grouped)  # 100 + 60: its session is up
        lab.kill(1)
        # Router 0 alone: its session is decisive, and it has seen that its neighbour is gone.
        lab.wait_for(lambda: "Expired after" in lab.log(0), "the end of the session", PATIENCE_S)
        assert not lab.has_vip(0)
        lab.start(1)
        come_up(lab, times=2)
        holds_all(lab, 1, grouped)
        # Without its session router 1 is the weaker one, and router 0 does not track any more.
        lab.configure(0, conf(lab.link, lab.routers[0], "", with_session=False, grouped=grouped))
        lab.signal(0, signal.SIGHUP)
        holds_all(lab, 0, grouped)
        lab.wait_for(lambda: "Control Detection Time Expired" in lab.log(1), "the same there", PATIENCE_S)
    finally:
        lab.close()


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, BaseException | None]]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    names = [name for name, pair in PAIRS.items() if "keepalived" not in pair or shutil.which("keepalived")]
    with ThreadPoolExecutor(len(names)) as pool:
        running = {name: pool.submit(play, *PAIRS[name]) for name in names}
        yield {name: future.exception() for name, future in running.items()}


@pytest.mark.parametrize("name", PAIRS)
def test_sessions_decide(name: str, outcomes: dict[str, BaseException | None]) -> None:
    if name not in outcomes:
        pytest.skip("keepalived is not installed")
    error = outcomes[name]
    if error is not None:
        raise error


def test_hostile_packets_and_dying_processes() -> None:
    """Rubbish, packets from afar and stolen discriminators are counted; a killed process comes back."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = prepare("evener", "evener", Family.INET)
    try:
        lab.start(0)
        lab.start(1)
        come_up(lab)
        holds(lab, 1)
        inside(lab.spaces[1], lambda: _throw(lab.link.addresses[0]))
        lab.wait_for(lambda: dump(lab, 0)["dropped"] == DROPPED, "the counting of all")
        document = dump(lab, 0)
        assert [session["state"] for session in document["sessions"]] == ["Up"]
        assert "Expired after" not in lab.log(0)
        for title in ("BFD", "VRRP"):
            _kill_child(lab, 0, title)
            lab.wait_for(
                lambda title=title: f"{title} child process died from signal 9" in lab.log(0),  # type: ignore[misc]
                "the loss",
            )
        lab.wait_for(lambda: "is in state Up" in lab.log(0).rpartition("Starting VRRP")[2], "the news again")
        holds(lab, 1)
        lab.stop(1)
        lab.wait_for(lambda: "Expired after" in lab.log(0), "the end of the session")
        assert not lab.has_vip(0)
    finally:
        lab.close()


def dump(lab: Lab, number: int) -> dict[str, Any]:
    """What the BFD process writes on --signum=JSON."""
    path = lab.home / str(number) / "keepalived_bfd.json"
    path.unlink(missing_ok=True)
    lab.signal(number, 36)
    lab.wait_for(path.exists, "the dump")
    return json.loads(path.read_text("ascii"))  # type: ignore[no-any-return]


def _throw(target: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # Asking for an unknown discriminator from the neighbour's address, so only that is wrong.
        stray = Packet(State.UP, 5, 6, 10_000, 10_000, 3)
        unknown, zero = encode(stray), encode(stray._replace(multiplier=0))
        far = encode(stray._replace(state=State.DOWN, yours=0))
        for _ in range(THROWN):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
            for data in (b"rubbish", unknown, zero):
                sock.sendto(data, (target, SINGLE_HOP_PORT))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
            sock.sendto(far, (target, SINGLE_HOP_PORT))


def _kill_child(lab: Lab, number: int, title: str) -> None:
    """kill -9 of the process that the log calls ``title``."""
    line = next(line for line in reversed(lab.log(number).splitlines()) if f"Starting {title} child" in line)
    pid = int(line.rpartition("=")[2])
    assert pid in descendants(lab.processes[number].pid)
    os.kill(pid, signal.SIGKILL)
