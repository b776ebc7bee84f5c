"""Diagnostics in the shape of keepalived: ``(Line 12) msg``, ``(FILE: Line 12) msg``, ``msg``.

The original reads a configuration with its parent process, which names the file only when there are
several, and with one process per kind of block, which always name it; every process says what it
found, so that an error outside all blocks is printed four times. Here each finding is printed once,
in the shape in which the process that owns the line prints it. Findings without a place are made after
reading and name the block in their text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.record import dataclass
from evener.text.span import Span

NOT_FAULTS = frozenset({"include-not-found", "include-unread"})
"""Said, but no reason for ``-t`` to fail: a plain ``include`` of nothing is allowed."""


@dataclass(frozen=True, slots=True)
class ParentDiagnostic(Diagnostic):
    """A finding of the parent: about reading lines, or about global_defs."""


@dataclass(frozen=True, slots=True)
class SharedDiagnostic(Diagnostic):
    """A finding of every process, the parent among them: about what stands outside all blocks."""


def said_by_parent(
    diagnostics: Diagnostics, code: str, message: str, span: Span | None, severity: Severity = Severity.ALERT
) -> None:
    """Collect a finding that the parent of the original reports."""
    severity = Severity.NOTICE if code in NOT_FAULTS else severity
    diagnostics.add(ParentDiagnostic(code, severity, message, span))


def render(diagnostic: Diagnostic, *, several_files: bool) -> str:
    """One line (or more, when there are details or a hint) without a final newline."""
    span = diagnostic.span
    lines = [_prefix(diagnostic, span, several_files) + printable(diagnostic.message)]
    lines += [f"  {printable(detail)}" for detail in diagnostic.details]
    if diagnostic.hint:
        lines.append(f"  {printable(diagnostic.hint)}")
    return "\n".join(lines)


def render_all(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Each finding once, in order. A finding about the same line in the same words is one finding."""
    found = list(diagnostics)
    several = several_files(found)
    return list(dict.fromkeys(render(d, several_files=several) for d in found))


def several_files(found: Sequence[Diagnostic]) -> bool:
    names = {d.span.source.name for d in found if d.span is not None}
    chained = any(d.span is not None and d.span.source.included_from is not None for d in found)
    return len(names) > 1 or chained


def _prefix(diagnostic: Diagnostic, span: Span | None, several_files: bool) -> str:
    if span is None:
        return ""
    if isinstance(diagnostic, ParentDiagnostic) and not several_files:
        return f"(Line {span.line}) "
    return f"({printable(span.source.name)}: Line {span.line}) "


def printable(text: str) -> str:
    """``text`` with bytes that are no UTF-8 shown as what they are."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
