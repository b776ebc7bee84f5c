"""Lists of patterns and maps in files: their names (manual section 2.7) and how they are read.

``file@`` is the default, ``opt@`` need not exist, ``virt@`` is no file at all. The prefixes ``file@``
and ``opt@`` are no part of the name, ``virt@`` is.
"""

from __future__ import annotations

import os
from typing import NamedTuple

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


def name_file(text: str) -> PatternFile:
    """What a name stands for, as seen from the current directory."""
    if text.startswith("virt@"):
        return PatternFile(text, None, True)
    optional = text.startswith("opt@")
    name = text.removeprefix("opt@") if optional else text.removeprefix("file@")
    return PatternFile(name, os.path.join(os.getcwd(), name) if name else "", optional)


def load(file: PatternFile, *, with_values: bool) -> list[Entry]:
    """Every line but the empty ones and comments; raises PatternError when the file cannot be read.

    Leading blanks are stripped, so that a pattern may begin with ``#`` after a blank.
    """
    if file.path is None:
        return []
    try:
        with open(file.path, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            lines = stream.read().split("\n")
    except FileNotFoundError as error:
        if file.optional:
            return []
        raise PatternError(f"failed to open pattern file <{file.name}>") from error
    except OSError as error:
        raise PatternError(f"failed to open pattern file <{file.name}>") from error
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
    return entries
