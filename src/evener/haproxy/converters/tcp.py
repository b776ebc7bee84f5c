"""Converters of the header of a TCP segment (``ip.data`` of ``fc_saved_syn``).

Options are read until the first one that is broken; a segment shorter than its header has no samples but
the fixed fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN
SINT: Final = Type.SINT

MSS, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMP = 2, 3, 4, 8


class Tcp(NamedTuple):
    size: int
    options: tuple[tuple[int, bytes], ...]  #: kind and content, in order


def read_tcp(segment: bytes) -> Tcp | None:
    """The header of a segment; None when it is not all there. A broken option is the last one."""
    if len(segment) < 20:
        return None
    size = (segment[12] >> 4) * 4
    if not 20 <= size <= len(segment):
        return None
    options: list[tuple[int, bytes]] = []
    at = 20
    while at < size and segment[at]:
        if segment[at] == 1:
            options.append((1, b""))
            at += 1
            continue
        length = segment[at + 1] if at + 1 < size else 0
        if length < 2 or at + length > size:
            options.append((segment[at], b""))
            break
        options.append((segment[at], segment[at + 2 : at + length]))
        at += length
    return Tcp(size, tuple(options))


def option(tcp: Tcp, kind: int, size: int) -> bytes | None:
    """The content of the first option of a kind, when it has the right size."""
    return next((content for found, content in tcp.options if found == kind and len(content) >= size), None)


def number(tcp: Tcp, kind: int, size: int) -> int:
    return int.from_bytes((option(tcp, kind, size) or b"")[:size], "big")


def _of_tcp(read: Callable[[bytes, Tcp], Any]) -> Run:
    def run(segment: bytes) -> Any:
        tcp = read_tcp(segment)
        return None if tcp is None else read(segment, tcp)

    return run


def _at(start: int, stop: int) -> Run:
    return lambda segment: int.from_bytes(segment[start:stop], "big") if len(segment) >= 20 else None


@converter("tcp.src", BIN, SINT)
def tcp_src() -> Run:
    """The source port of a TCP segment."""
    return _at(0, 2)


@converter("tcp.dst", BIN, SINT)
def tcp_dst() -> Run:
    """The destination port of a TCP segment."""
    return _at(2, 4)


@converter("tcp.seq", BIN, SINT)
def tcp_seq() -> Run:
    """The sequence number of a TCP segment."""
    return _at(4, 8)


@converter("tcp.flags", BIN, SINT)
def tcp_flags() -> Run:
    """The flags of a TCP segment, from FIN (1) to CWR (128)."""
    return _at(13, 14)


@converter("tcp.win", BIN, SINT)
def tcp_win() -> Run:
    """The window of a TCP segment, not scaled."""
    return _at(14, 16)


@converter("tcp.options.mss", BIN, SINT)
def tcp_options_mss() -> Run:
    """The maximum segment size a TCP segment announces, 0 when it does not."""
    return _of_tcp(lambda segment, tcp: number(tcp, MSS, 2))


@converter("tcp.options.sack", BIN, SINT)
def tcp_options_sack() -> Run:
    """1 when a TCP segment permits selective acknowledgements, else 0."""
    return _of_tcp(lambda segment, tcp: int(option(tcp, SACK_PERMITTED, 0) is not None))


@converter("tcp.options.tsopt", BIN, SINT)
def tcp_options_tsopt() -> Run:
    """1 when a TCP segment carries timestamps, else 0."""
    return _of_tcp(lambda segment, tcp: int(option(tcp, TIMESTAMP, 8) is not None))


@converter("tcp.options.tsval", BIN, SINT)
def tcp_options_tsval() -> Run:
    """The timestamp of a TCP segment, 0 when it has none."""

    def read(segment: bytes, tcp: Tcp) -> int | None:
        content = option(tcp, TIMESTAMP, 8)
        return int.from_bytes(content[:4], "big") if content else 0

    return _of_tcp(read)


@converter("tcp.options.wscale", BIN, SINT)
def tcp_options_wscale() -> Run:
    """The window scale a TCP segment announces, 0 when it does not."""
    return _of_tcp(lambda segment, tcp: number(tcp, WINDOW_SCALE, 1))


@converter("tcp.options.wsopt", BIN, SINT)
def tcp_options_wsopt() -> Run:
    """1 when a TCP segment announces a window scale, else 0."""
    return _of_tcp(lambda segment, tcp: int(option(tcp, WINDOW_SCALE, 1) is not None))


@converter("tcp.options_list", BIN, BIN)
def tcp_options_list() -> Run:
    """The kinds of the options of a TCP segment in their order, without the end mark."""
    return _of_tcp(lambda segment, tcp: bytes([kind for kind, _ in tcp.options]))
