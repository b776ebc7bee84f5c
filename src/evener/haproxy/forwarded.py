"""``option forwarded``: the Forwarded header of RFC 7239, made anew for each request.

Decides what is said and how it is written; the header is put behind a valid one of the client, and stands
alone behind an invalid one. Addresses of IPv6 and nodes with a port are quoted (RFC 7239, section 6).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.cast import address_to_text, cast
from evener.haproxy.converters.rfc7239 import rfc7239_is_valid
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.line import word_bytes
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.option_values import Forwarded
from evener.haproxy.txn import CONTINUE, Txn

Policy = Callable[[Txn], int]
Part = Callable[[Any], bytes]
Node = Callable[[Any], tuple[bytes, bool]]
"""The name of a node, and whether it must stand in quotes."""

_OBFUSCATED: Final = re.compile(rb"[A-Za-z0-9._\-]+\Z")
_PORT: Final = re.compile(rb"(?:[0-9]{1,5}|_[A-Za-z0-9._\-]+)\Z")


def policy(option: Forwarded | None, env: CompileEnv) -> Policy | None:
    """What a backend with that option does with each request."""
    if option is None:
        return None
    parts = elements(option, env)
    valid = rfc7239_is_valid()

    def run(txn: Txn) -> int:
        text = b";".join([made for part in parts if (made := part(txn))])
        lines = txn.req.all(b"forwarded")
        if lines and all(valid(item.strip(b" \t")) for line in lines for item in line.split(b",")):
            txn.req.rewrite(b"forwarded", [*lines[:-1], lines[-1] + b", " + text])
        elif text:
            txn.req.add(b"forwarded", text)
        return CONTINUE

    return run


def elements(option: Forwarded, env: CompileEnv) -> list[Part]:
    """The parameters in the order in which they are written, whatever the order of the words."""
    said = {words[0]: words[1:] for words in option.parameters} or {"proto": (), "for": ()}
    parts: list[Part] = []
    if "proto" in said:
        parts.append(lambda txn: b"proto=http")
    if "host" in said or "host-expr" in said:
        parts.append(host(said.get("host-expr"), env))
    for name, address, number in (("by", _target, _target_port), ("for", _source, _source_port)):
        if name in said or f"{name}-expr" in said:
            given = said.get(f"{name}-expr")
            who = named(given[0], env) if given else own(address)
            port: Part | None = None
            if f"{name}_port-expr" in said:
                port = port_of(said[f"{name}_port-expr"][0], env)
            elif f"{name}_port" in said:
                port = number
            parts.append(node(word_bytes(name), who, port))
    return parts


def _source(txn: Any) -> bytes:
    return txn.src_ip  # type: ignore[no-any-return]


def _target(txn: Any) -> bytes:
    return txn.dst_ip  # type: ignore[no-any-return]


def _source_port(txn: Any) -> bytes:
    return b"%d" % txn.src_port if txn.src_ip else b""


def _target_port(txn: Any) -> bytes:
    return b"%d" % txn.dst_port if txn.dst_ip else b""


def expression(text: str) -> Expr:
    found = read_expression(text)
    assert isinstance(found, Expr), found
    return found


def host(given: Sequence[str] | None, env: CompileEnv) -> Part:
    if not given:
        return lambda txn: b'host="%b"' % (txn.req.get(b"host") or b"")
    value = compile_expression(expression(given[0]), env, Type.STR)
    return lambda txn: b'host="%b"' % (value(txn) or b"")


def six(packed: bytes) -> bytes:
    return b"[%b]" % socket.inet_ntop(socket.AF_INET6, packed).encode("ascii")


def own(address: Callable[[Any], bytes]) -> Node:
    def run(txn: Any) -> tuple[bytes, bool]:
        packed = address(txn)
        if len(packed) == 16:
            return six(packed), True
        return address_to_text(packed) or b"unknown", False

    return run


def named(text: str, env: CompileEnv) -> Node:
    """A node named by an expression: an address, a name of the RFC's forms, or a text made into one."""
    value = compile_expression(expression(text), env, Type.ANY)

    def run(txn: Any) -> tuple[bytes, bool]:
        found: Sample | None = value(txn)
        if found is None:
            return b"unknown", False
        kind, raw = found
        if kind is Type.IPV6 or (kind is Type.ADDR and len(raw) == 16):
            return six(raw), True
        to_text = cast(kind, Type.STR)
        name = to_text(raw) if to_text is not None else None
        return written(name) if name else (b"unknown", False)

    return run


def written(name: bytes) -> tuple[bytes, bool]:
    inside = name[1:-1] if name[:1] == b"[" and name[-1:] == b"]" else name
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            packed = socket.inet_pton(family, inside.decode("ascii"))
        except (OSError, ValueError):
            continue
        return (six(packed), True) if family == socket.AF_INET6 else (name, False)
    if name == b"unknown" or (name[:1] == b"_" and _OBFUSCATED.match(name)):
        return name, False
    return (b"_" + name, False) if _OBFUSCATED.match(name) else (b"unknown", False)


def port_of(text: str, env: CompileEnv) -> Part:
    value = compile_expression(expression(text), env, Type.STR)

    def run(txn: Any) -> bytes:
        found: bytes | None = value(txn)
        if not found:
            return b""
        if _PORT.match(found):
            return found
        return b"_" + found if _OBFUSCATED.match(found) else b""

    return run


def node(name: bytes, who: Node, port: Part | None) -> Part:
    def run(txn: Any) -> bytes:
        text, quoted = who(txn)
        if port is not None:
            number = port(txn)
            text, quoted = (text + b":" + number if number else text), True
        return name + b"=" + (b'"%b"' % text if quoted else text)

    return run
