"""The entries of a large list as they were loaded, held natively: a ``Sheet`` of one version.

A sheet never grows and never moves. What happens to its entries later stands beside it: ``gone`` has a byte
for each entry, and ``changed`` the values that are other ones now. Entries that are added later are elements
of the list itself, behind those of its sheet. ``Element`` is one entry, wherever it stands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from evener.haproxy.cast import to_bytes
from evener.haproxy.patterns_file import text_of
from evener.lookup.keys import Keys
from evener.lookup.texts import Texts


@dataclass(slots=True, eq=False)
class Sheet:
    """``ids`` ascend. ``kinds`` are the structures it is searched through, by what they are for."""

    version: int
    ids: Sequence[int]
    keys: Texts
    values: Texts | None
    gone: bytearray = field(init=False)
    changed: dict[int, str] = field(default_factory=dict)
    kinds: dict[Hashable, Any] = field(default_factory=dict)
    returned: int = 0  #: how often an entry that was gone stood again

    def __post_init__(self) -> None:
        self.gone = bytearray(len(self.keys))

    def __len__(self) -> int:
        """How many entries still stand."""
        return self.gone.count(0)

    def standing(self) -> Iterator[int]:
        """The places of the entries that are not gone."""
        return (number for number, gone in enumerate(self.gone) if not gone)

    def value(self, number: int) -> str | None:
        if self.values is None:
            return None
        changed = self.changed.get(number)
        return text_of(self.values[number]) if changed is None else changed

    def key(self, number: int) -> str:
        return text_of(self.keys[number])

    def place(self, id: int) -> int | None:
        """Where the entry with that id stands or stood."""
        number = bisect_left(self.ids, id)
        return number if number < len(self.ids) and self.ids[number] == id else None

    def put_back(self, number: int, value: str | None) -> None:
        """The entry stands again, with that value."""
        if self.gone[number]:
            self.gone[number] = 0
            self.returned += 1
        if value is not None:
            self.changed[number] = value

    def places(self, key: str) -> list[int]:
        """Where the entries of a key stand."""
        return [number for number in self.names.all(to_bytes(key)) if not self.gone[number]]

    @property
    def names(self) -> Keys:
        """The keys as they are written."""
        if "names" not in self.kinds:
            self.kinds["names"] = Keys(self.keys, self.gone)
        found: Keys = self.kinds["names"]
        return found


def sheet_of(
    version: int, ids: Sequence[int], keys: Sequence[str], values: Sequence[str | None] | None
) -> Sheet:
    """A sheet of entries with their ids, which ascend; ``values`` None: they have none."""
    packed = None if values is None else Texts([to_bytes(value or "") for value in values])
    return Sheet(version, ids, Texts([to_bytes(key) for key in keys]), packed)
