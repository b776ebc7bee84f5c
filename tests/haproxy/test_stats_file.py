"""Counters from one process to the next: what is dumped can be loaded, whatever else stands there."""

from pathlib import Path

import pytest
from farm import Cells
from hypothesis import given
from hypothesis import strategies as st

from evener.haproxy import stats_file
from evener.haproxy.check_plan import CheckPlanner
from evener.haproxy.columns import Column
from evener.haproxy.compile import compile_plan
from evener.haproxy.fleet import Fleet
from evener.haproxy.plan import Plan
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.stats import Statistics
from evener.haproxy.stats_file import BadStatsFile
from evener.text.diagnostic import Diagnostics

TEXT = """
defaults
 timeout client 1s
 timeout connect 1s
 timeout server 1s
frontend f
 guid gf
 bind 127.0.0.1:1-2 guid-prefix gl
 bind 127.0.0.1:3 guid-prefix other
listen l
 guid gb
 bind 127.0.0.1:4
 server s 127.0.0.1:1 guid gs
"""


class Process:
    def __init__(self, plan: Plan, planner: CheckPlanner, sockets: bool = True) -> None:
        self.plan, self.cells = plan, Cells()
        fleet = Fleet(plan, planner.server, planner.farm, self.cells.get, 0.0)
        self.statistics = Statistics(
            plan, fleet, self.cells, lambda: 1.0, lambda: 2.0, sockets=lambda _frontend: sockets
        )

    def dump(self) -> str:
        return stats_file.dump(self.plan, self.statistics)

    def load(self, text: str) -> int:
        found = list(stats_file.load(text, self.plan, self.statistics))
        for row, column, value in found:
            self.cells.set(row, column, value)
        return len(found)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, CheckPlanner]:
    path: Path = tmp_path_factory.mktemp("stats") / "cfg"
    path.write_text(TEXT)
    found = Diagnostics()
    configuration = load([str(path)], found, ReadOptions())
    assert configuration is not None and not found.has_errors, list(found)
    plan = compile_plan(configuration, found)
    return plan, CheckPlanner(plan, found)


def test_what_is_dumped_is_loaded(made: tuple[Plan, CheckPlanner]) -> None:
    old, new = Process(*made), Process(*made)
    front, back = old.plan.frontends[0], old.plan.backends[0]
    old.cells.set(front.row, Column.TOTAL, 7)
    old.cells.set(front.row, Column.CUR, 5)
    old.cells.set(front.binds[1].row, Column.BYTES_IN, 8)
    old.cells.set(back.row, Column.ERR_CONN, 9)
    old.cells.set(back.servers[0].row, Column.HRSP_2XX, 10)
    text = old.dump()
    assert text.startswith("#fe guid,stot,bin,") and "\n\n#be guid,stot,bin," in text
    for guid in ("gf", "gl-0", "gl-1", "other-0", "gb", "gs"):
        assert f"\n{guid}," in text
    assert new.load(text) > 100
    assert new.cells.get(front.row, Column.TOTAL) == 7
    assert new.cells.get(front.row, Column.CUR) == 0  # a gauge is nobody's past
    assert new.cells.get(front.binds[1].row, Column.BYTES_IN) == 8
    assert new.cells.get(back.row, Column.ERR_CONN) == 9


def test_what_is_not_understood_is_left_out(made: tuple[Plan, CheckPlanner]) -> None:
    process = Process(*made)
    row = process.plan.frontends[0].row
    text = (
        "#fe guid,stot,what,bin,scur,\n// note\ngf,5,6,7,8,\nnobody,1,1,\ngb,1,1,\ngf,x\ngf,-1\ngf,1_0\n"
        f"gf,{1 << 63}\ngf\n\n#what guid,stot\ngf,9,\n#be stot\ngb,9,\n"
    )
    # A listen's GUID is that of both its sides.
    assert process.load(text) == 3
    assert (process.cells.get(row, Column.TOTAL), process.cells.get(row, Column.BYTES_IN)) == (5, 7)
    assert process.cells.get(row, Column.CUR) == 0


def test_listeners_without_statistics_are_left_out(made: tuple[Plan, CheckPlanner]) -> None:
    process = Process(*made, sockets=False)
    assert process.load("#fe guid,stot\ngl-0,5\n") == 0
    assert "\ngl-0," not in process.dump()


def test_something_else(made: tuple[Plan, CheckPlanner]) -> None:
    with pytest.raises(BadStatsFile):
        Process(*made).load("hello\n")
    assert Process(*made).load("") == 0


@given(st.text(max_size=60))
def test_hostile_text(text: str) -> None:
    from evener.haproxy.plan import Plan as Empty

    plan = Empty(None, [], [], 1, 1)
    statistics = Statistics(plan, None, Cells(), lambda: 1.0, lambda: 2.0)  # type: ignore[arg-type]
    try:
        list(stats_file.load("#fe guid,stot\n" + text, plan, statistics))
    except BadStatsFile:
        raise AssertionError(text) from None
