"""The shapes in which diagnostics are shown."""

from __future__ import annotations

import io
import json
import os

import pytest

from evener.text import render
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.span import Source, Span

TOP = Source("top.cfg", ("include a.cfg",))
SOURCE = Source("a.cfg", ("global", '  maxconn "x\x1b"'), included_from=Span(TOP, 1))
SPAN = Span(SOURCE, 2, 10, 14)


@pytest.mark.parametrize(
    ("diagnostic", "text"),
    [
        (Diagnostic("c", Severity.ALERT, "m"), "[ALERT]    (7) : m\n"),
        (Diagnostic("c", Severity.WARNING, "m"), "[WARNING]  (7) : m\n"),
        (Diagnostic("c", Severity.NOTICE, "m"), "[NOTICE]   (7) : m\n"),
        (Diagnostic("c", Severity.DIAG, "m"), "[DIAG]     (7) : m\n"),
        (Diagnostic("c", Severity.ALERT, "m", SPAN), "[ALERT]    (7) : config : parsing [a.cfg:2] : m\n"),
        (
            Diagnostic("c", Severity.ALERT, "m", SPAN, lead="config : parsing [{place}]: "),
            "[ALERT]    (7) : config : parsing [a.cfg:2]: m\n",
        ),
        (Diagnostic("c", Severity.ALERT, "m", SPAN, lead=""), "[ALERT]    (7) : m\n"),
        (Diagnostic("c", Severity.ALERT, "m\n.", SPAN, lead=""), "[ALERT]    (7) : m\n.\n"),
        (
            Diagnostic("c", Severity.WARNING, "m", details=("one", "two"), hint="three"),
            "[WARNING]  (7) : m\n   | one\n   | two\n   | three\n",
        ),
        (Diagnostic("c", Severity.ALERT, "m:", excerpt=("  x", "  ^")), "[ALERT]    (7) : m:\n  x\n  ^\n"),
    ],
)
def test_haproxy(diagnostic: Diagnostic, text: str) -> None:
    assert render.haproxy(diagnostic, 7) == text


def test_the_program_introduces_itself_before_the_first_complaint() -> None:
    notice = Diagnostic("n", Severity.NOTICE, "n")
    warning = Diagnostic("w", Severity.WARNING, "w")
    assert render.haproxy_report([notice], 7, "V", "/p") == "[NOTICE]   (7) : n\n"
    assert render.haproxy_report([notice, warning, warning], 7, "V", "/p").splitlines() == [
        "[NOTICE]   (7) : n",
        "[NOTICE]   (7) : haproxy version is V",
        "[NOTICE]   (7) : path to executable is /p",
        "[WARNING]  (7) : w",
        "[WARNING]  (7) : w",
    ]


def test_json() -> None:
    found = [
        Diagnostic("bad", Severity.ALERT, "m \udcff", SPAN, hint="h", details=("d",)),
        Diagnostic("w", Severity.WARNING, "m"),
    ]
    assert json.loads(render.as_json(found)) == [
        {
            "code": "bad",
            "severity": "alert",
            "message": "m \udcff",
            "file": "a.cfg",
            "line": 2,
            "start": 10,
            "end": 14,
            "included_from": ["top.cfg:1"],
            "hint": "h",
            "details": ["d"],
        },
        {"code": "w", "severity": "warning", "message": "m"},
    ]


def test_rich_marks_the_place_and_obeys_nothing_in_the_text() -> None:
    out = io.StringIO()
    render.rich([Diagnostic("bad", Severity.ALERT, "m [red]\x1b[31m \udcff", SPAN, hint="do so")], out)
    assert out.getvalue().splitlines() == [
        "error[bad]: m [red]\ufffd[31m \ufffd",
        "  --> a.cfg:2",
        "  included from top.cfg:1",
        '   2 |   maxconn "x\ufffd"',
        "     |           ^^^^",
        "   = hint: do so",
    ]


def test_write_gives_the_bytes_back_and_survives_a_closed_pipe() -> None:
    reader, writer = os.pipe()
    render.write(writer, "\u00e9\udcff\n")
    assert os.read(reader, 10) == b"\xc3\xa9\xff\n"
    os.close(reader)
    render.write(writer, "x")
    os.close(writer)
