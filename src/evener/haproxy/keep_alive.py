"""The TCP socket options that ``clitcpka``, ``srvtcpka``, ``tcp-smart-accept``, ``tcp-smart-connect`` mean.

Values only; who opens sockets sets them. A listening socket hands its options on to what it accepts.
"""

from __future__ import annotations

import socket
from typing import Any

from evener.haproxy.sections.proxy import Proxy

SocketOption = tuple[int, int, int]
WAIT_TO_ACKNOWLEDGE = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
"""What is answered soon is acknowledged with the answer, not by a packet of its own."""


def of_clients(proxy: Proxy) -> list[SocketOption]:
    """(level, name, value) of the connections of clients; HTTP is spoken by them first, so it may wait."""
    option, said = proxy.option, proxy.connections
    smart = option.tcp_smart_accept
    options = [WAIT_TO_ACKNOWLEDGE] if (proxy.mode == "http" if smart is None else smart) else []
    if option.clitcpka or option.tcpka:
        options += _kept_alive(said.clitcpka_cnt, said.clitcpka_idle, said.clitcpka_intvl)
    return options


def of_servers(proxy: Proxy) -> list[SocketOption]:
    """The same of the connections to servers."""
    option, said = proxy.option, proxy.connections
    options = [WAIT_TO_ACKNOWLEDGE] if option.tcp_smart_connect else []
    if option.srvtcpka or option.tcpka:
        options += _kept_alive(said.srvtcpka_cnt, said.srvtcpka_idle, said.srvtcpka_intvl)
    return options


def _kept_alive(count: int | None, idle_ms: int | None, interval_ms: int | None) -> list[SocketOption]:
    details: list[tuple[int, Any]] = [
        (socket.TCP_KEEPCNT, count),
        (socket.TCP_KEEPIDLE, idle_ms and idle_ms // 1000),
        (socket.TCP_KEEPINTVL, interval_ms and interval_ms // 1000),
    ]
    return [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *((socket.IPPROTO_TCP, name, value) for name, value in details if value),
    ]


__all__ = ["WAIT_TO_ACKNOWLEDGE", "SocketOption", "of_clients", "of_servers"]
