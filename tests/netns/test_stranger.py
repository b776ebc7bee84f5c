"""Adverts of a stranger, told in advance, and what a router does about them: evener beside the original.

A router is alone with the stranger. Both programs hear the same adverts at the same times after their first
own one; they have to send the same adverts, in time, and to say the same of their states. No advert comes
just when a timer runs out.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from lab import Lab, Link, Router, configuration
from original import PROGRAMS, release
from spaces import packed, why_not
from stranger import GROUP, send, wrap

from evener.wire import vrrp

pytestmark = [pytest.mark.netns, pytest.mark.timeout(200)]

LINK = Link(advert_cs=100)
BELOW, ABOVE, US = "10.8.0.1", "10.9.0.77", "10.9.0.1"
"""Two strangers: ties are broken by addresses."""
SECONDS, LATE_S = 11.5, 0.3
AT_A_TIME = 6
TELLING = re.compile(
    r"Entering (?:MASTER|BACKUP|FAULT)|lower priority|higher priority|same priority|discarding|owner"
    r"|Restoring|priority 0|equal priority|preempt delay"
)


@dataclass(frozen=True)
class Case:
    """``adverts``: when, from whom, of which priority. ``more`` are lines of the instance."""

    adverts: tuple[tuple[float, str, int], ...]
    more: str = ""
    priority: int = 150
    since: tuple[int, int] = (2, 2)
    """The release of keepalived that does it this way."""


OWNER = "state MASTER"
ONCE_STRONGER = ((1.5, BELOW, 200), (2.5, BELOW, 200), (3.5, BELOW, 0))
WEAKER_FOR_LONG = ((1.5, BELOW, 200), *((2.2 + 1.2 * number, BELOW, 100) for number in range(8)))
CASES = {
    "a-stronger-one-that-resigns": Case(ONCE_STRONGER),
    "a-stronger-one-that-vanishes": Case(ONCE_STRONGER[:2]),
    "a-weaker-one": Case(((1.5, BELOW, 100), (2.8, BELOW, 100))),
    "a-weaker-one-that-resigns": Case(((1.5, BELOW, 100), (2.8, BELOW, 0))),
    "a-weaker-one-unanswered": Case(((1.5, BELOW, 100), (2.8, BELOW, 100)), "lower_prio_no_advert"),
    "a-stronger-one-answered": Case(ONCE_STRONGER, "higher_prio_send_advert"),
    "a-tie-that-is-won": Case(((1.5, BELOW, 150),)),
    "a-tie-that-is-lost": Case(((1.5, ABOVE, 150), (2.5, ABOVE, 150))),
    "a-stronger-one-becomes-weaker": Case(WEAKER_FOR_LONG),
    "that-is-not-preempted": Case(WEAKER_FOR_LONG, "nopreempt"),
    "that-is-preempted-later": Case(WEAKER_FOR_LONG, "preempt_delay 3"),
    "an-owner-that-is-deaf": Case(
        (*((second, BELOW, 255) for second in (1.5, 2.6, 3.7, 4.7)), (5.7, ABOVE, 200)), OWNER, 255, (2, 4)
    ),
    "an-owner-that-gives-way": Case(((1.5, BELOW, 255),), OWNER, 255, (2, 4)),
    "an-owner-that-we-give-way-to": Case(((1.5, ABOVE, 255), (2.5, ABOVE, 255)), OWNER, 255, (2, 4)),
}
Outcome = tuple[list[tuple[float, int | None]], list[str]]


def play(name: str, program: str) -> Outcome:
    case = CASES[name]
    lab = Lab(LINK, (Router(0, case.priority, program),))
    try:
        lab.configure(0, configuration(LINK, lab.routers[0], more=case.more))
        lab.start(0)
        began = lab.wait_advert(0, 0.0, 30.0).at
        for moment, source, priority in case.adverts:
            time.sleep(max(began + moment - time.time(), 0))
            send(lab, [advert(source, priority)], 1)
        time.sleep(max(began + SECONDS - time.time(), 0))
        sent = [(f.at - began, f.priority) for f in lab.seen().adverts(US) if f.at < began + SECONDS]
        lines = (line.partition("(VI_1)")[2] for line in lab.log(0).splitlines())
        return sent, [line for line in lines if TELLING.search(line)]
    finally:
        lab.close()


def advert(source: str, priority: int) -> bytes:
    made = vrrp.Advert(3, 51, priority, LINK.advert_cs, (packed(LINK.vip),))
    return wrap(vrrp.encode(made, packed(source), GROUP), source=packed(source))


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[tuple[str, str], Future[Outcome]]]:
    reason = why_not() or (None if shutil.which(PROGRAMS["keepalived"][0]) else "keepalived is not installed")
    if reason:
        pytest.skip(reason)
    names = [name for name in CASES if release() >= CASES[name].since]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {(name, program): pool.submit(play, name, program) for name in names for program in PROGRAMS}


@pytest.mark.parametrize("name", CASES)
def test_the_same_answers(name: str, outcomes: dict[tuple[str, str], Future[Outcome]]) -> None:
    if release() < CASES[name].since:
        pytest.skip("keepalived {}.{} does it this way".format(*CASES[name].since))
    (ours, we_say), (theirs, they_say) = (
        outcomes[name, program].result() for program in ("evener", "keepalived")
    )
    assert we_say == they_say
    shown = f"{ours} beside {theirs}"
    assert [priority for _, priority in ours] == [priority for _, priority in theirs], shown
    assert all(abs(a - b) < LATE_S for (a, _), (b, _) in zip(ours, theirs, strict=True)), shown
