"""Clients and their servers kept together by a cookie, and cookies captured for the log.

Decides which server the cookie of a request names, what of the cookie the server sees, and what the
client is told to send next time (manual, ``cookie``). Persistence rules (``force-persist``,
``ignore-persist``) are tried first. Dates travel in the cookie as five characters of base64 that count
periods of four seconds; one more than a day in the future is not believed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from evener.haproxy.cacheable import cacheable
from evener.haproxy.cast import text_to_address, to_bytes
from evener.haproxy.converters.xxhash import hash64
from evener.haproxy.cookie_lines import Piece, capture_of, join, pieces, set_cookie
from evener.haproxy.notes import Notes, notes, peek
from evener.haproxy.sections.logs import Capture
from evener.haproxy.sections.persistence_values import Cookie
from evener.haproxy.txn import CONTINUE, Txn

Policy = Callable[[Txn], int]
Condition = Callable[[Txn], bool]

DAY: Final = 86400
_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True, slots=True)
class Mode:
    """The ``cookie`` line of a backend, ready to run; ages in seconds, 0 not limited."""

    name: bytes
    insert: bool
    rewrite: bool
    prefix: bool
    indirect: bool
    nocache: bool
    postonly: bool
    preserve: bool
    max_idle: int
    max_life: int
    attributes: bytes
    values: Sequence[bytes | None]  #: of each server
    even_down: bool  #: option persist

    @property
    def shown(self) -> bool:
        """Whether the log says what became of the cookie."""
        return self.insert or self.rewrite or self.prefix or self.indirect


def mode_of(cookie: Cookie, values: Sequence[bytes | None], even_down: bool) -> Mode:
    flags = cookie.flags
    attributes = b"; path=/"
    if cookie.domains:
        attributes += b"; domain=" + b"; domain=".join(map(to_bytes, cookie.domains))
    attributes += b"; HttpOnly" if "httponly" in flags else b""
    attributes += b"; Secure" if "secure" in flags else b""
    attributes += b"".join(b"; " + to_bytes(text) for text in cookie.attributes)
    return Mode(
        to_bytes(cookie.name), "insert" in flags, "rewrite" in flags, "prefix" in flags, "indirect" in flags,
        "nocache" in flags, "postonly" in flags, "preserve" in flags,
        (cookie.maxidle or 0) // 1000, (cookie.maxlife or 0) // 1000, attributes, values, even_down,
    )  # fmt: skip


def dynamic_value(key: str, address: str, port: int) -> bytes | None:
    """The value ``dynamic`` gives a server, from the secret and its address; None for a unix socket."""
    packed = text_to_address(to_bytes(address))
    if packed is None:
        return None
    return b"%016x" % hash64(to_bytes(key) + packed + port.to_bytes(4, "big"), 0)


def written_date(seconds: float) -> bytes:
    number = (int(seconds) + 3) >> 2
    return bytes(_DIGITS[number >> shift & 63] for shift in (24, 18, 12, 6, 0))


def read_date(text: bytes) -> int:
    """Seconds since the epoch; 0 when there is no date."""
    number = 0
    if len(text) < 5:
        return 0
    for byte in text[:5]:
        digit = _DIGITS.find(byte)
        if digit < 0:
            return 0
        number = number << 6 | digit
    return number << 2


@dataclass(slots=True)
class Persisted:
    """What is known of the cookie of one transaction."""

    verdict: bytes = b"N"
    answer: bytes = b"N"
    direct: bool = False  #: the cookie chose the server
    server: int = -1  #: that server
    ignore: bool = False
    force: bool = False
    last: int = 0
    first: int = 0
    present: bool = False  #: the response sets some cookie


@dataclass(slots=True)
class Side:
    """Everything of one backend: its mode, its rules, and the cookies its frontends capture."""

    mode: Mode | None
    rules: Sequence[tuple[Condition, str]] = ()
    captures: Mapping[int, tuple[bytes, int]] = field(default_factory=dict)  #: by index of the frontend
    checkcache: bool = False


def captured(capture: Capture, most: int | None) -> tuple[bytes, int]:
    """``most`` is what ``tune.http.cookielen`` lets any capture keep."""
    return to_bytes(capture.name), min(capture.length, 63 if most is None else most)


# -- the request -----------------------------------------------------------------------------------------


def on_request(side: Side) -> Policy | None:
    """Tries the persistence rules and reads the cookies of a request."""
    if side.mode is None and not side.captures:
        return None
    mode = side.mode

    def run(txn: Txn) -> int:
        found = Persisted()
        for condition, kind in side.rules:
            if condition(txn):
                found.force, found.ignore = kind == "force", kind == "ignore"
                break
        kept = notes(txn)
        kept.persisted = found
        capture = side.captures.get(txn.frontend.index)
        lines = txn.req.all(b"cookie")
        if lines:
            changed = [edited(line, txn, mode, found, capture, kept) for line in lines]
            if changed != lines:
                txn.req.rewrite(b"cookie", changed)
        if mode is not None and mode.shown:
            kept.cookie_flags = found.verdict + found.answer
        return CONTINUE

    return run


def edited(
    line: bytes, txn: Txn, mode: Mode | None, found: Persisted, capture: tuple[bytes, int] | None, kept: Notes
) -> bytes | None:
    """The line as the server shall see it."""
    if not line.strip(b" \t"):
        return line
    parts = pieces(line)
    following = False  # "$" attributes belong to the cookie in front of them
    for piece in parts:
        if piece.text.lstrip(b" \t")[:1] == b"$":
            piece.gone = following
            continue
        following = False
        if piece.name is None:
            continue
        if capture is not None and kept.request_cookie is None:
            kept.request_cookie = capture_of(piece.name, piece.value, capture)
        if mode is not None and piece.name == mode.name:
            found_cookie(piece, txn, mode, found)
            following = piece.gone
    return join(parts)


def found_cookie(piece: Piece, txn: Txn, mode: Mode, found: Persisted) -> None:
    wanted, bar, rest = piece.value.partition(b"~" if mode.prefix else b"|")
    if bar and not mode.prefix:
        last, _, first = rest.partition(b"|")
        found.last = read_date(last)
        found.first = read_date(first)
    if old(found, mode):
        wanted = b""
    taken = found.ignore or txn.server_forced
    choose(wanted if not taken else b"", txn, mode, found)
    if not found.direct and found.verdict not in (b"D", b"E", b"O"):
        found.verdict = b"U" if taken else b"I"
    if mode.prefix and bar:
        piece.set(rest)
    elif mode.insert and mode.indirect:
        piece.gone = True


def old(found: Persisted, mode: Mode) -> bool:
    now = int(time.time())
    for date, limit, verdict in ((found.first, mode.max_life, b"O"), (found.last, mode.max_idle, b"E")):
        if date and limit and (now - date > limit or date - now > DAY):
            found.verdict = verdict
            found.first = found.last = 0
            return True
    return False


def choose(wanted: bytes, txn: Txn, mode: Mode, found: Persisted) -> None:
    """The first server that has this value and may serve."""
    if not wanted:
        return
    for index, value in enumerate(mode.values):
        if value != wanted:
            continue
        up = txn.server_lives(index)
        found.verdict = b"V" if up else b"D"
        if up or mode.even_down or found.force:
            found.direct, found.server = True, index
            txn.set_server(index, True)
            return


# -- the response ----------------------------------------------------------------------------------------


def on_response(side: Side, denied: Policy) -> Policy | None:
    """Edits what the server sets and adds the proxy's own; ``denied`` answers for ``option checkcache``."""
    mode = side.mode
    if mode is None and not side.captures and not side.checkcache:
        return None

    def run(txn: Txn) -> int:
        kept = peek(txn)
        response = txn.res
        if kept is None or kept.persisted is None or response is None:
            kept = notes(txn)
            kept.persisted = kept.persisted or Persisted()
        found = kept.persisted
        assert response is not None
        found.direct = (found.direct or txn.server_forced) and not txn.redispatched
        if txn.redispatched and found.verdict == b"V":
            found.verdict = b"D"  # the server was there, and could not be reached
        lines = response.all(b"set-cookie")
        if lines:
            found.present = True
            changed = [answered(line, txn, side, found, kept) for line in lines]
            if changed != lines:
                response.rewrite(b"set-cookie", changed)
        inserted = mode is not None and insert(txn, mode, found)
        if inserted and mode is not None and mode.nocache and cacheable(txn)[0]:
            response.add(b"cache-control", b"private")
        elif side.checkcache and found.present and all(cacheable(txn)):
            return denied(txn)
        if mode is not None and mode.shown:
            kept.cookie_flags = found.verdict + found.answer
        return CONTINUE

    return run


