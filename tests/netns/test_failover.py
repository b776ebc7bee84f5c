"""Elections between real processes: two evener nodes, and evener against Debian's keepalived in both roles.

All scenarios run at the same time, each in namespaces of its own, and in step: a phase begins when all
have finished the one before, so that nobody starts a process while another measures milliseconds. Times
are the kernel's timestamps of packets on the switch.

Phases: elect; stop the master gracefully; start it again (it preempts); take its link down, and up again;
kill -9 it.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from lab import Lab, Link, Router, on_time, why_not

from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(200)]

STRONG, WEAK = 150, 100
# A slack for what happens before the first packet, on a busy machine: an election may take longer.
HAVE_PATIENCE_S = 60.0

LINKS = {
    "v3": Link(),
    "v3-inet6": Link(family=Family.INET6),
    "v3-unicast": Link(unicast=True),
    "v3-unicast-inet6": Link(family=Family.INET6, unicast=True),
    "v2-pass": Link(version=2, password="secret", advert_cs=100),
}
# (program of the strong router, program of the weak one)
PEERS = {
    "two-eveners": ("evener", "evener"),
    "keepalived-backs-up": ("evener", "keepalived"),
    "keepalived-is-master": ("keepalived", "evener"),
}
# Unicast differs in what is sent, not in who decides: with ourselves it would be shown twice.
SCENARIOS = [
    f"{name}/{peers}"
    for name, link in LINKS.items()
    for peers in PEERS
    if not (link.unicast and peers == "two-eveners")
]


@dataclass
class Outcome:
    """What one scenario measured: seconds, and what was found on the way."""

    intervals: dict[str, float] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    error: BaseException | None = None


class Scenario:
    """One pair of routers going through the phases. Router 0 is the strong one."""

    def __init__(self, name: str, number: int, step: threading.Barrier) -> None:
        link, peers = (part for part in name.split("/"))
        strong, weak = PEERS[peers]
        self.link = LINKS[link]
        self.lab = Lab(self.link, (Router(0, STRONG, strong), Router(1, WEAK, weak)))
        self.step = step
        self.turn_s = number * 0.12
        self.outcome = Outcome()

    def run(self) -> Outcome:
        try:
            self.phases()
        except BaseException as error:
            self.outcome.error = error
            self.step.abort()
        finally:
            self.lab.close()
        return self.outcome

    def phases(self) -> None:
        lab, facts = self.lab, self.outcome.facts
        lab.start(1)
        lab.start(0)
        self.settle(0)
        facts["vip after election"] = (lab.has_vip(0), lab.has_vip(1))
        facts["announced by master"] = len(lab.seen().announcements(lab.mac(0))) >= 2
        self.await_turn()
        self.graceful()
        self.again()
        self.link_down()
        self.again()
        self.killed()
        # The script runs beside the election, and may be later than the first advert.
        lab.wait_for(lambda: "MASTER" in lab.notes(1)[-1], "the last notification")
        facts["notes"] = lab.notes(1)

    def settle(self, number: int) -> None:
        """Wait until router ``number`` alone is master."""
        lab = self.lab

        def alone() -> bool:
            return lab.has_vip(number) and not lab.has_vip(1 - number)

        lab.wait_for(alone, f"mastership of {number}", HAVE_PATIENCE_S)
        time.sleep(self.link.advert_s * 1.5)

    def again(self) -> None:
        self.step.wait(HAVE_PATIENCE_S)
        self.lab.start(0) if 0 not in self.lab.processes else self.lab.set_link(0, "up")
        since = time.time()
        self.lab.wait_advert(0, since, HAVE_PATIENCE_S)
        self.settle(0)
        self.await_turn()

    def await_turn(self) -> None:
        """All are ready; but fifteen routers that stop in the same millisecond disturb each other."""
        self.step.wait(HAVE_PATIENCE_S)
        time.sleep(self.turn_s)

    def graceful(self) -> None:
        lab, since = self.lab, time.time()
        lab.stop(0)
        first = lab.wait_advert(1, since)
        zero = [f for f in lab.seen().adverts(self.link.addresses[0], since) if f.priority == 0]
        self.outcome.facts["priority zero sent"] = bool(zero)
        self.outcome.intervals["graceful"] = first.at - zero[0].at if zero else float("inf")
        time.sleep(0.1)  # the advert comes before the address, the address before the announcement
        self.outcome.facts["vip after stop"] = (lab.has_vip(0), lab.has_vip(1))
        self.outcome.facts["announced by backup"] = bool(lab.seen().announcements(lab.mac(1), since))

    def killed(self) -> None:
        lab, since = self.lab, time.time()
        lab.kill(0)
        self.outcome.intervals["kill"] = self.takeover(since)

    def link_down(self) -> None:
        lab, since = self.lab, time.time()
        lab.set_link(0, "down")
        self.outcome.intervals["link down"] = self.takeover(since)

    def takeover(self, since: float) -> float:
        """From the last advert of the old master to the first of the new one."""
        first = self.lab.wait_advert(1, since)
        before = [f.at for f in self.lab.seen().adverts(self.link.addresses[0]) if f.at < first.at]
        return first.at - before[-1]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Outcome]]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    names = [name for name in SCENARIOS if "keepalived" not in name or shutil.which("keepalived")]
    step = threading.Barrier(len(names))
    scenarios: list[Scenario] = []
    try:
        for number, name in enumerate(names):
            scenarios.append(Scenario(name, number, step))
    except BaseException:
        for scenario in scenarios:
            scenario.lab.close()
        raise
    with ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(Scenario.run, scenarios))
    yield dict(zip(names, done, strict=True))


@pytest.fixture
def outcome(request: pytest.FixtureRequest, outcomes: dict[str, Outcome]) -> Outcome:
    name = request.param
    if name not in outcomes:
        pytest.skip("keepalived is not installed")
    found = outcomes[name]
    if isinstance(found.error, threading.BrokenBarrierError):
        others = [f"{n}: {o.error}" for n, o in outcomes.items() if o.error and o.error is not found.error]
        pytest.fail("another scenario failed: " + "; ".join(others)[:2000])
    if found.error is not None:
        raise found.error
    return found


def link_of(request_name: str) -> Link:
    return LINKS[request_name.split("/")[0]]


every = pytest.mark.parametrize(
    ("outcome", "name"), [(name, name) for name in SCENARIOS], indirect=["outcome"], ids=SCENARIOS
)


@every
def test_the_stronger_is_elected(outcome: Outcome, name: str) -> None:
    assert outcome.facts["vip after election"] == (True, False)
    assert outcome.facts["announced by master"]


@every
def test_graceful_stop_hands_over_within_the_skew(outcome: Outcome, name: str) -> None:
    assert outcome.facts["priority zero sent"]
    assert on_time(outcome.intervals["graceful"], link_of(name).skew_s(WEAK))
    assert outcome.facts["vip after stop"] == (False, True)
    assert outcome.facts["announced by backup"]


@every
@pytest.mark.parametrize("how", ["kill", "link down"])
def test_failover_after_three_adverts_and_the_skew(outcome: Outcome, name: str, how: str) -> None:
    link = link_of(name)
    expected = 3 * link.advert_s + link.skew_s(WEAK)
    assert on_time(outcome.intervals[how], expected)


@every
def test_notify_scripts_hear_of_each_transition(outcome: Outcome, name: str) -> None:
    notes = outcome.facts["notes"]
    assert isinstance(notes, list)
    states = [line.split()[3] for line in notes]
    assert notes[0].startswith("first INSTANCE VI_1 ")
    assert states.count("MASTER") >= 3
    assert all(a != b for a, b in pairwise(states)), "no state is told twice in a row"
