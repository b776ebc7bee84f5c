"""Reading one statement into a block: the path that the lines of every section take.

Finds the declaration by the first words, honours ``no`` and ``default``, reads the arguments, stores the
value as the declaration's ``repeat`` says, and takes back what the declaration ``clears``. What differs
between sections (where a keyword may stand, what an unknown word is called) is given by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from evener.haproxy.line import Line
from evener.haproxy.sections.reading import (
    MISSING,
    TIGHT,
    TOLD,
    Place,
    complaint,
    read_value,
    said,
    unknown,
    where_of,
)
from evener.haproxy.sections.sides import NEGATION, not_negatable
from evener.haproxy.sections.stats import KNOWN as STATS
from evener.haproxy.sections.tables import Refused
from evener.haproxy.sections.timeouts import KNOWN as TIMEOUTS
from evener.haproxy.sections.timeouts import proxy_word
from evener.text.diagnostic import FatalConfiguration
from evener.vocab.arguments import Flag
from evener.vocab.blocks import Builder, Group, Keyword, Repeat, Slot, Vocabulary

Accepts = Callable[[Keyword, Line, Place], bool]

_CAPTURE: Final = "'capture' expects 'cookie' or 'request header' or 'response header'."
_GLOBAL_STATS: Final = (
    "'stats' only supports 'socket', 'maxconn', 'bind-process', 'calculate-max-counters'  and 'timeout' "
    "(got '{got}')"
)
#: What is said when the word after the first one is missing or unknown; the lead where it is not the usual.
GROUPS: Final[dict[str, str]] = {
    "timeout": TIMEOUTS,
    "capture": _CAPTURE,
    "capture request": _CAPTURE,
    "capture response": _CAPTURE,
    "declare": "unknown declaration type '{got}' (supports 'capture')",
    "declare capture": "'declare capture' requires a direction ('request' or 'response')",
    "rate-limit": "'rate-limit' only supports 'sessions' (got '{got}')",
    "compression": "'compression' expects 'algo', 'type', 'direction', 'offload', 'minsize-req' or "
    "'minsize-res'.",
    "external-check": "'external-check' only supports 'command' and 'path'. but got '{got}'.",
    "email-alert": "email-alert: unknown argument '{got}'.",
    "monitor": "'monitor' only supports 'fail'.",
    "tcp-request": "'tcp-request' expects 'inspect-delay', 'connection', or 'content' in {whose} "
    "(got '{got}')",
    "tcp-response": "'tcp-response' expects 'inspect-delay' or 'content' in {whose} (got '{got}')",
}
MISSING_WORD: Final[dict[str, str]] = {
    "declare": "'declare' needs a second keyword that specify the type of declaration ('capture')",
    "email-alert": "missing argument after 'email-alert'.",
    "external-check": "missing argument after 'external-check'.\n",
    "tcp-request": "missing argument for 'tcp-request' in {whose}",
    "tcp-response": "missing argument for 'tcp-response' in {whose}",
}
_SECTIONS: Final = ("listen", "frontend", "backend", "defaults")
"""Beginnings of sections that a word may be meant as."""
_ELSE_MEANT: Final[dict[str, tuple[str, ...]]] = {"global": ("global", *_SECTIONS, "peers", "resolvers")}


def read_statement(
    builder: Builder[Any], words: Vocabulary, line: Line, place: Place, accepts: Accepts
) -> Slot | None:
    """Read one line; returns the slot that got a value, None when nothing was stored."""
    negation = line.words[0] if line.words[0] in ("no", "default") else ""
    start = 1 if negation else 0
    entry, index = words.find(line.words, start)
    if not isinstance(entry, Slot):
        unknown_statement(entry, words, line, index, place, bool(negation))
        return None
    if not accepts(entry.keyword, line, place):
        return None
    gone = isinstance(entry.keyword.argument, Refused)
    if negation and not gone and not (negation == "default" and entry.keyword.name == "log"):
        return negate(builder, entry, line, index, negation, place)
    if not entry.path:
        read_known(builder, entry, line, index, place)
        return None
    value = read_value(entry, line, index, place)
    if value is MISSING:
        if "ends" in entry.keyword.facts:
            place.diagnostics.aborted = True
            raise FatalConfiguration(entry.keyword.name)
        return None
    if entry.keyword.planned:
        place.not_executed(entry.keyword.name, line.span(0))
    return entry if store(builder, words, entry, value, line, place) else None


def store(builder: Builder[Any], words: Vocabulary, slot: Slot, value: Any, line: Line, place: Place) -> bool:
    """Put a value where it belongs; False when a second one is not allowed."""
    word = slot.keyword
    repeat = word.repeat
    once = repeat is Repeat.WARN or repeat is Repeat.REFUSE
    if once and builder.said(slot.path) and place.kind != "defaults":
        name = word.name
        if repeat is Repeat.REFUSE:
            message = f"'{name}' already specified. Continuing."
            place.alert("already-said", message, line.span(0), fatal=False)
            return False
        place.warning("already-said", f"overwriting '{name}' which was already specified", line.span(0))
    if place.kind == "defaults" and "overrides" in word.facts:
        overriding(builder, words, slot, value, line, place)
    if "clears" in word.facts:
        clear(builder, words, slot)
    if repeat is Repeat.COLLECT:
        builder.append(slot.path, value, line.place)
    else:
        builder.set(slot.path, value, line.place)
    return True


def overriding(
    builder: Builder[Any], words: Vocabulary, slot: Slot, value: Any, line: Line, place: Place
) -> None:
    """Log formats of ``defaults`` take each other's place, which is worth a word there only."""
    for name in slot.keyword.facts["overrides"]:
        other = words.find(name.split())[0]
        before = builder.get(other.path) if isinstance(other, Slot) else None
        if before not in (None, False):
            now, then = _log_form(slot.keyword.name, value), _log_form(name, before)
            message = f"'{now}' overrides previous '{then}' in 'defaults' section."
            place.diagnostics.warning("log-format-overridden", message, line.span(0), lead=TIGHT)


