"""keepalived_check.data beside that of keepalived 2.4.3 for the same file (``fixtures/checkers``)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from kadtext import read

from evener.keepalived.arguments import SECOND
from evener.keepalived.compile_lvs import compile_lvs
from evener.keepalived.lvs.check_plan import CheckId, Report
from evener.keepalived.lvs.checking import CheckView, Names
from evener.keepalived.lvs.checking_scripts import FileCourse
from evener.keepalived.lvs.courses import course_of
from evener.keepalived.lvs.describe import text
from evener.keepalived.lvs.describe_checks import lines_of
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.plan import CheckerPlan
from evener.keepalived.resolve import Surroundings

FIXTURES = Path(__file__).parents[3] / "fixtures" / "checkers"
UNKNOWN = (
    "Virtualhost = ", "Regex ref count", "Regex options", "Last status", "timeout = 0", "timeout = 2",
    "SNI name", "tls_compliant",
)  # fmt: skip
"""Lines of checks that are not said here, or otherwise."""


def plan() -> CheckerPlan:
    configuration, _ = read((FIXTURES / "topology.conf").read_text(), surroundings=Surroundings())
    assert configuration is not None
    return compile_lvs(configuration)


@pytest.fixture
def described() -> str:
    """All virtual servers as when they have just been started, with 4 in the tracked file."""
    made = plan()
    director = Director(made)
    director.start()
    views = []
    for virtual in made.virtual_servers:
        for real in virtual.real_servers:
            for index, check in enumerate(real.checks):
                course = course_of(check, Names(real.shown, virtual.shown))
                if isinstance(course, FileCourse):
                    report = course.holds(4)
                    assert report is not None
                    director.report(CheckId(virtual.name, real.address, real.port, index), report)
                views.append(CheckView(course, not virtual.ha_suspend))
    return text(director, views, {"f": 4}, lambda _program: "0:0")


def test_virtual_servers_in_the_words_of_the_original(described: str) -> None:
    found = described[described.index("------< LVS Topology") : described.index("------< Health checkers")]
    assert found.splitlines() == (FIXTURES / "topology.data").read_text().splitlines()


def test_checks_in_the_words_of_the_original(described: str) -> None:
    """The original has them in the order of the file, here those of one kind are together."""
    begin, end = described.index("------< Health checkers"), described.index("------< Checker track files")
    assert blocks(described[begin:end]) == blocks((FIXTURES / "checks.data").read_text())


def blocks(found: str) -> list[str]:
    kept = (line for line in found.splitlines()[1:] if not any(word in line for word in UNKNOWN))
    return sorted("\n".join(["", *kept]).split("\n [")[1:])


def test_the_file_and_what_ran(described: str) -> None:
    assert described.endswith(
        " Track file = f\n   File = /run/f\n   Status = 4\n   Tracking instances :\n"
        "     [10.9.0.1]:tcp:80 -> [127.0.0.1]:tcp:81, weight 5 reverse\n"
    )
    assert "Router ID = here" in described
    assert " Using autogen SSL context" in described


def test_a_program_that_was_run() -> None:
    (virtual, *_) = plan().virtual_servers
    real = virtual.real_servers[1]
    course = course_of(real.checks[0], Names(real.shown, virtual.shown))
    lines = list(lines_of(CheckView(course, True, began_s=1.5), lambda _program: "1:2"))
    assert "   uid:gid = 1:2" in lines
    assert "   Last ran = 1.500000 (Thu Jan  1 00:00:01 1970.500000)" in lines
    assert f"   Delay loop = {2 * SECOND} us" in lines


def test_a_report_shows(described: str) -> None:
    director = Director(plan())
    director.start()
    virtual = director.plan.virtual_servers[1]
    real = virtual.real_servers[0]
    director.report(CheckId(virtual.name, real.address, real.port, 0), Report(False, first=True))
    shown = text(director, [], {}, lambda _program: "")
    assert shown.count("   alive = 0\n") == described.count("   alive = 0\n") + 1
    assert shown.count("   quorum_state_up = 0\n") == described.count("   quorum_state_up = 0\n") + 1
