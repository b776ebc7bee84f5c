"""The ``cache`` section: a named memory for responses, its size and its rules (manual, section 6.2.1).

Its lines are kept as they are, like those of other small sections; here is what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.other import OtherSection
from evener.haproxy.sections.reading import TIGHT, Place
from evener.haproxy.sections.value_checks import as_c_int
from evener.text.diagnostic import FatalConfiguration
from evener.text.record import dataclass
from evener.vocab.arguments import signed
from evener.vocab.registry import Declaration, Registry

MEGABYTE: Final = 1 << 20
LARGEST: Final = 4095  #: megabytes
LONGEST_NAME: Final = 32
_SWITCH: Final = '\'process-vary\' expects "on" or "off" (enable or disable vary processing).'
_HINTS: Final = (
    '\'early-hints\' expects "on", "off" or "only" (enable or disable HTTP 103 Early Hints support, or store '
    "only hints)."
)
_RATIO: Final = "'early-hints ratio' expects an integer argument between 1 and 99"


WORDS: Final[Registry[Declaration]] = Registry("cache line")
for _name, _usage, _doc, _ok, _bad in (
    ("total-max-size", "<megabytes>", "How much memory the cache has. Must be said; at most 4095.", "4", "x"),
    ("max-age", "<seconds>", "How long a response is fresh at most; 60 unless said.", "300", ""),
    ("max-object-size", "<bytes>", "How large a response may be; a 256th of the memory.", "1000", "x"),
    ("max-secondary-entries", "<number>", "How many variants of a page there may be, where Vary tells them "
     "apart; 10 unless said.", "20", "0"),
    ("process-vary", "{ on | off }", "Whether responses with a Vary header are kept at all.", "on", "maybe"),
    ("early-hints", "{ on | off | only } [ratio <percent>]", "Whether the links of a page are kept, to be "
     "sent as early hints; with 'only' nothing else is.", "on ratio 50", "maybe"),
):  # fmt: skip
    WORDS.declare(
        Declaration(_name, f"{_name} {_usage}", _doc, (f"{_name} {_ok}",), (f"{_name} {_bad}".strip(),))
    )
WORDS.freeze()


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Sizes in bytes, ``max_age`` in seconds; ``hints`` is off, on or only."""

    name: str
    total: int = 0
    max_age: int = 60
    max_object: int = 0
    vary: bool = False
    secondary: int = 10
    hints: str = "off"
    ratio: int = 25

    @property
    def blocks(self) -> int:
        return self.total >> 10

    @property
    def largest(self) -> int:
        return self.max_object or self.total // 256


class Wrong(Exception):
    """What is wrong with a line, one sentence or two. ``fatal``: refused; ``last``: nothing more is read."""

    def __init__(self, *messages: str, tight: bool = True, fatal: bool = False, last: bool = False) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.tight = tight
        self.fatal = fatal
        self.last = last


_EXPECTED: Final = {
    "max-object-size": "'max-object-size' expects a maximum file size parameter in bytes.",
    "max-secondary-entries": "'max-secondary-entries' expects a strictly positive number.",
}
_NUMBER: Final = re.compile(r"\s*([-+]?[0-9]+)")
_PERCENT: Final = re.compile(r"0*[1-9][0-9]?")
_ALL: Final = (1 << 64) - 1
_HALF: Final = (1 << 32) - 1


def _number(word: str, value: str) -> int:
    """As C reads it into an unsigned number: a negative one is near the end of its range."""
    found = _NUMBER.fullmatch(value)
    number = signed(found[1]) if found else None
    if found is None or number is None:
        expected = () if value else tuple(filter(None, (_EXPECTED.get(word),)))
        raise Wrong(*expected, f"{word} wrong value '{value}'", last=True)
    return min(number, _ALL) if number >= 0 else max(number, -_ALL) & _ALL


def _no_more(words: Sequence[str], most: int) -> None:
    if len(words) > most:
        message = f"'{words[0]}' cannot handle unexpected argument '{words[most]}'."
        raise Wrong(message, tight=False, fatal=True, last=True)


