"""Fetches of distcc's protocol, by which compilers share their work (manual, section 7.3.5).

A message is a row of tokens: four letters and eight hexadecimal digits, and for most of them as many bytes as
the number says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.fetches.buffer import buffered, settling
from evener.haproxy.sample import Incomplete, Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_BOTH: Final = Source.REQUEST_BUFFER | Source.RESPONSE_BUFFER
_HEAD: Final = 12
_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")
#: Their number is no length: nothing follows.
_BARE: Final = frozenset({b"ARGC", b"DIST", b"NFIL", b"STAT", b"DONE"})


class Token(NamedTuple):
    name: bytes
    number: int
    body: bytes  #: as much of it as has come


def tokens(data: bytes) -> Iterator[Token | None]:
    """The tokens of a message. None at the end: more may come; an end without it: nothing will be found."""
    at = 0
    while at + _HEAD <= len(data):
        name, digits = data[at : at + 4], data[at + 4 : at + _HEAD]
        if not _DIGITS.issuperset(digits):
            return
        number = int(digits, 16)
        at += _HEAD
        size = 0 if name in _BARE else number
        yield Token(name, number, data[at : at + size])
        if size > len(data) - at:
            return
        at += size
    yield None


def _check(token: str, occurrence: int = 0) -> None:
    if len(token) != 4:
        raise ArgumentError("token name must be exactly 4 characters")


def _find(token: str, occurrence: int, env: CompileEnv) -> Callable[[Any], Token | None]:
    read, over = buffered(env), settling(env)
    wanted, nth = to_bytes(token), max(1, occurrence)

    def run(txn: Any) -> Token | None:
        seen = 0
        for one in tokens(read(txn)):
            if one is None:
                if not over(txn):
                    raise Incomplete
            elif one.name == wanted:
                seen += 1
                if seen == nth:
                    return one
        return None

    return run


@fetch(
    "distcc_param", Type.SINT, _BOTH, ok=["distcc_param(DOTI)", "distcc_param(ARGC,1)"],
    bad=["distcc_param(ARG)", "distcc_param(ARGC,1,1)"], check=_check, partial=True,
)  # fmt: skip
def distcc_param(token: str, occurrence: int = 0, *, env: CompileEnv) -> Run:
    """The number of a token of a distcc message: a version, a count, the size of a file."""
    find = _find(token, occurrence, env)

    def run(txn: Any) -> int | None:
        found = find(txn)
        return None if found is None else found.number

    return run


@fetch(
    "distcc_body", Type.BIN, _BOTH, ok=["distcc_body(ARGV,2)"],
    bad=["distcc_body(ARG)", "distcc_body(ARGV,1,1)"], check=_check, partial=True,
)  # fmt: skip
def distcc_body(token: str, occurrence: int = 0, *, env: CompileEnv) -> Run:
    """What follows a token of a distcc message: an argument, a file; as much of it as has come."""
    find = _find(token, occurrence, env)

    def run(txn: Any) -> bytes | None:
        found = find(txn)
        return None if found is None else found.body

    return run
