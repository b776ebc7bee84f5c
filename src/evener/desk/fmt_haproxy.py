"""The layout of a haproxy.cfg: sections at the margin and apart, their lines indented, words one blank apart.

Lines that begin with a dot stand at the margin. A comment stands with what follows it: one that was at the
margin before a section stays there. A line that the original could not cut into words is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from evener.desk.fmt import Layout, Unformattable, tidy
from evener.haproxy import tokens
from evener.haproxy.reader import SECTIONS

_BLANKS = " \t\v\f\r"


class Kind(Enum):
    BLANK = auto()
    COMMENT = auto()
    SECTION = auto()
    DIRECTIVE = auto()
    STATEMENT = auto()


class Entry(NamedTuple):
    """A line: what it is, its words as they were written, its comment, and whether it was indented."""

    kind: Kind
    text: str
    comment: str
    indented: bool


def format_haproxy(text: str) -> str:
    """The formatted text; a final line without its LF gets one only if it is blank or a comment."""
    lines = text.split("\n")
    entries = [entry(raw, number) for number, raw in enumerate(lines, 1)]
    if entries and entries[-1].kind not in (Kind.BLANK, Kind.COMMENT):
        raise Unformattable(len(lines), "the last line has no LF, the file may have been cut off")
    made = lay_out(entries)
    if meaning(made.split("\n")) != meaning(lines):
        raise Unformattable(1, "formatting would change what the file says")
    return made


def entry(raw: str, number: int) -> Entry:
    stripped = raw.strip(_BLANKS)
    indented = raw[:1] in _BLANKS and bool(stripped)
    if not stripped:
        return Entry(Kind.BLANK, "", "", False)
    if stripped.startswith("#"):
        return Entry(Kind.COMMENT, "", tidy(stripped), indented)
    if "\0" in raw:
        raise Unformattable(number, "there is a NUL in it")
    try:
        words = words_of(raw, lambda name: None)
    except tokens.BrokenLine as broken:
        raise Unformattable(number, tokens.MESSAGES[broken.code]) from None
    starts, ends = tokens.columns(raw)
    code = " ".join(raw[start:end] for start, end in zip(starts, ends, strict=True))
    comment = raw[ends[-1] :].strip(_BLANKS) if ends else ""
    if comment and not comment.startswith("#"):
        code, comment = raw[starts[0] :].rstrip(_BLANKS), ""  # what follows a CR within a line means nothing
    first = words[0] if words else ""
    kind = Kind.DIRECTIVE if first.startswith(".") else Kind.SECTION if first in SECTIONS else Kind.STATEMENT
    return Entry(kind, code, tidy(comment), indented)


def words_of(raw: str, lookup: tokens.Lookup) -> list[str]:
    return tokens.words_and_columns(raw, lookup)[0] if tokens.plain_part(raw) is None else raw_words(raw)


def raw_words(raw: str) -> list[str]:
    return (tokens.plain_part(raw) or "").split()


def lay_out(entries: Sequence[Entry]) -> str:
    layout = Layout()
    inside = False
    for index, one in enumerate(entries):
        if one.kind is Kind.BLANK:
            layout.blank()
        elif one.kind is Kind.COMMENT:
            ahead = next_kind(entries, index)
            heading = not inside or (ahead is Kind.SECTION and not one.indented)
            if heading and inside and not is_heading(entries, index - 1):
                layout.blank()
            layout.add(0 if heading else 1, "", one.comment)
        elif one.kind is Kind.SECTION:
            if not is_heading(entries, index - 1):
                layout.blank()
            layout.add(0, one.text, one.comment)
            inside = True
        else:
            depth = 1 if one.kind is Kind.STATEMENT and inside else 0
            layout.add(depth, one.text, one.comment)
    return layout.text()


def is_heading(entries: Sequence[Entry], index: int) -> bool:
    """Whether the line before belongs to what follows: a comment at the margin, or a directive."""
    if index < 0:
        return True
    before = entries[index]
    return before.kind is Kind.DIRECTIVE or (before.kind is Kind.COMMENT and not before.indented)


def next_kind(entries: Sequence[Entry], index: int) -> Kind | None:
    """What the next line is that is neither blank nor a comment; directives are looked through."""
    passed = (Kind.BLANK, Kind.COMMENT, Kind.DIRECTIVE)
    return next((one.kind for one in entries[index:] if one.kind not in passed), None)


def meaning(lines: Sequence[str]) -> list[list[str]]:
    """The words of every line that has some, with variables set and with variables unset."""
    made: list[list[str]] = []
    for lookup in (lambda name: None, lambda name: f"<{name}> and"):
        made += [words for raw in lines if (words := words_of(raw, lookup))]
    return made
