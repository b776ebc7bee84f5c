"""Keeping the tables of nftables_ipvs as ``keepalived.lvs.marks`` wants them."""

from __future__ import annotations

import os
from collections.abc import Callable

from evener.host.nft.socket import NetfilterSocket
from evener.keepalived.lvs.marks import Marked
from evener.keepalived.lvs.nft_marks import MarkRules
from evener.keepalived.lvs.plan import Marking
from evener.keepalived.vrrp.plan import Family
from evener.wire.nftables import Message


class MarkTables:
    """Made in the network namespace of IPVS; its tables go with ``close``. Raises OSError."""

    def __init__(self, marking: Marking, log: Callable[[str], None]) -> None:
        self._log = log
        self._socket = NetfilterSocket()
        self._rules = {family: MarkRules(family, marking) for family in Family}
        self._marked: Marked = {}
        self._ready: set[tuple[Family, int]] = set()

    def use(self, marked: Marked) -> bool:
        """From now on these are marked; False when the kernel refused."""
        messages: list[Message] = []
        opened: set[tuple[Family, int]] = set()
        for family, rules in self._rules.items():
            before = {key: mark for key, mark in self._marked.items() if key.family is family}
            after = {key: mark for key, mark in marked.items() if key.family is family}
            messages += self._opening(rules, {(family, key.protocol) for key in after} - self._ready, opened)
            # A mark that changes goes first: an element cannot be replaced.
            messages += rules.delete([key for key in before if after.get(key) != before[key]])
            messages += rules.add({key: mark for key, mark in after.items() if before.get(key) != mark})
        if not self._send(messages):
            return False
        self._marked = dict(marked)
        self._ready |= opened
        return True

    def _opening(
        self, rules: MarkRules, wanted: set[tuple[Family, int]], opened: set[tuple[Family, int]]
    ) -> list[Message]:
        """The table of a family before its first map, and the maps that are new."""
        made: list[Message] = []
        if wanted and not any(family is rules.family for family, _ in self._ready):
            made += rules.table()
        for place in sorted(wanted):
            made += rules.protocol(place[1])
            opened.add(place)
        return made

    def close(self) -> None:
        for family in {family for family, _ in self._ready}:
            self._send(self._rules[family].remove())
        self._socket.close()

    def _send(self, messages: list[Message]) -> bool:
        wrong = self._socket.transaction(messages)
        if wrong:
            self._log(f"nftables_ipvs: {os.strerror(next(iter(wrong.values())))}")
        return not wrong