def _log_form(name: str, value: Any) -> str:
    return f"{name} clf" if value == "clf" else name


def clear(builder: Builder[Any], words: Vocabulary, slot: Slot) -> None:
    """Take back the values that this keyword excludes."""
    for path in excluded(words, slot):
        if builder.get(path) not in (None, False):
            builder.set(path, None)


_excluded: dict[tuple[type, str], tuple[tuple[str, ...], ...]] = {}


def excluded(words: Vocabulary, slot: Slot) -> tuple[tuple[str, ...], ...]:
    """Where the values live that a keyword excludes."""
    name = slot.keyword.name
    known = _excluded.get((words.cls, name))
    if known is None:
        others = [words.find(other.split())[0] for other in slot.keyword.facts["clears"] if other != name]
        known = tuple(other.path for other in others if isinstance(other, Slot))
        assert len(known) == len(others), name
        _excluded[words.cls, name] = known
    return known


def negate(
    builder: Builder[Any], slot: Slot, line: Line, index: int, negation: str, place: Place
) -> Slot | None:
    """``no option x`` makes it false, ``default option x`` forgets it, ``no log`` empties the list."""
    word = slot.keyword
    if not slot.path and word.negatable:
        builder.keep(line.words, where_of(line))
        return None
    if not_negatable(word, line, place):
        return None
    if index < len(line.words):
        extra = f"'{word.name}' cannot handle unexpected argument '{line.words[index]}'."
        message = "log : 'no log' does not expect arguments" if word.name == "log" else extra
        place.alert("unexpected-argument", message, line.span(index))
        return None
    if word.repeat is Repeat.COLLECT:
        builder.set(slot.path, [], where_of(line))
    else:
        flag = isinstance(word.argument, Flag) or "negated" not in word.facts
        off = False if flag else word.facts["negated"]
        builder.set(slot.path, None if negation == "default" else off, where_of(line))
    return slot


