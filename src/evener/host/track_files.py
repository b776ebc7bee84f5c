"""Tracked files in the helper process: their numbers are read when the files change.

The directory is watched rather than the file, since files are usually replaced by renaming; a directory
that does not exist (yet) is looked for once a second. A file that is missing, unreadable, or holds no
number has the value 0, as in keepalived. Reading happens in the helper, where a dead file system hurts
nobody; a FIFO or a device cannot block it either (O_NONBLOCK), and no more than a line is read.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterable, Iterator

from evener.host.reactor import READABLE, Reactor
from evener.keepalived.vrrp.plan_tracked import TrackedFile

# linux/inotify.h: close after writing, moves, deletion - of entries and of the directory itself. Not each
# change: a file that is written anew is empty for a moment, and that is no number.
MASK = 0x08 | 0x40 | 0x80 | 0x200 | 0x400 | 0x800
EVENT = struct.Struct("=iIII")
LINE_BYTES = 127
RETRY_S = 1.0
LEAST, MOST = -(2**31), 2**31

Report = Callable[[str, int], None]


def number_in(text: bytes) -> int:
    """The number a file begins with, as strtol(3) with base 0 reads it; 0 for anything else."""
    word = text.split(maxsplit=1)[0] if text.split() else b""
    sign = -1 if word[:1] == b"-" else 1
    word = word.lstrip(b"+-") if word[:1] in (b"+", b"-") else word
    base, digits = (16, word[2:]) if word[:2].lower() == b"0x" else (8 if word[:1] == b"0" else 10, word)
    allowed = b"0123456789abcdefABCDEF" if base == 16 else b"01234567" if base == 8 else b"0123456789"
    end = next((i for i, c in enumerate(digits) if c not in allowed), len(digits))
    value = sign * int(digits[:end], base) if end else 0
    return value if LEAST <= value <= MOST else 0


def read_number(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return 0
    try:
        return number_in(os.read(descriptor, LINE_BYTES))
    except OSError:
        return 0
    finally:
        os.close(descriptor)


class FileWatch:
    """All tracked files. ``report`` gets a file's name and number, first at once and then on each change."""

    def __init__(self, reactor: Reactor, report: Report, complain: Callable[[str], None]) -> None:
        self._reactor, self._report, self._complain = reactor, report, complain
        self._files: dict[str, TrackedFile] = {}
        self._values: dict[str, int] = {}
        self._directories: dict[int, str] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = -1

    def watch(self, files: Iterable[TrackedFile]) -> None:
        """Watch exactly these from now on."""
        wanted = {file.name: file for file in files}
        for name in set(self._files) - set(wanted):
            self._values.pop(name, None)
        for file in wanted.values():
            if self._files.get(file.name) != file:
                self._values.pop(file.name, None)
                self._initialise(file)
        self._files = wanted
        if wanted and self._inotify < 0:
            self._open()
        self._look()

    def _open(self) -> None:
        self._inotify = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._inotify >= 0:
            self._reactor.watch(self._inotify, READABLE, self._changed)
        self._retry()

    def _initialise(self, file: TrackedFile) -> None:
        if file.initial is None or (not file.overwrite and os.path.exists(file.path)):
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(file.path, flags, 0o644)
            with os.fdopen(descriptor, "w", encoding="ascii") as out:
                out.write(f"{file.initial}\n")
        except (OSError, ValueError) as error:
            self._complain(f"Unable to initialise track file {file.path}: {error}")

    def _add_directories(self) -> None:
        """Watch what is not watched; a directory that came back has a new watch."""
        self._directories.clear()
        for directory in {os.path.dirname(file.path) or "." for file in self._files.values()}:
            watched = self._libc.inotify_add_watch(self._inotify, os.fsencode(directory), MASK)
            if watched >= 0:
                self._directories[watched] = directory

    def _retry(self) -> None:
        if self._files and (self._inotify < 0 or len(self._directories) < self._wanted_directories):
            self._look()
        self._reactor.later(RETRY_S, self._retry)

    @property
    def _wanted_directories(self) -> int:
        return len({os.path.dirname(file.path) for file in self._files.values()})

    def _changed(self, _events: int) -> None:
        names: set[str] = set()
        try:
            while data := os.read(self._inotify, 1 << 16):
                names |= set(_names(data))
        except BlockingIOError:
            pass
        self._look(names)

    def _look(self, names: set[str] | None = None) -> None:
        """Read the files of these names. An empty name is a directory's own: then all are read."""
        if self._inotify >= 0:
            self._add_directories()
        for file in self._files.values():
            if names and "" not in names and os.path.basename(file.path) not in names:
                continue
            value = read_number(file.path)
            if self._values.get(file.name) != value:
                self._values[file.name] = value
                self._report(file.name, value)


def _names(data: bytes) -> Iterator[str]:
    """The names in inotify events, padded with zeros there."""
    offset = 0
    while offset + EVENT.size <= len(data):
        length = EVENT.unpack_from(data, offset)[3]
        offset += EVENT.size
        yield os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
        offset += length
