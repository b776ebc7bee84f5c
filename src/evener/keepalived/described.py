"""Lines of keepalived.data that are made when a file is read, and finished where they are written.

A plan knows no numbers of users and no name of its machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Owned:
    """A line that ends in the numbers of a user and a group."""

    text: str
    user: str | None
    group: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """A line that ends in the name of the machine."""

    text: str


Line = str | Owned | Named
Lines = tuple[Line, ...]


def told(lines: Lines, account: Callable[[Owned], str], machine: str) -> Iterator[str]:
    for line in lines:
        if isinstance(line, Owned):
            yield f" {line.text} {account(line)}"
        elif isinstance(line, Named):
            yield f" {line.text}{machine}"
        else:
            yield line
