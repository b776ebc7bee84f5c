"""What nftables has counted, by service and destination.

Connections are counted where they are chosen, packets and bytes of translated connections where they are
forwarded; there, services with the same virtual address and servers but different virtual ports share what is
counted of their servers. With direct routing only the client's packets come by. Open connections are those
conntrack knows, so translated ones only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from evener.keepalived.lvs.ipvs import DestinationKey, ServiceKey, Traffic
from evener.keepalived.lvs.nft_rules import native, translated
from evener.keepalived.lvs.nft_state import Told
from evener.wire.nftables import value

ENTRANCES = ("services", "any_port", "marks")
DIRECT_ENTRANCES = ("dr_services", "dr_any_port", "dr_marks")
TRANSLATED = (*ENTRANCES, "dests", "sent", "returned")
DIRECT = (*DIRECT_ENTRANCES, "choices")
"""Maps that are only asked for when there is a service with direct routing."""

Counted = dict[str, dict[bytes, tuple[int, int]]]
"""By map and key: packets and bytes."""
Open = Counter[tuple[ServiceKey, DestinationKey, bool]]
"""How many connections; True: established ones."""
Place = tuple[ServiceKey, "DestinationKey | None"]

NOTHING = (0, 0)


def traffic(told: Told, counted: Counted, opened: Open) -> Iterator[tuple[Place, Traffic]]:
    """Of one loaded service: itself (None) and its destinations."""
    key = told.service.key
    each = {where: _destination(told, where, counted, opened) for where in told.members}
    yield (key, None), _service(told, list(each.values()), counted)
    for where, one in each.items():
        yield (key, where), one


def _destination(told: Told, where: DestinationKey, counted: Counted, opened: Open) -> Traffic:
    key, number = told.service.key, native(told.members[where][0])
    passed = counted["dests"].get(number, NOTHING)
    if direct(told):
        return Traffic(_turns(told, number, counted), packets_in=passed[0], bytes_in=passed[1])
    between = translated(key, where)
    sent, returned = counted["sent"].get(between, NOTHING), counted["returned"].get(between, NOTHING)
    return Traffic(
        connections=passed[0],
        packets_in=sent[0],
        packets_out=returned[0],
        bytes_in=sent[1],
        bytes_out=returned[1],
        active=opened[key, where, True],
        inactive=opened[key, where, False],
    )


def direct(told: Told) -> bool:
    return bool(told.rendered and any(name in told.rendered.elements for name in DIRECT_ENTRANCES))


def _turns(told: Told, number: bytes, counted: Counted) -> int:
    """How often the slots of a destination had a turn, since its service last changed."""
    choices = told.rendered.elements["choices"] if told.rendered else {}
    data = value(number)
    return sum(counted["choices"].get(slot, NOTHING)[0] for slot, other in choices.items() if other == data)


def _service(told: Told, each: list[Traffic], counted: Counted) -> Traffic:
    made = Traffic(*(sum(getattr(one, name) for one in each) for name in Traffic.__slots__))
    elements = told.rendered.elements if told.rendered else {}
    for name in (*ENTRANCES, *DIRECT_ENTRANCES):
        for entry in elements.get(name, ()):
            packets, size = counted[name].get(entry, NOTHING)
            if name in DIRECT_ENTRANCES:
                made = replace(made, packets_in=packets, bytes_in=size)
            else:
                made = replace(made, connections=packets)
    return made
