"""Statements into blocks: each keyword's argument is read, checked and stored.

The vocabulary says everything about a keyword (``declare``); this is the one loop that applies it. A bad
value is reported and the keyword is as if it had not been given; a missing word ends the reading,
as it does in the original, unless the keyword says otherwise.
"""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import SAID
from evener.keepalived.blocks.group_lines import unusable
from evener.keepalived.declare import Nested, Values, field_of, slot_of
from evener.keepalived.ends import ENDS, UNICAST
from evener.keepalived.ir import Configuration, NamedValues
from evener.keepalived.line import Statement
from evener.keepalived.reading import MissingWord, Reading
from evener.keepalived.scripts import shown_command
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.span import Span
from evener.vocab.arguments import BadArgument, Cursor
from evener.vocab.blocks import Builder, Keyword, Repeat, Slot

REMEMBERED = UNICAST
"""Lines that mean something even where their words are wrong."""

TWICE = {
    "vrrp_instance": ("vrrp instance {} already defined",),
    "vrrp_sync_group": ("vrrp sync group {} already defined",),
    "track_group": ("track_group {} already defined",),
    "bfd_instance": (
        "BFD {} already specified",
        "Configuration error: BFD instance {} already configured - ignoring",
    ),
    "vrrp_script": (),
    "vrrp_track_process": (),
    "track_file": (),
    "vrrp_track_file": (),
}
"""Blocks of which the first of each name counts, and what is said of others; these are passed over then."""


def store(reading: Reading, builder: Builder[Any], statement: Statement) -> None:
    """Read one statement of the block that ``builder`` makes."""
    words = statement.words
    slot = slot_of(builder.cls, words[0])
    if slot is None:
        reading.alert("unknown-keyword", f"Unknown keyword '{words[0]}'", statement.span(0))
        return
    announce(reading, slot, statement)
    argument = slot.keyword.argument
    outer = reading.parent
    if builder.cls is Configuration:
        reading.parent = words[0] == "global_defs" or not isinstance(argument, (Nested, Values))
    try:
        if isinstance(argument, Nested):
            _nested(reading, builder, slot, argument, statement)
        elif isinstance(argument, Values):
            _values(reading, builder, slot, argument, statement)
        else:
            _leaf(reading, builder, slot, statement)
    finally:
        reading.parent = outer


def announce(reading: Reading, slot: Slot, statement: Statement) -> None:
    """Tell the user, once, that a keyword is not executed."""
    word = slot.keyword
    if not word.planned or reading.inside_planned or word.name in reading.announced:
        return
    reading.announced.add(word.name)
    kind = "block" if isinstance(word.argument, Nested) else "keyword"
    message = f"evener knows the {kind} '{word.name}', but does not execute it yet"
    reading.diagnostics.add(Diagnostic("planned-keyword", Severity.NOTICE, message, statement.span(0)))


def _leaf(reading: Reading, builder: Builder[Any], slot: Slot, statement: Statement) -> None:
    told = slot.keyword.facts.get("told")
    if told is not None:
        reading.warn("deprecated-keyword", told.format(name=reading.name), statement.span(0))
    if statement.words[0] in REMEMBERED:
        reading.said.setdefault(reading.name, set()).add(statement.words[0])
    reading.word = statement.words[1] if len(statement.parts) > 1 else ""
    guard = slot.keyword.facts.get("guard")
    if guard is not None and not guard(reading, builder, statement.span(0)):
        return
    cursor = Cursor(statement, 1, reading)
    try:
        assert slot.keyword.argument is not None
        value = slot.keyword.argument.read(cursor)
    except BadArgument as error:
        complain(reading, slot.keyword, statement, error)
        return
    keep(reading, builder, slot, value, statement.span(min(1, len(statement.parts) - 1)), statement.whole())


def keep(reading: Reading, builder: Builder[Any], slot: Slot, value: Any, at: Span, whole: Span) -> None:
    """Store a value that was read, if the keyword's own check lets it pass."""
    check = slot.keyword.facts.get("check")
    if check is not None:
        value = check(reading, builder, value, at)
        if value is None:
            return
    path = (*slot.path[:-1], field_of(builder.cls, slot))
    if slot.keyword.repeat is Repeat.COLLECT:
        builder.append(path, value, whole)
    else:
        builder.set(path, value, whole)


def complain(reading: Reading, word: Keyword, statement: Statement, error: BadArgument) -> None:
    """What the argument says, then what the keyword says."""
    words = statement.words
    span = statement.span(error.index)
    if error.code == SAID:
        return
    if error.code == "missing-argument":
        missing = word.facts.get("missing")
        if missing is None:
            raise missing_word(reading, statement, error.index)
        if missing:  # nothing to say: the line is as if it were not there
            reading.alert("missing-argument", _missing(reading, missing, words[0]), span)
        return
    if error.message:
        reading.alert(error.code, error.message, span)
    fallback = word.facts.get("fallback")
    if fallback is not None:
        reading.builders[-1].set((words[0],), fallback, statement.whole())
    complaint = word.facts.get("complaint")
    if complaint is None and not error.message:
        complaint = "Invalid {keyword} '{word}' - ignoring"
    if complaint is not None:
        bad = words[error.index] if error.index < len(words) else ""
        text = complaint.format(
            name=reading.name,
            word=bad,
            keyword=words[0],
            words="/".join(words[1:3]),
            address="".join(words[1:2]),
        )
        reading.alert(error.code, text, span)


