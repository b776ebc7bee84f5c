"""Gratuitous ARPs and neighbour advertisements of a master, beside the original: how many, and when.

One router alone becomes master, and hears a weaker one now and then where that matters. Its announcements
are put into bunches; evener's have to be as many as keepalived's, at the same times after the first advert.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import pytest
from lab import PROGRAMS, Frame, Lab, Link, Router, configuration, ip, packed, why_not
from original import release
from stranger import GROUP, SOURCE, send, wrap

from evener.keepalived.vrrp.plan import Family
from evener.wire import vrrp

pytestmark = [pytest.mark.netns, pytest.mark.timeout(200)]

LINK, SIXTH = Link(), Link(family=Family.INET6)
PAUSE_S, LATE_S = 0.15, 0.25
"""What separates two bunches, and what a busy machine may do to one."""
AT_A_TIME = 6


@dataclass(frozen=True)
class Case:
    """``more`` are lines of the instance, ``above`` blocks before it. Weaker adverts come at ``rivals``."""

    more: str
    above: str = ""
    link: Link = LINK
    seconds: float = 4.5
    rivals: tuple[float, ...] = ()
    since: tuple[int, int] = (2, 2)
    """The keepalived that does it this way: older ones count refreshes from the first announcement,
    and leave out the last of those that wait for an interval."""


ONE = "garp_master_repeat 1\n garp_master_delay 0\n"
ELSEWHERE = (
    "garp_master_repeat 1\n garp_master_delay 1\n virtual_ipaddress_excluded {\n  10.8.0.5/24 dev eth1\n }\n "
)
"""An address on another interface, which is on the switch as well."""
CASES = {
    "delay-repeat": Case("garp_master_delay 2\n garp_master_repeat 3"),
    "no-delay": Case("garp_master_delay 0\n garp_master_repeat 4"),
    "refresh": Case("garp_master_delay 1\n garp_master_repeat 1\n garp_master_refresh 1", since=(2, 4)),
    "refresh-without-delay": Case(ONE + "garp_master_refresh 1\n garp_master_refresh_repeat 2"),
    "refresh-repeat": Case("garp_master_refresh 2\n garp_master_refresh_repeat 3", seconds=6.4, since=(2, 4)),
    "neighbours": Case(
        "garp_master_delay 1\n garp_master_repeat 2\n garp_master_refresh 1", link=SIXTH, since=(2, 4)
    ),
    "weaker": Case(ONE + "garp_lower_prio_delay 2\n garp_lower_prio_repeat 3", rivals=(1.0,), seconds=5.4),
    "weaker-again": Case(
        ONE + "garp_lower_prio_delay 2\n garp_lower_prio_repeat 2", rivals=(0.6, 1.2, 3.6), seconds=7.4
    ),
    "weaker-at-once": Case(ONE + "garp_lower_prio_delay 0\n garp_lower_prio_repeat 2", rivals=(1.0, 2.0)),
    "weaker-unannounced": Case(ONE + "garp_lower_prio_repeat 0", rivals=(1.0,)),
    "weaker-by-default": Case(ONE, rivals=(1.0,), seconds=7.5),
    "interval": Case(
        "garp_master_delay 0\n garp_master_repeat 3",
        "global_defs {\n vrrp_garp_interval 0.5\n}\n",
        since=(2, 4),
    ),
    "interval-of-neighbours": Case(
        "garp_master_delay 0\n garp_master_repeat 3",
        "global_defs {\n vrrp_gna_interval 0.5\n}\n",
        SIXTH,
        since=(2, 4),
    ),
    "interval-of-a-group": Case(
        "garp_master_delay 0\n garp_master_repeat 3",
        "garp_group {\n garp_interval 0.6\n interfaces {\n  eth0\n }\n}\n",
        since=(2, 4),
    ),
    "global-defaults": Case(
        "",
        "global_defs {\n vrrp_garp_master_delay 2\n vrrp_garp_master_repeat 2\n"
        " vrrp_garp_master_refresh 1\n vrrp_garp_master_refresh_repeat 2\n}\n",
        seconds=5.4,
        since=(2, 4),
    ),
    "vmac": Case(
        "use_vmac\n garp_master_delay 1\n garp_master_repeat 2\n garp_master_refresh 1", since=(2, 4)
    ),
    "other-interfaces": Case(ELSEWHERE + "garp_extra_if all 1", seconds=5.4, since=(2, 4)),
    "other-interfaces-of-all": Case(
        ELSEWHERE, "global_defs {\n vrrp_garp_extra_if all 2\n}\n", seconds=6.4, since=(2, 4)
    ),
    "macvlans-elsewhere": Case(
        f"use_vmac\n use_vmac_addr\n {ELSEWHERE} garp_extra_if 1", seconds=5.4, since=(2, 4)
    ),
}
Bunches = list[tuple[float, int]]


def second_interface(lab: Lab) -> None:
    peer = ("peer", "name", "eth1", "netns", lab.spaces[0])
    ip("link", "add", "q0", "type", "veth", *peer, namespace=lab.switch)
    ip("link", "set", "q0", "master", "br0", "up", namespace=lab.switch)
    ip("link", "set", "eth1", "up", namespace=lab.spaces[0])
    ip("addr", "add", "10.8.0.1/24", "dev", "eth1", namespace=lab.spaces[0])


def play(name: str, program: str) -> Bunches:
    case = CASES[name]
    lab = Lab(case.link, (Router(0, 150, program),))
    try:
        text = configuration(case.link, lab.routers[0], more=case.more, above=case.above)
        defaults = " garp_master_repeat 2\n garp_master_delay 1\n"
        assert defaults in text
        lab.configure(0, text.replace(defaults, ""))
        if "eth1" in case.more:
            second_interface(lab)
        lab.start(0)
        began = lab.wait_advert(0, 0.0, 30.0).at
        for moment in case.rivals:
            time.sleep(max(began + moment - time.time(), 0))
            send(lab, [weaker(case.link)], 1)
        time.sleep(max(began + case.seconds - time.time(), 0))
        frames = [f for f in lab.seen().frames if f.priority is None and f.at < began + case.seconds]
        return bunches(began, frames)
    finally:
        lab.close()


def weaker(link: Link) -> bytes:
    advert = vrrp.Advert(link.version, 51, 50, link.advert_cs, (packed(link.vip),))
    return wrap(vrrp.encode(advert, SOURCE, GROUP))


def bunches(began: float, frames: list[Frame]) -> Bunches:
    """When each begins, and how many frames it has."""
    heads = [0] if frames else []
    heads += [n for n, (a, b) in enumerate(pairwise(frames), 1) if b.at - a.at > PAUSE_S]
    return [
        (frames[head].at - began, after - head)
        for head, after in zip(heads, [*heads[1:], len(frames)], strict=True)
    ]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[tuple[str, str], Future[Bunches]]]:
    reason = why_not() or (None if shutil.which(PROGRAMS["keepalived"][0]) else "keepalived is not installed")
    if reason:
        pytest.skip(reason)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        names = [name for name in CASES if release() >= CASES[name].since]
        yield {(name, program): pool.submit(play, name, program) for name in names for program in PROGRAMS}


@pytest.mark.parametrize("name", CASES)
def test_the_same_announcements(name: str, outcomes: dict[tuple[str, str], Future[Bunches]]) -> None:
    if release() < CASES[name].since:
        pytest.skip("keepalived {}.{} does it this way".format(*CASES[name].since))
    ours, theirs = (outcomes[name, program].result() for program in ("evener", "keepalived"))
    shown = f"{ours} beside {theirs}"
    assert [count for _, count in ours] == [count for _, count in theirs], shown
    assert all(abs(a - b) < LATE_S for (a, _), (b, _) in zip(ours, theirs, strict=True)), shown
