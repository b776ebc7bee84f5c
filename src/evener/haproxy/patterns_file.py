"""Lists of patterns and maps in files: their names (manual section 2.7) and how they are read.

``file@`` is the default, ``opt@`` need not exist, ``virt@`` is no file at all. The prefixes ``file@``
and ``opt@`` are no part of the name, ``virt@`` is. A file that several rules name is read once.

Lists are numbered and described by where they stand, which those who read them do not know: whoever goes
through the configuration says so by ``now_at``.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple, overload

from evener.haproxy.line import Line
from evener.haproxy.pattern import PatternError

if TYPE_CHECKING:
    from evener.lookup.texts import Texts


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


MANY: Final = 500  #: entries from which on a list is held natively


class PackedEntries(Sequence[Entry]):
    """The lines of a large list or map; an ``Entry`` is made when it is asked for."""

    __slots__ = ("keys", "lines", "values")

    def __init__(self, keys: Texts, values: Texts | None, lines: Sequence[int]) -> None:
        self.keys = keys
        self.values = values
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Entry]: ...
    def __getitem__(self, number: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        value = "" if self.values is None else text_of(self.values[number])
        return Entry(text_of(self.keys[number]), value, self.lines[number])

    def __iter__(self) -> Iterator[Entry]:
        return map(self.__getitem__, range(len(self)))


def text_of(packed: bytes) -> str:
    """The bytes of a file as configuration text."""
    return packed.decode("utf-8", "surrogateescape")


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


def load(file: PatternFile, *, with_values: bool) -> Sequence[Entry]:
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
def _load(path: str, _inode: int, _changed: int, _size: int, with_values: bool) -> Sequence[Entry]:
    """What the file contains in that state of it."""
    keys: list[bytes] = []
    values: list[bytes] = []
    lines = array("Q")
    with open(path, "rb") as stream:
        for number, line in enumerate(stream.read().split(b"\n"), 1):
            text = line.lstrip(b" \t").rstrip(b"\r")
            if not text or line.startswith(b"#"):
                continue
            key, value = _divided(text) if with_values else (text.rstrip(b" \t"), b"")
            keys.append(key)
            values.append(value)
            lines.append(number)
    if len(keys) > MANY:
        from evener.lookup.texts import Texts  # most configurations have no list of that size

        return PackedEntries(Texts(keys), Texts(values) if with_values else None, lines)
    return tuple(Entry(text_of(k), text_of(v), n) for k, v, n in zip(keys, values, lines, strict=True))


def _divided(text: bytes) -> tuple[bytes, bytes]:
    """A key, and the value behind the first blank."""
    if b"\t" in text.split(b" ", 1)[0]:
        text = text.replace(b"\t", b" ", 1)
    key, _, value = text.partition(b" ")
    return key, value.strip(b" \t")
