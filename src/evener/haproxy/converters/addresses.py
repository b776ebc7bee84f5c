"""Converters of addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.haproxy.arguments import Mask4, Mask6
from evener.haproxy.cast import to_ipv4
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]


@converter(
    "ipmask",
    Type.ADDR,
    Type.ADDR,
    ok=["ipmask(24)", "ipmask(255.255.0.0,64)"],
    bad=["ipmask(33)", "ipmask(24,129)", "ipmask"],
)
def ipmask(mask4: Mask4, mask6: Mask6 | None = None) -> Run:
    """The network an address is in, by a mask for IPv4 and one for IPv6.

    An IPv6 address that holds an IPv4 one counts as that. Without a mask for IPv6, the others give nothing.
    """
    four = int.from_bytes(mask4, "big")
    six = None if mask6 is None else int.from_bytes(mask6, "big")

    def run(value: bytes) -> bytes | None:
        inner = to_ipv4(value)
        if inner is not None:
            return (int.from_bytes(inner, "big") & four).to_bytes(4, "big")
        if six is None or len(value) != 16:
            return None
        return (int.from_bytes(value, "big") & six).to_bytes(16, "big")

    return run
