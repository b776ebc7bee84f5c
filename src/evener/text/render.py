"""How diagnostics look: as haproxy prints them, as a person likes to read them, as a program does.

The shape of keepalived's messages is in ``render_keepalived``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from evener.text.diagnostic import Diagnostic, Severity
from evener.text.span import Span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_LABELS = {severity: f"[{severity.name}]".ljust(10) for severity in Severity}
_USUAL = "config : parsing [{place}] : "


def haproxy_line(severity: Severity, message: str, pid: int) -> str:
    """``[ALERT]    (pid) : message``, without a final LF."""
    return f"{_LABELS[severity]} ({pid}) : {message}"


def haproxy(diagnostic: Diagnostic, pid: int) -> str:
    """A diagnostic as haproxy prints it: continuation lines, excerpt and all, with a final LF.

    The original has no place for a hint: it becomes one more continuation line.
    """
    span = diagnostic.span
    lead = diagnostic.lead
    if lead is None:
        lead = _USUAL if span is not None else ""
    place = str(span) if span is not None else ""
    first = lead.replace("{place}", place) + diagnostic.message
    lines = [haproxy_line(diagnostic.severity, first, pid)]
    lines += [f"   | {detail}" for detail in diagnostic.details]
    if diagnostic.hint:
        lines.append(f"   | {diagnostic.hint}")
    lines += diagnostic.excerpt
    return "\n".join(lines) + "\n"


def haproxy_report(found: Iterable[Diagnostic], pid: int, version: str, path: str) -> str:
    """Everything found in one run. Before the first complaint stand two lines about the program."""
    out: list[str] = []
    introduced = False
    for diagnostic in found:
        if not introduced and diagnostic.severity is not Severity.NOTICE:
            introduced = True
            out.append(haproxy_introduction(pid, version, path))
        out.append(haproxy(diagnostic, pid))
    return "".join(out)


def haproxy_introduction(pid: int, version: str, path: str) -> str:
    return (
        haproxy_line(Severity.NOTICE, f"haproxy version is {version}", pid)
        + "\n"
        + haproxy_line(Severity.NOTICE, f"path to executable is {path}", pid)
        + "\n"
    )


def as_json(found: Iterable[Diagnostic]) -> str:
    """A JSON array; columns count from 0, lines from 1. Bytes that are not UTF-8 are escaped."""
    import json

    return json.dumps([_object(diagnostic) for diagnostic in found], indent=2)


def _object(diagnostic: Diagnostic) -> dict[str, object]:
    entry: dict[str, object] = {
        "code": diagnostic.code,
        "severity": diagnostic.severity.name.lower(),
        "message": diagnostic.message,
    }
    span = diagnostic.span
    if span is not None:
        entry |= {"file": span.source.name, "line": span.line, "start": span.start, "end": span.end}
        chain = [str(above) for above in span.source.chain()]
        entry |= {"included_from": chain} if chain else {}
    if diagnostic.hint:
        entry["hint"] = diagnostic.hint
    if diagnostic.details:
        entry["details"] = list(diagnostic.details)
    return entry


_COLOURS = {
    Severity.DIAG: "blue",
    Severity.NOTICE: "cyan",
    Severity.WARNING: "yellow",
    Severity.ALERT: "bold red",
}
_WORDS = {
    Severity.DIAG: "advice",
    Severity.NOTICE: "notice",
    Severity.WARNING: "warning",
    Severity.ALERT: "error",
}


def rich(found: Iterable[Diagnostic], file: TextIO | None = None) -> None:
    """Print findings for a person: the line itself, with the place marked below it."""
    from rich.console import Console

    console = Console(file=file, soft_wrap=True, highlight=False, stderr=file is None)
    for diagnostic in found:
        _show(console, diagnostic)


def _show(console: Console, diagnostic: Diagnostic) -> None:
    from rich.text import Text

    colour = _COLOURS[diagnostic.severity]
    head = Text()
    head.append(_WORDS[diagnostic.severity], style=colour)
    head.append(f"[{diagnostic.code}]", style="dim")
    head.append(": " + clean(diagnostic.message.strip()))
    console.print(head)
    if diagnostic.span is not None:
        for line in _place(diagnostic.span, colour):
            console.print(line)
    for detail in diagnostic.details:
        console.print(Text("   | " + clean(detail)))
    if diagnostic.hint:
        console.print(Text.assemble(("   = ", "dim"), ("hint: ", "green"), clean(diagnostic.hint)))


def _place(span: Span, colour: str) -> list[Text]:
    from rich.text import Text

    lines = [Text.assemble(("  --> ", "dim"), clean(str(span)))]
    lines += [Text.assemble(("  included from ", "dim"), clean(str(above))) for above in span.source.chain()]
    raw = clean(span.source.line(span.line))
    if raw.strip():
        number = str(span.line)
        lines.append(Text.assemble((f"{number:>4} | ", "dim"), raw))
        if span.end > span.start:
            marks = " " * span.start + "^" * min(span.end - span.start, max(1, len(raw) - span.start))
            lines.append(Text.assemble(("     | ", "dim"), (marks, colour)))
    return lines


def clean(text: str) -> str:
    """``text`` with everything a terminal could obey or not show replaced, one for one."""
    return "".join(c if c.isprintable() else " " if c in "\t\n" else "\ufffd" for c in text)


def write(fd: int, text: str) -> None:
    """Write text to a descriptor as the bytes it was read as; a reader that has gone away is no error."""
    data = text.encode("utf-8", "surrogateescape")
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        return
