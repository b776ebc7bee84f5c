"""Finds and ends the connections that nftables has given to a destination.

Translated connections are entries of conntrack; those with direct routing are entries of our map ``flows``
(and ``closing``). Looking through either takes about 10 microseconds for each entry, so it is only done
when connections are to be ended or counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from evener.host.nft.socket import NetfilterSocket
from evener.keepalived.lvs import nft_table
from evener.keepalived.lvs.ipvs import DestinationKey, ServiceKey
from evener.keepalived.lvs.nft_rules import native
from evener.keepalived.lvs.nft_state import Told
from evener.keepalived.vrrp.plan import Family
from evener.wire import conntrack
from evener.wire.conntrack import Translated
from evener.wire.nftables import Table, element

Wanted = Sequence[tuple[Told, set[DestinationKey]]]
"""Services and, of each, the destinations whose connections are meant."""

FLOWS = ("flows", "closing")
PORTION = 1000
ROUNDS = 3


class Connections:
    def __init__(self, socket: NetfilterSocket, name: str = nft_table.NAME) -> None:
        """``name``: that of our tables."""
        self._socket, self._name = socket, name

    def end(self, wanted: Wanted) -> int:
        """How many were ended. What the kernel refuses to end is left alone: it has just ended itself."""
        families = {told.service.key.family for told, _ in wanted}
        return sum(
            self._end_translated(family, wanted) + self._end_flows(family, wanted) for family in families
        )

    def translated(self, family: Family) -> Iterator[Translated]:
        """Raises OSError where there is no conntrack."""
        for answer in self._socket.dump(conntrack.GET, family, b""):
            entry = conntrack.translated(answer.body)
            if entry is not None:
                yield entry

    def _end_translated(self, family: Family, wanted: Wanted) -> int:
        meant = Ends((told.service.key, where) for told, where in _each(family, wanted))
        try:
            found = [entry for entry in self.translated(family) if meant.of(entry)]
        except OSError:
            return 0
        return sum(self._socket.request(conntrack.DELETE, family, entry.identity) == 0 for entry in found)

    def _end_flows(self, family: Family, wanted: Wanted) -> int:
        meant = {
            native(told.members[where][0]) for told, where in _each(family, wanted) if where in told.members
        }
        return (
            sum(self._end_in(nft_table.table(family, self._name), name, meant) for name in FLOWS)
            if meant
            else 0
        )

    def _end_in(self, table: Table, name: str, meant: set[bytes]) -> int:
        try:
            keys = [one.key for one in self._socket.elements(table, name) if one.data in meant]
        except OSError:
            return 0  # the table is gone, and everything with it
        return sum(
            self._delete(table, name, keys[start : start + PORTION]) for start in range(0, len(keys), PORTION)
        )

    def _delete(self, table: Table, name: str, keys: list[bytes]) -> int:
        for _ in range(ROUNDS):
            messages = [one for key in keys for one in table.delete_elements(name, [element(key)])]
            wrong = self._socket.transaction(messages)
            if not wrong:
                return len(keys)
            # Those have expired since they were listed.
            keys = [key for at, key in enumerate(keys) if at not in wrong]
        return 0


def _each(family: Family, wanted: Wanted) -> Iterator[tuple[Told, DestinationKey]]:
    for told, destinations in wanted:
        if told.service.key.family == family:
            yield from ((told, where) for where in destinations)


class Ends:
    """Services with destinations, to be found by a connection."""

    def __init__(self, places: Iterable[tuple[ServiceKey, DestinationKey]]) -> None:
        self._places: dict[tuple[bytes, int], list[tuple[ServiceKey, DestinationKey]]] = {}
        for key, where in places:
            self._places.setdefault((where.address, where.port), []).append((key, where))

    def of(self, entry: Translated) -> list[tuple[ServiceKey, DestinationKey]]:
        """Those a connection may belong to: of a mark nothing but the server is known."""
        address, port = entry.server
        found = self._places.get((address, port), []) + self._places.get((address, 0), [])
        return [place for place in found if _asked(place[0], entry)]


def _asked(key: ServiceKey, entry: Translated) -> bool:
    if key.fwmark:
        return True
    return key.protocol == entry.protocol and (key.address, key.port or entry.asked[1]) == entry.asked
