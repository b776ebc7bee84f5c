"""The stick table of the engine as the rest sees it. Times are milliseconds; cells are 64 bits wide.

Handles (``Entry``) name an entry of the shared table in this process. When the entry is gone meanwhile,
they read zeros and write nothing. One that tracks keeps its entry until ``release``.
"""

from collections.abc import Container, Iterator, Sequence
from typing import Any

class Entry:
    table: Table
    tracking: bool
    def get(self, cell: int) -> int: ...
    def set(self, cell: int, value: int) -> int:
        """Write a number and refresh the entry; returns what was there."""
    def add(self, counter: int, rate: int, period: int, count: int = 1) -> int:
        """Count in a 32-bit counter and in a rate (-1: not kept); the new counter, else the new rate."""
    def rate(self, cell: int, period: int) -> int: ...
    def set_rate(self, cell: int, value: int) -> None: ...
    def text(self, cell: int, width: int) -> bytes: ...
    def set_text(self, cell: int, width: int, text: bytes) -> None: ...
    def touch(self) -> None: ...
    def release(self) -> None: ...
    def remove(self) -> bool:
        """Forget the entry; False when somebody tracks it."""
    def tell_event(self, event: int, count: int = 1) -> None: ...
    def tell_status(self, status: int) -> None:
        """Count an error or a failure if the status of a response is one."""
    @property
    def alive(self) -> bool: ...
    @property
    def key(self) -> bytes: ...
    @property
    def trackers(self) -> int: ...
    @property
    def idle(self) -> int: ...
    @property
    def address(self) -> int: ...

class Reader:
    def __call__(self, entry: Entry) -> int: ...
    def of_key(self, key: bytes) -> int | None:
        """The value of the entry of a key, which is not refreshed; None when there is none."""

class Table:
    size: int
    key_size: int
    cells: int
    owner: Any  #: who knows what the cells mean
    expire: int
    nopurge: bool
    def __init__(
        self,
        size: int,
        key_size: int,
        cells: int,
        expire: int = 0,
        nopurge: bool = False,
        events: Sequence[tuple[int, int, int]] = (),
        current: int = -1,
        divisor: int = 1,
    ) -> None:
        """``events``: (counter cell, rate cell, period) by ``columns.Event``, -1 = not kept; ``current``:
        the cell that says how many track the entry. Raises MemoryError when there is no room."""
    def find(self, key: bytes) -> Entry | None:
        """The entry of a key, as it is. Raises ValueError when the key is longer than ``key_size``."""
    def obtain(self, key: bytes) -> Entry | None:
        """The same refreshed, and made if there is none; None when the table is full."""
    def track(self, key: bytes, request: bool = False) -> Entry | None:
        """The same tracked: a connection is counted, and a request if it is one."""
    def reader(self, cell: int, period: int = 0) -> Reader:
        """What reads that number, or with a period that rate. Raises IndexError."""
    @property
    def used(self) -> int: ...
    def walk(self) -> Iterator[Entry]: ...
    def at(self, address: int) -> Entry | None: ...
    def _die_holding(self, key: bytes) -> None: ...

def set_status_classes(errors: Container[int], failures: Container[int]) -> None: ...
