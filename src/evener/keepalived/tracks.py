"""The lines of track_interface, track_script, track_file, track_process and track_bfd."""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

from evener.keepalived.arguments import SAID, Value
from evener.keepalived.line import quoted
from evener.keepalived.numbers import whole
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import BadArgument, Cursor


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """What is tracked. ``weight`` None: the weight of the thing itself; ``reverse`` None likewise."""

    name: str
    weight: int | None = None
    reverse: bool | None = None
    at: Span | None = field(default=None, compare=False, repr=False)


class Kind(NamedTuple):
    """The words of the messages about what is tracked, and where it is declared."""

    name: str
    field: str
    unknown: str
    weight: str
    option: str
    refuses: bool = False
    """Whether an unknown word behind the weight refuses the line."""
    bound: int = 254
    least: int = 254


MUST = "must be in [-{least}..{least}] inclusive. Ignoring..."
KINDS = {
    "interface": Kind(
        "track_interface {name}",
        "",
        "unknown track_interface {name} option {word}",
        "weight {word} for {name} must be between [-253..253] inclusive. Ignoring...",
        "unknown track_interace {name} weight option {word}",
        least=253,
    ),
    "script": Kind(
        "track script {name}",
        "vrrp_script",
        "unknown track script option {word}",
        "track script {name}: weight must be between [-253..253] inclusive, ignoring...",
        "unknown track_script {name} weight option {word}",
        least=253,
    ),
    "file": Kind(
        "track file {name}",
        "track_file",
        "unknown track file option {word}",
        f"weight for track file {{name}} {MUST}",
        "unknown track file {name} weight option {word}",
        refuses=True,
    ),
    "process": Kind(
        "track process {name}",
        "vrrp_track_process",
        "unknown track process option {word}",
        f"weight for track process {{name}} {MUST}",
        "unknown track_process {name} weight option {word}",
    ),
    "bfd": Kind(
        "track bfd {name}",
        "bfd_instance",
        "unknown track bfd {name} option {word}",
        f"weight for track bfd {{name}} {MUST}",
        "unknown track bfd {name} weight option {word}",
        refuses=True,
        bound=253,
        least=253,
    ),
}


class TrackLine(Value):
    """``NAME [weight N [reverse|noreverse]]``; ``kind`` is the word for it in messages.

    What is tracked has to be declared before it is used, as in the original.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.texts = KINDS[kind]
        limit = self.texts.least
        self.usage = f"<STRING> [weight {{-{limit}..{limit}}} [reverse|noreverse]]"
        self.good = ("x", "x weight -5", f"x weight {limit} reverse")
        self.bad = (f"x weight {self.texts.bound + 1}", "x weight", "x heavy")

    def read(self, cursor: Cursor) -> TrackEntry:
        name = cursor.take()
        at, weight, reverse = cursor.span(), None, None
        self._known(cursor, name)
        if cursor.more and cursor.take() != "weight":
            raise self._refused(cursor, f"{self.texts.unknown} - ignoring", name)
        if cursor.index > 1:
            if not cursor.more:
                text = f"weight without value specified for {self.texts.name} - ignoring"
                raise self._refused(cursor, text, name)
            weight = self._weight(cursor, name)
        if cursor.more:
            option = cursor.take()
            reverse = {"reverse": True, "noreverse": False}.get(option)
            if reverse is None or (self.kind == "interface" and not reverse):
                problem = self._refused(cursor, f"{self.texts.option} - ignoring", name)
                if self.texts.refuses:
                    raise problem
                cursor.context.alert(problem.code, problem.message, cursor.span())
        cursor.context.mark(f"track_{self.kind}", name)
        if self.kind == "bfd" and not cursor.context.knows("bfd_instance", name):
            raise cursor.bad(SAID, "")  # a session that is disabled, which was said where it stands
        return TrackEntry(name, weight, reverse, at)

    def _known(self, cursor: Cursor, name: str) -> None:
        """Whether there is such a thing, and it is not tracked already."""
        reading = cursor.context
        if self.kind == "interface":
            if reading.misses(name):
                raise cursor.bad(
                    "unknown-interface", f"({reading.name}) tracked interface {name} doesn't exist"
                )
        elif not reading.knows(self.texts.field, name) and name not in reading.said.get(self.texts.field, ()):
            raise self._refused(cursor, f"{self.texts.name} not found, ignoring...", name)
        if name in reading.marks[-1].get(f"track_{self.kind}", ()):
            raise self._refused(cursor, f"duplicate track_{self.kind} {{name}} - ignoring", name)

    def _weight(self, cursor: Cursor, name: str) -> int | None:
        word, bound, reading = cursor.take(), self.texts.bound, cursor.context
        code, message, number = whole(word, -bound, bound)
        if code:
            reading.alert(code, message, cursor.span())
            problem = self._refused(cursor, self.texts.weight, name)
            reading.alert("bad-weight", problem.message, cursor.span())
            return None
        if abs(number) > self.texts.least:
            message = f"({reading.name}) weight for {name} cannot be +/-254. Setting to +/-253"
            reading.alert("bad-weight", message, cursor.span())
            return self.texts.least if number > 0 else -self.texts.least
        return number

    def _refused(self, cursor: Cursor, text: str, name: str) -> BadArgument:
        word = cursor.words[cursor.index - 1]
        text = text.format(name=name, word=word, least=self.texts.least)
        return cursor.bad("bad-track", f"({cursor.context.name}) {text}")

    def words(self, value: TrackEntry) -> list[str]:
        made = [quoted(value.name)]
        made += ["weight", str(value.weight)] if value.weight is not None else []
        return made + ([] if value.reverse is None else ["reverse" if value.reverse else "noreverse"])


class WeightArgument(Value):
    """``N [reverse]`` as (weight, reverse). ``complaint`` is about the number, ``unknown`` about other words.

    With a ``complaint`` what follows a bad number is looked at all the same.
    """

    def __init__(self, limit: int, unknown: str, complaint: str = "") -> None:
        self.limit = limit
        self.unknown = unknown
        self.complaint = complaint
        self.usage = f"{{-{limit}..{limit}}} [reverse]"
        self.good = ("2", f"-{limit} reverse")
        self.bad = ("", "x", str(limit + 1))

    def read(self, cursor: Cursor) -> tuple[int, bool]:
        word, reading = cursor.take(), cursor.context
        code, message, number = whole(word, -self.limit, self.limit)
        if code and not self.complaint:
            raise cursor.bad(code, message)
        if code:
            reading.alert(code, message, cursor.span())
            text = self.complaint.format(name=reading.name, word=word)
            reading.alert("bad-weight", text, cursor.span())
        reverse = False
        if cursor.more:
            option = cursor.take()
            reverse = option == "reverse"
            if not reverse:
                text = self.unknown.format(name=reading.name, word=option)
                reading.alert("unknown-option", text, cursor.span())
        if code:
            raise cursor.bad(SAID, "")
        return number, reverse

    def words(self, value: tuple[int, bool]) -> list[str]:
        return [str(value[0]), *(["reverse"] if value[1] else [])]
