"""The ``cache`` section: a named memory for responses, its size and its rules (manual, section 6.2.1).

Its lines are kept as they are, like those of other small sections; here is what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.other import OtherSection
from evener.haproxy.sections.reading import TIGHT, Place
from evener.text.record import dataclass
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
    """What is wrong with a line, and whether there are too many words on it."""

    def __init__(self, message: str, tight: bool = True) -> None:
        super().__init__(message)
        self.tight = tight


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _no_more(words: Sequence[str], most: int) -> None:
    if len(words) > most:
        raise Wrong(f"'{words[0]}' cannot handle unexpected argument '{words[most]}'.", tight=False)


def obey(settings: CacheSettings, words: Sequence[str]) -> CacheSettings:
    """The settings after one more line; raises Wrong."""
    word, value = words[0], words[1] if len(words) > 1 else ""
    if word == "early-hints":
        return _hints(settings, words)
    if word not in WORDS:
        raise Wrong(f"unknown keyword '{word}' in 'cache' section", tight=False)
    _no_more(words, 2)
    number = _number(value)
    if word == "process-vary":
        if value not in ("on", "off"):
            raise Wrong(_SWITCH)
        return replace(settings, vary=value == "on")
    if word == "max-age":
        if not value:
            raise Wrong("'max-age' expects an age parameter in seconds.")
        return replace(settings, max_age=number or 0)
    if number is None or (word == "max-secondary-entries" and number == 0):
        raise Wrong(f"{word} wrong value '{value}'")
    if word == "total-max-size":
        if number > LARGEST:
            raise Wrong(f'"total-max-size" ({value}) must not be greater than {LARGEST}')
        return replace(settings, total=number * MEGABYTE)
    if word == "max-object-size":
        return replace(settings, max_object=number)
    return replace(settings, secondary=number)


def _hints(settings: CacheSettings, words: Sequence[str]) -> CacheSettings:
    mode = words[1] if len(words) > 1 else ""
    if mode not in ("on", "off", "only"):
        raise Wrong(_HINTS)
    ratio = settings.ratio
    if len(words) > 2:
        if words[2] != "ratio":
            raise Wrong(f"'early-hints' unexpected argument '{words[2]}', expected 'ratio'.")
        if len(words) < 4:
            raise Wrong(f"{_RATIO}.")
        found = _number(words[3])
        if found is None or not 1 <= found <= 99:
            raise Wrong(f"{_RATIO}, got '{words[3]}'.")
        _no_more(words, 4)
        ratio = found
    return replace(settings, hints=mode, ratio=ratio)


def settings_of(section: OtherSection) -> CacheSettings:
    """The settings of a section whose lines were found to be right."""
    settings = CacheSettings(section.name[:LONGEST_NAME])
    for words in section.lines:
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
            place.alert("missing-name", "'cache' expects a <name> argument", line.span(0))
        elif len(words) > 2:
            message = f"'cache' cannot handle unexpected argument '{words[2]}'."
            raise place.diagnostics.abort("unexpected-argument", message, line.span(2))
        elif len(words[1]) > LONGEST_NAME:
            message = (
                f"cache name is limited to {LONGEST_NAME} characters, truncate to '{self.settings.name}'."
            )
            place.diagnostics.warning("long-name", message, line.span(1), lead=TIGHT)
        if other is not None:
            message = f"Duplicate cache name '{other.name}'."
            place.diagnostics.alert("duplicate-cache", message, line.span(1), lead=TIGHT)

    def line(self, line: Line) -> None:
        try:
            self.settings = obey(self.settings, line.words)
        except Wrong as wrong:
            lead = TIGHT if wrong.tight else None
            self.place.diagnostics.alert("bad-cache", str(wrong), line.span(0), lead=lead)

    def close(self, section: OtherSection) -> None:
        """What the whole section lacks. Nothing more is said of one whose lines were wrong."""
        settings = self.settings
        if self.place.diagnostics.has_errors:
            return
        if not settings.total:
            message = f"Size not specified for cache '{section.name}'"
        elif settings.largest * 2 > settings.total:
            half = settings.total // 2
            message = f'"max-object-size" is limited to an half of "total-max-size" => {half}'
        else:
            return
        self.place.diagnostics.alert("bad-cache", message, section.span, lead="config : ")


__all__ = ["CacheReader", "CacheSettings", "settings_of"]
