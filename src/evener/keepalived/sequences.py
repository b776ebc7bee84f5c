"""``~SEQ(...)`` and ``~LST(...)``: one line that stands for many.

Decides which variables take which values; the reader repeats the rest of the line for each. Numbers of
~SEQ are decimal or ``0x`` hexadecimal, ~SEQx writes them in lower case hexadecimal. Values are produced
one by one, so that a huge range costs nothing until the reader's own limit stops it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from evener.keepalived.line import BLANKS
from evener.text.record import dataclass

HEAD = re.compile(r"~(SEQx?|LST)\(([^()]*)\)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NUMBER = re.compile(r"-?(?:0x[0-9A-Fa-f]{1,15}|[0-9]{1,18})")
GROUP = re.compile(r"\{([^{}]*)\}")


class BadSequence(Exception):
    """The specification makes no sense; ``reasons`` are messages without the line."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Sequence:
    """The variables and, one after the other, their values; ``end`` is where the rest of the line begins."""

    names: tuple[str, ...]
    values: Iterator[tuple[str, ...]]
    end: int


def sequence(text: str) -> Sequence | None:
    """The sequence ``text`` begins with; None if it begins with none. Raises BadSequence."""
    kind = "LST" if text.startswith("~LST(") else "SEQ" if text.startswith(("~SEQ(", "~SEQx(")) else None
    if kind is None:
        return None
    match = HEAD.match(text)
    if match is None:
        raise BadSequence(f"Invalid ~{kind} specification")
    if kind == "LST":
        names, lists = _listed(match[2])
        return Sequence(names, iter(lists), match.end())
    name, numbers = _numbered(match[2])
    style = "x" if match[1] == "SEQx" else "d"
    return Sequence((name,), ((_spelt(n, style),) for n in numbers), match.end())


def _spelt(number: int, style: str) -> str:
    return format(number, style)


def _numbered(inside: str) -> tuple[str, range]:
    name, *rest = (part.strip(BLANKS) for part in inside.split(","))
    if not NAME.fullmatch(name) or not 1 <= len(rest) <= 3:
        raise BadSequence("Invalid ~SEQ specification")
    if not all(NUMBER.fullmatch(part) for part in rest):
        raise BadSequence("Invalid ~SEQ values", "Invalid ~SEQ specification")
    numbers = [int(part, 16 if "0x" in part else 10) for part in rest]
    end = numbers[-1]
    start = numbers[0] if len(numbers) > 1 else (1 if end > 0 else -1)
    step = numbers[1] if len(numbers) == 3 else (1 if end >= start else -1)
    if step == 0 or (end - start) * step < 0:
        raise BadSequence("Invalid ~SEQ values", "Invalid ~SEQ specification")
    return name, range(start, end + (1 if step > 0 else -1), step)


def _listed(inside: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    if inside.lstrip(BLANKS).startswith("{"):
        groups = [tuple(v.strip(BLANKS) for v in group.split(",")) for group in GROUP.findall(inside)]
    else:
        groups = [(value.strip(BLANKS),) for value in inside.split(",")]
    names, values = groups[0] if groups else (), groups[1:]
    if not names or not values or not all(NAME.fullmatch(name) for name in names):
        raise BadSequence("Invalid ~LST specification")
    if any(len(value) > len(names) for value in values):
        raise BadSequence("~LST specification has too many values", "Invalid ~LST specification")
    return names, [value + ("",) * (len(names) - len(value)) for value in values]