def _missing(reading: Reading, text: str, keyword: str) -> str:
    script = reading.builders[-1].get(("misc_path",)) if "{script}" in text else None
    return text.format(name=reading.name, keyword=keyword, script=shown_command(script))


def missing_word(reading: Reading, statement: Statement, index: int) -> MissingWord:
    """The process of the original that reads this stops here, whatever else the file holds."""
    words = statement.words
    message = (
        f"*** Configuration line starting `{words[0]}` is missing a parameter "
        f"after keyword `{words[index - 1]}` at word position {index + 1}"
    )
    reading.alert("missing-parameter", message, statement.span(index))
    return MissingWord(message)


def _values(
    reading: Reading, builder: Builder[Any], slot: Slot, argument: Values, statement: Statement
) -> None:
    name: Any = None
    if argument.name is not None:
        cursor = Cursor(statement, 1, reading)
        try:
            name = argument.name.read(cursor)
        except BadArgument as error:
            complain(reading, slot.keyword, statement, error)
            return
    elif len(statement.parts) > 1:
        message = f"Block {statement.words[0]} has extra parameters {' '.join(statement.words[1:2])} ..."
        reading.alert("extra-parameters", message, statement.span(1))
    reading.said.setdefault(reading.name, set()).add(statement.words[0])
    entries: list[tuple[Any, Statement]] = []
    reading.names.append(name or reading.name)
    for entry in statement.body or ():
        cursor = Cursor(entry, 0, reading)
        try:
            value = argument.entry.read(cursor)
        except BadArgument as error:
            if error.code == "missing-argument":
                raise missing_word(reading, entry, error.index) from None
            if error.code != SAID:
                reading.alert(error.code, error.message, entry.span(error.index))
            continue
        entries.append((value, entry))
        if argument.name is None and slot.keyword.facts.get("check_all") is None:
            keep(reading, builder, slot, value, entry.span(0), entry.whole())
    reading.names.pop()
    if slot.keyword.facts.get("check_all") is not None:
        found = tuple(value for value, _ in entries)
        for value in slot.keyword.facts["check_all"](reading, builder, found, end_of(statement)):
            keep(reading, builder, slot, value, statement.span(0), statement.whole())
        return
    if argument.name is not None:
        _named(
            reading,
            builder,
            slot,
            NamedValues(name, tuple(v for v, _ in entries), statement.span(0)),
            statement,
        )
    elif not entries and statement.words[0] == "notification_email":
        reading.warn("empty-block", "Warning - empty notification_email block", end_of(statement))


def _named(
    reading: Reading, builder: Builder[Any], slot: Slot, made: NamedValues, statement: Statement
) -> None:
    reason = unusable(made.values)
    if reason:
        reading.alert(
            "unusable-group", f"virtual server group {made.name} {reason} - removing", end_of(statement)
        )
    else:
        builder.store(slot, made, statement.whole())


def _nested(
    reading: Reading, builder: Builder[Any], slot: Slot, argument: Nested, statement: Statement
) -> None:
    name: Any = ""
    if argument.name is not None:
        cursor = Cursor(statement, 1, reading)
        try:
            name = argument.name.read(cursor)
        except BadArgument as error:
            # A block without its brace is not passed over: its lines are looked at, and mean nothing.
            if (id(statement.line.source), statement.line.number) not in reading.braceless:
                reading.skipped.append((statement.whole(), end_of(statement)))
            complain(reading, slot.keyword, statement, error)
            return
    path = (*slot.path[:-1], field_of(builder.cls, slot))
    collects = slot.keyword.repeat is Repeat.COLLECT
    twice = statement.words[0] in TWICE and name in reading.marks[-1].get(path[-1], {})
    messages = TWICE[statement.words[0]] if twice else ()
    for message in messages:
        reading.alert("duplicate-name", message.format(name), statement.span(1))
    if messages:
        reading.skipped.append((statement.whole(), end_of(statement)))
        return
    inner: Builder[Any] = Builder(argument.cls, None if collects else builder.get(path))
    inner.set(("name",), name)
    inner.set(("at",), statement.whole())
    inner.set(("end",), end_of(statement))
    made = _body(reading, builder, inner, name, statement, slot.keyword.planned)
    if made is not None and not twice:
        reading.mark(path[-1], name)
        builder.store(Slot(slot.keyword, path), made, statement.whole())


def _body(
    reading: Reading, outer: Builder[Any], inner: Builder[Any], name: Any, statement: Statement, planned: bool
) -> Any:
    reading.builders.append(inner)
    reading.marks.append({})
    reading.names.append(name if isinstance(name, str) and name else reading.name)
    held, reading.inside_planned = reading.inside_planned, reading.inside_planned or planned
    try:
        for child in statement.body or ():
            store(reading, inner, child)
    finally:
        reading.builders.pop()
        reading.marks.pop()
        reading.names.pop()
        reading.inside_planned = held
    made = inner.finish()
    end = ENDS.get(inner.cls)
    return made if end is None else end(reading, made, end_of(statement))


def end_of(statement: Statement) -> Span:
    """Where its block ends."""
    return (statement.end or statement.line).span()