def answered(line: bytes, txn: Txn, side: Side, found: Persisted, kept: Notes) -> bytes | None:
    """One ``Set-Cookie`` line of the server as the client shall see it; None when it must not."""
    read = set_cookie(line)
    if read is None:
        return line
    name, value, rest = read
    capture = side.captures.get(txn.frontend.index)
    if capture is not None and kept.response_cookie is None:
        kept.response_cookie = capture_of(name, value, capture)
    mode = side.mode
    if mode is None or found.ignore or name != mode.name:
        return line
    found.answer = b"P"
    if mode.preserve:
        return line
    own: bytes | None = mode.values[txn.server.index]
    if mode.insert or (found.direct and mode.indirect):
        found.answer = b"D"
        return None
    if own is None or not (mode.rewrite or mode.prefix):
        return line
    found.answer = b"R"
    return name + b"=" + (own if mode.rewrite else own + b"~" + value) + rest


def insert(txn: Txn, mode: Mode, found: Persisted) -> bool:
    """Tell the client its server, or the new dates, if there is something new to tell."""
    if not mode.insert or found.ignore or (mode.postonly and txn.req.received[0] != b"POST"):
        return False
    if found.answer == b"P" and mode.preserve:
        return False
    if found.direct and not dates_changed(mode, found):
        return False
    own = mode.values[txn.server.index]
    assert txn.res is not None
    if own is None:
        text = mode.name + b"=; Expires=Thu, 01-Jan-1970 00:00:01 GMT"
    else:
        text = mode.name + b"=" + own + dates(mode, found)
    txn.res.add(b"set-cookie", text + mode.attributes)
    found.answer = b"U" if own is not None and found.direct else b"I"
    return True


def dates_changed(mode: Mode, found: Persisted) -> bool:
    if (mode.max_idle or found.last) and (not found.last or found.last < int(time.time())):
        return True
    return bool(mode.max_life) != bool(found.first)


def dates(mode: Mode, found: Persisted) -> bytes:
    if not mode.max_idle and not mode.max_life:
        return b""
    text = b"|" + written_date(time.time())
    if mode.max_life:
        text += b"|" + (written_date(found.first) if found.first else written_date(time.time()))
    return text


def value_of(option: str | None, dynamic: str | None, address: str, port: int) -> bytes | None:
    """The cookie value of a server: its own, or one made from its address."""
    if option is not None:
        return to_bytes(option)
    return None if dynamic is None else dynamic_value(dynamic, address, port)
