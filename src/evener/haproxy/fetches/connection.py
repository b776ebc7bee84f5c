"""Fetches of layers 4 and 5: addresses, proxies, servers, times of the connection (7.3.3, 7.3.4)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from evener.haproxy.aliases import (
    backend_source,
    backend_source_port,
    data_time,
    server_address,
    server_port,
    total_before_queue,
    user_time,
)
from evener.haproxy.cast import to_bytes
from evener.haproxy.notes import backend_plan, notes, of_stream
from evener.haproxy.sample import Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_CLIENT: Final = Source.CLIENT_ADDRESS
_SERVER: Final = Source.SERVER_ADDRESS


@lru_cache(maxsize=1024)
def is_local(address: bytes) -> bool:
    """Whether the address is one of this host: something can be bound to it."""
    import socket

    if not address:
        return True
    if ipaddress.ip_address(address).is_loopback:
        return True
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((socket.inet_ntop(family, address), 0))
        except OSError:
            return False
    return True


Four = Callable[[Any], tuple[bytes, int, bytes, int]]


def _as_set(txn: Any) -> tuple[bytes, int, bytes, int]:
    return txn.src_ip, txn.src_port, txn.dst_ip, txn.dst_port


def _of_connection(txn: Any) -> tuple[bytes, int, bytes, int]:
    return txn.fc  # type: ignore[no-any-return]


def _declare_addresses(prefix: str, of: Four) -> None:
    """The addresses as PROXY headers and rules have left them, and those of the connection itself."""

    @fetch(f"{prefix}src", Type.ADDR, _CLIENT)
    def src() -> Run:
        """The client's address."""
        if not prefix:
            return lambda txn: txn.src_ip or None  # the most used of all asks for nothing else
        return lambda txn: of(txn)[0] or None

    @fetch(f"{prefix}src_port", Type.SINT, _CLIENT)
    def src_port() -> Run:
        """The client's port."""
        return lambda txn: of(txn)[1]

    @fetch(f"{prefix}src_is_local", Type.BOOL, _CLIENT)
    def src_is_local() -> Run:
        """Whether the client's address is one of this host's."""
        return lambda txn: is_local(of(txn)[0])

    @fetch(f"{prefix}dst", Type.ADDR, _CLIENT)
    def dst() -> Run:
        """The address the client connected to."""
        return lambda txn: of(txn)[2] or None

    @fetch(f"{prefix}dst_port", Type.SINT, _CLIENT)
    def dst_port() -> Run:
        """The port the client connected to."""
        return lambda txn: of(txn)[3]

    @fetch(f"{prefix}dst_is_local", Type.BOOL, _CLIENT)
    def dst_is_local() -> Run:
        """Whether the address the client connected to is one of this host's."""
        return lambda txn: is_local(of(txn)[2])


_declare_addresses("", _as_set)
_declare_addresses("fc_", _of_connection)


@fetch("internal.strm.is_htx", Type.BOOL, Source.INTERNAL)
def internal_strm_is_htx() -> Run:
    """Whether the stream is one of HTTP (from the start, or since ``switch-mode http``)."""
    return lambda txn: bool(txn.req and txn.req.method)


@fetch("fc_http_major", Type.SINT, _CLIENT)
def fc_http_major() -> Run:
    """The major version of HTTP spoken with the client."""
    return lambda txn: 1


@fetch("fc_rcvd_proxy", Type.BOOL, _CLIENT)
def fc_rcvd_proxy() -> Run:
    """Whether the client's connection began with a PROXY protocol header."""
    return lambda txn: txn.pp_fields is not None


@fetch("fc_nb_streams", Type.SINT, _CLIENT)
def fc_nb_streams() -> Run:
    """How many streams the client's connection carries."""
    return lambda txn: 1


@fetch("bc_http_major", Type.SINT, _SERVER)
def bc_http_major() -> Run:
    """The major version of HTTP spoken with the server."""
    return lambda txn: 1 if txn.server is not None else None


@fetch("bc_src", Type.ADDR, _SERVER)
def bc_src() -> Run:
    """The address from which the server was connected to."""
    return lambda txn: backend_source(txn) or None


@fetch("bc_src_port", Type.SINT, _SERVER)
def bc_src_port() -> Run:
    """The port from which the server was connected to."""
    return lambda txn: backend_source_port(txn) or None


@fetch("bc_dst", Type.ADDR, _SERVER)
def bc_dst() -> Run:
    """The server's address."""
    return lambda txn: server_address(txn) or None


