"""Parameters: ``$NAME=value`` definitions and their replacement.

Decides where a reference stands and what it stands for. A reference is ``${NAME}``, or ``$NAME``
followed by a blank, a comma, a closing parenthesis or the end; anything else, and every undefined name,
is ordinary text. Values are replaced where they are used, so a value may name parameters that are
defined later.

The value of a parameter is a tuple of lines; one line for all but ``$NAME= \\`` definitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random

DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
REFERENCE = re.compile(
    r"\$\{([A-Za-z_][A-Za-z0-9_]*)((?:[ \t][^{}]*)?)\}|\$([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$)"
)

RANDOM_MAX = 32767


class Reference(NamedTuple):
    """A replaceable piece of a line and the lines to put there."""

    start: int
    end: int
    value: tuple[str, ...]


class Parameters:
    """The definitions as they stand at the current line."""

    def __init__(self, config_id: str, environment: Mapping[str, str], directory: Callable[[], str]) -> None:
        self.values: dict[str, tuple[str, ...]] = {}
        self._config_id = config_id
        self._environment = environment
        self._directory = directory
        self._chance: random.Random | None = None

    def define(self, name: str, value: tuple[str, ...]) -> None:
        self.values[name] = value

    def seed(self, number: int) -> None:
        """From here on random numbers are the same at every reading."""
        import random

        self._chance = random.Random(number)

    def find(self, text: str, start: int = 0) -> Reference | None:
        """The first reference at or after ``start`` that can be replaced."""
        for match in REFERENCE.finditer(text, start):
            name = match[1] or match[3]
            value = self.values.get(name)
            if value is None:
                predefined = self._predefined(name, (match[2] or "").split())
                value = None if predefined is None else (predefined,)
            if value is not None:
                return Reference(match.start(), match.end(), value)
        return None

    def _predefined(self, name: str, arguments: list[str]) -> str | None:
        if name == "_PWD":
            return self._directory()
        if name == "_INSTANCE":
            return self._config_id
        if name in ("_HASH", "_BANG"):
            return "#" if name == "_HASH" else "!"
        if name == "_ENV":
            return self._environment.get(arguments[0]) if arguments else None
        return self._random(arguments) if name == "_RANDOM" else None

    def _random(self, arguments: list[str]) -> str | None:
        """``_RANDOM [MIN [MAX]]``; None when the bounds make no sense."""
        bounds = [0, RANDOM_MAX]
        for index, text in enumerate(arguments[:2]):
            if not (text.isascii() and text.isdigit() and len(text) < 10):
                return None
            bounds[index] = int(text)
        import random

        chance = self._chance or random
        return str(chance.randint(*bounds)) if bounds[0] <= bounds[1] else None
