"""What multiplexing protocols tell of a connection and its streams. HTTP/1 carries one stream at a time, and
makes no mistakes worth counting: these are the answers of the original for it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

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


@fetch("fc_err_name", Type.STR, _CLIENT)
def fc_err_name() -> Run:
    """The name of the error of the client's connection; none where there is no error (see ``fc_err``)."""
    return lambda txn: None


@fetch("fc_err_str", Type.STR, _CLIENT)
def fc_err_str() -> Run:
    """A sentence about the error of the client's connection, ``Success`` for none (see ``fc_err``)."""
    return lambda txn: b"Success"


@fetch("fc_glitches", Type.SINT, _CLIENT)
def fc_glitches() -> Run:
    """How often the client's side of a multiplexed connection has behaved strangely; 0 with HTTP/1."""
    return lambda txn: 0


@fetch("bc_glitches", Type.SINT, _SERVER)
def bc_glitches() -> Run:
    """How often the server's side of a multiplexed connection has behaved strangely; 0 with HTTP/1."""
    return lambda txn: 0 if txn.server is not None else None


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


@fetch("fs.rst_code", Type.SINT, Source.CLIENT_CONNECTION)
def fs_rst_code() -> Run:
    """The code by which the client has reset the stream; HTTP/1 has none."""
    return lambda txn: None


@fetch("bs.rst_code", Type.SINT, Source.SERVER_CONNECTION)
def bs_rst_code() -> Run:
    """The code by which the server has reset the stream; HTTP/1 has none."""
    return lambda txn: None
