"""``show fd``, ``show threads``, ``show profiling`` on answers that workers might give."""

from typing import Any

import pytest
from test_runtime_api import Machine

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.inquiry import Inquiry
from evener.haproxy.runtime.developers import selected, short_time

ROWS: list[list[Any]] = [
    [1, "front", [12, 7, 3, 0, 16, 0], "web", "", 2, 80, 4711, 2],
    [0, "listener", [5, 1, 0, 0, 0, 0], "web", "", 2, 0, 0, 0],
    [0, "back", [13, 9, 20, 104, 0, 5], "", "s1", 10, 0, 0, 1],
    [0, "pipe", [3, 2, 0, 0, 0, 0], "", "", 0, 0, 0, 0],
]


def machine(rows: list[Any]) -> Machine:
    made = Machine()
    made.control.inquire = lambda *_question: Inquiry(0, rows)
    return made


def kinds(line: str) -> list[str]:
    return [row.split(" :")[0].strip() for row in machine(ROWS).ask(line).splitlines() if row]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("show fd", ["3", "5", "13", "12"]), ("show fd p", ["3"]), ("show fd l", ["5"]),
        ("show fd c", ["13", "12"]), ("show fd f", ["12"]), ("show fd s", ["13"]), ("show fd c!f", ["13"]),
        ("show fd -p", ["5", "13", "12"]), ("show fd !lp", ["13", "12"]), ("show fd 5", ["5"]),
        ("show fd 1/5", ["5"]), ("show fd c 5", []), ("show fd 0/", ["3", "5", "13", "12"]),
    ],
)  # fmt: skip
def test_descriptors_are_chosen_by_kind_and_number(line: str, shown: list[str]) -> None:
    assert kinds(line) == shown


def test_what_is_said_of_a_connection() -> None:
    front, back = machine(ROWS).ask("show fd 12"), machine(ROWS).ask("show fd 13")
    assert (
        "tmask=0x2" in front and "fe=web" in front and "lport=80 rport=4711" in front and "fam=ipv4" in front
    )
    assert "W:sRa R:sRA" in front and ".ibuf=16 .obuf=0" in front and "cerr=0" in front
    assert "sv=s1" in back and "back=1" in back and "cerr=48" in back and "(cl HEopi W:srA R:srA)" in back


@pytest.mark.parametrize("word", ["x", "cx", "-x", "F"])
def test_letters_without_meaning(word: str) -> None:
    assert selected(word, None) is None


def test_workers() -> None:
    told = machine([[1, 300, 0, 5], [0, 299, 4, 77]]).ask("show threads")
    assert told.index("Thread 1 ") < told.index("Thread 2 ")
    assert "act=1" in told.split("Thread 2")[0] and "cpu_ns: now=77 clients=4" in told


def test_what_streams_cost() -> None:
    made = Machine()
    assert "process_stream" not in made.ask("show profiling")
    made.ask("set profiling tasks on")
    get = made.control.cells.get
    assert get(PROCESS_ROW, Column.PROFILING) == 1
    for column, number in ((Column.PROF_CALLS, 7), (Column.PROF_CPU, 37090), (Column.PROF_LAT, 1050)):
        made.control.cells.set(PROCESS_ROW, column, number)
    assert made.ask("show profiling tasks 5").splitlines()[2] == (
        "  process_stream                    7   37.09us   5.298us      -         -         -      150.0ns"
    )
    made.ask("set profiling tasks off")
    assert get(PROCESS_ROW, Column.PROFILING) == 0 and "7   37.09us" in made.ask("show profiling")
    made.ask("set profiling tasks on")
    assert "process_stream" not in made.ask("show profiling")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "   -   "),
        (121, "121.0ns"),
        (1588, "1.588us"),
        (22230, "22.23us"),
        (5e9, "5.000s "),
        (90e9, "1.500m "),
    ],
)
def test_times(ns: float, text: str) -> None:
    assert short_time(ns) == text
