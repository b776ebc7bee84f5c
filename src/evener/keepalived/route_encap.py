"""``encap`` of routes: what a lightweight tunnel puts around packets, in the words of ip-route(8).

    encap mpls LABEL[/LABEL ...]
    encap ip  [id N] [dst A] [src A] [tos T] [ttl N] [flags N]
    encap ip6 [id N] [dst A] [src A] [tc T] [hoplimit N] [flags N]
    encap ila LOCATOR

The result is in the terms of rtnetlink: attributes of the tunnel's own kind, packed. Sentences are the
original's; what is wrong takes the route away.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from evener.keepalived.arguments import address
from evener.keepalived.route_words import c_number, named_number
from evener.keepalived.vrrp.plan_routes import Encapsulation

if TYPE_CHECKING:
    from evener.keepalived.routes import Draft

MPLS, IP, ILA, IP6 = 1, 2, 3, 4
"""enum lwtunnel_encap_types."""
MOST_LABELS, MOST_LABEL = 16, (1 << 20) - 1
LABEL_SHIFT, BOTTOM_OF_STACK = 12, 1 << 8
TUNNEL_ID, DESTINATION, SOURCE, HOPS, TRAFFIC_CLASS, FLAGS = 1, 2, 3, 4, 5, 6
"""enum lwtunnel_ip_t and lwtunnel_ip6_t."""
MPLS_DESTINATION = ILA_LOCATOR = 1
LONGEST, SHORT, BYTE = (1 << 64) - 1, 0xFFFF, 0xFF


def read_encap(draft: Draft) -> Encapsulation:
    """The words after ``encap``."""
    if not draft.cursor.more:
        raise draft.refuse("Missing encap type")
    kind = draft.cursor.take()
    if kind not in KINDS:
        raise draft.refuse(f"Unknown encap type - {kind}")
    return KINDS[kind](draft)


def _mpls(draft: Draft) -> Encapsulation:
    if not draft.cursor.more:
        raise draft.refuse("missing address for MPLS encapsulation")
    text = draft.cursor.take()
    labels = [c_number(word, MOST_LABEL) for word in text.split("/")]
    if None in labels or len(labels) > MOST_LABELS:
        raise draft.refuse(f"invalid mpls address {text} for encapsulation")
    entries = [(label or 0) << LABEL_SHIFT for label in labels]
    entries[-1] |= BOTTOM_OF_STACK
    stack = b"".join(entry.to_bytes(4, "big") for entry in entries)
    return Encapsulation(MPLS, ((MPLS_DESTINATION, stack),))


def _ila(draft: Draft) -> Encapsulation:
    """A locator is four groups of hexadecimal digits, as the upper half of an IPv6 address."""
    if not draft.cursor.more:
        raise draft.refuse("missing locator for ILA encapsulation")
    text = draft.cursor.take()
    groups = text.split(":")
    numbers = [c_number(f"0x{group}", SHORT) for group in groups]
    if len(groups) != 4 or None in numbers:
        raise draft.refuse(f"invalid locator {text} for ila encapsulation")
    locator = b"".join((number or 0).to_bytes(2, "big") for number in numbers)
    return Encapsulation(ILA, ((ILA_LOCATOR, locator),))


def _ip(draft: Draft) -> Encapsulation:
    numbers = {
        "id": (TUNNEL_ID, LONGEST, ">Q", "encap id {} value is invalid"),
        "ttl": (HOPS, BYTE, "B", "ttl {} is not valid for ip encapsulation"),
        "flags": (FLAGS, SHORT, "=H", "flags {} is not valid for ip encapsulation"),
    }
    field = ("tos", "dsfield {} not valid for ip encapsulation")
    return Encapsulation(IP, _tunnel(draft, "ip", 4, numbers, field))


def _ip6(draft: Draft) -> Encapsulation:
    numbers = {
        "id": (TUNNEL_ID, LONGEST, ">Q", "id {} value invalid for IPv6 encapsulation"),
        "hoplimit": (HOPS, BYTE, "B", "Invalid hoplimit {} specified for ip6 encapsulation"),
        "flags": (FLAGS, SHORT, "=H", "flags {} is not valid for ip6 encapsulation"),
    }
    field = ("tc", "tc value {} is invalid for ip6 encapsulation")
    return Encapsulation(IP6, _tunnel(draft, "ip6", 6, numbers, field))


def _tunnel(
    draft: Draft,
    name: str,
    version: int,
    numbers: dict[str, tuple[int, int, str, str]],
    field: tuple[str, str],
) -> tuple[tuple[int, bytes], ...]:
    found: dict[int, bytes] = {}
    ends = {"dst": DESTINATION, "src": SOURCE}
    cursor = draft.cursor
    while (word := cursor.peek()) is not None and (word in numbers or word in ends or word == field[0]):
        cursor.take()
        text = cursor.take()
        if word in ends:
            found[ends[word]] = _end(draft, name, version, word, text)
        elif word == field[0]:
            value = named_number(draft.context, "rt_dsfield", text)
            if value is None:
                raise draft.refuse(field[1].format(text))
            found[TRAFFIC_CLASS] = bytes((value,))
        else:
            kind, most, form, complaint = numbers[word]
            value = c_number(text, most)
            if value is None:
                raise draft.refuse(complaint.format(text))
            found[kind] = struct.pack(form, value)
    if DESTINATION not in found and TUNNEL_ID not in found:
        raise draft.refuse(f"address or id missing for {name} encapsulation")
    return tuple(sorted(found.items()))


def _end(draft: Draft, name: str, version: int, word: str, text: str) -> bytes:
    found = address(text)
    if found is None:
        raise draft.refuse(f"Invalid encap {name} {word} {text}")
    if found.version != version:
        raise draft.refuse(f"IPv{found.version} address {text} not valid for {name} encapsulation")
    return found.packed


KINDS: dict[str, Callable[[Draft], Encapsulation]] = {"mpls": _mpls, "ip": _ip, "ip6": _ip6, "ila": _ila}
