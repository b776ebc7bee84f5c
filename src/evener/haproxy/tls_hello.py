"""The first record of a TLS client: what can be known of it without decrypting (RFC 8446 section 4.1.2).

Reads a ClientHello out of the bytes a client has sent so far. ``NeedMore`` means that the answer may
still come; None that this is no ClientHello. SSLv2 hellos are not recognised: nothing speaks it any more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

HANDSHAKE: Final = 22
_RECORDS: Final = (0x14, 0x15, HANDSHAKE, 0x17, 0xFF)
CLIENT_HELLO: Final = 1
SERVER_NAME, GROUPS, EC_FORMATS, SIGNATURES, ALPN, TICKET, VERSIONS, KEY_SHARE = 0, 10, 11, 13, 16, 35, 43, 51


class NeedMore(Exception):
    """The message is not complete yet."""


class ClientHello(NamedTuple):
    version: int
    ciphers: bytes
    extensions: dict[int, bytes]


def hello_type(data: bytes) -> int | None:
    """The type of the first handshake message, when all of it is there: 1 client hello, 2 server hello; None
    for another protocol."""
    if not data:
        raise NeedMore
    if data[0] not in _RECORDS:
        return None
    if len(data) < 9:
        raise NeedMore
    if data[1] < 3 or int.from_bytes(data[3:5], "big") < 4:
        return None
    if len(data) < 9 + int.from_bytes(data[6:9], "big"):
        raise NeedMore
    return data[5]


@lru_cache(maxsize=64)
def parse(data: bytes) -> ClientHello | None:
    """The ClientHello at the beginning of the data; raises NeedMore while it is incomplete."""
    if hello_type(data) != CLIENT_HELLO or data[0] != HANDSHAKE:
        return None
    size = int.from_bytes(data[3:5], "big")
    if len(data) < 5 + size:
        raise NeedMore
    body = data[9 : 5 + size]
    try:
        return _body(body)
    except IndexError:
        return None


def _body(body: bytes) -> ClientHello:
    at = 34
    at += 1 + body[at]
    count = int.from_bytes(body[at : at + 2], "big")
    ciphers = body[at + 2 : at + 2 + count]
    at += 2 + count
    at += 1 + body[at]
    extensions: dict[int, bytes] = {}
    at += 2
    while at + 4 <= len(body):
        kind, length = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        extensions.setdefault(kind, body[at + 4 : at + 4 + length])
        at += 4 + length
    return ClientHello(int.from_bytes(body[:2], "big"), ciphers, extensions)


def server_name(hello: ClientHello) -> bytes | None:
    """The host name asked for (RFC 6066 section 3)."""
    data = hello.extensions.get(SERVER_NAME)
    if not data or len(data) < 5 or data[2] != 0:
        return None
    return data[5 : 5 + int.from_bytes(data[3:5], "big")] or None


def first_alpn(hello: ClientHello) -> bytes | None:
    """The first protocol offered (RFC 7301 section 3.1)."""
    data = hello.extensions.get(ALPN)
    if not data or len(data) < 4:
        return None
    return data[3 : 3 + data[2]] or None


def listed(hello: ClientHello, kind: int) -> bytes | None:
    """The content of an extension that is one list with a two-byte length."""
    data = hello.extensions.get(kind)
    return None if data is None or len(data) < 2 else data[2 : 2 + int.from_bytes(data[:2], "big")]


def key_share_groups(hello: ClientHello) -> bytes | None:
    """The groups of the key shares sent, two bytes each."""
    data = listed(hello, KEY_SHARE)
    if data is None:
        return None
    groups, at = b"", 0
    while at + 4 <= len(data):
        groups += data[at : at + 2]
        at += 4 + int.from_bytes(data[at + 2 : at + 4], "big")
    return groups
