"""Headers that options add to every request on its way to a server: forwardfor, originalto, unique-id.

They are added after all rules of the backend, so that rules see the request as the client sent it. Both
sides may ask for them; the backend's header name wins, and the header is added once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from evener.haproxy.cast import address_to_text, to_bytes
from evener.haproxy.sections.option_values import ForwardFor
from evener.haproxy.txn import CONTINUE, Txn
from evener.text.record import dataclass

Policy = Callable[[Txn], int]
Network = tuple[int, int, int]
"""Address length in bytes, masked network, mask - all as integers."""


def network_of(text: ipaddress.IPv4Network | ipaddress.IPv6Network | None) -> Network | None:
    if text is None:
        return None
    return text.max_prefixlen // 8, int(text.network_address), int(text.netmask)


def inside(address: bytes, network: Network | None) -> bool:
    if network is None or len(address) != network[0]:
        return False
    return int.from_bytes(address, "big") & network[2] == network[1]


@dataclass(frozen=True, slots=True)
class AddressHeader:
    """One side's ``option forwardfor`` or ``originalto``, ready to run."""

    name: bytes | None
    except_: Network | None
    if_none: bool

    @classmethod
    def of(cls, option: ForwardFor | None) -> AddressHeader | None:
        if option is None:
            return None
        name = to_bytes(option.header).lower() if option.header else None
        return cls(name, network_of(option.except_), option.if_none)


def add_address(
    front: dict[int, AddressHeader], back: AddressHeader | None, usual: bytes, address: Callable[[Txn], bytes]
) -> Policy | None:
    """Adds ``address`` of the transaction as the option says; ``front`` is by frontend index."""
    if back is None and not front:
        return None
    none = AddressHeader(None, None, True)

    def run(txn: Txn) -> int:
        fronts = front.get(txn.frontend.index)
        packed = address(txn)
        if not packed or (fronts is None and back is None):
            return CONTINUE
        for side in (fronts, back):
            if side is not None and inside(packed, side.except_):
                return CONTINUE
        name = (back or fronts or none).name or usual
        only_if_none = (back is None or back.if_none) and (fronts is None or fronts.if_none)
        if not (only_if_none and txn.req.get(name) is not None):
            txn.req.add(name, address_to_text(packed) or b"")
        return CONTINUE

    return run


def client_address(txn: Txn) -> bytes:
    return txn.src_ip


def original_destination(txn: Txn) -> bytes:
    return txn.dst_ip
