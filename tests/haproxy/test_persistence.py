"""Cookies: lines taken apart and put together, dates, and what becomes of a server's cookie."""

import pytest

from evener.haproxy import persistence
from evener.haproxy.cookie_lines import join, pieces, set_cookie


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"SRV=x", None),
        (b"a=1; SRV=x; b=2", b"a=1; b=2"),
        (b"SRV=x; b=2", b"b=2"),
        (b"a=1;SRV=x", b"a=1"),
        (b"a=1;SRV=x;b=2", b"a=1; b=2"),
        (b'a="x;y"; SRV=x', b'a="x;y"'),
        (b'SRV="x;y"; b', b"b"),
        (b"a = 1 ;  SRV = x ; b", b"a=1; b"),
        (b"a=1, SRV=x, b=2", b"a=1, b=2"),
        (b"SRV=x; SRV=y; c=3", b"c=3"),
        (b"c=3;", b"c=3"),
        (b"=1; c", b"=1; c"),
    ],
)
def test_a_cookie_is_taken_out_and_the_others_stay(line: bytes, kept: bytes | None) -> None:
    parts = pieces(line)
    for piece in parts:
        piece.gone = piece.name == b"SRV"
    assert join(parts) == kept


@pytest.mark.parametrize("line", [b"", b"a", b"a=1; b=2", b"a=1;;b", b'a="\\";"; b', b";", b"a=1,b=2;c"])
def test_what_is_not_touched_stays_as_it_was(line: bytes) -> None:
    assert (join(pieces(line)) or b"").rstrip(b";") == line.rstrip(b";")


def test_set_cookie_lines() -> None:
    assert set_cookie(b"SID=123; path=/") == (b"SID", b"123", b"; path=/")
    assert set_cookie(b'SID = "a;b" ; Secure') == (b"SID", b'"a;b"', b" ; Secure")
    assert set_cookie(b"SID; path=/") is None
    assert set_cookie(b"SID=; path=/") == (b"SID", b"", b"; path=/")


def test_dates_in_cookies_count_periods_of_four_seconds() -> None:
    assert persistence.written_date(0) == b"AAAAA"
    assert persistence.read_date(persistence.written_date(1_700_000_000)) == 1_700_000_000
    assert persistence.read_date(persistence.written_date(1_700_000_001)) == 1_700_000_004
    assert persistence.read_date(b"AAAA") == persistence.read_date(b"AA!AA") == 0


def test_dynamic_values_come_from_the_secret_and_the_address() -> None:
    one = persistence.dynamic_value("secret", "127.0.0.1", 80)
    assert one is not None and len(one) == 16
    assert one != persistence.dynamic_value("secret", "127.0.0.1", 81)
    assert one != persistence.dynamic_value("other", "127.0.0.1", 80)
    assert persistence.dynamic_value("secret", "/run/socket", 0) is None
