"""Bodies through stages: what passes, what is kept, and that the end comes last."""

from __future__ import annotations

import gzip
import zlib

import pytest

from evener.haproxy.caches import Collect
from evener.haproxy.compression import ALGORITHMS, Compress
from evener.haproxy.filters.bandwidth import Pace
from evener.haproxy.filters.flow import Flow, Stage
from evener.haproxy.filters.trace import TraceStage


def through(flow: Flow, pieces: list[bytes]) -> bytes:
    """Everything that leaves, as the engine asks for it; time goes on where a stage wants it to."""
    out, now = b"", 0
    for at, piece in enumerate([*pieces, b""]):
        out += flow.push(piece, at == len(pieces), now)
        for _ in range(10_000):
            if not flow.held:
                break
            more = flow.more(now)
            out += more
            if not more:
                now += max(1, flow.wait)
    assert flow.over
    return out


def counted() -> tuple[list[int], Compress]:
    seen = [0, 0]

    def count(received: int, given: int) -> None:
        seen[0] += received
        seen[1] += given

    return seen, Compress(ALGORITHMS["gzip"], 1, count)


def test_no_stage_changes_nothing() -> None:
    flow = Flow([])
    assert not flow.changes
    assert through(flow, [b"a", b"bc"]) == b"abc"


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw-deflate", "identity"])
def test_compression_can_be_undone(name: str) -> None:
    body = [b"hello " * 1000, b"", b"x" * 70000]
    flow = Flow([Compress(ALGORITHMS[name], 1, lambda received, given: None)])
    assert flow.changes
    out = through(flow, body)
    undo = {
        "gzip": gzip.decompress, "deflate": zlib.decompress, "identity": bytes,
        "raw-deflate": lambda data: zlib.decompress(data, -15),
    }[name]  # fmt: skip
    assert undo(out) == b"".join(body)


def test_flush_gives_what_was_said_so_far() -> None:
    seen, stage = counted()
    flow = Flow([stage])
    first = flow.push(b"event: 1\n\n", False, 0)
    first += flow.flush(0)
    assert zlib.decompressobj(31).decompress(first) == b"event: 1\n\n"
    assert flow.flush(0) == b"", "nothing new, nothing flushed"
    rest = flow.push(b"", True, 0)
    assert gzip.decompress(first + rest) == b"event: 1\n\n"
    assert seen == [10, len(first + rest)]


def test_pace_keeps_to_its_limit() -> None:
    stage = Pace(1000, 1000)
    assert len(stage.push(b"x" * 3000, True, 0)) == 1000
    assert stage.held
    assert stage.more(0) == b""
    assert len(stage.more(500)) == 500
    assert len(stage.more(1500)) == 1000
    assert len(stage.more(2000)) == 500
    assert not stage.held


def test_pace_does_not_send_crumbs() -> None:
    stage = Pace(1000, 1000, least=300)
    assert len(stage.push(b"x" * 1400, False, 0)) == 1000
    assert stage.more(100) == b""
    assert stage.wait == 200
    assert len(stage.more(300)) == 300
    assert len(stage.more(400)) == 100, "the rest is less than that"


@pytest.mark.parametrize(("limit", "period"), [(1, 1), (0, 0), (7, 1000), (10**12, 1)])
def test_pace_ends_whatever_its_numbers(limit: int, period: int) -> None:
    assert through(Flow([Pace(limit, period, 10**9)]), [b"x" * 50]) == b"x" * 50


def test_the_end_waits_for_what_is_held() -> None:
    """A stage behind one that holds back hears of the end after everything else."""

    class Last(Stage):
        def __init__(self) -> None:
            self.heard: list[tuple[int, bool]] = []

        def push(self, data: bytes, last: bool, now: int) -> bytes:
            self.heard.append((len(data), last))
            return data

    behind = Last()
    assert through(Flow([Pace(10, 10), behind]), [b"x" * 35]) == b"x" * 35
    assert sum(count for count, _ in behind.heard) == 35
    assert [last for _, last in behind.heard].count(True) == 1
    assert behind.heard[-1][1]


@pytest.mark.parametrize("most", [0, 1, 7])
def test_trace_loses_nothing(most: int) -> None:
    told: list[str] = []
    stages = [TraceStage(told.append, True, most, True), counted()[1], TraceStage(None, True, most, False)]
    assert gzip.decompress(through(Flow(stages), [b"abc" * 50, b"d"])) == b"abc" * 50 + b"d"
    assert told[0] == "150 bytes"


def test_collect_gives_whole_bodies_only() -> None:
    got: list[list[bytes]] = []
    whole = Collect(10, got.append)
    assert whole.push(b"abc", False, 0) == b"abc"
    whole.close()
    assert got == [], "cut short"
    assert whole.push(b"", True, 0) == b""
    assert got == []
    large = Collect(4, got.append)
    assert large.push(b"abc", False, 0) + large.push(b"de", False, 0) == b"abcde"
    large.push(b"", True, 0)
    assert got == [] and large.parts == [], "too large: not kept, and no memory is"
    fits = Collect(5, got.append)
    fits.push(b"abcde", False, 0)
    fits.push(b"", True, 0)
    fits.push(b"", True, 0)
    assert got == [[b"abcde"]], "once"
