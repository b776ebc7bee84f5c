"""Files in, logical lines out: comments, conditions, parameters, sequences, includes and braces.

The order is the original's (keepalived.conf(5) and what it was seen to do):

1. physical lines of at most 1023 bytes; the rest of a longer one is read as another line;
2. comments and blanks are cut off;                                       (``comments``)
3. empty lines are dropped;
4. lines of a ``$NAME= \\`` definition are collected;
5. ``@id`` / ``@^id`` conditions keep or drop the line;
6. ``$NAME=value`` defines;                                               (``parameters``)
7. ``~SEQ`` and ``~LST`` repeat the rest of the line;                     (``sequences``)
8. parameters are replaced, one by one, and the result is looked at again from 5 on;
9. ``include`` reads other files in place;                                (``include``)
10. braces outside quotes end a line: ``{`` stays with what stands before it, ``}`` stands alone.

What is read is a program: parameters may name each other and files include each other. Every such
recursion has a limit, and what goes beyond it is a diagnostic; the original does not return from some
of them. Lines come out one at a time, so that a setting in one (``include_check``) can act on the next.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from evener.keepalived.comments import uncomment
from evener.keepalived.file_lines import FileLines
from evener.keepalived.files import Disk, Files, Problem
from evener.keepalived.include import INCLUDE, Check, Inclusion
from evener.keepalived.line import BLANKS, Line
from evener.keepalived.parameters import DEFINITION, Parameters
from evener.keepalived.passages import Passage, passages
from evener.keepalived.sequences import BadSequence, sequence
from evener.text.diagnostic import Diagnostics, FatalConfiguration
from evener.text.record import dataclass
from evener.text.render_keepalived import said_by_parent
from evener.text.span import Source, Span

LINE_BYTES = 1023  #: what the original's 1024-byte buffer holds beside its terminator
MAX_LINES = 1_000_000  #: logical lines; the manual's largest example makes about as many
PARENT_BLOCK = "global_defs"
MAX_DEPTH = 64  #: of parameters within parameters, and of files within files
MAX_FILES = 4096
MAX_TEXT = 1 << 16  #: characters of one line after replacement
MAX_REPLACEMENTS = 1000  #: in one line
MAX_WORK = 1 << 28  #: characters looked at for parameters in the whole configuration


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader takes from its surroundings."""

    config_id: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Files = field(default_factory=Disk)
    check_includes: Check = Check.NONE
    passages: bool = False
    """Hand out plain virtual servers as a whole (``passages``)."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text on its way through steps 5 to 10. ``depth`` counts files and parameters it came out of."""

    text: str
    source: Source
    number: int
    column: int | None
    depth: int = 0

    def with_text(self, text: str, column: int | None = None, deeper: int = 0) -> _Piece:
        return _Piece(text, self.source, self.number, column, self.depth + deeper)

    @property
    def span(self) -> Span:
        if self.column is None:
            return Span(self.source, self.number)
        return Span(self.source, self.number, self.column, self.column + len(self.text))


