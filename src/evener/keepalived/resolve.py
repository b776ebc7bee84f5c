"""keepalived.conf in, typed IR out: ``load``.

    files --reader--> lines --shape--> tokens --Lark--> statements --statements--> blocks --complete--> IR

Everything is collected in ``Diagnostics``, in the order of the file, and reading goes on after each
finding. ``FatalConfiguration`` is raised only where the original gives up as well (a missing word) or
where it would not come back (endless parameters or includes).
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from evener.keepalived import reader
from evener.keepalived.alike import Alike
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.complete import complete
from evener.keepalived.declare import BlockOutline
from evener.keepalived.grammar import statement
from evener.keepalived.ir import Configuration
from evener.keepalived.line import Statement
from evener.keepalived.reading import (
    CHECKER,
    ORDER,
    PARENT,
    READ_TWICE,
    MissingWord,
    Reading,
    Surroundings,
    reader_of,
)
from evener.keepalived.shape import Shaper
from evener.keepalived.statements import end_of, store
from evener.text.diagnostic import Diagnostic, Diagnostics, FatalConfiguration
from evener.text.record import dataclass
from evener.text.render_keepalived import ParentDiagnostic, SharedDiagnostic
from evener.text.span import Span
from evener.vocab.blocks import Builder

__all__ = ["LoadOptions", "Surroundings", "load"]

MAX_FINDINGS = 20_000
"""More than this is not a configuration; reading ends."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What reading takes from outside the file.

    ``reader``: config id, environment, files, strictness of includes. ``surroundings``: what is known of
    the machine. The defaults know nothing of the machine except its files.
    """

    reader: reader.Options = field(default_factory=reader.Options)
    surroundings: Surroundings = field(default_factory=Surroundings)


def load(path: str, diagnostics: Diagnostics, options: LoadOptions | None = None) -> Configuration:
    """Read, resolve and complete the configuration file ``path``.

    A missing file is a diagnostic (``config-file-missing``) and an empty configuration. Raises
    FatalConfiguration after its diagnostic was collected.
    """
    options = options or LoadOptions()
    try:
        return _load(path, diagnostics, options, ())
    except _ReadAgain as again:
        return _load(path, diagnostics, options, again.facts)


class _ReadAgain(Exception):
    """global_defs counts for everything, wherever it stands: the original reads it first."""

    def __init__(self, facts: tuple[Any, ...]) -> None:
        self.facts = facts


def _load(path: str, diagnostics: Diagnostics, options: LoadOptions, known: tuple[Any, ...]) -> Configuration:
    found = Diagnostics()
    reading = Reading(found, options.surroundings)
    if known:
        reading.recall(known)
    lines = reader.Reader(options.reader, found)
    reading.include_check = lines.check
    builder: Builder[Configuration] = Builder(Configuration, Configuration(global_defs=GlobalDefs()))
    reading.builders.append(builder)
    try:
        end = _read(path, reading, lines, builder)
        if reading.late and not known:
            raise _ReadAgain(reading.late)
        unread = _unread(reading)
        configuration = complete(reading, builder.finish())
        found = _spoken(found, reading, unread)
    except FatalConfiguration as error:
        if isinstance(error, MissingWord):
            found = _of_parent(found)
        _hand_over(found, diagnostics, fatal=True)
        raise
    _hand_over(found, diagnostics)
    if end is not None:
        raise end
    return configuration


def _read(
    path: str, reading: Reading, lines: reader.Reader, builder: Builder[Configuration]
) -> MissingWord | None:
    """Read everything; the error at which a process of the original would have ended, if one would."""
    end: MissingWord | None = None
    alike, found = Alike(reading, builder), reading.diagnostics
    shaper = Shaper(BlockOutline(Configuration), lines.lines(path), lambda: lines.depth, found, alike.take)
    reading.braceless = shaper.braceless
    for tokens in shaper.entries():
        entry = statement(tokens)
        if shaper.hidden and _process(entry) not in (PARENT, reader_of(shaper.parted, block=True)):
            reading.hidden.append((entry.whole(), end_of(entry)))
            continue
        error = _entry(reading, builder, entry)
        if error is not None:
            end = error
            shaper.ended()
        alike.learn()
        lines.check = reading.include_check
        if reading.seed is not None:
            lines.seed(reading.seed)
            reading.seed = None
        if len(reading.diagnostics) > MAX_FINDINGS:
            raise reading.diagnostics.abort("too-many-findings", "too many errors - giving up")
    alike.finish()
    return end


def _process(entry: Statement) -> str:
    return reader_of(entry.words[0], entry.body is not None)


def _entry(reading: Reading, builder: Builder[Configuration], entry: Statement) -> MissingWord | None:
    """Read one outermost entry. Where its reader ends the others read on."""
    process = _process(entry)
    if entry.body is not None:
        twice = entry.words[0] in READ_TWICE and CHECKER not in reading.ended
        reading.entries.append((CHECKER if twice else process, entry.whole(), end_of(entry)))
        reading.begun = reading.begun or process != PARENT
    if process in reading.ended:
        reading.skipped.append((entry.whole(), end_of(entry)))
        return None
    before = reading.facts() if reading.begun and process == PARENT else ()
    try:
        store(reading, builder, entry)
        if before and reading.facts() != before:
            reading.late = reading.facts()
    except MissingWord as error:
        if process == PARENT:
            raise
        reading.ended.add(process)
        reading.skipped.append((list(reading.diagnostics)[-1].span or entry.whole(), end_of(entry)))
        reading.builders[1:], reading.marks[1:], reading.names[:] = [], [], []
        return error
    return None


PARENT_ENDS = frozenset({"include-missing", "include-refused"})
SHAPES = frozenset({"unknown-keyword", "unexpected-brace", "unmatched-quote", "missing-open-brace"})


def _unread(reading: Reading) -> list[tuple[Span, Span]]:
    """The blocks of the processes for which the original does not come to read, as it has ended before."""
    first = min((ORDER.index(process) for process in reading.ended), default=len(ORDER))
    late = set(ORDER[first + 1 :])
    reading.ended |= late if first < len(ORDER) else set()
    return reading.hidden + [(start, last) for process, start, last in reading.entries if process in late]


def _within(span: Span, blocks: list[tuple[Span, Span]]) -> bool:
    return any(
        first.source is span.source is last.source
        and (first.line, first.start) < (span.line, span.start) <= (last.line, last.start)
        for first, last in blocks
    )


def _spoken(found: Diagnostics, reading: Reading, unread: list[tuple[Span, Span]]) -> Diagnostics:
    """Without what was said of the shape of blocks that are passed over, as their names are wrong.

    Where the parent gives up, as a file to include is missing, no other process has read anything.
    """
    if any(diagnostic.code in PARENT_ENDS for diagnostic in found):
        return _of_parent(found)
    kept = Diagnostics()
    if not reading.skipped and not unread:
        return found
    for diagnostic in found:
        span = diagnostic.span
        shared = isinstance(diagnostic, (ParentDiagnostic, SharedDiagnostic))
        if span is None or shared:
            kept.add(diagnostic)
            continue
        shape = diagnostic.code in SHAPES and _within(span, reading.skipped)
        if not shape and not _within(span, unread):
            kept.add(diagnostic)
    return kept


def _of_parent(found: Diagnostics) -> Diagnostics:
    """What the first process says, which gives up before there are others."""
    kept = Diagnostics()
    for diagnostic in found:
        if isinstance(diagnostic, (ParentDiagnostic, SharedDiagnostic)):
            kept.add(diagnostic)
    return kept


def _hand_over(found: Diagnostics, diagnostics: Diagnostics, fatal: bool = False) -> None:
    """Pass on the findings in the order of the file; those made after reading stay at the end.

    The shape of a block is looked at before its contents, so the findings do not come in order. What
    lies behind a fatal one is not said.
    """
    ranks: dict[int, int] = {}
    keys = {id(d): _key(d, ranks) for d in found if d.span is not None}
    placed = sorted((d for d in found if d.span is not None), key=lambda d: keys[id(d)])
    last = list(found)[-1] if fatal else None
    for diagnostic in placed:
        if last is None or last.span is None or keys[id(diagnostic)] <= keys[id(last)]:
            diagnostics.add(diagnostic)
    for diagnostic in found:
        if diagnostic.span is None:
            diagnostics.add(diagnostic)


def _key(diagnostic: Diagnostic, ranks: dict[int, int]) -> tuple[Any, ...]:
    """Line by line along the chain of includes; files of one include in the order of their first finding."""
    assert diagnostic.span is not None
    key: list[int] = []
    for span in reversed(diagnostic.span.source.chain()):
        key.append(span.line)
    key.append(ranks.setdefault(id(diagnostic.span.source), len(ranks)) if key else 0)
    return (*key, diagnostic.span.line, diagnostic.span.start)
