"""News of BFD sessions: in order, and the newest when the reader was slow."""

from collections.abc import Iterator

import pytest

from evener.host.bfd_news import Newswire


@pytest.fixture
def wire() -> Iterator[Newswire]:
    made = Newswire()
    yield made
    made.close()


def test_what_is_written_is_read_in_order(wire: Newswire) -> None:
    wire.write("a", True)
    wire.write("b", False)
    wire.write("a", False)
    assert wire.read() == [("a", True), ("b", False), ("a", False)]
    assert wire.read() == []


def test_a_stuck_reader_gets_the_newest_state_of_each(wire: Newswire) -> None:
    for number in range(5000):
        wire.write("a", number % 2 == 0)
        wire.write("b", True)
    assert not wire.flush()
    read = []
    for _ in range(10):
        read += wire.read()
        wire.flush()
    assert len(read) < 10_000 and wire.flush()
    assert dict(read) == {"a": False, "b": True}
