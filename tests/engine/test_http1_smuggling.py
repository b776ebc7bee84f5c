"""Known ways to make two HTTP/1 parsers disagree: one test for each that had a number in HAProxy."""

import pytest

from evener.engine import http1
from evener.engine.http1 import Request, Response, body_bytes, to_bytes
from evener.haproxy.cookie_lines import set_cookie

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\n"


def request_error(lines: bytes) -> str:
    with pytest.raises(ValueError) as caught:
        Request.from_bytes(HEAD + lines + b"\r\n")
    return str(caught.value)


def test_cve_2021_40346_a_long_name_is_no_other_name() -> None:
    """A name 256 bytes longer than one that is known must not be taken for it: none that long is a name."""
    assert request_error(b"content-length0" + b"a" * 255 + b":\r\ncontent-length: 3\r\n") == "header-name"
    name = b"content-length0" + b"a" * 240
    request = Request.from_bytes(HEAD + name + b":\r\ncontent-length: 3\r\n\r\n")
    assert request.length == 3 and request.get(name) == b""
    assert to_bytes(request).count(b"content-length: 3\r\n") == 1


def test_cve_2023_25725_an_empty_name_ends_nothing() -> None:
    assert request_error(b": x\r\ncontent-length: 3\r\n") == "header-name"
    assert request_error(b"content-length: 3\r\n:\r\n") == "header-name"
    with pytest.raises(ValueError):
        Response.from_bytes(b"HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 3\r\n\r\n")


@pytest.mark.parametrize("value", [b"", b" ", b",", b"3,", b",3", b"3,,3"])
def test_cve_2023_40225_a_length_has_digits(value: bytes) -> None:
    assert request_error(b"content-length:" + value + b"\r\n") == "content-length"
    with pytest.raises(ValueError):
        Response.from_bytes(b"HTTP/1.1 200 OK\r\ncontent-length:" + value + b"\r\n\r\n")


@pytest.mark.parametrize("target", [b"/a#b", b"/#", b"#", b"http://a/#x", b"http://a#x"])
def test_cve_2023_45539_no_fragment_in_a_target(target: bytes) -> None:
    with pytest.raises(ValueError):
        Request.from_bytes(b"GET " + target + b" HTTP/1.1\r\nhost: a\r\n\r\n")


@pytest.mark.parametrize("value", [b"\x0bchunked", b"chunked\x0b", b"\x0cchunked", b"xchunked", b'"chunked"'])
def test_cve_2019_18277_only_chunked_is_chunked(value: bytes) -> None:
    assert request_error(b"transfer-encoding: " + value + b"\r\ncontent-length: 3\r\n") == "transfer-encoding"


def test_cve_2021_39242_host_and_authority_agree() -> None:
    with pytest.raises(ValueError):
        Request.from_bytes(b"GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n")


def test_cve_2022_0711_set_cookie2_is_a_field_like_others() -> None:
    response = Response.from_bytes(b"HTTP/1.1 200 OK\r\nset-cookie2: a=1, b=2\r\ncontent-length: 0\r\n\r\n")
    assert response.all(b"set-cookie") == [] and response.get(b"set-cookie2") == b"a=1, b=2"
    assert set_cookie(b"a=1, b=2") == (b"a", b"1", b", b=2")


@pytest.mark.parametrize(
    "lines",
    [
        b"transfer-encoding: chunked\r\ncontent-length: 3\r\n",
        b"content-length: 3\r\ntransfer-encoding: chunked\r\n",
    ],
)
def test_both_lengths_leave_one_and_close(lines: bytes) -> None:
    request = Request.from_bytes(HEAD + lines + b"\r\n")
    assert request.flags & http1.FLAGS["both"] and request.framing == http1.CHUNKED
    assert b"content-length" not in to_bytes(request)


@pytest.mark.parametrize(
    "body",
    [b"3\nabc\r\n0\r\n\r\n", b"3;x\nabc\r\n0\r\n\r\n", b"3 x\r\nabc\r\n0\r\n\r\n", b"+3\r\nabc\r\n0\r\n\r\n",
     b"3\r\nabc0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"10000000000000003\r\nabc\r\n0\r\n\r\n"],
)  # fmt: skip
def test_chunks_have_one_reading(body: bytes) -> None:
    for piece in (0, 1):
        assert body_bytes(http1.CHUNKED, -1, body, piece)[3] < 0


def test_lengths_that_differ_are_refused_in_both_directions() -> None:
    assert request_error(b"content-length: 3\r\ncontent-length: 4\r\n") == "content-length"
    assert request_error(b"content-length: 3, 4\r\n") == "content-length"
    with pytest.raises(ValueError):
        Response.from_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n")
