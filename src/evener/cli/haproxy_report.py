"""What is printed about the configuration that was read, and with which code ``haproxy -c`` ends.

The original says two things that are not findings: after each file, that there were errors in it, and
after all of them, that nothing will start. They are added here, where the text is made, so that other
views of the same findings do not count them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from evener.haproxy.build import VERSION
from evener.text import render
from evener.text.diagnostic import Diagnostic, Diagnostics, FatalConfiguration, Severity

__all__ = ["FatalConfiguration", "complain", "executable", "from_main", "report"]


def executable() -> str:
    """The path of this program, as the original prints it."""
    return os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else sys.executable


def complain(message: str, severity: Severity = Severity.ALERT) -> None:
    """Say one thing on stderr, with the introduction that the first message of a run has."""
    report([Diagnostic("command-line", severity, message)])


def from_main() -> str:
    """What the original puts before what it says between reading and serving: how it was called."""
    return f"[{sys.argv[0] if sys.argv else ''}.main()]"


def text_of(found: Iterable[Diagnostic]) -> str:
    return render.haproxy_report(found, os.getpid(), VERSION, executable())


def report(found: Iterable[Diagnostic]) -> None:
    render.write(2, text_of(found))


def with_conclusions(diagnostics: Diagnostics, *, diagnostic_mode: bool) -> list[Diagnostic]:
    """The findings to print: advice only on demand, and what the original says after each file."""
    found = [d for d in diagnostics if diagnostic_mode or d.severity is not Severity.DIAG]
    concluded = list(_concluded(found, diagnostics.aborted))
    if any(d.code in UNUSABLE for d in found):
        concluded.append(Diagnostic("conclusion", Severity.ALERT, "Fatal errors found in configuration."))
    return concluded


#: What is wrong with a server itself; the original concludes again, in other words.
UNUSABLE = frozenset({"no-check-port", "unsupported-transport", "bad-filter-sequence"})


def _concluded(found: list[Diagnostic], aborted: bool) -> Iterator[Diagnostic]:
    """A file's conclusion follows its last finding of reading; findings after that are about the whole."""
    last: dict[str, int] = {}
    bad: set[str] = set()
    file = ""
    for index, diagnostic in enumerate(found):
        if _from_reading(diagnostic, file):
            file = diagnostic.span.source.name if diagnostic.span else file
            last[file] = index
            if diagnostic.severity is Severity.ALERT and diagnostic.fatal:
                bad.add(file)
    if aborted and file:
        bad.add(file)
    ends = {index: name for name, index in last.items() if name in bad}
    final = max(ends, default=-1)
    for index, diagnostic in enumerate(found):
        yield diagnostic
        if index in ends:
            yield _said(f"Error(s) found in configuration file : {ends[index]}")
        if index == final and not aborted:
            yield _said("Fatal errors found in configuration.")


def _from_reading(diagnostic: Diagnostic, file: str) -> bool:
    """What is said while ``file`` is read has a place, or at least begins as if it had one."""
    lead = diagnostic.lead
    if lead is None or not file:
        return diagnostic.span is not None and (lead is None or lead.startswith("config : "))
    return lead.startswith("config : ")


def _said(message: str) -> Diagnostic:
    return Diagnostic("conclusion", Severity.ALERT, message, lead="config : ")
