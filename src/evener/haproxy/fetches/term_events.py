"""``term_events``: what ended the connections of a stream, told in the original's shorthand.

The manual leaves the text open; this is what runs of the original show. There are seven places: the client's
connection, its multiplexer and its endpoint, the stream, and the server's three in reverse. An event is a
letter for the place, capital on the server's side, and a digit for what happened:

    1 we closed       2 the peer ended      3 reset          4 not to be written to    5 ended too early
    6 reset too early 7 no time left        8 stopped by us  9 no message              A, B with what was read

Nothing is written down while a stream runs: all of it follows from its termination state and from how its
connections stand at the end. Before the end only what the client did is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.sample import Source, Type, fetch

Places = tuple[str, str, str]
"""Connection, multiplexer, endpoint: as they are written, so the server's begin with the endpoint."""
Story = tuple[Places, str, Places]

_HALF, _ENDED, _BROKEN = 4, 8, 16  #: of ``Txn.ends``
_CLOSED: Final = ("f1", "m1", "e1")
_KEPT: Final = ("", "", "e1")
_LEFT: Final = ("f2f1", "m2m1", "e2e1")
_LEFT_EARLY: Final = ("f2f1", "m5m1", "e5e1")
_CUT_OFF: Final = ("f3", "m6m1", "e6e1")
_RESET: Final = ("f3", "m1", "e1")
_UNWRITABLE: Final = ("fAf3", "m4m1", "e1")
_NOBODY: Final = ("", "-", "-")
_SPARED: Final = ("E1", "", "")
_DROPPED: Final = ("E1", "M1", "F1")
_GARBAGE: Final = ("E9E1", "M1", "F1")
_ENDED_WELL: Final = ("E2E1", "M2M1", "FBF1")
_TRUNCATED: Final = ("E5E1", "M5M1", "F2F1")
_BROKEN_OFF: Final = ("E6E1", "M6M1", "F3")
_BUFFER: Final = 16384  #: what a longer response needs more than one of


def _server(txn: Any, flags: int) -> Places:
    """The server's places when nothing went wrong there."""
    if txn.server is None:
        return ("E2E1", "-", "-") if txn.applet is not None else _NOBODY
    if txn.t_connect < 0:
        if flags:
            return "", "", "F7" if flags & _BROKEN else ""
        return ("", "-", "") if txn.server_fault else _NOBODY  # there was no socket to be had
    return _DROPPED if flags else _SPARED


def _no_request(txn: Any, client: int) -> Story:
    """There was no stream: what came is no request, or too little of one."""
    cause = txn.termination[:1]
    left = ("f3", "m6", "-") if client & _BROKEN else ("f2", "m5", "-")
    places = ("", "m9", "-") if cause == b"P" else left if cause == b"C" else ("", "", "-")
    return places, "-", ("-", "-", "-")


def _tunnel(txn: Any, first: int, http: bool) -> Story:
    cause = chr(txn.termination[0])
    if cause == "C":
        if http:
            return ("f3", "m3m1", "e3e1"), "s2s1S1", _DROPPED
        return ("f3", "m3m1", "e1"), "s5s1S1", _DROPPED
    if cause == "S":
        return (
            (_CLOSED, "S2S1s1", ("E3E1", "M3M1", "F3")) if http else (_CLOSED, "S5S1s1", ("E1", "M3M1", "F3"))
        )
    if cause in "cs":
        return _CLOSED, "s7S7S1s1" if cause == "c" else "S7S1s1", _DROPPED
    if first == ord("s"):
        ends = ("e1e2", "E2E1") if http else ("e1", "E1")
        return ("f1f2", "m1m2m1", ends[0]), "S2s1s2S1", (ends[1], "M2M1", "F2F1")
    ends = ("e2e1", "E1E2") if http else ("e1", "E1")
    return ("f2f1", "m2m1", ends[0]), "s2S1S2s1", (ends[1], "M1M2M1", "F1F2")


def _connection(txn: Any, client: int, server: int, first: int) -> Story:
    """Mode tcp."""
    cause = chr(txn.termination[0])
    back = _server(txn, server)
    if cause in "PD":
        denied = "S8" if txn.server is not None else "s8"
        return _CLOSED, f"{denied}S1s1", back
    if txn.server is None or txn.t_connect < 0:
        if cause == "C":
            return ("f3", "m3m1", "e1"), "s5s1S1", _DROPPED if server else back
        return _CLOSED, "S1s1", back
    return _tunnel(txn, first, False)