@fetch("bc_dst_port", Type.SINT, _SERVER)
def bc_dst_port() -> Run:
    """The server's port."""
    return lambda txn: server_port(txn) or None


@fetch("bc_reused", Type.BOOL, _SERVER)
def bc_reused() -> Run:
    """Whether the server's connection served an earlier request."""
    return lambda txn: bool(txn.reused)


@fetch("bc_nb_streams", Type.SINT, Source.SERVER_CONNECTION)
def bc_nb_streams() -> Run:
    """How many streams the server's connection carries."""
    return lambda txn: 1 if txn.server is not None else None


@fetch("bc_be_queue", Type.SINT, _SERVER)
def bc_be_queue() -> Run:
    """How many streams were ahead of this one in the backend's queue."""
    return lambda txn: txn.be_queue


@fetch("bc_srv_queue", Type.SINT, _SERVER)
def bc_srv_queue() -> Run:
    """How many streams were ahead of this one in the server's queue."""
    return lambda txn: txn.srv_queue


# -- which proxies and server ---------------------------------------------------------------------------


@fetch("fe_name", Type.STR, Source.FRONTEND)
def fe_name() -> Run:
    """The name of the frontend."""
    return lambda txn: txn.frontend.name


@fetch("fe_id", Type.SINT, Source.FRONTEND)
def fe_id() -> Run:
    """The number of the frontend."""
    return lambda txn: getattr(txn.frontend.plan, "id", 0)


@fetch("fe_defbe", Type.STR, Source.FRONTEND)
def fe_defbe() -> Run:
    """The name of the frontend's default backend."""

    def run(txn: Any) -> bytes | None:
        switching = getattr(getattr(txn.frontend.plan, "ir", None), "switching", None)
        name = getattr(switching, "default_backend", None)
        return to_bytes(name) if isinstance(name, str) and name else None

    return run


@fetch("be_name", Type.STR, Source.BACKEND)
def be_name(*, env: CompileEnv) -> Run:
    """The name of the backend, the frontend's while there is none."""

    def read(txn: Any) -> Any:
        return (txn.backend or txn.frontend).name

    return of_stream(read) if env.log_after else read


@fetch("be_id", Type.SINT, Source.BACKEND)
def be_id(*, env: CompileEnv) -> Run:
    """The number of the backend, the frontend's while there is none."""

    def read(txn: Any) -> Any:
        return getattr((txn.backend or txn.frontend).plan, "id", 0)

    return of_stream(read) if env.log_after else read


@fetch("srv_name", Type.STR, Source.SERVER)
def srv_name() -> Run:
    """The name of the server."""
    return lambda txn: txn.server.name if txn.server is not None else None


@fetch("srv_id", Type.SINT, Source.SERVER)
def srv_id() -> Run:
    """The number of the server."""
    return lambda txn: getattr(txn.server.plan, "id", 0) if txn.server is not None else None


@fetch("so_id", Type.SINT, Source.FRONTEND)
def so_id() -> Run:
    """The number of the socket that accepted the connection."""
    return lambda txn: getattr(txn.listener.plan, "id", 0) if txn.listener is not None else None


@fetch("so_name", Type.STR, Source.FRONTEND)
def so_name() -> Run:
    """The name of the ``bind`` line that accepted the connection."""

    def run(txn: Any) -> bytes | None:
        name = getattr(txn.listener, "name", None)
        return (to_bytes(name) if isinstance(name, str) else name) or None

    return run


# -- times and amounts ----------------------------------------------------------------------------------


def _number(name: str, source: Source, doc: str, read: Run, aliases: tuple[str, ...] = ()) -> None:
    def number() -> Run:
        return read

    number.__doc__ = doc
    fetch(name, Type.SINT, source, aliases=aliases)(number)