def read_known(builder: Builder[Any], slot: Slot, line: Line, index: int, place: Place) -> None:
    """A word of a table: count its arguments, keep the line."""
    word = slot.keyword
    if isinstance(word.argument, Refused):
        read_value(slot, line, index, place)
        return
    count = len(line.words) - index
    check = word.facts.get("check")
    if count < word.least and (check is None or "missing" in word.facts):
        message = word.facts.get("missing", "'{name}' expects an argument.").replace("{name}", word.name)
        place.alert("missing-argument", message, line.span(len(line.words)))
        return
    if word.most is not None and count > word.most:
        extra = line.words[index + word.most]
        message = f"'{word.name}' cannot handle unexpected argument '{extra}'."
        place.alert("unexpected-argument", message, line.span(index + word.most))
        return
    if check is not None:
        wrong = complaint(check, word.name, tuple(line.words[index:]), place, line.span(index))
        if wrong:
            if wrong != TOLD:
                place.alert("bad-value", wrong, line.span(index))
            return
    if word.planned:
        place.not_executed(word.name, line.span(0))
    builder.keep(line.words, where_of(line))


#: Removed words that the original still takes a word to mean.
_STILL_MEANT: Final = ("appsession", "block", "dispatch", "clitimeout", "contimeout", "srvtimeout")


def guessed(words: Vocabulary, place: Place) -> Iterator[str]:
    """The words that another one may have meant: not those that are refused anyway."""
    for word, entry in words.words.items():
        argument = entry.keyword.argument if isinstance(entry, Slot) else None
        if not isinstance(argument, Refused) or word in _STILL_MEANT or place.kind == "global":
            yield word


def unknown_statement(
    entry: Group | None, words: Vocabulary, line: Line, index: int, place: Place, negated: bool
) -> None:
    """Say which word is not known, and what was perhaps meant."""
    if entry is None:
        word = line.words[index - 1]
        known = (*guessed(words, place), *_ELSE_MEANT.get(place.kind, (*_SECTIONS, "usesrc")))
        message = f"unknown keyword '{word}' in '{place.kind}' section{unknown(word, known)}"
        place.alert("unknown-keyword", message, line.span(index - 1))
        return
    got = line.words[index] if index < len(line.words) else ""
    first = entry.word
    if first == "option":
        unknown_option(entry, got, line, index, place, negated)
        return
    if first == "stats":
        unknown_stats(got, line, index, place)
        return
    sentence = MISSING_WORD.get(first) if not got else None
    sentence = sentence or GROUPS.get(first, f"'{first}' does not know '{{got}}'.")
    message = said(sentence, line, index).replace("{whose}", f"{proxy_word(place)} '{place.name}'")
    place.alert("unknown-keyword", message, line.span(index))


def unknown_option(entry: Group, got: str, line: Line, index: int, place: Place, negated: bool) -> None:
    if not got:
        place.diagnostics.alert(
            "missing-argument", "'option' expects an option name.", line.span(index), lead=TIGHT
        )
    elif negated:
        place.diagnostics.alert("not-negatable", NEGATION.replace("{got}", got), line.span(index), lead=TIGHT)
    else:
        hint = unknown(got, entry.words) or "."
        place.alert("unknown-option", f"unknown option '{got}'{hint}", line.span(index))


def unknown_stats(got: str, line: Line, index: int, place: Place) -> None:
    if place.kind == "global":
        place.alert("unknown-keyword", said(_GLOBAL_STATS, line, index), line.span(index))
        return
    what = f"unknown stats parameter '{got}'" if got else "missing keyword in 'stats'"
    place.diagnostics.alert("unknown-keyword", f"{what}, expects {STATS}", line.span(index), lead=TIGHT)
