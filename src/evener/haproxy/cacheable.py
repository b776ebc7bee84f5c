"""Whether a shared cache may keep a response, and its cookies: for ``cookie ... nocache`` and checkcache.

RFC 9111 3, read as the original reads it: only safe methods, an explicit freshness or a validator.
"""

from __future__ import annotations

from typing import Any, Final

_SAFE: Final = (b"GET", b"HEAD", b"OPTIONS", b"TRACE")
#: RFC 9110 15.1: the rest is not kept unless it says so.
_BY_DEFAULT: Final = frozenset((200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501))
_NEVER: Final = (b"private", b"no-cache", b"no-store")


def cacheable(txn: Any) -> tuple[bool, bool]:
    """(the response, its cookies): whether a cache between us and the client may keep them."""
    safe = txn.req.received[0] in _SAFE
    response = txn.res
    if response.status < 200 or (response.get(b"pragma") or b"").lower() == b"no-cache":
        return False, False
    safe = safe and response.status in _BY_DEFAULT
    keep, cookies, fresh, stale = safe, safe, False, False
    for word in directives(response):
        if word == b"public":
            keep = cookies = True
        elif word == b"max-age=0":
            stale = True
        elif word == b'no-cache="set-cookie"':
            cookies = False
        elif word == b"s-maxage=0" or word.partition(b"=")[0] in _NEVER:
            keep = cookies = False
        elif word.startswith(b"s-maxage"):
            fresh, stale = True, False
        elif word.startswith(b"max-age"):
            fresh = True
    if stale:
        return False, False
    if not fresh and all(response.get(name) is None for name in (b"expires", b"etag", b"last-modified")):
        keep = False
    return keep, cookies


def directives(response: Any) -> list[bytes]:
    return [
        word.strip(b" \t").lower() for line in response.all(b"cache-control") for word in line.split(b",")
    ]
