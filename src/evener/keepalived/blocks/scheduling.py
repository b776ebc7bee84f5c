"""The argument of the ``*_cpu_affinity`` keywords."""

from __future__ import annotations

from evener.keepalived.arguments import Value
from evener.keepalived.numbers import whole
from evener.vocab.arguments import Cursor

MAX_CPU = 1023


class Affinity(Value):
    """CPU numbers, at least one."""

    usage = "<INTEGER> [<INTEGER>]..."
    good = ("0", "0 2 3")
    bad = ("", "x", str(MAX_CPU + 1))

    def read(self, cursor: Cursor) -> tuple[int, ...]:
        cursor.take()
        cursor.index -= 1
        cpus: list[int] = []
        while cursor.more:
            code, message, number = whole(cursor.take(), 0, MAX_CPU)
            if code:
                raise cursor.bad(code, message)
            cpus.append(number)
        return tuple(cpus)

    def words(self, value: tuple[int, ...]) -> list[str]:
        return [str(cpu) for cpu in value]