_number("fc.timer.handshake", _CLIENT, "Th: time of the handshakes.", lambda txn: txn.t_handshake)
_number("fc.timer.total", Source.SESSION_FINAL, "Tt: total time of the session.", lambda txn: txn.t_total)
_number("req.timer.idle", Source.REQUEST_HEADERS, "Ti: idle time before the request.", lambda txn: txn.t_idle)
_number("req.timer.tq", Source.REQUEST_HEADERS, "Tq = Th + Ti + TR.", total_before_queue)
_number(
    "req.timer.hdr",
    Source.REQUEST_HEADERS,
    "TR: time to receive the request head.",
    lambda txn: txn.t_request,
)
_number("req.timer.queue", _SERVER, "Tw: time in queues.", lambda txn: txn.t_queue)
_number("bc.timer.connect", _SERVER, "Tc: time to connect.", lambda txn: txn.t_connect)
_number("res.timer.hdr", Source.RESPONSE_HEADERS, "Tr: response time.", lambda txn: txn.t_response)
_number("res.timer.data", Source.RESPONSE_FINAL, "Td: time of the response's data.", data_time)
_number(
    "txn.timer.total", Source.TRANSACTION_FINAL, "Ta: active time of the request.", lambda txn: txn.t_active
)
_number("txn.timer.user", Source.TRANSACTION_FINAL, "Tu: total time as the user sees it.", user_time)
_number("txn.conn_retries", _SERVER, "Connection retries to the server.", lambda txn: txn.retries)
_number("bytes_in", Source.REQUEST_FINAL, "Bytes received from the client.", lambda txn: txn.bytes_in)
_number("req.bytes_in", Source.REQUEST_FINAL, "Bytes received from the client.", lambda txn: txn.bytes_in)
_number("req.bytes_out", Source.REQUEST_FINAL, "Bytes sent to the server.", lambda txn: txn.bytes_in)
_number("bytes_out", Source.RESPONSE_FINAL, "Bytes sent to the client.", lambda txn: txn.bytes_out)
_number("res.bytes_in", Source.RESPONSE_FINAL, "Bytes received from the server.", lambda txn: txn.bytes_out)
_number("res.bytes_out", Source.RESPONSE_FINAL, "Bytes sent to the client.", lambda txn: txn.bytes_out)


@fetch("txn.redispatched", Type.BOOL, _SERVER)
def txn_redispatched() -> Run:
    """Whether the request went to another server than the first one chosen."""
    return lambda txn: bool(txn.redispatched)


# -- timeouts: of the proxies, and as they stand for the transaction ------------------------------------


def _timeout(side: str, what: str) -> Run:
    """Read from the engine's proxy object, which has what is in force; a frontend without a backend
    stands for one without timeouts, but for tarpits."""

    def run(txn: Any) -> int:
        proxy = txn.frontend if side == "fe" else txn.backend
        if what == "tarpit":
            timeout = (proxy or txn.frontend).plan.ir.timeout
            return timeout.tarpit or timeout.connect or 0
        if proxy is None:
            own = backend_plan(txn)
            return 0 if own is None else getattr(own.ir.timeout, what) or 0
        return getattr(proxy, f"timeout_{what}", None) or 0

    return run


for _side, _source, _whats in (
    ("fe", Source.FRONTEND, ("client", "tarpit")),
    ("be", Source.BACKEND, ("connect", "queue", "server", "tarpit", "tunnel")),
):
    for _what in _whats:
        _number(
            f"{_side}_{_what}_timeout",
            _source,
            f"``timeout {_what}`` in milliseconds.",
            _timeout(_side, _what) if _side == "fe" else of_stream(_timeout(_side, _what)),
        )


def _in_force(side: str, what: str) -> Run:
    """What no rule has set holds from when a backend is chosen, or is connected to."""
    usual = _timeout(side, what)

    def run(txn: Any) -> int:
        own: int = notes(txn).timeouts.get(what, -1) if what == "tarpit" else txn.get_timeout(what)
        found: int = usual(txn)
        if own >= 0:
            return own
        if (what in ("connect", "queue") and txn.backend is None) or (
            what in ("server", "tunnel") and txn.t_connect < 0
        ):
            return 0
        return found

    return run


for _side, _source, _what in (
    ("fe", Source.FRONTEND, "client"),
    ("be", Source.FRONTEND | Source.BACKEND, "tarpit"),
    ("be", Source.BACKEND, "connect"),
    ("be", Source.BACKEND, "queue"),
    ("be", Source.BACKEND, "server"),
    ("be", Source.BACKEND, "tunnel"),
):
    _number(
        f"cur_{_what}_timeout",
        _source,
        f"The {_what} timeout in force, in milliseconds.",
        of_stream(_in_force(_side, _what)),
    )


def _retries(txn: Any) -> int | None:
    if txn.backend is None:
        own = backend_plan(txn)
        return 3 if own is None or own.ir.connections.retries is None else own.ir.connections.retries
    return getattr(txn.backend, "retries", None)


_number("be_max_retries", Source.BACKEND, "``retries`` of the backend.", of_stream(_retries))
_number(
    "cur_max_retries", Source.BACKEND, "The number of retries in force.",
    of_stream(
        lambda txn: txn.max_retries if txn.max_retries >= 0 else 0 if txn.backend is None else _retries(txn)
    ),
)  # fmt: skip

__all__ = ["CompileEnv", "is_local"]
