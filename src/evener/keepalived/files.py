"""The files a configuration is made of, as the reader asks for them.

Decides nothing about their contents. ``Disk`` is the real thing; ``Memory`` serves texts to tests, to
the fuzzers and to tools that check a configuration that is not on this machine.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
import stat
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

MAX_FILE = 64 << 20
"""A configuration file beyond this size is not one."""


class Problem(Enum):
    """Why a file is not read, in the words of the original (after ``Configuration file 'NAME' ``)."""

    MISSING = "is missing"
    DIRECTORY = "is a directory - skipping"
    UNSUITABLE = "is not a regular non-executable file - skipping"
    UNREADABLE = "cannot be read - skipping"


class Files(Protocol):
    """Where texts come from. Paths are those the reader has made by joining directories."""

    def read(self, path: str) -> bytes | Problem: ...

    def matches(self, pattern: str) -> list[str]:
        """The paths that match a shell pattern without braces; directories end in ``/``."""


class Disk:
    """Files of this machine. Executable files and directories are refused, as the original does."""

    def read(self, path: str) -> bytes | Problem:
        try:
            with open(path, "rb", opener=_open) as file:
                mode = os.fstat(file.fileno()).st_mode
                if stat.S_ISDIR(mode):
                    return Problem.DIRECTORY
                if not stat.S_ISREG(mode) or mode & 0o111:
                    return Problem.UNSUITABLE
                text = file.read(MAX_FILE + 1)
                return text if len(text) <= MAX_FILE else Problem.UNSUITABLE
        except IsADirectoryError:
            return Problem.DIRECTORY
        except FileNotFoundError:
            return Problem.MISSING
        except (OSError, ValueError):
            return Problem.UNREADABLE

    def matches(self, pattern: str) -> list[str]:
        return [name + "/" * os.path.isdir(name) for name in sorted(glob.glob(pattern))]


def _open(path: str, flags: int) -> int:
    """Never wait for a FIFO's writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


class Memory:
    """Texts by name."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self.texts = dict(texts)

    def read(self, path: str) -> bytes | Problem:
        return self.texts.get(posixpath.normpath(path), Problem.MISSING)

    def matches(self, pattern: str) -> list[str]:
        return sorted(fnmatch.filter(self.texts, posixpath.normpath(pattern)))


MAX_ALTERNATIVES = 1000


def alternatives(pattern: str) -> list[str]:
    """The patterns that ``a{b,c}d`` stands for (nested braces included), at most MAX_ALTERNATIVES."""
    done: list[str] = []
    waiting = [pattern]
    while waiting and len(done) + len(waiting) <= MAX_ALTERNATIVES:
        text = waiting.pop(0)
        cut = _braces(text)
        if cut is None:
            done.append(text)
            continue
        start, parts, end = cut
        waiting[:0] = [text[:start] + part + text[end:] for part in parts]
    return done


def _braces(text: str) -> tuple[int, list[str], int] | None:
    """The first balanced ``{...}``: where it begins, its alternatives, where it ends."""
    start = text.find("{")
    if start < 0:
        return None
    parts, depth, begin = [], 0, start + 1
    for at in range(start, len(text)):
        character = text[at]
        depth += (character == "{") - (character == "}")
        if (character == "," and depth == 1) or depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
        if depth == 0:
            return start, parts, at + 1
    return None
