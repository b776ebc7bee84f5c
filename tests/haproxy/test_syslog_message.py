"""Messages that are passed on: what is understood, and what each format makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.haproxy.syslog_message import SyslogMessage, host_of, parse, render

NOW = 1_795_339_223.25
OLD = b"<134>Nov  8 09:20:23 h1 app[42]: hello world"
NEW = b'<134>1 2026-11-08T09:20:23.25Z h1 app 42 id7 [a b="c\\"]d"][e] hello world'


def test_rfc3164() -> None:
    got = parse(OLD)
    assert (got.form, got.facility, got.level) == ("rfc3164", 16, 6)
    assert (got.date, got.host, got.tag, got.pid) == (b"Nov  8 09:20:23", b"h1", b"app", b"42")
    assert got.text == b"hello world"


def test_rfc3164_without_a_host_as_local_senders_write_it() -> None:
    assert parse(b"<134>Nov  8 09:20:23 app[42]: hi").host == b""
    got = parse(b"<134>Nov  8 09:20:23 app: hi")
    assert (got.host, got.tag, got.pid, got.text) == (b"", b"app", b"", b"hi")


def test_rfc5424() -> None:
    got = parse(NEW)
    assert (got.form, got.host, got.tag, got.pid, got.id) == ("rfc5424", b"h1", b"app", b"42", b"id7")
    assert got.data == b'[a b="c\\"]d"][e]' and got.text == b"hello world"
    assert parse(b"<1>1 - - - - - - x").tag == b"" and parse(b"<1>1 - - - - - - x").text == b"x"


@pytest.mark.parametrize("raw", [b"plain", b"<999>x", b"<x>y", b"", b"<192>x"])
def test_what_is_no_syslog_is_text(raw: bytes) -> None:
    got = parse(raw)
    assert (got.form, got.facility, got.level, got.text) == ("", -1, -1, raw)


@pytest.mark.parametrize(
    ("raw", "form", "wanted"),
    [
        (OLD, "", b"<134>Nov  8 09:20:23 h1 app[42]: hello world"),
        (NEW, "", NEW),
        (OLD, "local", b"<134>Nov  8 09:20:23 app[42]: hello world"),
        (NEW, "rfc3164", b"<134>Nov  8 09:20:23 h1 app[42]: hello world"),
        (OLD, "raw", b"hello world"),
        (OLD, "short", b"<6>hello world"),
        (OLD, "priority", b"<134>hello world"),
        (NEW, "iso", b"2026-11-08T09:20:23.25Z hello world"),
        (NEW, "timed", b"<6>2026-11-08T09:20:23.25Z hello world"),
        (b"plain", "", b"plain"),
        (b"<14>plain", "", b"<14>plain"),
    ],
)
def test_formats(raw: bytes, form: str, wanted: bytes) -> None:
    got = parse(raw)
    priority = 134 if got.facility < 0 else got.facility * 8 + got.level
    assert render(got, form, priority, got.host, NOW) == wanted


def test_dates_are_made_up_when_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert (
        render(parse(b"x"), "rfc5424", 134, b"", NOW)
        == b"<134>1 2026-11-22T09:20:23.250000+00:00 - - - - - x"
    )
    assert render(parse(b"x"), "rfc3164", 134, b"", NOW) == b"<134>Nov 22 09:20:23 localhost -: x"
    bad = SyslogMessage(b"x", "rfc5424", date=b"2026-99-22T09:20:23Z")
    assert render(bad, "local", 134, b"", NOW).startswith(b"<134>Nov 22 09:20:23 ")


@pytest.mark.parametrize(
    ("host", "strategy", "wanted"),
    [
        (b"h", "replace", b"1.2.3.4"), (b"h", "fill", b"h"), (b"h", "keep", b"h"),
        (b"h", "append", b"h,1.2.3.4"), (b"", "replace", b"1.2.3.4"), (b"", "fill", b"1.2.3.4"),
        (b"", "keep", b""), (b"", "append", b"1.2.3.4"),
    ],
)  # fmt: skip
def test_host(host: bytes, strategy: str, wanted: bytes) -> None:
    assert host_of(SyslogMessage(b"", host=host), strategy, b"1.2.3.4") == wanted
    assert host_of(SyslogMessage(b"", host=host), strategy, b"") == host


@given(st.binary(max_size=120), st.sampled_from(["", "rfc3164", "rfc5424", "local", "iso", "short"]))
def test_any_bytes_are_some_message(raw: bytes, form: str) -> None:
    render(parse(raw), form, 13, b"h", NOW)
