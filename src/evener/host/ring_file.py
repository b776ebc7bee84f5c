"""A ring's messages in a file, for whoever wants to read them after the process has ended.

The form is that of the original, so that its tools read it: three numbers - sizes, the place after the last
message, the place of the oldest - each 64 bytes after the other, and then an area that is written round and
round. Before each message stands a byte for its readers, and its length as a number of variable size. Nothing
waits for the disk: the kernel writes when it likes, also after a crash of the process.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import deque
from pathlib import Path
from typing import Final

from evener.wire.spop import varint

HEAD: Final = 192
_TAIL_AT, _HEAD_AT = 64, 128
_PAGE: Final = 4096
_WORD: Final = struct.Struct("=Q")


class RingFile:
    """``size`` bytes are rounded up to whole pages, of which the beginning is taken by the numbers. What was
    in a file of that name is kept under ``<name>.bak``. Raises OSError."""

    def __init__(self, path: str, size: int) -> None:
        _keep(Path(path))
        whole = max(-(-size // _PAGE), 1) * _PAGE
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, whole)
            self._map = mmap.mmap(descriptor, whole)
        finally:
            os.close(descriptor)
        self._area = whole - HEAD
        self._head, self._tail = 0, 1
        self._sizes: deque[int] = deque()  #: of the messages that are there, with what stands around them
        self._map[:16] = _WORD.pack(self._area) + _WORD.pack(HEAD)
        self._tell(_TAIL_AT, self._tail)

    def append(self, message: bytes) -> None:
        """The oldest go when there is no room; what does not fit at all is left out."""
        made = varint(len(message)) + message + b"\0"
        if len(made) + 1 >= self._area:
            return
        while (self._tail - self._head) % self._area + len(made) >= self._area:
            self._head = (self._head + self._sizes.popleft()) % self._area
        self._tell(_HEAD_AT, self._head)
        self._write(made)
        self._sizes.append(len(made))
        self._tail = (self._tail + len(made)) % self._area
        self._tell(_TAIL_AT, self._tail)

    def _write(self, made: bytes) -> None:
        before = made[: self._area - self._tail]
        at = HEAD + self._tail
        self._map[at : at + len(before)] = before
        rest = made[len(before) :]
        self._map[HEAD : HEAD + len(rest)] = rest

    def _tell(self, at: int, number: int) -> None:
        self._map[at : at + 8] = _WORD.pack(number)

    def close(self) -> None:
        self._map.close()


def _keep(path: Path) -> None:
    """Where that is not permitted the contents are lost, as they are for the original."""
    try:
        if path.stat().st_size:
            path.replace(path.with_name(path.name + ".bak"))
    except OSError:
        return