class Reader:
    """Reads one configuration. ``check`` may be raised while lines are being taken."""

    def __init__(self, options: Options, diagnostics: Diagnostics) -> None:
        self.options = options
        self.diagnostics = diagnostics
        self.check = options.check_includes
        self.depth = 0  #: of braces
        self.files = 0
        self._root = ""  #: the first word of the last line outside of all blocks
        self._order = 0
        self._work = 0
        self._directory = ""
        self._parameters = Parameters(options.config_id, options.environment, lambda: self._directory)

    # -- files ---------------------------------------------------------------------------------

    def seed(self, number: int) -> None:
        """``random_seed``: of ``${_RANDOM}`` in the lines that follow."""
        self._parameters.seed(number)

    def lines(self, path: str) -> Iterator[Line | Passage]:
        """The logical lines of the file ``path`` and what it includes; passages where they are wanted."""
        yield from self._file(path, path, None, 0)

    def _file(self, path: str, name: str, included_from: Span | None, depth: int) -> Iterator[Line | Passage]:
        if depth > MAX_DEPTH or self.files >= MAX_FILES:
            message = f"Configuration file '{name}' includes itself"
            raise self.diagnostics.abort("include-loop", message, included_from)
        content = self.options.files.read(path)
        if isinstance(content, Problem):
            self._unread(name, content, included_from)
            return
        self.files += 1
        outer, self._directory = self._directory, posixpath.dirname(path) or "."
        try:
            yield from self._text(content, name, included_from, depth)
        finally:
            self._directory = outer

    def _unread(self, name: str, problem: Problem, where: Span | None) -> None:
        if where is None and problem is Problem.MISSING:
            said_by_parent(self.diagnostics, "config-file-missing", f"Config files missing '{name}'.", where)
            return
        code = "include-refused" if Check.READ in self.check else "include-unread"
        said_by_parent(self.diagnostics, code, f"Configuration file '{name}' {problem.value}", where)

    def _text(
        self, content: bytes, name: str, included_from: Span | None, depth: int
    ) -> Iterator[Line | Passage]:
        source = Source(name, FileLines(content), included_from)
        definition: list[str] | None = None
        defined = ""
        outside = lambda: definition is None  # noqa: E731 - it is asked while the loop runs
        for number, column, raw in self._places(content, source, outside):
            if isinstance(raw, Passage):
                yield raw
                continue
            text, lead, open_quote, _ = uncomment(raw)
            if ("\\#" in raw or "\\!" in raw) and self._of_child(text):
                # The processes but the first read a copy, in which the escape is gone: a comment begins.
                text = uncomment(text).text
            if open_quote:
                message = f"Unterminated quote '{text}'"
                said_by_parent(self.diagnostics, "unterminated-quote", message, Span(source, number))
            if not text:
                if definition is not None:  # which ends at an empty line, and at one with a comment only
                    self._defined(defined, definition)
                    definition = None
                continue
            start = None if lead is None or column is None else column + lead
            piece = _Piece(text, source, number, start, depth)
            if definition is not None:
                more = text.endswith("\\")
                definition.append(text[:-1].rstrip(BLANKS) if more else text)
                if not more:
                    self._defined(defined, definition)
                    definition = None
                continue
            kept = self._condition(piece)
            match = DEFINITION.match(kept.text) if kept else None
            if match is not None and match[2].endswith("\\"):
                defined, definition = match[1], [match[2][:-1].strip(BLANKS)]
            elif kept is not None:
                yield from self._expand(kept)
        if definition is not None:
            self._defined(defined, definition)

    def _of_child(self, text: str) -> bool:
        """Whether a line is read by another process than the first: it is in a block, or opens one."""
        if self.depth:
            return self._root != PARENT_BLOCK
        return "{" in uncomment(text).text and not text.startswith(PARENT_BLOCK)

    def _defined(self, name: str, lines: list[str]) -> None:
        """The end of a definition of several lines."""
        self._parameters.define(name, tuple(line for line in lines if line) or ("",))

    def _places(
        self, content: bytes, source: Source, outside: Callable[[], bool]
    ) -> Iterator[tuple[int, int | None, str | Passage]]:
        """The physical lines, and the passages that stand ``outside`` of everything."""
        number, done = 1, 0
        for start, end in passages(content) if self.options.passages else ():
            if start > done:
                # The last newline ends a line, and begins none.
                yield from self._physical(content[done : start - 1], source, number)
                number += content.count(b"\n", done, start)
            text = content[start:end].decode("utf-8", "surrogateescape")
            lines = text.count("\n")
            if outside() and not self.depth and self._order + lines <= MAX_LINES:
                self._order += lines
                yield number, 0, Passage(text, source, number, self._unfolded)
            else:
                yield from self._physical(content[start : end - 1], source, number)
            number, done = number + lines, end
        yield from self._physical(content[done:], source, number)

    def _unfolded(self, passage: Passage) -> Iterator[Line]:
        """The logical lines of a passage: nothing in it has to be replaced."""
        self._order -= passage.text.count("\n")
        for number, raw in enumerate(passage.text.split("\n"), passage.number):
            text, lead, _, _ = uncomment(raw)
            if text:
                yield from self._split(_Piece(text, passage.source, number, lead))

    def _physical(self, content: bytes, source: Source, first: int) -> Iterator[tuple[int, int | None, str]]:
        """Number, column and text of what the original's buffer would hold, line by line."""
        # Decoding never joins nor splits lines: the end of a line is in no other character.
        for number, line in enumerate(content.split(b"\n"), first):
            if len(line) < LINE_BYTES and b"\0" not in line:
                yield number, 0, line.decode("utf-8", "surrogateescape")
                continue
            if b"\0" in line:
                message = "configuration appears to have embedded NULs - ignoring line"
                said_by_parent(self.diagnostics, "embedded-nul", message, Span(source, number))
                continue
            column: int | None = 0
            # The end of line takes a place in the buffer as well.
            while len(line) >= LINE_BYTES:
                said_by_parent(
                    self.diagnostics, "line-too-long", "line too long - ignoring", Span(source, number)
                )
                line, column = line[LINE_BYTES:], None
            yield number, column, line.decode("utf-8", "surrogateescape")

    # -- lines ---------------------------------------------------------------------------------

    def _condition(self, piece: _Piece) -> _Piece | None:
        """Step 5: what remains of a line when its ``@id`` condition holds."""
        text = piece.text
        if text[:1] != "@":
            return piece
        for _ in range(MAX_REPLACEMENTS):
            if not text.startswith("@"):
                break
            word, _, rest = text.replace("\t", " ").partition(" ")
            identity = word[1:].removeprefix("^")
            wanted = (identity == self.options.config_id) != word.startswith("@^")
            rest = text[len(word) :].lstrip(BLANKS)
            if not wanted or not rest or not identity:
                return None
            text = rest
        if text == piece.text:
            return piece
        column = None if piece.column is None else piece.column + len(piece.text) - len(text)
        return piece.with_text(text, column)

    def _expand(self, piece: _Piece, fresh: bool = True) -> Iterator[Line | Passage]:
        """Steps 5 to 10 for one text. ``fresh``: no parameter was replaced at its beginning.

        What a parameter makes is no condition, no definition and no sequence.
        """
        if piece.depth > MAX_DEPTH:
            raise self._endless(piece)
        for _ in range(MAX_REPLACEMENTS):
            if fresh:
                kept = self._condition(piece)
                if kept is None:
                    return
                piece = kept
                match = DEFINITION.match(piece.text)
                if match is not None:
                    self._parameters.define(match[1], (match[2].strip(BLANKS),))
                    return
                repeated = self._repeat(piece) if piece.text.startswith("~") else None
                if repeated is not None:
                    yield from repeated
                    return
            if not piece.text:
                return
            self._work += len(piece.text)
            if self._work > MAX_WORK:
                break
            reference = self._parameters.find(piece.text)
            if reference is None:
                yield from self._include_or_split(piece)
                return
            before, after = piece.text[: reference.start], piece.text[reference.end :]
            if len(reference.value) > 1:
                yield from self._several(piece, before, reference.value, after, fresh and bool(before))
                return
            fresh = fresh and reference.start > 0
            text = before + reference.value[0] + after
            if len(text) > MAX_TEXT:
                break
            if "#" in reference.value[0] or "!" in reference.value[0]:
                text = uncomment(text).text  # a value may begin a comment
            piece = piece.with_text(text.strip(BLANKS))
        raise self._endless(piece)

    def _endless(self, piece: _Piece) -> FatalConfiguration:
        message = "Parameter definitions refer to each other endlessly"
        return self.diagnostics.abort("parameter-loop", message, piece.span)

    def _several(
        self, piece: _Piece, before: str, value: tuple[str, ...], after: str, fresh: bool
    ) -> Iterator[Line | Passage]:
        """A definition of several lines: its first one continues what stands before it."""
        if after.strip(BLANKS):
            message = (
                f"Multiline definition must be the last thing on a line - ignoring '{after.strip(BLANKS)}'"
            )
            said_by_parent(self.diagnostics, "text-after-multiline", message, piece.span)
        first = piece.with_text((before + value[0]).strip(BLANKS), deeper=1)
        yield from self._expand(first, fresh)
        for text in value[1:]:
            yield from self._expand(piece.with_text(text, deeper=1))

    def _repeat(self, piece: _Piece) -> Iterator[Line | Passage] | None:
        """Step 7; None when the text begins with no sequence."""
        text = piece.text
        close = text.find(")")
        reference = self._parameters.find(text) if text.startswith(("~SEQ", "~LST")) else None
        if reference is not None and reference.start < close and len(reference.value) == 1:
            return None
        try:
            found = sequence(text)
        except BadSequence as error:
            for reason in error.reasons:
                said_by_parent(self.diagnostics, "bad-sequence", f"{reason} '{text}'", piece.span)
            return iter(())
        if found is None:
            return None
        rest = piece.with_text(text[found.end :].strip(BLANKS), deeper=1)
        return self._each(found.names, found.values, rest)

    def _each(
        self, names: tuple[str, ...], values: Iterator[tuple[str, ...]], rest: _Piece
    ) -> Iterator[Line | Passage]:
        held = {name: self._parameters.values.get(name) for name in names}
        defines = DEFINITION.match(rest.text) is not None
        for value in values:
            self._count(rest)
            for name, text in zip(names, value, strict=True):
                self._parameters.define(name, (text,))
            # A definition outlives the sequence: it takes the value that there is now.
            yield from self._expand(self._settled(rest, names) if defines else rest)
        for name, before in held.items():
            if before is None:
                self._parameters.values.pop(name, None)
            else:
                self._parameters.define(name, before)

    def _settled(self, piece: _Piece, names: tuple[str, ...]) -> _Piece:
        text = piece.text
        for name in names:
            value = self._parameters.values[name][0]
            text = re.sub(rf"\$(\{{{name}\}}|{name}(?=[ \t,)]|$))", lambda _, value=value: value, text)  # type: ignore[misc]
        return piece.with_text(text)

    def _include_or_split(self, piece: _Piece) -> Iterator[Line | Passage]:
        match = INCLUDE.match(piece.text)
        if match is None:
            yield from self._split(piece)
            return
        self._count(piece)
        inclusion = Inclusion(match[2].strip(BLANKS).strip('"'), self.check | Check.of(match[1]))
        held, self.check = self.check, inclusion.check
        try:
            for path, name in inclusion.targets(self._directory, self.options.files):
                yield from self._file(path, name, piece.span, piece.depth + 1)
            for message, strict in inclusion.complaints:
                code = "include-missing" if strict else "include-not-found"
                said_by_parent(self.diagnostics, code, message, piece.span)
        finally:
            self.check = held

    def _split(self, piece: _Piece) -> Iterator[Line]:
        """Step 10."""
        start, inside, text = 0, False, piece.text
        if "{" not in text[:-1] and "}" not in text:  # most lines
            yield from self._line(piece, 0, len(text))
            return
        for at, character in enumerate(text):
            if character == '"':
                inside = not inside
            elif character in "{}" and not inside:
                end = at + 1 if character == "{" else at
                yield from self._line(piece, start, end)
                if character == "}":
                    yield from self._line(piece, at, at + 1)
                start = at + 1
        yield from self._line(piece, start, len(text))

    def _line(self, piece: _Piece, start: int, end: int) -> Iterator[Line]:
        self._count(piece)
        line = Line(piece.text, piece.source, piece.number, piece.column, self._order).cut(start, end)
        if not line.text:
            return
        if not self.depth and line.text not in "{}":
            self._root = (line.text.rstrip("{").split(None, 1) or [""])[0]
        if line.text == "}":
            self.depth -= 1
            if self.depth < 0:
                self.depth = 0
                self.diagnostics.alert("extra-brace", "Extra '}' found", line.span())
        elif line.text.endswith("{"):
            self.depth += 1
        yield line

    def _count(self, piece: _Piece) -> None:
        self._order += 1
        if self._order > MAX_LINES:
            message = f"more than {MAX_LINES} lines - giving up"
            raise self.diagnostics.abort("too-many-lines", message, piece.span)


def machine() -> Options:
    """The options that the running machine suggests: its node name, its environment, its files."""
    return Options(config_id=os.uname().nodename.partition(".")[0], environment=dict(os.environ))
