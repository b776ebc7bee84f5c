"""The argument of the ``*_cpu_affinity`` keywords."""

from __future__ import annotations

import re

from evener.keepalived.arguments import SAID, Value
from evener.keepalived.numbers import whole
from evener.vocab.arguments import Cursor

MAX_CPU = 1023


class Affinity(Value):
    """CPU numbers, at least one."""

    usage = "<INTEGER> [<INTEGER>]..."
    good = ("0", "0 0")
    bad = ("", "x", str(MAX_CPU + 1))

    def __init__(self, process: str) -> None:
        self.process = process

    def read(self, cursor: Cursor) -> tuple[int, ...]:
        cpus: list[int] = []
        highest = (cursor.context.surroundings.cpus or MAX_CPU + 1) - 1
        for _ in range(len(cursor.words)):
            if cpus and not cursor.more:
                break
            text = cursor.take()
            code, message, number = whole(text, 0, highest, signed=True)
            if code:
                cursor.context.alert(code, message, cursor.span())
                complaint = f"Invalid cpu_id:{_as_int(text)} specified for {self.process} process"
                cursor.context.alert("bad-cpu", complaint, cursor.span())
                raise cursor.bad(SAID, "")
            cpus.append(number)
        return tuple(cpus)

    def words(self, value: tuple[int, ...]) -> list[str]:
        return [str(cpu) for cpu in value]


def _as_int(text: str) -> int:
    """What the C library makes of a word, as the original shows it."""
    found = re.match(r"\s*([-+]?[0-9]{1,30})", text, re.ASCII)
    number = max(-(2**63), min(int(found[1]) if found else 0, 2**63 - 1))
    return (number + 2**31) % 2**32 - 2**31
