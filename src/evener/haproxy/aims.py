"""Where a connection to a server goes and comes from when that depends on the stream.

Decides it for servers without an address or a port of their own (``0.0.0.0``, ``10.0.0.1``, ``:+1000``: the
client's destination takes its place), for ``source ... usesrc`` and for ``socks4``. Such connections are
only shared by streams with the same aim. Other servers have none, and pay nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from evener.haproxy.addresses import Address, literal_address
from evener.haproxy.expression import read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.sections.source import SourceAddress
from evener.wire import socks4

_INET = (socket.AF_INET, socket.AF_INET6)
Place = tuple[int, bytes, int]
"""Family, packed address, port."""
Aim = tuple[Place | None, Place | None, bytes | None, bytes | None]
"""Where to, where from, what a SOCKS4 proxy is asked first, a name (``pool-conn-name``); None: as ever."""
Name = Callable[[Any], bytes | None]


def name(text: str, env: CompileEnv) -> Name | None:
    """``pool-conn-name``: what tells connections apart beside where they go to."""
    expr = read_expression(text)
    if isinstance(expr, Failure):
        return None
    made: Name = compile_expression(expr, env, Type.STR)
    return made


def aim(
    server: Address, source: SourceAddress | None, proxy: Address | None, name: Name | None = None
) -> Callable[[Any], Aim] | None:
    """The aim of a stream at that server; None when it is the same for all."""
    own = _place(server) if server.family in _INET and server.resolved else None
    target = _target(server, own)
    start = _start(source.usesrc) if source is not None and source.usesrc else None
    if target is None and start is None and proxy is None and name is None:
        return None

    def run(txn: Any) -> Aim:
        place = target(txn) if target is not None else None
        begin = start(txn) if start is not None else None
        called = name(txn) if name is not None else None
        if proxy is None:
            return place, begin, None, called
        return _place(proxy), begin, _question(place or own), called

    return run


def _place(address: Address) -> Place:
    return address.family, socket.inet_pton(address.family, address.host), address.port


def _question(asked: Place | None) -> bytes | None:
    if asked is None or asked[0] != socket.AF_INET:  # version 4 knows no other
        return None
    return socks4.request(socket.inet_ntoa(asked[1]), asked[2])


def _target(server: Address, own: Place | None) -> Callable[[Any], Place] | None:
    if own is None:
        return None
    _, host, _ = own
    anywhere, mapped = not any(host), server.offset or not server.port
    if not anywhere and not mapped:
        return None

    def run(txn: Any) -> Place:
        there = txn.dst_ip
        port = (txn.dst_port + server.port) & 0xFFFF if mapped else server.port
        if anywhere and there:
            return _family(there), there, port
        return server.family, host, port

    return run


def _family(host: bytes) -> int:
    return socket.AF_INET if len(host) == 4 else socket.AF_INET6


def _start(usesrc: str) -> Callable[[Any], Place | None]:
    """The foreign address that connections come from; None where there is none to speak of."""
    if usesrc == "client":
        return lambda txn: (_family(txn.src_ip), txn.src_ip, txn.src_port) if txn.src_ip else None
    if usesrc == "clientip":
        return lambda txn: (_family(txn.src_ip), txn.src_ip, 0) if txn.src_ip else None
    if usesrc.startswith("hdr_ip("):
        return _header(usesrc[len("hdr_ip(") :].rstrip(")"))
    host, _, port = usesrc.rpartition(":") if ":" in usesrc and usesrc.count(":") == 1 else (usesrc, "", "")
    found = literal_address(host)
    if found is None:
        return lambda txn: None
    fixed = int(found[0]), socket.inet_pton(found[0], found[1]), int(port or 0)
    return lambda txn: fixed


def _header(text: str) -> Callable[[Any], Place | None]:
    """``name[,occurrence]``: of the addresses in that field, counted from the end when negative."""
    name, _, number = text.partition(",")
    field, which = name.strip().lower().encode(), int(number or -1)

    def run(txn: Any) -> Place | None:
        listed = [part.strip() for value in txn.req.all(field) for part in value.split(b",")]
        index = which - 1 if which > 0 else len(listed) + which
        if not 0 <= index < len(listed):
            return None
        found = literal_address(listed[index].decode("latin-1"))
        return None if found is None else (int(found[0]), socket.inet_pton(found[0], found[1]), 0)

    return run
