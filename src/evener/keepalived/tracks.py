"""The lines of track_interface, track_script, track_file, track_process and track_bfd."""

from __future__ import annotations

from dataclasses import field

from evener.keepalived.arguments import Value, whole
from evener.keepalived.line import quoted
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Cursor


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """What is tracked. ``weight`` None: the weight of the thing itself; ``reverse`` None likewise."""

    name: str
    weight: int | None = None
    reverse: bool | None = None
    at: Span | None = field(default=None, compare=False, repr=False)


class TrackLine(Value):
    """``NAME [weight N [reverse|noreverse]]``; ``kind`` is the word for it in messages."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind = kind
        self.limit = limit
        self.usage = f"<STRING> [weight {{-{limit}..{limit}}} [reverse|noreverse]]"
        self.good = ("x", "x weight -5", f"x weight {limit} reverse")
        self.bad = (f"x weight {limit + 1}", "x weight", "x heavy")

    def read(self, cursor: Cursor) -> TrackEntry:
        name = cursor.take()
        at, weight, reverse, reading = cursor.span(), None, None, cursor.context
        while cursor.more:
            option = cursor.take()
            if option == "weight":
                word = cursor.take()
                code, message, number = whole(word, -self.limit, self.limit)
                if code:
                    reading.alert(code, message, cursor.span())
                    limits = f"[-{self.limit}..{self.limit}] inclusive"
                    message = (
                        f"({reading.name}) weight for {self.kind} {name} must be in {limits}. Ignoring..."
                    )
                    reading.alert("bad-weight", message, cursor.span())
                else:
                    weight = number
            elif option in ("reverse", "noreverse"):
                reverse = option == "reverse"
            else:
                message = f"({reading.name}) unknown track {self.kind} option {option} - ignoring"
                reading.alert("unknown-option", message, cursor.span())
        return TrackEntry(name, weight, reverse, at)

    def words(self, value: TrackEntry) -> list[str]:
        made = [quoted(value.name)]
        made += ["weight", str(value.weight)] if value.weight is not None else []
        return made + ([] if value.reverse is None else ["reverse" if value.reverse else "noreverse"])


class WeightArgument(Value):
    """``N [reverse]`` as (weight, reverse)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.usage = f"{{-{limit}..{limit}}} [reverse]"
        self.good = ("2", f"-{limit} reverse")
        self.bad = ("", "x", str(limit + 1))

    def read(self, cursor: Cursor) -> tuple[int, bool]:
        word = cursor.take()
        code, message, number = whole(word, -self.limit, self.limit)
        if code:
            raise cursor.bad(code, message)
        reverse = False
        if cursor.more:
            option = cursor.take()
            reverse = option == "reverse"
            if option not in ("reverse", "noreverse"):
                cursor.context.alert("unknown-option", f"unknown weight option '{option}'", cursor.span())
        return number, reverse

    def words(self, value: tuple[int, bool]) -> list[str]:
        return [str(value[0]), *(["reverse"] if value[1] else [])]
