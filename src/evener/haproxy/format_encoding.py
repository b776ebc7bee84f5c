"""Log formats as JSON or CBOR (manual section 8.2.6, flags ``json``, ``cbor`` and ``bin``).

With the flag on ``%o`` a line is one object of the items that have a name, ``%(name)alias``; everything
else is left out. With the flag on one item only that item is encoded. Numbers are numbers, what is missing is
an empty text in JSON and null in CBOR; CBOR is shown in hexadecimal unless ``bin`` asks for the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.aliases import ALIASES
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.log_style import Style, encode_header
from evener.haproxy.notes import peek
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import CompileEnv
from evener.vocab.arguments import signed

Write = Callable[[Any], bytes]
Value = Callable[[Any], Any]
"""The value of an item as Python has it: int, bool, bytes, list of bytes, or None."""

_KINDS: Final = {"str": Type.STR, "sint": Type.SINT, "bool": Type.BOOL}
_LISTS: Final = {"hrl": "request", "hsl": "response"}


# -- values ---------------------------------------------------------------------------------------


def value_of(alias: str | None, expr: Expr | None, kind: str, env: CompileEnv) -> Value:
    if expr is not None:
        return _of_expression(expr, kind, env)
    assert alias is not None
    if alias in _LISTS and not kind:
        return _of_captures(_LISTS[alias], env)
    declared = ALIASES[alias]
    write = declared.build(Style(), env)
    if write is None:
        return lambda txn: None
    convert = _converter(kind or ("sint" if declared.number else ""))
    return lambda txn: convert(text) if (text := write(txn)) else None


def _converter(kind: str) -> Callable[[bytes], Any]:
    """From the text of an alias; a number that is marked (``+1``) is its number."""
    if kind in ("sint", "bool"):
        to: Callable[[Any], Any] = bool if kind == "bool" else int

        def number(text: bytes) -> Any:
            found = signed(text.decode("latin-1").removeprefix("+"))
            return text if found is None else to(found)

        return number
    return lambda text: text


def _of_expression(expr: Expr, kind: str, env: CompileEnv) -> Value:
    if kind in _KINDS:
        return compile_expression(expr, env, _KINDS[kind])
    if expr.type in (Type.SINT, Type.BOOL):
        return compile_expression(expr, env)
    if expr.type is not Type.ANY:
        return compile_expression(expr, env, Type.BIN if expr.type is Type.BIN else Type.STR)
    text, dynamic = compile_expression(expr, env, Type.STR), compile_expression(expr, env)

    def run(txn: Any) -> Any:
        found = dynamic(txn)
        if isinstance(found, Sample) and found.type in (Type.SINT, Type.BOOL):
            return found.value
        return text(txn)

    return run


def _of_captures(side: str, env: CompileEnv) -> Value:
    count = len((env.request_slots if side == "request" else env.response_slots).lengths)
    attribute = f"{side}_captures"

    def run(txn: Any) -> list[bytes] | None:
        if not count:
            return None
        found = peek(txn)
        kept = [] if found is None else getattr(found, attribute)
        return [encode_header(value) if value else b"-" for value in [*kept, *([None] * count)][:count]]

    return run


# -- encodings ------------------------------------------------------------------------------------


def json_text(value: Any) -> bytes:
    from json import dumps  # not needed to check a configuration

    if isinstance(value, list):
        return b"[" + b", ".join(json_text(item) for item in value) + b"]"
    if isinstance(value, (bytes, bytearray)):
        text = bytes(value).decode("utf-8", "surrogateescape")
        return dumps(text, ensure_ascii=False).encode("utf-8", "surrogateescape")
    return b'""' if value is None else dumps(value).encode()


def cbor(value: Any) -> bytes:
    """RFC 8949; text that is no UTF-8 is a byte string."""
    if value is None:
        return b"\xf6"
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _cbor_head(0, value) if value >= 0 else _cbor_head(1, -1 - value)
    if isinstance(value, list):
        return _cbor_head(4, len(value)) + b"".join(map(cbor, value))
    data = bytes(value)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _cbor_head(2, len(data)) + data
    return _cbor_head(3, len(data)) + data


def _cbor_head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes(((major << 5) | number,))
    for code, size in ((24, 1), (25, 2), (26, 4)):
        if number < 1 << (8 * size):
            return bytes(((major << 5) | code,)) + number.to_bytes(size, "big")
    return bytes(((major << 5) | 27,)) + (number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")


def _hex(data: bytes) -> bytes:
    return data.hex().upper().encode()


def one(value: Value, encoding: str, binary: bool) -> Write:
    """A single item that is encoded."""
    if encoding == "json":
        return lambda txn: json_text(value(txn))
    return (lambda txn: cbor(value(txn))) if binary else (lambda txn: _hex(cbor(value(txn))))


def whole(fields: Sequence[tuple[str, Value]], encoding: str, binary: bool) -> Write:
    """A line that is one object."""
    if encoding == "json":
        named = [(json_text(name.encode()) + b": ", value) for name, value in fields]
        return lambda txn: b"{" + b", ".join([name + json_text(value(txn)) for name, value in named]) + b"}"
    keyed = [(cbor(name.encode()), value) for name, value in fields]

    def run(txn: Any) -> bytes:
        data = b"\xbf" + b"".join([key + cbor(value(txn)) for key, value in keyed]) + b"\xff"
        return data if binary else _hex(data)

    return run
