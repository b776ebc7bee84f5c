"""Finds a value in a JSON text by its path, without building what is beside it.

The text comes from clients: it is scanned by tokens, never recursively, and only as far as the value.
What follows the value is not looked at, so a text that is cut off or wrong further on still has its
earlier values.
"""

from __future__ import annotations

import re
from typing import Final

from evener.haproxy.cast import to_bytes

Steps = tuple[bytes | int, ...]


_STEP: Final = re.compile(
    r"\.(?P<key>(?:\\.|[^.\[\\])+)|\[(?P<index>[0-9]{1,9}|\*)\]|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]",
    re.DOTALL,
)


def read_path(text: str) -> Steps | None:
    """``$.a.b[0]`` as keys and indexes, None when it is no path.

    ``[*]`` is the first element, because one sample has one value.
    """
    if not text.startswith("$"):
        return None
    steps: list[bytes | int] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            if text[position:] == ".":
                break
            return None
        position = match.end()
        if match["index"] is not None:
            steps.append(0 if match["index"] == "*" else int(match["index"]))
        else:
            name = match["key"] and re.sub(r"\\(.)", r"\1", match["key"])
            steps.append(to_bytes(name or match["single"] or match["double"] or ""))
    return tuple(steps)


_TOKEN: Final = re.compile(
    rb'[ \t\r\n]*("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+\-]*|true|false|null|[\[\]{}:,])', re.DOTALL
)


class _Scanner:
    """Walks over the tokens of one text."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def token(self) -> bytes:
        """The next token, empty at the end or at anything that is no JSON."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            return b""
        self.at = match.end()
        return match[1]

    def value(self) -> tuple[int, int]:
        """Skip one value, however deep; where it is. An empty span when there is none."""
        depth, start = 0, -1
        while True:
            token = self.token()
            if not token or (start < 0 and token in b"]}:,"):
                return (0, 0)
            if start < 0:
                start = self.at - len(token)
            if token in (b"{", b"["):
                depth += 1
            elif token in (b"}", b"]"):
                depth -= 1
            if depth == 0:
                return (start, self.at)

    def enter(self, step: bytes | int) -> bool:
        """Go to where the value of that key or index begins; False when there is none."""
        if isinstance(step, int):
            return self.token() == b"[" and self.element(step)
        return self.token() == b"{" and self.member(step)

    def element(self, index: int) -> bool:
        return all(self.value() != (0, 0) and self.token() == b"," for _ in range(index))

    def member(self, name: bytes) -> bool:
        while True:
            key = self.token()
            if key[:1] != b'"' or self.token() != b":":
                return False
            if key[1:-1] == name:
                return True
            if self.value() == (0, 0) or self.token() != b",":
                return False


def find(text: bytes, steps: Steps) -> bytes:
    """The value as it is written, empty when it is not there."""
    scanner = _Scanner(text)
    for step in steps:
        if not scanner.enter(step):
            return b""
    start, stop = scanner.value()
    return text[start:stop]
