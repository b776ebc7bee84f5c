"""The messages that lead from what nftables has of a service to what it shall have.

Elements that lead to a chain go before it and come after it; nothing that stays the same is touched, so that
counters, turns and remembered clients are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evener.keepalived.lvs.nft_rules import Rendered
from evener.wire import nftables as nft
from evener.wire.nftables import Message, Table


def difference(table: Table, old: Rendered | None, new: Rendered | None) -> Iterator[Message]:
    """From what is loaded of a service to what shall be; nothing that stays is touched."""
    had, want = (rendered.elements if rendered else {} for rendered in (old, new))
    chains, wanted = (rendered.chains if rendered else {} for rendered in (old, new))
    for name in had:
        yield from table.delete_elements(name, _gone(had[name], want.get(name, {})))
    for name in wanted:
        if name not in chains:
            yield table.chain(name)
    for name, rules in chains.items():
        if wanted.get(name) != rules:
            yield table.flush_chain(name)
    for name, rules in wanted.items():
        for rule in rules if chains.get(name) != rules else ():
            yield table.rule(name, rule)
    for name in chains:
        if name not in wanted:
            yield table.delete_chain(name)
    for name in want:
        yield from table.add_elements(name, _fresh(had.get(name, {}), want[name]))


def _gone(had: dict[bytes, bytes], want: dict[bytes, bytes]) -> Sequence[bytes]:
    return [nft.element(key) for key, data in had.items() if want.get(key) != data]


def _fresh(had: dict[bytes, bytes], want: dict[bytes, bytes]) -> Sequence[bytes]:
    return [nft.element(key, data) for key, data in want.items() if had.get(key) != data]
