"""TCP keep-alive: the socket options that ``option clitcpka``, ``option srvtcpka`` and their details mean.

Values only; who opens sockets sets them. A listening socket hands its options on to what it accepts.
"""

from __future__ import annotations

import socket
from typing import Any

from evener.haproxy.sections.proxy import Proxy

SocketOption = tuple[int, int, int]


def of_clients(proxy: Proxy) -> list[SocketOption]:
    """(level, name, value) of the connections of clients; none when they are not asked for."""
    option, said = proxy.option, proxy.connections
    if not (option.clitcpka or option.tcpka):
        return []
    return _options(said.clitcpka_cnt, said.clitcpka_idle, said.clitcpka_intvl)


def of_servers(proxy: Proxy) -> list[SocketOption]:
    """The same of the connections to servers."""
    option, said = proxy.option, proxy.connections
    if not (option.srvtcpka or option.tcpka):
        return []
    return _options(said.srvtcpka_cnt, said.srvtcpka_idle, said.srvtcpka_intvl)


def _options(count: int | None, idle_ms: int | None, interval_ms: int | None) -> list[SocketOption]:
    details: list[tuple[int, Any]] = [
        (socket.TCP_KEEPCNT, count),
        (socket.TCP_KEEPIDLE, idle_ms and idle_ms // 1000),
        (socket.TCP_KEEPINTVL, interval_ms and interval_ms // 1000),
    ]
    return [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *((socket.IPPROTO_TCP, name, value) for name, value in details if value),
    ]


__all__ = ["SocketOption", "of_clients", "of_servers"]
