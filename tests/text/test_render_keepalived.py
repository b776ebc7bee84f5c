"""The shapes of keepalived's messages."""

from __future__ import annotations

from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.render_keepalived import printable, render_all, said_by_parent
from evener.text.span import Source, Span

MAIN = Source("k.conf", ("a", "b"))
INNER = Source("i.conf", ("c",), Span(MAIN, 2))


def test_the_parent_names_the_file_only_among_several() -> None:
    found = Diagnostics()
    said_by_parent(found, "x", "said", Span(MAIN, 1))
    found.alert("y", "told", Span(MAIN, 2))
    assert render_all(found) == ["(Line 1) said", "(k.conf: Line 2) told"]
    found.alert("z", "there", Span(INNER, 1))
    assert render_all(found) == ["(k.conf: Line 1) said", "(k.conf: Line 2) told", "(i.conf: Line 1) there"]


def test_what_has_no_place_is_said_as_it_is() -> None:
    assert render_all([Diagnostic("x", Severity.ALERT, "(A) no VIP")]) == ["(A) no VIP"]


def test_each_finding_once() -> None:
    finding = Diagnostic("x", Severity.ALERT, "m", Span(MAIN, 1))
    assert render_all([finding, finding]) == ["(k.conf: Line 1) m"]


def test_an_include_that_finds_nothing_is_a_remark() -> None:
    found = Diagnostics()
    said_by_parent(found, "include-not-found", "m", None)
    said_by_parent(found, "include-missing", "m", None)
    assert [d.severity for d in found] == [Severity.NOTICE, Severity.ALERT]


def test_bytes_that_are_no_text() -> None:
    assert printable("a\udcffb") == "a\\xffb"


def test_hints_and_details_follow() -> None:
    finding = Diagnostic("x", Severity.ALERT, "m", None, "try y", ("more",))
    assert render_all([finding]) == ["m\n  more\n  try y"]
