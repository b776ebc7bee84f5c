"""Lists of patterns and maps in files: their names (manual section 2.7) and how they are read.

``file@`` is the default, ``opt@`` need not exist, ``virt@`` is no file at all. The prefixes ``file@``
and ``opt@`` are no part of the name, ``virt@`` is. A file that several rules name is read once.

Lists are numbered and described by where they stand, which those who read them do not know: whoever goes
through the configuration says so by ``now_at``.
"""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from evener.haproxy.line import Line
from evener.haproxy.pattern import PatternError


class PatternFile(NamedTuple):
    """A list as named in the configuration; ``path`` is None for a virtual one."""

    name: str
    path: str | None
    optional: bool


class Entry(NamedTuple):
    """One line of a list or a map; ``value`` is empty in a list."""

    key: str
    value: str
    line: int


class Place(NamedTuple):
    """Where something stands; a later ``serial`` was read later."""

    serial: int
    file: str
    line: int


_serials = count()
_at: list[Line | None] = [None]


def now_at(line: Line) -> None:
    """That line is being read."""
    _at[0] = line


def here() -> Place:
    """The place that is being read now, with a serial of its own."""
    line = _at[0]
    return Place(next(_serials), *(("", 0) if line is None else (line.source.name, line.number)))


def name_file(text: str) -> PatternFile:
    """What a name stands for, as seen from the current directory."""
    if text.startswith("virt@"):
        return PatternFile(text, None, True)
    optional = text.startswith("opt@")
    name = text.removeprefix("opt@") if optional else text.removeprefix("file@")
    return PatternFile(name, os.path.join(os.getcwd(), name) if name else "", optional)


def load(file: PatternFile, *, with_values: bool) -> tuple[Entry, ...]:
    """Every line but the empty ones and comments; raises PatternError when the file cannot be read.

    Leading blanks are stripped, so that a pattern may begin with ``#`` after a blank.
    """
    if file.path is None:
        return ()
    try:
        state = os.stat(file.path)
        return _load(file.path, state.st_ino, state.st_mtime_ns, state.st_size, with_values)
    except OSError as error:
        if file.optional and isinstance(error, FileNotFoundError):
            return ()
        raise PatternError(f"failed to open pattern file <{file.name}>") from error


@lru_cache(maxsize=16)
def _load(path: str, _inode: int, _changed: int, _size: int, with_values: bool) -> tuple[Entry, ...]:
    """What the file contains in that state of it."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        lines = stream.read().split("\n")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        text = line.lstrip(" \t").rstrip("\r")
        if not text:
            continue
        if with_values:
            key, _, value = (
                text.replace("\t", " ", 1).partition(" ")
                if "\t" in text.split(" ")[0]
                else text.partition(" ")
            )
            entries.append(Entry(key, value.strip(" \t"), number))
        else:
            entries.append(Entry(text.rstrip(" \t"), "", number))
    return tuple(entries)
