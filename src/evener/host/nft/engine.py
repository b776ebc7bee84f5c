"""The nftables engine: one transaction for each batch of changes.

Decisions are those of ``nft_state``. When the kernel refuses something, the services it was for are left as
they were and reported, and the rest is sent again.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence

from evener.host.nft.conntrack import Connections
from evener.host.nft.counters import read
from evener.host.nft.socket import NetfilterSocket
from evener.keepalived.lvs import nft_table
from evener.keepalived.lvs.ipvs import (
    Change,
    DeleteService,
    DestinationKey,
    Failure,
    ServiceKey,
    Traffic,
    singly,
)
from evener.keepalived.lvs.nft_direct import IPVS_TIMEOUTS, Timeouts
from evener.keepalived.lvs.nft_state import State, Touched, service_of
from evener.keepalived.vrrp.plan import Family
from evener.wire.nftables import GENERATION, generation

ROUNDS = 4
"""Transactions tried for one batch, before all of it counts as failed."""

NEVER = -1
"""No number of a transaction."""


class NftEngine:
    """``approximate``: do the nearest thing where nftables cannot do what is asked. ``disconnect``: end the
    connections of a destination that is removed, so that clients notice."""

    name = "nft"

    def __init__(
        self,
        *,
        approximate: bool = False,
        disconnect: bool = False,
        timeouts: Timeouts = IPVS_TIMEOUTS,
        name: str = nft_table.NAME,
    ) -> None:
        self._disconnect = disconnect
        self.alone: socket.socket | None = None
        """Says that our table is ours, as long as it is open."""
        self._socket = NetfilterSocket()
        self._connections = Connections(self._socket, name)
        self._state = State(approximate=approximate, timeouts=timeouts, name=name)
        self._generation = 0
        """Of the ruleset when it was last as we left it."""

    def close(self) -> None:
        self._socket.close()
        if self.alone is not None:
            self.alone.close()

    def apply(self, changes: Sequence[Change]) -> list[Failure]:
        self._find_losses()
        failures, changes = [], tuple(singly(changes))
        for change in changes:
            failure = self._state.apply(change)
            if failure is not None:
                failures.append(failure)
        failures += self._send(changes)
        touched = self._state.settle()
        self._note()
        if self._disconnect:
            self._end_connections(touched)
        return failures

    def set_timeouts(self, timeouts: Timeouts) -> None:
        self._state.set_timeouts(timeouts)
        self.apply([])

    def repair(self) -> bool:
        """Loads what somebody has removed, as ``nft flush ruleset`` does; whether that was necessary and
        could be done."""
        if not self._find_losses():
            return False
        self._send(())
        self._state.settle()
        self._note()
        return self._state.complete()

    def _note(self) -> None:
        """From now on we look for what others do."""
        self._generation = self._current() if self._state.complete() else NEVER

    def _current(self) -> int:
        try:
            return generation(self._socket.ask(GENERATION).body)
        except OSError:
            return self._generation  # the transaction that follows will tell

    def _is_gone(self, family: Family) -> bool:
        try:
            return self._socket.ask(self._state.table(family).get()).error == errno.ENOENT
        except OSError:
            return False

    def _find_losses(self) -> bool:
        if self._current() == self._generation:
            return False
        lost = [family for family in self._state.families() if self._is_gone(family)]
        for family in lost:
            self._state.lost(family)
        return bool(lost)

    def _send(self, changes: Sequence[Change]) -> list[Failure]:
        refused: dict[ServiceKey, int] = {}
        for _ in range(ROUNDS):
            owned = list(self._state.messages())
            wrong = self._socket.transaction([one.message for one in owned])
            if not wrong:
                return _failures(changes, refused)
            owners = {owned[at].owner: code for at, code in wrong.items() if at >= 0}
            if None in owners or not owners:
                code = next(iter(wrong.values()))
                break
            found = {key: code for key, code in owners.items() if key is not None}
            refused |= found
            self._state.take_back(found)
        else:
            code = errno.EAGAIN
        self._state.take_back()
        return [_failure(change, code) for change in changes]

    def flush(self) -> None:
        self.apply([DeleteService(key) for key in self._state.services])

    def traffic(self) -> dict[tuple[ServiceKey, DestinationKey | None], Traffic]:
        return read(self._socket, self._connections, self._state)

    # -- connections

    def disconnect(self, key: ServiceKey, destinations: Sequence[DestinationKey]) -> int:
        """End the connections of a service to these destinations; how many."""
        told = self._state.services.get(key)
        return self._connections.end([(told, set(destinations))]) if told is not None else 0

    def _end_connections(self, touched: Touched) -> None:
        gone = []
        for before, after in touched.values():
            if before is not None:
                left = set(before.members) - (set(after.members) if after else set())
                if left:
                    gone.append((before, left))
        if gone:
            self._connections.end(gone)


def _failures(changes: Sequence[Change], refused: dict[ServiceKey, int]) -> list[Failure]:
    found = []
    for change in changes if refused else ():
        code = refused.get(service_of(change))
        if code is not None:
            found.append(_failure(change, code))
    return found


def _failure(change: Change, code: int) -> Failure:
    return Failure(change, code, f"nftables: {os.strerror(code)} ({service_of(change)})")
