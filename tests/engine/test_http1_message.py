"""Editing heads: against a list of pairs, and what rules cannot do to the framing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.engine import http1
from evener.engine.http1 import Request, Response, reply_bytes, to_bytes

NAMES = st.sampled_from([b"a", b"b", b"x-long-name", b"cookie", b"Mixed"])
VALUES = st.binary(max_size=12)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), NAMES, VALUES),
        st.tuples(st.just("set"), NAMES, VALUES),
        st.tuples(st.just("remove"), NAMES, st.just(b"")),
        st.tuples(st.just("replace"), NAMES, VALUES),
    ),
    max_size=12,
)


def clean(value: bytes) -> bytes:
    return value.translate(bytes(32 if byte in (0, 10, 13) else byte for byte in range(256)))


def apply(model: list[tuple[bytes, bytes]], edit: tuple[str, bytes, bytes]) -> list[tuple[bytes, bytes]]:
    kind, name, value = edit
    line = (name.lower(), clean(value))
    if kind == "add":
        return [*model, line]
    if kind == "replace":
        return [line, *model[:1]]
    # an exact name is asked for: names are lower case by contract, a capital finds nothing
    rest = [item for item in model if item[0] != name]
    return rest if kind == "remove" else [*rest, line]


@given(EDITS)
@settings(max_examples=150, deadline=None)
def test_edits_follow_the_model(edits: list[tuple[str, bytes, bytes]]) -> None:
    request = Request.from_bytes(b"GET / HTTP/1.1\r\nA: 1\r\nB:2\r\nCookie: x\r\na: 3\r\n\r\n")
    model = [(b"a", b"1"), (b"b", b"2"), (b"cookie", b"x"), (b"a", b"3")]
    for edit in edits:
        kind, name, value = edit
        if kind == "add":
            request.add(name, value)
        elif kind == "set":
            request.set(name, value)
        elif kind == "remove":
            assert request.remove(name) == sum(item[0] == name for item in model)
        else:
            request.replace([(name, value), *request.items()[:1]])
        model = apply(model, edit)
        assert request.items() == model
        for wanted in (b"a", b"cookie"):
            values = [item[1].strip(b" \t") for item in model if item[0] == wanted]
            assert request.all(wanted) == values
            assert request.get(wanted) == (values[0] if values else None)
    head = b"GET / HTTP/1.1\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in model) + b"\r\n"
    assert to_bytes(request) == head


def test_framing_is_not_a_rule_s_to_change() -> None:
    request = Request.from_bytes(b"POST / HTTP/1.1\r\nContent-Length: 5\r\nA: b\r\n\r\n")
    request.set(b"content-length", b"7")
    request.add(b"transfer-encoding", b"chunked")
    assert request.get(b"content-length") == b"7"
    assert to_bytes(request) == b"POST / HTTP/1.1\r\ncontent-length: 5\r\na: b\r\n\r\n"
    request.replace([])
    assert to_bytes(request) == b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n"


def test_line_ends_cannot_be_smuggled_in() -> None:
    request = Request.from_bytes(b"GET / HTTP/1.1\r\n\r\n")
    request.add(b"a", b"b\r\nc: d\x00")
    request.uri = b"/x y\r\nz"
    assert to_bytes(request) == b"GET /x%20y%0D%0Az HTTP/1.1\r\na: b  c: d \r\n\r\n"
    for name in (b"", b"a b", b"a:", b"a\r\n", b"\xe9"):
        with pytest.raises(ValueError):
            request.add(name, b"x")
    for method in (b"", b"G T", b"\xb2"):
        with pytest.raises(ValueError):
            request.method = method
    assert request.items() == [(b"a", b"b  c: d ")]


def test_growth_is_bounded() -> None:
    request = Request.from_bytes(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(BufferError):
        request.add(b"a", b"x" * 20000)
    with pytest.raises(BufferError):
        for _ in range(100):
            request.add(b"a", b"x" * 1000)
    assert len(to_bytes(request)) <= 16384
    with pytest.raises(BufferError):
        for _ in range(1000):  # replaced values still take room in the store
            request.set(b"a", b"x" * 1000)


@pytest.mark.parametrize(
    ("uri", "path", "query"),
    [
        (b"/a/b?x=1?y", b"/a/b", b"x=1?y"),
        (b"/", b"/", b""),
        (b"http://h:81/a?b", b"/a", b"b"),
        (b"http://h?b", b"", b"b"),
        (b"/a?", b"/a", b""),
    ],
)
def test_path_and_query(uri: bytes, path: bytes, query: bytes) -> None:
    request = Request.from_bytes(b"GET " + uri + b" HTTP/1.1\r\n\r\n")
    assert (request.uri, request.path, request.query) == (uri, path, query)


def test_asterisk_path() -> None:
    assert Request.from_bytes(b"OPTIONS * HTTP/1.1\r\n\r\n").path == b""


def test_setters() -> None:
    request = Request.from_bytes(b"GET /a HTTP/1.0\r\n\r\n")
    request.method, request.uri, request.minor = b"POST", b"/b?c", 1
    assert (request.method, request.path, request.query) == (b"POST", b"/b", b"c")
    assert to_bytes(request, http1.CLOSE) == b"POST /b?c HTTP/1.1\r\nconnection: close\r\n\r\n"
    response = Response.from_bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    response.status, response.reason = 404, b"No\r\nway"
    assert to_bytes(response, http1.DECHUNK) == b"HTTP/1.1 404 No  way\r\n\r\n"
    assert to_bytes(Response.from_bytes(b"HTTP/1.1 200 OK\r\n\r\n"), http1.CHUNK).count(b"chunked") == 1


def test_wrong_types_are_refused() -> None:
    request = Request.from_bytes(b"GET / HTTP/1.1\r\n\r\n")
    for call in (request.get, request.all, request.remove):
        with pytest.raises(TypeError):
            call(None)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            call("a")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        request.add(b"a", None)  # type: ignore[arg-type]


def test_a_message_outlives_its_parse() -> None:
    kept = [Request.from_bytes(b"GET /%d HTTP/1.1\r\nA: %d\r\n\r\n" % (index, index)) for index in range(200)]
    assert [request.get(b"a") for request in kept] == [b"%d" % index for index in range(200)]


def test_reply() -> None:
    head = b"HTTP/1.1 403 Forbidden\r\nx-a: b  c\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
    lines = [(b"X-A", b"b\r\nc"), (b"Content-Length", b"9"), (b"bad name", b"x")]
    assert reply_bytes(403, b"", lines, b"no", http1.CLOSE) == head + b"no"
    assert reply_bytes(204, b"None", [], b"no") == b"HTTP/1.1 204 None\r\ncontent-length: 0\r\n\r\n"


def test_incomplete_head_is_named() -> None:
    with pytest.raises(ValueError, match="incomplete head"):
        Request.from_bytes(b"GET / HTTP/1.1\r\n")
    with pytest.raises(ValueError, match="content-length"):
        Request.from_bytes(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
