"""Messages about routes, with what pyroute2's class of them (seen in 0.9.7) does not know.

It has neither RTA_TTL_PROPAGATE nor the metric RTAX_FASTOPEN_NO_COOKIE, and of the encapsulations of
lightweight tunnels only some: ours are packed already, and handed on as they are.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

from evener.keepalived.vrrp.plan_routes import Encapsulation

ATTRIBUTE_HEAD = struct.Struct("=HH")
MORE_ATTRIBUTES = (("RTA_PAD", "hex"), ("RTA_UID", "uint32"), ("RTA_TTL_PROPAGATE", "uint8"))
"""Those that follow RTA_EXPIRES."""


@cache
def classes() -> tuple[Any, Any]:
    """A message, and its metrics."""
    from pyroute2.netlink.rtnl import rtmsg as known

    def raw(attributes: Any) -> Any:
        return tuple((name, "cdata" if name == "RTA_ENCAP" else kind) for name, kind in attributes)

    class Metrics(known.rtmsg.metrics):  # type: ignore[misc]
        nla_map = (
            *known.rtmsg.metrics.nla_map,
            ("RTAX_FASTOPEN_NO_COOKIE", "uint32"),
        )

    class NextHops(known.nh):  # type: ignore[misc]
        nla_map = raw(known.nh.nla_map)

    class RouteMessage(known.rtmsg):  # type: ignore[misc]
        nla_map = (*raw(known.rtmsg.nla_map), *MORE_ATTRIBUTES)
        metrics = Metrics

        @staticmethod
        def get_nh(_self: Any, *_arguments: Any, **_named: Any) -> Any:
            return NextHops

    return RouteMessage, Metrics


def encapsulation(wanted: Encapsulation | None) -> list[tuple[str, Any]]:
    """The attributes for it, none where there is none."""
    if wanted is None:
        return []
    inside = b"".join(_attribute(number, value) for number, value in wanted.attributes)
    return [("RTA_ENCAP_TYPE", wanted.kind), ("RTA_ENCAP", inside)]


def _attribute(number: int, value: bytes) -> bytes:
    """struct rtattr and its value, padded to four bytes."""
    return ATTRIBUTE_HEAD.pack(ATTRIBUTE_HEAD.size + len(value), number) + value + bytes(-len(value) % 4)
