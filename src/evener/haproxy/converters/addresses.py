"""Converters of addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.haproxy.arguments import Mask4, Mask6
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

    Without a mask for IPv6, addresses of that family give nothing.
    """
    four = int.from_bytes(mask4, "big")
    six = None if mask6 is None else int.from_bytes(mask6, "big")

    def run(value: bytes) -> bytes | None:
        if len(value) == 4:
            return (int.from_bytes(value, "big") & four).to_bytes(4, "big")
        if six is None or len(value) != 16:
            return None
        return (int.from_bytes(value, "big") & six).to_bytes(16, "big")

    return run
