"""Algorithms that send equal keys to the same server: source, uri, hdr, url_param, rdp-cookie, hash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.haproxy.balance import Asked, Method, algorithm
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.line import word_bytes
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import Txn


@algorithm("source")
def source(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The client's address decides, so that a client always reaches the same server."""
    digest = hash_type.of_address()

    def run(txn: Txn) -> int | None:
        return digest(txn.src_ip) if txn.src_ip else None

    return Method(run, table=True)


@algorithm("uri")
def uri(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The URI up to its query string decides; useful in front of caches."""
    digest = hash_type.of_bytes()
    whole, length, depth = asked.whole, asked.length, asked.depth
    target_of = path_and_query if asked.path_only else full_target

    def run(txn: Txn) -> int | None:
        target = target_of(txn)
        if not whole:
            target = target.split(b"?", 1)[0]
        if length:
            target = target[:length]
        if depth:
            target = b"/".join(target.split(b"/", depth + 1)[: depth + 1])
        return digest(target)

    return Method(run, table=True)


def full_target(txn: Txn) -> bytes:
    return txn.req.uri


def path_and_query(txn: Txn) -> bytes:
    query = txn.req.query
    return txn.req.path + b"?" + query if query else txn.req.path


@algorithm("hdr")
def hdr(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The first value of a request header decides; without that header, servers are taken in turn.

    With ``use_domain_only`` only the label before the last one of a domain name counts.
    """
    name = word_bytes((asked.argument or "").lower())
    digest = hash_type.of_bytes()
    domain_only = "use_domain_only" in asked.other

    def run(txn: Txn) -> int | None:
        value = txn.req.get(name)
        if value is not None and b"," in value:
            value = first_value(value)
        if not value:
            return None
        return digest(main_domain(value) if domain_only else value)

    return Method(run, table=True)


def first_value(line: bytes) -> bytes:
    """What stands before the first comma that is not quoted."""
    quoted = escaped = False
    for at, byte in enumerate(line):
        if escaped:
            escaped = False
        elif quoted and byte == 0x5C:
            escaped = True
        elif byte == 0x22:
            quoted = not quoted
        elif byte == 0x2C and not quoted:
            return line[:at].strip(b" \t")
    return line.strip(b" \t")


def main_domain(name: bytes) -> bytes:
    """``example`` of ``www.example.com``; a name without a dot as it is.

    A dot at the very beginning is none, and a label has at least one character, whatever that is.
    """
    end = name.rfind(b".", 1)
    if end < 0:
        return name
    return name[name.rfind(b".", 0, end - 1) + 1 : end]


@algorithm("url_param")
def url_param(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """A parameter of the query string, or of the body of a POST, decides; without it, servers in turn."""
    prefix = (asked.argument or "").encode() + b"="
    digest = hash_type.of_bytes()

    def run(txn: Txn) -> int | None:
        found = parameter(txn.req.query, prefix)
        if found is None and txn.req.method == b"POST":
            found = posted(txn.body(), prefix)
        return None if found is None else digest(found)

    return Method(run, table=True, body=True)


def parameter(text: bytes, prefix: bytes) -> bytes | None:
    for part in text.split(b"&"):
        if part.startswith(prefix):
            return part[len(prefix) :]
    return None


_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def posted(body: bytes, prefix: bytes) -> bytes | None:
    """A parameter of a form; a value that is none of a form is not looked at."""
    found = parameter(body, prefix)
    if found is None:
        return None
    for at, byte in enumerate(found):
        if byte not in _TOKEN:
            return found[:at] if byte in b" \t\r\n" else None
    return found


@algorithm("rdp-cookie")
def rdp_cookie(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The value of an RDP cookie decides; without it, servers are taken in turn."""
    name = asked.argument or "mstshash"
    return _by(f"req.rdp_cookie({name})", hash_type, env, empty=False)


@algorithm("hash")
def hash_(asked: Asked, hash_type: HashType, env: CompileEnv) -> Method:
    """The result of an expression decides; without one, servers are taken in turn."""
    return _by(asked.argument or "", hash_type, env, empty=True)


def _by(text: str, hash_type: HashType, env: CompileEnv, *, empty: bool) -> Method:
    """``empty``: an empty value is one, too. A key that is no more hashed is a number in writing."""
    expr = read_expression(text)
    if not isinstance(expr, Expr):
        return Method(table=True)  # refused where the configuration is checked
    value: Callable[[Any], bytes | None] = compile_expression(
        expr, env, Type.STR if hash_type.function == "none" else Type.BIN
    )
    digest = hash_type.of_bytes()

    def run(txn: Txn) -> int | None:
        found = value(txn)
        return digest(found) if found or (empty and found is not None) else None

    return Method(run, table=True)
