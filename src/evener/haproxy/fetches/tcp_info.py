"""What the kernel knows of a TCP connection: round-trip times, retransmits and packets on their way.

Read by ``getsockopt(TCP_INFO)`` when asked for; the places are those of ``struct tcp_info`` in linux/tcp.h.
Other connections than TCP, and a server that is not connected yet, give no sample.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.sample import Source, Type, fetch

Run = Callable[[Any], int | None]

#: Name -> (offset of the 32-bit number, what it is).
FIELDS: Final = {
    "unacked": (24, "Segments sent and not acknowledged yet."),
    "sacked": (28, "Segments acknowledged out of order."),
    "lost": (32, "Segments believed to be lost."),
    "retrans": (36, "Segments that are on their way once more."),
    "fackets": (40, "Segments acknowledged by forward acknowledgement."),
    "rtt": (68, "The smoothed round-trip time."),
    "rttvar": (72, "The mean deviation of the round-trip time."),
    "reordering": (88, "How far segments are seen out of order."),
}
_TIMES: Final = ("rtt", "rttvar")


def _check_unit(unit: str = "") -> None:
    if unit not in ("", "us", "ms"):
        raise ArgumentError(f"expects 'us' or 'ms', got '{unit}'")


def _reader(server: bool, name: str) -> Callable[..., Run]:
    at, is_time = FIELDS[name][0], name in _TIMES

    def build(unit: str = "ms") -> Run:
        divisor = 1000 if is_time and unit != "us" else 1

        def run(txn: Any) -> int | None:
            data = txn.get_option(server, socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            if data is None or len(data) < at + 4:
                return None
            number = int.from_bytes(data[at : at + 4], sys.byteorder)
            return (number + divisor // 2) // divisor

        return run

    return build


def _declare(side: str, name: str) -> None:
    factory = _reader(side == "bc", name)
    word, doc = f"{side}_{name}", FIELDS[name][1]
    factory.__doc__ = f"{doc} Of the connection with {'the server' if side == 'bc' else 'the client'}."
    if name in _TIMES:
        factory.__doc__ += " In milliseconds, or in microseconds with the unit 'us'."
    fetch(
        word,
        Type.SINT,
        Source.CLIENT_ADDRESS,
        ok=[word, f"{word}(us)"],
        bad=[f"{word}(s)"],
        check=_check_unit,
    )(factory)


for _name in FIELDS:
    _declare("fc", _name)
for _name in _TIMES:
    _declare("bc", _name)
