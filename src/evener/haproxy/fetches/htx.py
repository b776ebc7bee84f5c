"""Fetches of the original's inner form of a message (manual, section 7.3.8), for those who compare.

There a message is a row of blocks in a buffer: the start line, a block for each header, an end of headers,
the data, an end of trailers where the body came in chunks. Here it is kept otherwise; these are the blocks
that the same message is in the original, and what they take up: 8 bytes each beside their data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.sample import Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_HEADS: Final = Source.REQUEST_HEADERS | Source.RESPONSE_HEADERS
_SIZE: Final = 16384 - 40  #: of a buffer, without what describes it
_PLACE: Final = 8  #: what a block takes up beside its data
_LINE: Final = 20  #: what describes a start line, in its block


class Block(NamedTuple):
    type: str
    size: int
    name: bytes = b""
    value: bytes = b""


_UNUSED: Final = Block("HTX_BLK_UNUSED", 0)


def blocks(message: Any, response: bool, body: bytes, whole: bool) -> list[Block]:
    """The blocks of a message, in order."""
    if response:
        version = b"HTTP/1.%d" % message.minor
        parts, kind = (version, b"%03d" % message.status, message.reason), "HTX_BLK_RES_SL"
    else:
        parts, kind = (message.method, message.uri, message.version), "HTX_BLK_REQ_SL"
    made = [Block(kind, _LINE + sum(map(len, parts)), value=b" ".join(parts))]
    for name, value in message.items():
        made.append(Block("HTX_BLK_HDR", len(name) + len(value), name, value))
    made.append(Block("HTX_BLK_EOH", 1))
    if body:
        made.append(Block("HTX_BLK_DATA", len(body), value=body))
    if whole and b"chunked" in (message.get(b"transfer-encoding") or b"").lower():
        made.append(Block("HTX_BLK_EOT", 1))
    return made


def _reading(env: CompileEnv) -> Callable[[Any], list[Block]]:
    response = env.response

    def run(txn: Any) -> list[Block]:
        message = txn.res if response else txn.req
        if message is None or (not response and not message.method):
            return []
        return blocks(message, response, txn.body(), txn.body_complete())

    return run


def _declare_sizes() -> None:
    def used(found: list[Block]) -> int:
        return sum(block.size + _PLACE for block in found)

    def free(found: list[Block]) -> int:
        return max(0, _SIZE - used(found))

    rows: tuple[tuple[str, str, Callable[[list[Block]], int]], ...] = (
        ("data", "Bytes of all blocks.", lambda found: sum(block.size for block in found)),
        ("used", "The same, with what describes the blocks.", used),
        ("size", "Room for a message.", lambda found: _SIZE),
        ("free", "What of that is left.", free),
        ("free_data", "What is left for one more block of data.", lambda found: max(0, free(found) - _PLACE)),
        ("nbblks", "How many blocks there are.", len),
    )
    for name, doc, measure in rows:
        _declare_size(name, doc, measure)


def _declare_size(name: str, doc: str, measure: Callable[[list[Block]], int]) -> None:
    def size(*, env: CompileEnv) -> Run:
        read = _reading(env)

        def run(txn: Any) -> int | None:
            found = read(txn)
            return measure(found) if found else None

        return run

    size.__doc__ = doc
    fetch(f"internal.htx.{name}", Type.SINT, _HEADS)(size)


@fetch("internal.htx.has_eom", Type.BOOL, _HEADS)
def internal_htx_has_eom(*, env: CompileEnv) -> Run:
    """Whether the end of the message is there."""
    read = _reading(env)
    return lambda txn: txn.body_complete() if read(txn) else None


# -- single blocks ----------------------------------------------------------------------------------------

_NAMED: Final = {"head": 0, "first": 0, "tail": -1}
_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


def _check(index: str) -> None:
    if not index:
        told = "a block position is expected (> 0) or a special block name (head, tail, first)"
        raise ArgumentError(told)
    if index not in _NAMED and not _NUMBER.match(index):
        raise ArgumentError("invalid block position")


def _finding(index: str, env: CompileEnv) -> Callable[[Any], Block | None]:
    read = _reading(env)
    at = _NAMED[index] if index in _NAMED else int(index)

    def run(txn: Any) -> Block | None:
        found = read(txn)
        if not found:
            return None
        return found[at] if at < len(found) else _UNUSED

    return run


def _declare_part(name: str, out: Type, doc: str, show: Callable[[Block], Any]) -> None:
    def part(index: str, *, env: CompileEnv) -> Run:
        find = _finding(index, env)

        def run(txn: Any) -> Any:
            found = find(txn)
            return None if found is None else show(found)

        return run

    part.__doc__ = doc
    fetch(
        f"internal.htx_blk.{name}", out, _HEADS, check=_check,
        ok=[f"internal.htx_blk.{name}(head)", f"internal.htx_blk.{name}(2)"],
        bad=[f"internal.htx_blk.{name}(x)", f"internal.htx_blk.{name}(1,1)"],
    )(part)  # fmt: skip


def _value_of(kind: str) -> Callable[[Block], bytes]:
    return lambda block: block.value if block.type.endswith(kind) else b""


_declare_sizes()
_declare_part("size", Type.SINT, "The size of a block, 0 where there is none.", lambda block: block.size)
_declare_part("type", Type.STR, "The type of a block.", lambda block: to_bytes(block.type))
_declare_part("data", Type.BIN, "What a block of data holds.", _value_of("_DATA"))
_declare_part("hdrname", Type.STR, "The name of a header's block.", lambda block: block.name)
_declare_part("hdrval", Type.STR, "The value of a header's block.", _value_of("_HDR"))
_declare_part("start_line", Type.STR, "The start line's block.", _value_of("_SL"))
