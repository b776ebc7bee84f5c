"""Where bodies end. Verdicts on chunk framing as seen from HAProxy 3.5, but for the marked ones."""

import pytest

from evener.engine.http1 import CHUNKED, LENGTH, NONE, TUNNEL, UNTIL_CLOSE, body_bytes, preview_bytes

GOOD = [
    (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"003\r\nabc\r\n000\r\n\r\n", b"abc"),
    (b"0" * 300 + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"3;a=b\r\nabc\r\n0;c\r\n\r\n", b"abc"),
    (b"3 ;a=b\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"3 \t\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"3;" + b"a" * 3000 + b"\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"A\r\n0123456789\r\n1\r\n\n\r\n0\r\n\r\n", b"0123456789\n"),
    (b"0\r\n\r\n", b""),
    (b"3\r\nabc\r\n0\r\nx-t: a\r\ny:\r\n\r\n", b"abc"),
]
#: Sizes are forwarded as they would be written here (what 2.6 and 3.5 do as well).
PLAIN = {
    index: b"3\r\nabc\r\n0\r\n\r\n" for index, (_, payload) in enumerate(GOOD[:-1]) if payload == b"abc"
} | {9: b"3\r\nabc\r\n0\r\nx-t: a\r\ny: \r\n\r\n", 7: b"A\r\n0123456789\r\n1\r\n\n\r\n0\r\n\r\n"}
BAD = [
    b" 3\r\nabc\r\n0\r\n\r\n",
    b"3x\r\nabc\r\n0\r\n\r\n",
    b"0x3\r\nabc\r\n0\r\n\r\n",
    b"+3\r\nabc\r\n0\r\n\r\n",
    b"3_\r\nabc\r\n0\r\n\r\n",
    b"3 x\r\nabc\r\n0\r\n\r\n",
    b"\xb2\r\nab\r\n0\r\n\r\n",
    b"\r\nabc\r\n0\r\n\r\n",
    b"3\nabc\r\n0\r\n\r\n",
    b"3\rabc\r\n0\r\n\r\n",
    b"3\r\nabc\n0\r\n\r\n",
    b"3\r\nabc0\r\n\r\n",
    b"3\r\nabcX\r\n0\r\n\r\n",
    b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    b"3;\x00\r\nabc\r\n0\r\n\r\n",
    b"3;\x01\xff\r\nabc\r\n0\r\n\r\n",
    b'3;a="x;\r\n"\r\nabc\r\n0\r\n\r\n',
    b"FFFFFFFFFFFFFF\r\n",
    b"10000000000000000\r\n",
    b"3\r\nabc\r\n0\n\n",
    b"0\r\nX-T : a\r\n\r\n",
    b"0\r\nfoo\r\n\r\n",
    b"0\r\nX: \x00\r\n\r\n",
    b"0\r\n: a\r\n\r\n",
    b"0\r\n" + b"".join(b"x%d: y\r\n" % index for index in range(120)) + b"\r\n",
    b"0\r\nTransfer-Encoding: x\r\n\r\n",
    b"0\r\nContent-Length: z\r\n\r\n",
    b"0\r\nContent-Length:\r\n\r\n",
    b"0\r\nX: a\rY: b\r\n\r\n",
    b"0\r\n X: a\r\n\r\n",
    b"0\r\nX: a\r\n" + b"y" * 20000,
    b"3;" + b"a" * 30000 + b"\r\nabc\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("piece", [0, 1, 2, 5])
@pytest.mark.parametrize("index", range(len(GOOD)))
def test_good_chunks(index: int, piece: int) -> None:
    data, payload = GOOD[index]
    plain = PLAIN.get(index, data)
    if index == 7 and piece == 0:
        plain = b"B\r\n0123456789\n\r\n0\r\n\r\n"  # both came together
    tail = b"GET / HTTP/1.1\r\n\r\n"
    assert body_bytes(CHUNKED, -1, data + tail, piece) == (plain, True, len(payload), 0)
    assert body_bytes(CHUNKED, -1, data + tail, piece, True) == (payload, True, len(payload), 0)


@pytest.mark.parametrize("piece", [0, 1, 3])
@pytest.mark.parametrize("data", BAD)
def test_bad_chunks(data: bytes, piece: int) -> None:
    assert body_bytes(CHUNKED, -1, data, piece)[3] < 0


def test_every_prefix_is_incomplete() -> None:
    for index, (data, _) in enumerate(GOOD[:6]):
        plain = PLAIN.get(index, data)
        for end in range(len(data)):
            taken, done, _, error = body_bytes(CHUNKED, -1, data[:end])
            assert plain.startswith(taken) and taken != plain and (done, error) == (False, 0)


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        ([b"a", b"b", b"c"], [b"abc"]),
        ([b"a" * 15, b"b"], [b"a" * 15 + b"b"]),  # the size gets longer
        ([b"a"] * 4096, [b"a" * 4096]),
        ([b"a" * 255, b"b" * 3841], [b"a" * 255 + b"b" * 3841]),
        ([b"a", b"b" * 15360], [b"a", b"b" * 15360]),
        ([b"a" * 15360, b"b"], [b"a" * 15360, b"b"]),
        ([b"a" * 10000, b"b" * 5000, b"c" * 400], [b"a" * 10000 + b"b" * 5000, b"c" * 400]),
    ],
)
def test_small_chunks_that_came_together_leave_as_one(parts: list[bytes], joined: list[bytes]) -> None:
    """As HAProxy has been seen to send them; ``body_bytes`` gives all of it at once."""
    taken, done, total, error = body_bytes(CHUNKED, -1, chunked(*parts) + b"GET")
    assert (taken, done, total, error) == (chunked(*joined), True, sum(map(len, parts)), 0)