def obey(settings: CacheSettings, words: Sequence[str]) -> CacheSettings:
    """The settings after one more line; raises Wrong."""
    word, value = words[0], words[1] if len(words) > 1 else ""
    if word == "early-hints":
        return _hints(settings, words)
    if word not in WORDS:
        raise Wrong(f"unknown keyword '{word}' in 'cache' section", tight=False, fatal=True)
    _no_more(words, 2)
    if word == "process-vary":
        if value not in ("on", "off"):
            raise Wrong(*[_SWITCH] * (1 if value else 2))
        return replace(settings, vary=value == "on")
    if word == "max-age":
        if not value:
            raise Wrong("'max-age' expects an age parameter in seconds.")
        return replace(settings, max_age=as_c_int(value))
    number = _number(word, value)
    if word == "total-max-size":
        if number > LARGEST:
            raise Wrong(f'"total-max-size" ({value}) must not be greater than {LARGEST}', last=True)
        return replace(settings, total=number * MEGABYTE)
    if word == "max-object-size":
        return replace(settings, max_object=number & _HALF)
    if number == 0:
        raise Wrong(f"{word} wrong value '{value}'", last=True)
    return replace(settings, secondary=number & _HALF)


def _hints(settings: CacheSettings, words: Sequence[str]) -> CacheSettings:
    mode = words[1] if len(words) > 1 else ""
    if mode not in ("on", "off", "only"):
        raise Wrong(_HINTS)
    ratio = settings.ratio
    if len(words) > 2:
        if words[2] != "ratio":
            message = f"'early-hints' unexpected argument '{words[2]}', expected 'ratio'."
            raise Wrong(message, fatal=True)
        if len(words) < 4:
            raise Wrong(f"{_RATIO}.", fatal=True)
        found = _PERCENT.fullmatch(words[3])
        if found is None:
            raise Wrong(f"{_RATIO}, got '{words[3]}'.", fatal=True)
        _no_more(words, 4)
        ratio = int(words[3])
    return replace(settings, hints=mode, ratio=ratio)


def settings_of(section: OtherSection) -> CacheSettings:
    """The settings of a section that was accepted: lines that were only warned about say nothing."""
    settings = CacheSettings(section.name[:LONGEST_NAME])
    for words in section.lines:
        with suppress(Wrong):
            settings = obey(settings, words)
    return settings


class CacheReader:
    """Looks at the lines of one section."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.settings = CacheSettings(place.name[:LONGEST_NAME])

    def open(self, line: Line, other: OtherSection | None) -> None:
        words, place = line.words, self.place
        if len(words) < 2:
            message = "'cache' expects a <name> argument"
            raise place.diagnostics.abort("missing-name", message, line.span(0))
        if len(words) > 2:
            message = f"'cache' cannot handle unexpected argument '{words[2]}'."
            raise place.diagnostics.abort("unexpected-argument", message, line.span(2))
        if len(words[1]) > LONGEST_NAME:
            message = (
                f"cache name is limited to {LONGEST_NAME} characters, truncate to '{self.settings.name}'."
            )
            place.diagnostics.warning("long-name", message, line.span(1), lead=TIGHT)
        if other is not None:
            message = f"Duplicate cache name '{other.name}'."
            raise place.diagnostics.abort("duplicate-cache", message, line.span(1), lead=TIGHT)

    def line(self, line: Line) -> None:
        try:
            self.settings = obey(self.settings, line.words)
        except Wrong as wrong:
            self.complain(wrong, line)

    def complain(self, wrong: Wrong, line: Line) -> None:
        diagnostics = self.place.diagnostics
        say = diagnostics.alert if wrong.fatal else diagnostics.warning
        for message in wrong.messages:
            say("bad-cache", message, line.span(0), lead=TIGHT if wrong.tight else None)
        if wrong.last:
            diagnostics.aborted = True
            raise FatalConfiguration(line.words[0])

    def close(self, section: OtherSection) -> None:
        """What the whole section lacks."""
        settings = self.settings
        if not settings.total:
            message = f"Size not specified for cache '{section.name}'"
        elif settings.largest * 2 > settings.total:
            half = settings.total // 2
            message = f'"max-object-size" is limited to an half of "total-max-size" => {half}'
        else:
            return
        self.place.diagnostics.alert("bad-cache", message, section.span, lead="config : ")


__all__ = ["CacheReader", "CacheSettings", "settings_of"]
