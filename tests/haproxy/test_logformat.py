"""Log formats: reading them, and what they write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import scope, text, txn

from evener.haproxy.aliases import ALIASES
from evener.haproxy.logformat import HTTP_LOG, TCP_LOG, Format, parse_logformat, read_format
from evener.haproxy.notes import notes
from evener.haproxy.sample import Place
from evener.haproxy.scope import CompileEnv, Failure, Slots
from evener.text.span import Source, Span

MISUSE = ". If you wanted to emit the '%' character verbatim, you need to use '%%'"


@pytest.mark.parametrize(
    ("fmt", "message"),
    [
        ("%foo %zz", f"no such format alias 'foo'{MISUSE}"),
        ("%[src", "missing ']' after 'src'"),
        ("%[path ]", "expected ']' after 'path', but found ' '"),
        ("%[foo(1)]", "failed to parse sample expression <foo(1)]> : unknown fetch method 'foo'"),
        ("%[path, lower]", "failed to parse sample expression <path, lower]> : unknown converter ''"),
        ("%", "truncated line after '%'"),
        ("%{+Q", "truncated line after '+Q'"),
        ("%{+Q} a", "parse argument modifier without alias name near '%{+Q}'"),
        ("%(n", "invalid character in custom name near '"),
        (
            "% a",
            "unexpected alias name near ' ' at position 1 line : '% a'. "
            "Maybe you want to write a single '%', use the syntax '%%'",
        ),
    ],
)
def test_refused(fmt: str, message: str) -> None:
    result = read_format(fmt)
    assert isinstance(result, Failure)
    assert result.message == message


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        ("a%%b", b"a%b"),
        ("%[path]", b"/a/b"),
        ("x%[path]y%[method]z", b"x/a/byGETz"),
        ("%[req.hdr(nope)]", b""),
        ("%HM %HU %HP %HPO %HQ %HV", b"GET /a/b?x=1&y=2 /a/b /a/b ?x=1&y=2 HTTP/1.1"),
        ("%ci:%cp", b"192.0.2.10:50000"),
        ("%{+X}ci:%{+X}cp", b"C000020A:C350"),
        ("%{+E}[str('a]b')]", b"a\\]b"),
        ("%(n)ci", b"192.0.2.10"),
        ("%ci-foo", b"192.0.2.10-foo"),
        ("%[path,field(1,])]", b"/a/b"),
        ("%b %s %f", b"fe <NOSRV> fe"),
        ("%ST", b"-1"),
        ("%[bin(410a0d42)]", b"A%0A%0DB"),
        ("a  b", b"a  b"),
    ],
)
def test_header_values(fmt: str, expected: bytes) -> None:
    assert text(fmt) == expected


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        ("%[req.hdr(nope)]", b"-"),
        ("%{+Q}[req.hdr(nope)]", b'""'),
        ("%{+Q}r", b'"GET /a/b?x=1&y=2 HTTP/1.1"'),
        ("%{+Q}o %[path] %{-Q}[path] %r", b'"/a/b" /a/b "GET /a/b?x=1&y=2 HTTP/1.1"'),
        ("%CC %CS", b"- -"),
        ("a  b", b"a b"),
        ("%hr %hs %{+Q}r", b'"GET /a/b?x=1&y=2 HTTP/1.1"'),
        ("%Tw/%Tc", b"-1/-1"),
        ("%tsc", b"----"),
    ],
)
def test_log_lines(fmt: str, expected: bytes) -> None:
    assert text(fmt, log=True) == expected


def test_variables_are_not_encoded() -> None:
    assert text("%[bin(410a42)]", raw=True) == b"A\nB"


def test_captures() -> None:
    on = txn()
    notes(on).request_captures = [b'a|b"', None]
    assert (
        text("%hr|%hrl", on, log=True, env=CompileEnv(request_slots=Slots([9, 9, 9])))
        == b"{a#7Cb#22||}|a#7Cb#22 - -"
    )


def test_bad_request_line() -> None:
    on = txn()
    on.req.method = b""
    assert text("%r %HM", on, log=True) == b"<BADREQ> <BADREQ>"


def test_unprintable_uri() -> None:
    on = txn()
    on.req.received = (b"GET", b'/\xe9"#')
    assert text("%HU", on, log=True) == b"/#E9#22#23"


def test_the_standard_formats() -> None:
    on = txn(response="HTTP/1.1 200 OK\n\n")
    assert text(HTTP_LOG, on, log=True).endswith(
        b'fe fe/<NOSRV> 0/-1/-1/-1/0 200 0 - - ---- 1/1/0/0/0 0/0 "GET /a/b?x=1&y=2 HTTP/1.1"'
    )
    assert text(TCP_LOG, on, log=True).startswith(b"192.0.2.10:50000 [")


def test_every_alias_of_the_manual_writes_something() -> None:
    on = txn(response="HTTP/1.1 200 OK\n\n")
    assert len(ALIASES) >= 58
    for name in ALIASES:
        for flags in ("", "{+Q}", "{+X}", "{+E}"):
            assert isinstance(text(f"%{flags}{name}", on, log=True), bytes)


def test_samples_must_be_available() -> None:
    where = scope().within("failed : {}.", Place.LOG.bit)
    assert parse_logformat("%[res.hdr(server)]", Span(Source("t"), 1), where) is None
    (found,) = where.diagnostics
    assert found.message == (
        "failed : sample fetch <res.hdr> may not be reliably used here because it needs "
        "'HTTP response headers' which is not available here."
    )


@given(st.text("%{}()[]+QXE,abc- \\'\"", max_size=24))
def test_any_text_is_read_or_refused(fmt: str) -> None:
    result = read_format(fmt)
    if isinstance(result, Format):
        assert isinstance(text(fmt), bytes)
    else:
        assert result.message