@pytest.mark.parametrize("second", [b"01\r\nb", b"1;x\r\nb", b"1 \r\nb", b"00001\r\nb"])
def test_sizes_written_otherwise_are_joined_or_not_but_never_lost(second: bytes) -> None:
    data = b"1\r\na\r\n" + second + b"\r\n0\r\n\r\n"
    assert body_bytes(CHUNKED, -1, data)[0] in (chunked(b"ab"), chunked(b"a", b"b"))
    assert body_bytes(CHUNKED, -1, data, 0, True) == (b"ab", True, 2, 0)


@pytest.mark.parametrize(
    "second", [b"x\r\nb\r\n", b"1\nb\r\n", b"1\r\nbX\r\n", b"-1\r\nb\r\n", b"1\r\nb\n0\r\n"]
)
def test_what_is_wrong_is_seen_behind_joined_chunks(second: bytes) -> None:
    assert body_bytes(CHUNKED, -1, b"1\r\na\r\n1\r\nc\r\n" + second)[3] < 0


def test_trailer_names_go_lower_case() -> None:
    assert body_bytes(CHUNKED, -1, b"0\r\nX-T: A\r\n\r\n", 1)[0] == b"0\r\nx-t: A\r\n\r\n"


@pytest.mark.parametrize("piece", [0, 1, 3])
@pytest.mark.parametrize(
    ("sent", "written"),
    [
        (b"X:a\r\n", b"x: a\r\n"),
        (b"X:  a \t\r\ny:\r\n", b"x: a\r\ny: \r\n"),
        (b"X: a\n", b"x: a\r\n"),
        (b"X: a\r\n b\r\n", b"x: a   b\r\n"),
        (b"Content-Length: 3\r\n", b"content-length: 3\r\n"),
        (b"Transfer-Encoding: Chunked\r\nHost: b\r\n", b"transfer-encoding: Chunked\r\nhost: b\r\n"),
        (b"x: \xff\x01\r\n", b"x: \xff\x01\r\n"),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_trailers_are_read_and_written_like_the_lines_of_a_head(
    sent: bytes, written: bytes, end: bytes, piece: int
) -> None:
    """As HAProxy has been seen to forward them; what follows them in the same bytes is not touched."""
    data = b"3\r\nabc\r\n0\r\n" + sent + end
    plain = b"3\r\nabc\r\n0\r\n" + written + b"\r\n"
    assert body_bytes(CHUNKED, -1, data + b"GET / HTTP/1.1\r\n\r\n", piece) == (plain, True, 3, 0)
    assert body_bytes(CHUNKED, -1, data, piece, True) == (b"abc", True, 3, 0)


def test_the_last_chunk_leaves_with_its_trailers() -> None:
    for cut in range(1, 9):
        assert body_bytes(CHUNKED, -1, b"3\r\nabc\r\n" + b"0\r\nx: y\r\n\r\n"[:cut], 1)[:2] == (
            b"3\r\nabc\r\n",
            False,
        )


def test_largest_chunk() -> None:
    assert body_bytes(CHUNKED, -1, b"FFFFFFFFFFFFF\r\nab")[1:] == (False, 2, 0)


@pytest.mark.parametrize("piece", [0, 1, 4])
def test_other_framings(piece: int) -> None:
    assert body_bytes(LENGTH, 5, b"hellomore", piece) == (b"hello", True, 5, 0)
    assert body_bytes(LENGTH, 9, b"hello", piece) == (b"hello", False, 5, 0)
    assert body_bytes(LENGTH, 0, b"more", piece) == (b"", True, 0, 0)
    assert body_bytes(NONE, -1, b"more", piece) == (b"", True, 0, 0)
    assert body_bytes(UNTIL_CLOSE, -1, b"hello", piece) == (b"hello", False, 5, 0)
    assert body_bytes(TUNNEL, -1, b"hello", piece) == (b"hello", False, 5, 0)


def test_preview() -> None:
    assert preview_bytes(CHUNKED, -1, b"3\r\nabc\r\n2\r\nd") == (b"abcd", False)
    assert preview_bytes(CHUNKED, -1, b"3\r\nabc\r\n0\r\n\r\nGET") == (b"abc", True)
    assert preview_bytes(LENGTH, 3, b"abcGET") == (b"abc", True)
    assert preview_bytes(NONE, -1, b"") == (b"", True)
