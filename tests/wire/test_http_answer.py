"""The answer of a web server, whole, byte by byte, and as nonsense."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.wire.http_answer import HEAD_BYTES, HttpAnswer, length_of, status_of

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"


def read(pieces: list[bytes], keep: int = 100) -> HttpAnswer:
    made = HttpAnswer(digest=True, keep=keep)
    for piece in pieces:
        made.feed(piece)
    return made


def facts(made: HttpAnswer) -> tuple[object, ...]:
    return made.head, made.status, made.length, made.received, bytes(made.body), made.digest


@given(st.binary(max_size=60), st.lists(st.integers(0, 100), max_size=6))
def test_pieces_make_no_difference(body: bytes, cuts: list[int]) -> None:
    whole = HEAD + body
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    assert facts(read(pieces)) == facts(read([whole])) == facts(read([bytes([b]) for b in whole]))


def test_what_is_counted_digested_and_kept() -> None:
    made = read([HEAD + b"abcdefgh"], keep=3)
    assert (made.status, made.length, made.received) == (200, 6, 8)
    assert made.body == b"abc"
    assert made.digest == hashlib.md5(b"abcdef").digest()
    assert read([b"HTTP/1.0 200 OK\r\n\r\n", b"ab", b"c"]).digest == hashlib.md5(b"abc").digest()


def test_feed_tells_what_it_digested() -> None:
    made = HttpAnswer(digest=True)
    assert made.feed(HEAD + b"abcd") == b"abcd"
    assert made.feed(b"efgh") == b"ef"
    assert made.feed(b"ijkl") == b""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 200 OK", 200),
        (b"HTTP/1.1 404 ", 404),
        (b"HTTP/1.1 200", 0),
        (b"HTTP/1.1  200 OK", 0),
        (b"HTTP/1.1 2000 OK", 0),
        (b"HTTP/1.1 +20 OK", 0),
        (b"200", 0),
        (b"", 0),
    ],
)
def test_status(line: bytes, status: int) -> None:
    assert status_of(line + b"\r\nA: b\r\n\r\n") == status


@pytest.mark.parametrize(
    ("field", "length"),
    [
        (b"Content-Length: 12", 12),
        (b"content-length:12 ", 12),
        (b"Content-Length: 1x", None),
        (b"Content-Length: -1", None),
        (b"Content-Length: " + b"9" * 5000, None),
        (b"X-Content-Length: 3", None),
    ],
)
def test_length(field: bytes, length: int | None) -> None:
    assert length_of(b"HTTP/1.0 200 OK\r\n" + field + b"\r\n\r\n") == length


def test_a_head_without_end_is_hopeless() -> None:
    made = HttpAnswer()
    made.feed(b"x" * HEAD_BYTES)
    assert not made.hopeless
    made.feed(b"x")
    assert made.hopeless


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_nonsense_is_status_0(pieces: list[bytes]) -> None:
    made = read(pieces)
    assert made.head is not None or made.status == 0
    assert len(made.body) <= 100