def _abort(txn: Any, client: int, server: int) -> Story:
    """The client left."""
    phase = chr(txn.termination[1])
    reset = bool(client & _BROKEN)
    back = _DROPPED if server else _server(txn, server)
    if phase in "RL":
        return _CUT_OFF if reset else _LEFT_EARLY, "s5s1S1", back
    if not reset:
        return _LEFT, "s2S1s1", back
    if phase == "D" and txn.res is not None and not txn.own_reply:
        return _UNWRITABLE, "s3s1S1", back
    return _RESET, "s3s1S1", back


def _late_client(txn: Any, server: int) -> Story:
    phase = chr(txn.termination[1])
    back = _server(txn, server)
    if phase == "D":
        return ("", "m1", "e1"), "s7s1S1", back
    return _KEPT, "s7S1s1" if phase in "HL" else "s8S1s1", back


def _server_failed(txn: Any, client: Places, server: int) -> Story:
    back, phase = _server(txn, server), chr(txn.termination[1])
    if phase not in "HD" or txn.server is None or txn.t_connect < 0:
        return client, "S1s1", back
    if txn.termination[:1] == b"s":
        return client, "S7S1s1", back
    if not server & _BROKEN:
        return client, "S5s1", _TRUNCATED
    return client, "S5s1", _BROKEN_OFF


def _message(txn: Any, client: int, server: int) -> Story:
    """A request and its response."""
    cause, phase = txn.termination.decode("latin-1")
    front = _KEPT if txn.keeps else _CLOSED
    if cause in "SsR":
        return _server_failed(txn, front, server)
    if cause == "C":
        return _abort(txn, client, server)
    if cause == "c":
        return _late_client(txn, server)
    back = _server(txn, server)
    if cause == "P" and phase == "T" and client & _BROKEN:
        return _RESET, "s8s3s1s8", back
    if cause == "P" and phase in "HD" and not txn.denied:
        return front, "S6S1S9s1", _GARBAGE
    if txn.applet is not None and txn.server is None:
        return front, "S2S1s1", back
    if cause in "PL":
        side = "S8" if phase == "H" else "" if phase == "C" else "s8"
        return front, f"{side}S1s1", back
    if client & _HALF:
        return _LEFT, "s2S1s1", ("E1", "M1", "F1F2") if server & (_HALF | _ENDED) else back
    if server & (_HALF | _ENDED):
        return front, "S2s1", _ENDED_WELL
    return front, "S1s1" if txn.bytes_out > _BUFFER else "s1S1", back


def _meanwhile(txn: Any, client: int, http: bool) -> Story:
    """Before the end."""
    front, stream = (("fB", "m2", "e2"), "s2") if http and client & _HALF else (("", "", ""), "")
    return front, stream, _NOBODY if txn.t_connect < 0 else ("", "", "")


def _is_tunnel(txn: Any) -> bool:
    if txn.res is None or txn.own_reply:
        return False
    return bool(txn.res.status == 101 or (txn.req.method == b"CONNECT" and 200 <= txn.res.status < 300))


def story_of(txn: Any) -> Story:
    client, server, first, over = txn.ends
    if not over:
        return _meanwhile(txn, client, txn.frontend.http)
    if not txn.frontend.http:
        return _connection(txn, client, server, first)
    if not txn.req.method:
        return _no_request(txn, client)
    return _tunnel(txn, first, True) if _is_tunnel(txn) else _message(txn, client, server)


@fetch("term_events", Type.STR, Source.INTERNAL)
def term_events() -> Callable[[Any], bytes]:
    """What ended the connections of the stream and the stream itself, for developers: the client's
    connection, multiplexer and endpoint, the stream, and the same of the server's side in reverse. Useful in
    logs; before the end of the stream little is known. The text is not documented."""

    def run(txn: Any) -> bytes:
        front, stream, back = story_of(txn)
        return ("{" + ",".join((*front, stream, *back)) + "}").encode()

    return run
