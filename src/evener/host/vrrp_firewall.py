"""Keeping the nftables tables of ``keepalived/vrrp/firewall`` true, one for each family that needs one.

A table is made when the first address is blocked or the first macvlan appears, and goes with the process. A
kernel that refuses is said once; adverts go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from evener.keepalived.vrrp.firewall import Blocked, Macvlan, Rules, blocked
from evener.keepalived.vrrp.plan import Family, Instance, VirtualAddress
from evener.keepalived.vrrp.plan_machine import FirewallOptions
from evener.wire.nftables import Message


class Firewall:
    """What is blocked, and the macvlans that are known, by family."""

    def __init__(
        self, options: FirewallOptions, index_of: Callable[[str], int | None], log: Callable[[str], None]
    ) -> None:
        self._options, self._index_of, self._log = options, index_of, log
        self._rules: dict[Family, Rules] = {}
        self._ready: set[tuple[Family, str]] = set()
        self._blocked: set[Blocked] = set()
        self._macvlans: dict[Family, set[Macvlan]] = {}

    def _send(self, messages: list[Message]) -> bool:
        from evener.host.nft.socket import NetfilterSocket

        try:
            nft = NetfilterSocket()
        except OSError as error:
            self._log(f"nftables: {error.strerror}")
            return False
        try:
            wrong = nft.transaction(messages)
        finally:
            nft.close()
        if wrong:
            self._log(f"nftables: {os.strerror(next(iter(wrong.values())))}")
        return not wrong

    def _opening(self, family: Family, part: str) -> tuple[Rules, list[Message]]:
        """The rules of a family, and what has to be made before ``part`` of them is used."""
        rules = self._rules.get(family) or Rules(family, self._options)
        before: list[Message] = [] if family in self._rules else rules.table()
        self._rules[family] = rules
        if (family, part) not in self._ready:
            self._ready.add((family, part))
            before += rules.addresses() if part == "addresses" else rules.macvlans()
        return rules, before

    # -- addresses

    def block(self, config: Instance, addresses: Iterable[VirtualAddress]) -> None:
        """Nothing is taken for these addresses any more."""
        for family, several in _families(set(self._keys(config, addresses)) - self._blocked).items():
            rules, before = self._opening(family, "addresses")
            if self._send([*before, *rules.block(several)]):
                self._blocked |= several

    def release(self, config: Instance, addresses: Iterable[VirtualAddress]) -> None:
        if not self._blocked:
            return
        for family, several in _families(set(self._keys(config, addresses)) & self._blocked).items():
            self._blocked -= several
            self._send(self._rules[family].release(several))

    def _keys(self, config: Instance, addresses: Iterable[VirtualAddress]) -> Iterable[Blocked]:
        loose = not self._options.by_index and not config.track_primary
        for address in addresses:
            by_name = loose and (address.device == config.interface or not address.tracked)
            yield blocked(address, self._index_of(address.device), by_name=by_name)

    # -- macvlans

    def macvlans(self, wanted: dict[Family, set[Macvlan]]) -> None:
        """The macvlans that there are now."""
        for family in Family:
            before, after = self._macvlans.get(family, set()), wanted.get(family, set())
            if before == after:
                continue
            rules, messages = self._opening(family, "macvlans")
            for one in before - after:
                messages += rules.drop(one)
            for one in after - before:
                messages += rules.put(one)
            if self._send(messages):
                self._macvlans[family] = after

    def close(self) -> None:
        for rules in self._rules.values():
            self._send(rules.remove())
        self._rules.clear()


def _families(several: set[Blocked]) -> dict[Family, set[Blocked]]:
    found: dict[Family, set[Blocked]] = {}
    for one in several:
        found.setdefault(one.family, set()).add(one)
    return found
