"""Algorithms that send equal keys to the same server: source, uri, hdr, url_param."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.balance import BadBalance, Balance, Key, algorithm
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.txn import Txn


@algorithm("source", "balance source", ok="balance source", bad="balance source 1")
def source(words: Sequence[str]) -> Balance:
    """The client's address decides, so that a client always reaches the same server."""
    if words:
        raise BadBalance(f"'source' takes no argument, got '{words[0]}'.")

    def key(hash_type: HashType) -> Key:
        digest = hash_type.of_address()

        def run(txn: Txn) -> int | None:
            return digest(txn.src_ip) if txn.src_ip else None

        return run

    return Balance("source", key)


@algorithm(
    "uri",
    "balance uri [whole] [len <len>] [depth <depth>] [path-only]",
    ok="balance uri depth 3",
    bad="balance uri len -1",
)
def uri(words: Sequence[str]) -> Balance:
    """The URI up to its query string decides (``whole``: with it); ``len`` bytes or ``depth`` slashes of it.

    Useful in front of caches, where each object should be kept by one of them only.
    """
    whole = path_only = False
    length = depth = 0
    at = 0
    while at < len(words):
        word = words[at]
        if word in ("len", "depth"):
            value = words[at + 1] if at + 1 < len(words) else ""
            if not (value.isascii() and value.isdecimal()):
                raise BadBalance(f"'uri' : '{word}' expects a positive integer, got '{value}'.")
            length, depth = (int(value), depth) if word == "len" else (length, int(value))
            at += 1
        elif word == "whole":
            whole = True
        elif word == "path-only":
            path_only = True
        else:
            raise BadBalance(f"'uri' only accepts 'whole', 'len', 'depth' and 'path-only', got '{word}'.")
        at += 1
    return Balance("uri", lambda hash_type: uri_key(hash_type, whole, path_only, length, depth))


def uri_key(hash_type: HashType, whole: bool, path_only: bool, length: int, depth: int) -> Key:
    digest = hash_type.of_bytes()

    def run(txn: Txn) -> int | None:
        request = txn.req
        target = request.path if path_only else request.uri
        if path_only and whole and request.query:
            target += b"?" + request.query
        if not target:
            return None
        if not whole:
            target = target.split(b"?", 1)[0]
        if length:
            target = target[:length]
        if depth:
            target = b"/".join(target.split(b"/", depth + 1)[: depth + 1])
        return digest(target)

    return run


@algorithm("hdr", "balance hdr(<name>) [use_domain_only]", ok="balance hdr(host)", bad="balance hdr")
def hdr(words: Sequence[str]) -> Balance:
    """The value of a request header decides; without that header, servers are taken in turn."""
    if not words or not words[0]:
        raise BadBalance("'hdr' requires an http header field name.")
    name = words[0].lower().encode()
    if len(words) > 1 and words[1] != "use_domain_only":
        raise BadBalance(f"'hdr' only accepts 'use_domain_only', got '{words[1]}'.")
    domain_only = len(words) > 1

    def key(hash_type: HashType) -> Key:
        digest = hash_type.of_bytes()

        def run(txn: Txn) -> int | None:
            value = txn.req.get(name)
            if value is None:
                return None
            return digest(domain_label(value) if domain_only else value)

        return run

    return Balance("hdr", key)


def domain_label(host: bytes) -> bytes:
    """``www.example.org`` -> ``example``: the label before the last one."""
    labels = host.split(b":", 1)[0].split(b".")
    return labels[-2] if len(labels) > 1 else labels[0]


@algorithm("url_param", "balance url_param <param>", ok="balance url_param userid", bad="balance url_param")
def url_param(words: Sequence[str]) -> Balance:
    """The value of a parameter of the query string decides; without it, servers are taken in turn."""
    if not words:
        raise BadBalance("'url_param' requires an URL parameter name.")
    if len(words) > 1:
        raise BadBalance(f"'url_param' does not accept '{words[1]}'.")
    prefix = words[0].encode() + b"="

    def key(hash_type: HashType) -> Key:
        digest = hash_type.of_bytes()

        def run(txn: Txn) -> int | None:
            for part in txn.req.query.split(b"&"):
                if part.startswith(prefix):
                    return digest(part[len(prefix) :])
            return None

        return run

    return Balance("url_param", key)
