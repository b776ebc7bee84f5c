"""Any bytes give a message or an error number, however they are cut, and what goes out parses again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from evener.engine.http1 import (
    CHUNKED,
    ERRORS,
    Request,
    Response,
    body_bytes,
    parse_request_bytes,
    parse_response_bytes,
    to_bytes,
)

PIECES = st.sampled_from(
    [
        b"GET",
        b"HEAD",
        b"CONNECT",
        b"OPTIONS",
        b" ",
        b"\t",
        b"/",
        b"*",
        b"http://",
        b"https://u@h:443",
        b"h:80",
        b"#",
        b"?",
        b"[::1]",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"RTSP/1.0",
        b"200",
        b"101",
        b"204",
        b"\r\n",
        b"\n",
        b"\r",
        b":",
        b": ",
        b"Host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"Upgrade",
        b"TE",
        b"trailers",
        b"chunked",
        b"gzip",
        b"close",
        b"keep-alive",
        b"upgrade",
        b"h2c",
        b"websocket",
        b",",
        b"0",
        b"3",
        b"007",
        b"9" * 19,
        b"\x00",
        b"\x7f",
        b"\xff",
        b"a",
        b"\r\n\r\n",
        b";",
        b"Expect: 100-continue",
        b"F" * 14,
    ]
)
NOISE = st.lists(st.one_of(PIECES, st.binary(max_size=3)), max_size=40).map(b"".join)
LINES = st.lists(st.lists(st.one_of(PIECES, st.binary(max_size=3)), max_size=6).map(b"".join), max_size=8)
REQUESTS = LINES.map(lambda lines: b"\r\n".join([b"GET / HTTP/1.1", *lines, b"", b""]))
RESPONSES = LINES.map(lambda lines: b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""]))
ASKED = Request.from_bytes(b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")


@given(st.one_of(NOISE, REQUESTS), st.booleans(), st.integers(1, 9))
@settings(max_examples=400, deadline=None)
def test_requests(data: bytes, unsafe: bool, piece: int) -> None:
    whole, cut = parse_request_bytes(data, 0, unsafe), parse_request_bytes(data, piece, unsafe)
    if isinstance(whole, int) or isinstance(cut, int):
        assert whole == cut and (whole == 0 or whole in ERRORS)
        return
    assert to_bytes(whole) == to_bytes(cut) and whole.flags == cut.flags
    if unsafe:
        return
    again = parse_request_bytes(to_bytes(whole))
    assert isinstance(again, Request)
    assert lines(again) == lines(whole)
    assert (again.uri, again.framing, again.length) == (whole.uri, whole.framing, whole.length)


def lines(message: Request) -> list[tuple[bytes, bytes]]:
    """But for TE, of which rules see more than goes on."""
    return [line for line in message.items() if line[0] != b"te"]


@given(st.one_of(NOISE, RESPONSES), st.booleans(), st.integers(1, 9))
@settings(max_examples=400, deadline=None)
def test_responses(data: bytes, unsafe: bool, piece: int) -> None:
    whole = parse_response_bytes(data, 0, unsafe, ASKED)
    cut = parse_response_bytes(data, piece, unsafe, ASKED)
    if isinstance(whole, int) or isinstance(cut, int):
        assert whole == cut and (whole == 0 or whole in ERRORS)
        return
    assert to_bytes(whole) == to_bytes(cut)
    if not unsafe:
        again = parse_response_bytes(to_bytes(whole), request=ASKED)
        assert isinstance(again, Response) and again.framing == whole.framing and again.length == whole.length


@given(NOISE, st.integers(1, 5))
@settings(max_examples=400, deadline=None)
def test_chunks(data: bytes, piece: int) -> None:
    taken, done, total, error = body_bytes(CHUNKED, -1, data)
    cut = body_bytes(CHUNKED, -1, data, piece)
    assert error == 0 or error in ERRORS
    assert (cut[1], cut[3]) == (done, error)
    if not error:
        assert (cut[0], cut[2]) == (taken, total)
        plain = body_bytes(CHUNKED, -1, data, decode=True)[0]
        assert len(plain) == total
        # What is passed on is read as the same body, and there is nothing left in it to write anew.
        assert body_bytes(CHUNKED, -1, taken) == (taken, done, total, 0)
        assert body_bytes(CHUNKED, -1, taken, decode=True)[0] == plain


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_chunks_round_trip(parts: list[bytes], piece: int) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert body_bytes(CHUNKED, -1, data + b"next", piece, True)[:2] == (b"".join(parts), True)
