"""Reading the options of a bind or server line: words with their arguments, in any order.

Knows the mechanism, not the options: those are the vocabulary of the block that is built. Only of what is
planned it knows which values ask for nothing new.
"""

from __future__ import annotations

from typing import Any, Final

from evener.haproxy.line import Line
from evener.haproxy.sections.reading import ALONE, REPORTED, TOLD, Place, complain, complaint, unknown
from evener.text.diagnostic import Diagnostic, Severity
from evener.vocab.arguments import BadArgument, Cursor
from evener.vocab.blocks import Builder, Keyword, Slot, Vocabulary, read

#: Of the words about protocols, those that ask for what is spoken anyway.
SPOKEN: Final = frozenset({"proto h1", "check-proto h1", "ws h1", "ws auto"})
_OF_ONE_SERVER: Final = frozenset(
    {"guid", "id", "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13"}
)
"""What a ``default-server`` may not say; it is passed over."""
_WITH_VALUE: Final = ("guid", "id")


def read_options(
    builder: Builder[Any],
    words: Vocabulary,
    line: Line,
    index: int,
    place: Place,
    on: str,
    unknown_at: str,
) -> bool:
    """Read ``line.words[index:]`` into ``builder``; False when something was wrong.

    ``on`` is the line's keyword; ``unknown_at`` comes before the complaint about an unknown word.
    """
    cursor = Cursor(line, index, place)
    while cursor.index < len(line.words):
        word = line.words[cursor.index]
        slot = words.words.get(word) or _with_parameter(words, word)
        if not isinstance(slot, Slot):
            tail = unknown(word, words.words) or "."
            if on == "stats socket":
                tail = tail.replace("; did", ". Did")
            if on == "default-server":
                tail += " Hint: no address was expected for this server."
            where = unknown_at if place.lead != ALONE else ""
            message = f"{where}unknown keyword '{word}'{tail}"
            place.diagnostics.alert("unknown-keyword", message, line.span(cursor.index), lead=place.lead)
            return False
        if on == "default-server" and word in _OF_ONE_SERVER:
            message = f"'{word}' option is not accepted in default-server sections"
            span = line.span(cursor.index)
            found = Diagnostic("not-for-all", Severity.ALERT, message, span, lead=place.lead, fatal=False)
            place.diagnostics.add(found)
            place.told_once()
            cursor.index += 1 + (1 if word in _WITH_VALUE else 0)
            continue
        cursor.name = slot.keyword.name
        cursor.index += 1
        try:
            _one(builder, slot, cursor, place, on)
        except BadArgument as error:
            complain(slot.keyword, error, line, place)
            return False
    return True


def _one(builder: Builder[Any], slot: Slot, cursor: Cursor, place: Place, on: str) -> None:
    if slot.path:
        builder.store(slot, read(slot, cursor))
        place_not_executed(slot.keyword, cursor, place, on)
        return
    start = cursor.index - 1
    if slot.keyword.argument is not None:
        read(slot, cursor)
    for _ in range(slot.keyword.least):
        cursor.take("an argument")
    if slot.keyword.most is not None and slot.keyword.most > slot.keyword.least and cursor.more:
        cursor.take()
    check = slot.keyword.facts.get("check")
    if check is not None:
        arguments = tuple(cursor.words[start + 1 : cursor.index])
        wrong = complaint(check, slot.keyword.name, arguments, place, cursor.span())
        if wrong:
            raise cursor.bad(REPORTED if wrong == TOLD else "bad-value", wrong, whole=True)
    builder.keep(cursor.words[start : cursor.index], None)
    if " ".join(cursor.words[start : cursor.index]) not in SPOKEN:
        place_not_executed(slot.keyword, cursor, place, on)


def place_not_executed(word: Keyword, cursor: Cursor, place: Place, on: str) -> None:
    if word.planned:
        place.not_executed(f"{on} ... {word.name}", cursor.span())


def _with_parameter(words: Vocabulary, word: str) -> Any:
    """``set-proxy-v2-tlv-fmt(0x20)``: the name before the parenthesis is the keyword."""
    name, paren, _ = word.partition("(")
    return words.words.get(name) if paren else None
