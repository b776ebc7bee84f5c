"""Masters that advertise together are set apart once, and keep their beat from then on."""

from __future__ import annotations

import socket
from collections import Counter
from itertools import pairwise

import pytest

from evener.keepalived.vrrp.crowd import CROWD
from evener.keepalived.vrrp.messages import SendAdvert
from evener.keepalived.vrrp.plan import GarpOptions, Instance, TrackKind, VirtualAddress, VrrpPlan
from evener.keepalived.vrrp.router import Router

QUIET = GarpOptions(master_repeat=0, master_delay_us=0, lower_prio_delay_us=0)
INTERVAL_US = 1_000_000


def adverts(count: int, until_us: int, sleeps: tuple[int, int] = (0, 0)) -> dict[str, list[int]]:
    """When each of so many instances that start together advertises; nobody wakes up while it ``sleeps``."""
    vip = VirtualAddress(socket.inet_aton("10.0.0.9"), 24, "eth0")
    configs = [
        Instance(f"V{n}", n % 255 + 1, "eth0", version=3, advert_cs=100, addresses=(vip,), garp=QUIET)
        for n in range(count)
    ]
    router = Router(VrrpPlan(instances=tuple(configs)))
    for member in router.members.values():
        for track in member.tracks:
            if track.kind in (TrackKind.INTERFACE, TrackKind.SOURCE):
                router.know(track.kind, track.name, 1)
    router.start(0)
    found: dict[str, list[int]] = {config.name: [] for config in configs}
    while (now := router.next_timer()) is not None and now < until_us:
        now = sleeps[1] if sleeps[0] <= now < sleeps[1] else now
        for name, command in router.tick(now):
            if isinstance(command, SendAdvert):
                found[name].append(now)
    return found


@pytest.mark.parametrize("count", [CROWD + 1, 10 * CROWD, 1000])
def test_a_crowd_is_set_apart_once(count: int) -> None:
    sent = adverts(count, 8 * INTERVAL_US)
    for times in sent.values():
        gaps = [after - before for before, after in pairwise(times)]
        assert all(INTERVAL_US // 2 <= gap <= INTERVAL_US for gap in gaps)
        assert sum(gap != INTERVAL_US for gap in gaps) <= 1, "one interval is shorter, at most"
        assert gaps[-3:] == [INTERVAL_US] * 3
    together = Counter(times[-1] for times in sent.values())
    assert max(together.values()) <= CROWD
    assert len(together) == -(-count // CROWD)


def test_a_few_stay_together() -> None:
    sent = adverts(CROWD, 8 * INTERVAL_US)
    assert len({tuple(times) for times in sent.values()}) == 1


def test_a_long_sleep_does_not_bring_them_together_again() -> None:
    sent = adverts(10 * CROWD, 12 * INTERVAL_US, sleeps=(8 * INTERVAL_US, 10 * INTERVAL_US))
    for times in sent.values():
        before, after = (t for t in times if t < 8 * INTERVAL_US), (t for t in times if t > 10 * INTERVAL_US)
        assert {t % INTERVAL_US for t in list(before)[-3:]} == {t % INTERVAL_US for t in after}
    assert max(Counter(times[-1] for times in sent.values()).values()) <= CROWD
