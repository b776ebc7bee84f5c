"""Process variables: values that all rules of all workers share.

Until the workers are forked the values are in a dict. Then those that some rule names move to the shared
segment, a row each, so that what one worker stores the next request reads, wherever it is served. What does
not fit into a row, and what no rule names, stays in the dict, whose copies ``sharing`` keeps alike.

A row: a lock, a version (odd while it is written), the type, the length, and the bytes of the value, eight
a cell. A reader takes the row again when the version changed meanwhile; nobody waits for ever, because a
worker that dies takes the whole process with it.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from evener.haproxy.columns import WIDTH
from evener.haproxy.sample import Sample, Type

LOCK, VERSION, TYPE, LENGTH, VALUE = range(5)
NONE, ELSEWHERE, FIRST_TYPE = 0, 1, 2
ROOM: Final = (WIDTH - VALUE) * 8
PATIENCE: Final = 2000
_TYPES: Final = list(Type)


class Cells(Protocol):
    def get(self, row: int, column: int, /) -> int: ...
    def set(self, row: int, column: int, value: int, /) -> None: ...
    def add(self, row: int, column: int, delta: int, /) -> int: ...


class ProcessVariables:
    def __init__(self) -> None:
        self._here: dict[str, Sample] = {}
        self._rows: Mapping[str, int] = {}
        self._cells: Cells | None = None
        self.named: set[str] = set()  #: those that rules name

    def share(self, cells: Cells, rows: Mapping[str, int]) -> None:
        """From now on the values of these are in the segment."""
        self._rows, self._cells = rows, cells
        for name in rows:
            if name in self._here:
                self.store(name, self._here.pop(name))

    def get(self, name: str) -> Sample | None:
        row = self._rows.get(name)
        if row is None or self._cells is None:
            return self._here.get(name)
        kind, value = _read(self._cells, row)
        if kind == ELSEWHERE:
            return self._here.get(name)
        return None if kind == NONE else Sample(_TYPES[kind - FIRST_TYPE], value)

    def store(self, name: str, sample: Sample | None) -> bool:
        """Set (None: forget) a variable; whether every process knows it now."""
        row = self._rows.get(name)
        if row is None or self._cells is None:
            self.keep(name, sample)
            return False
        if sample is None:
            _write(self._cells, row, NONE, 0)
            return True
        fits = not isinstance(sample.value, bytes) or len(sample.value) <= ROOM
        if fits:
            _write(self._cells, row, FIRST_TYPE + _TYPES.index(sample.type), sample.value)
        else:
            self._here[name] = sample
            _write(self._cells, row, ELSEWHERE, 0)
        return fits

    def keep(self, name: str, sample: Sample | None) -> None:
        """Set (None: forget) what this process knows by itself."""
        if sample is None:
            self._here.pop(name, None)
        else:
            self._here[name] = sample

    def items(self) -> Iterator[tuple[str, Sample]]:
        for name in {**self._here, **self._rows}:
            sample = self.get(name)
            if sample is not None:
                yield name, sample

    def clear(self) -> None:
        self._here.clear()
        self._rows, self._cells = {}, None


def _read(cells: Cells, row: int) -> tuple[int, Any]:
    get = cells.get
    for _ in range(PATIENCE):
        before = get(row, VERSION)
        if before & 1:
            continue
        kind, length = get(row, TYPE), get(row, LENGTH)
        value: Any = get(row, VALUE)
        if length >= 0:
            count = min((length + 7) // 8, WIDTH - VALUE)
            words = [value, *(get(row, VALUE + at) for at in range(1, count))][:count]
            value = struct.pack(f"<{count}q", *words)[:length]
        elif kind >= FIRST_TYPE and _TYPES[kind - FIRST_TYPE] is Type.BOOL:
            value = bool(value)
        if get(row, VERSION) == before:
            return kind, value
    return NONE, None


def _write(cells: Cells, row: int, kind: int, value: bytes | int) -> None:
    for attempt in range(PATIENCE):
        if cells.add(row, LOCK, 1) == 1:
            break
        cells.add(row, LOCK, -1)
        if attempt > PATIENCE // 2:
            time.sleep(0.0001)
    else:
        cells.add(row, LOCK, 1)  # its owner is gone, or as good as
    version = cells.get(row, VERSION) | 1
    cells.set(row, VERSION, version)
    cells.set(row, TYPE, kind)
    if isinstance(value, bytes):
        count = (len(value) + 7) // 8
        cells.set(row, LENGTH, len(value))
        for at, word in enumerate(struct.unpack(f"<{count}q", value.ljust(count * 8, b"\0"))):
            cells.set(row, VALUE + at, word)
    else:
        cells.set(row, LENGTH, -1)
        cells.set(row, VALUE, int(value))
    cells.set(row, VERSION, version + 1)
    cells.add(row, LOCK, -1)
