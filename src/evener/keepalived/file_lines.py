"""The lines of a file, for those who want to show one: told apart when the first is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload


class FileLines(Sequence[str]):
    """Most files are read without anybody asking."""

    __slots__ = ("_content", "_lines")

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._lines: list[str] | None = None

    def _told_apart(self) -> list[str]:
        if self._lines is None:
            self._lines = self._content.decode("utf-8", "surrogateescape").split("\n")
        return self._lines

    def __len__(self) -> int:
        return len(self._told_apart())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._told_apart()[index]
