"""Algorithms that send equal keys to the same server: source, uri, hdr, url_param."""

from __future__ import annotations

from evener.haproxy.balance import Asked, Method, algorithm
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.txn import Txn


@algorithm("source")
def source(asked: Asked, hash_type: HashType) -> Method:
    """The client's address decides, so that a client always reaches the same server."""
    digest = hash_type.of_address()

    def run(txn: Txn) -> int | None:
        return digest(txn.src_ip) if txn.src_ip else None

    return Method(run)


@algorithm("uri")
def uri(asked: Asked, hash_type: HashType) -> Method:
    """The URI up to its query string decides; useful in front of caches."""
    digest = hash_type.of_bytes()
    whole, length, depth = asked.whole, asked.length, asked.depth
    target_of = path_and_query if asked.path_only else full_target

    def run(txn: Txn) -> int | None:
        target = target_of(txn)
        if not target:
            return None
        if not whole:
            target = target.split(b"?", 1)[0]
        if length:
            target = target[:length]
        if depth:
            target = b"/".join(target.split(b"/", depth + 1)[: depth + 1])
        return digest(target)

    return Method(run)


def full_target(txn: Txn) -> bytes:
    return txn.req.uri


def path_and_query(txn: Txn) -> bytes:
    query = txn.req.query
    return txn.req.path + b"?" + query if query else txn.req.path


@algorithm("hdr")
def hdr(asked: Asked, hash_type: HashType) -> Method:
    """The value of a request header decides; without that header, servers are taken in turn."""
    name = (asked.argument or "").lower().encode()
    digest = hash_type.of_bytes()

    def run(txn: Txn) -> int | None:
        value = txn.req.get(name)
        return None if value is None else digest(value)

    return Method(run)


@algorithm("url_param")
def url_param(asked: Asked, hash_type: HashType) -> Method:
    """The value of a parameter of the query string decides; without it, servers are taken in turn."""
    prefix = (asked.argument or "").encode() + b"="
    digest = hash_type.of_bytes()

    def run(txn: Txn) -> int | None:
        for part in txn.req.query.split(b"&"):
            if part.startswith(prefix):
                return digest(part[len(prefix) :])
        return None

    return Method(run)
