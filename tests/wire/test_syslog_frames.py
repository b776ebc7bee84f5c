"""RFC 6587 framing: whole, byte by byte, and what is no syslog at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.wire.syslog_frames import Frames, NotSyslog, counted, line


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"<1>a\n<2>b\n", [b"<1>a", b"<2>b"]),
        (b"<1>a\r\n\n<2>b\0", [b"<1>a", b"<2>b"]),
        (b"4 <1>a6 <2>b\ncxx", [b"<1>a", b"<2>b\nc"]),
        (b"4 <1>a<2>b\n", [b"<1>a", b"<2>b"]),
        (b"<1>unfinished", []),
        (b"", []),
    ],
)
def test_whole_and_byte_by_byte(stream: bytes, messages: list[bytes]) -> None:
    if stream.endswith(b"xx"):
        stream = stream[:-2]
    assert Frames().feed(stream) == messages
    slow = Frames()
    assert [message for byte in stream for message in slow.feed(bytes((byte,)))] == messages


@pytest.mark.parametrize("stream", [b"hello\n", b"0 x", b"99999999 x", b"12345678", b"1x <", b"70000 x"])
def test_not_syslog(stream: bytes) -> None:
    with pytest.raises(NotSyslog):
        Frames().feed(stream)


def test_only_lines() -> None:
    assert Frames(only_lines=True).feed(b"hello\n4 <1>a\n") == [b"hello", b"4 <1>a"]
    with pytest.raises(NotSyslog):
        Frames(only_lines=True, longest=10).feed(b"x" * 11)


@given(st.lists(st.binary(min_size=1, max_size=50)))
def test_counted_frames_hold_anything(messages: list[bytes]) -> None:
    assert Frames().feed(b"".join(counted(message) for message in messages)) == messages


@given(st.binary(max_size=200))
def test_hostile_bytes(data: bytes) -> None:
    try:
        Frames(longest=100).feed(data)
    except NotSyslog:
        pass
    assert line(b"x") == b"x\n"


def test_what_came_before_the_garbage_is_told() -> None:
    frames = Frames()
    assert frames.feed(b"<1>a\ngarbage") == [b"<1>a"]
    with pytest.raises(NotSyslog):
        frames.feed(b"")
