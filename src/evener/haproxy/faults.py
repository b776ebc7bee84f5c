"""What can be wrong with a line before anyone asks what it means, in the original's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from evener.haproxy import tokens
from evener.haproxy.excerpt import excerpt, position
from evener.haproxy.line import Line
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.span import Source, Span

TIGHT: Final = "config : parsing [{place}]: "
"""How the messages of the reader begin; those of sections have a blank before the colon."""

_ADVICE: Final = (
    "Aborting to prevent all subsequent arguments from being silently ignored. If this is caused by an "
    "environment variable expansion, please have a look at section 2.3 of the configuration manual to "
    "find solutions to address this."
)
_EMPTY = re.compile(r"""'[^']*'|"(?:\$(?:\{[^}]*\}|[A-Za-z0-9_.]+))*\"""")
_SCOPE = re.compile(r"\[([A-Za-z0-9_.:-]*)(\]?)[ \t]*")


def _alert(
    code: str, message: str, span: Span, shown: tuple[str, ...] = (), lead: str | None = TIGHT
) -> Diagnostic:
    return Diagnostic(code, Severity.ALERT, message, span, lead=lead, excerpt=shown)


def broken_line(source: Source, number: int, raw: str, error: tokens.BrokenLine) -> Diagnostic:
    """A line that cannot be cut into words."""
    column = error.column
    what = f"{tokens.MESSAGES[error.code]} at position {position(raw, column)}:"
    return _alert(error.code, what, Span(source, number, column, column + 1), excerpt(raw, column))


def too_many_words(source: Source, number: int, words: list[str]) -> Diagnostic:
    limit = tokens.MAX_WORDS
    before = "".join(word + " " for word in words[: limit - 1])
    where = position(before, len(before))
    what = f"too many words, truncating after word {limit}, position {where}: <{words[limit - 1]}>."
    return _alert("too-many-words", what, Span(source, number))


def usable_lines(source: Source) -> tuple[Sequence[str], bool]:
    """The lines that come before any NUL and have an LF at their end; False when there are others."""
    lines = source.lines
    for index, raw in enumerate(lines):
        if "\0" in raw:
            return lines[:index], False
    return lines[:-1], not lines or lines[-1] == ""


def incomplete(source: Source, number: int) -> Diagnostic:
    """The line after the usable ones."""
    raw = source.lines[number - 1]
    at = raw.find("\0")
    if at >= 0:
        what = f"Stray NUL character at position {position(raw, at)}."
        return _alert("stray-nul", what, Span(source, number, at, at + 1))
    where = position(raw, len(raw))
    what = f"Missing LF on last line, file might have been truncated at position {where}."
    return _alert("missing-final-newline", what, Span(source, number, len(raw), len(raw)))


def scope_problem(raw: str) -> str | None:
    """What is wrong with a line like ``[name]``; None when nothing is."""
    text = raw.strip(" \t\v\f\r")
    match = _SCOPE.match(text)
    if match is None:
        return "empty scope name is forbidden."
    name, closed = match.groups()
    rest = text[match.end() :]
    if closed and name:
        if not rest or rest[0] == "#":
            return None
        return f"character '{rest[0]}' is not permitted after scope declaration."
    following = text[1 + len(name) : 2 + len(name)]
    if closed or not following:
        return "empty scope name is forbidden."
    return f"character '{following}' is not permitted in a scope name."


def empty_argument(
    line: Line, index: int, variable: Callable[[str], str | None], *, advise: bool
) -> tuple[Diagnostic, str | None]:
    """An empty word, and the unset variable that made it so, if it was one."""
    raw = line.source.line(line.number)
    column, name = _where_empty(raw, line.span(index), variable)
    what = f"argument number {index} at position {position(raw, column)}"
    what += " is empty and marks the end of the argument list:"
    shown: tuple[str, ...] = excerpt(raw, column)
    shown += (_ADVICE,) if advise else ()
    span = Span(line.source, line.number, column, column + 1)
    return _alert("empty-argument", what, span, shown), name


def _where_empty(raw: str, span: Span, variable: Callable[[str], str | None]) -> tuple[int, str | None]:
    """Where to look: at the first unset variable up to the empty word, else where that word ends."""
    unset = tokens.first_unset(raw, variable)
    if unset is not None and unset[0] < span.end:
        return unset
    if raw[span.start : span.start + 1] not in ('"', "'"):
        return span.start, None
    match = _EMPTY.match(raw, span.start)
    return (match.end() - 1 if match else span.start), None
