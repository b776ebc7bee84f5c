"""What multiplexing protocols tell of a connection and its streams. HTTP/1 carries one stream at a time:
these are the answers of the original for it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.connection_errors import number_of
from evener.haproxy.sample import Source, Type, fetch

Run = Callable[[Any], Any]
TCP_SAVED_SYN: Final = 28
_LONGEST: Final = 512  #: of the headers of a SYN packet
_CLIENT: Final = Source.CLIENT_ADDRESS
_SERVER: Final = Source.SERVER_ADDRESS


def _has_request(txn: Any) -> bool:
    return bool(txn.req is not None and txn.req.method)


@fetch("fc_saved_syn", Type.BIN, _CLIENT)
def fc_saved_syn() -> Run:
    """The headers of the packet that began the connection, where ``tcp-ss`` had the kernel keep them.

    They may be asked for once; ``ip.*``, ``tcp.*`` and ``eth.*`` converters read them.
    """
    return lambda txn: txn.get_option(False, socket.IPPROTO_TCP, TCP_SAVED_SYN, _LONGEST) or None


@fetch("fc_glitches", Type.SINT, _CLIENT)
def fc_glitches() -> Run:
    """How often the client has violated the protocol on its connection: with requests that are none, and with
    those that only ``accept-unsafe-violations-in-http-request`` lets pass."""
    return lambda txn: txn.glitches(False)


@fetch("bc_glitches", Type.SINT, _SERVER)
def bc_glitches() -> Run:
    """How often the server has violated the protocol on its connection: with responses that are none, and
    with those that only ``accept-unsafe-violations-in-http-response`` lets pass."""
    return lambda txn: txn.glitches(True) if txn.server is not None else None


@fetch("fc_settings_streams_limit", Type.SINT, Source.CLIENT_CONNECTION)
def fc_settings_streams_limit() -> Run:
    """How many streams the client's connection may carry at once; 1 with HTTP/1."""
    return lambda txn: 1


@fetch("bc_settings_streams_limit", Type.SINT, Source.SERVER_CONNECTION)
def bc_settings_streams_limit() -> Run:
    """How many streams the server's connection may carry at once; 1 with HTTP/1."""
    return lambda txn: 1 if txn.server is not None else None


@fetch("fs.id", Type.STR, Source.CLIENT_CONNECTION)
def fs_id() -> Run:
    """The number of the stream on the client's connection; 0 with HTTP/1."""
    return lambda txn: b"0" if _has_request(txn) else None


@fetch("bs.id", Type.SINT, Source.SERVER_CONNECTION)
def bs_id() -> Run:
    """The number of the stream on the server's connection; 0 with HTTP/1."""
    return lambda txn: 0 if txn.server is not None else None


#: Flags of ``Txn.facts``: readable, writable, half closed, ended, broken, shut by us, closed.
FLAGS: Final = "rwheBSX"
_SOCKET, _CONNECTION, _TRANSPORT, _MULTIPLEXER, _STREAM = 16, 8, 4, 2, 1


def flag_letters(flags: int) -> str:
    return "".join(letter for bit, letter in enumerate(FLAGS) if flags >> bit & 1) or "-"


def _inside(server: bool, layers: int) -> Run:
    wanted = layers or 31

    def run(txn: Any) -> bytes | None:
        facts = txn.facts(server)
        if facts is None:
            return None
        descriptor, generation, flags, fault, held, unsent = facts
        told = {
            _STREAM: f"strm.num={txn.number} .calls={txn.calls} .term={txn.termination.decode()}",
            _MULTIPLEXER: f"conn.ibuf={held} .obuf={unsent} .reused={int(server and txn.reused)}",
            _TRANSPORT: "xprt=RAW",
            _CONNECTION: f"conn.flg={flag_letters(flags)} conn.err_code={number_of(fault)}",
            _SOCKET: f"fd={descriptor} fd.gen={generation}",
        }
        return " ".join(text for layer, text in told.items() if wanted & layer).encode()

    return run


@fetch("fs.debug_str", Type.STR, Source.CLIENT_CONNECTION, ok=["fs.debug_str", "fs.debug_str(24)"])
def fs_debug_str(layers: int = 0) -> Run:
    """The state of the client's connection, for developers. The argument is a sum: 1 the stream, 2 buffers,
    4 transport, 8 connection, 16 socket; 0 all of them."""
    return _inside(False, layers)


@fetch("bs.debug_str", Type.STR, Source.SERVER_CONNECTION, ok=["bs.debug_str", "bs.debug_str(24)"])
def bs_debug_str(layers: int = 0) -> Run:
    """The same of the server's connection; none when there is no connection any more."""
    return _inside(True, layers)


@fetch("fs.aborted", Type.SINT, Source.CLIENT_CONNECTION)
def fs_aborted() -> Run:
    """Whether the client has aborted the stream by a message of its protocol; HTTP/1 has none."""
    return lambda txn: 0


@fetch("bs.aborted", Type.SINT, Source.SERVER_CONNECTION)
def bs_aborted() -> Run:
    """Whether the server has aborted the stream by a message of its protocol; HTTP/1 has none."""
    return lambda txn: 0


@fetch("fs.rst_code", Type.SINT, Source.CLIENT_CONNECTION)
def fs_rst_code() -> Run:
    """The code by which the client has reset the stream; HTTP/1 has none."""
    return lambda txn: None


@fetch("bs.rst_code", Type.SINT, Source.SERVER_CONNECTION)
def bs_rst_code() -> Run:
    """The code by which the server has reset the stream; HTTP/1 has none."""
    return lambda txn: None
