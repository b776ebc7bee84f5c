"""JSON web keys (RFC 7517) that open encrypted tokens: a shared secret, an RSA or an elliptic-curve key.

A key gives the key of a token's content, or None when the two do not fit. It says nothing of how the content
is enciphered (``jose``), and leaves the arithmetic to the library (``libcrypto``), which wants keys in the
forms of RFC 8017 (RSA) and RFC 5915 (EC); these are put together here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.converters.encodings import from_base64url
from evener.haproxy.jose import content_key, der_integer, der_of, sized
from evener.haproxy.libcrypto import PrivateKey, private_key, public_der

ContentKey = Callable[[str, dict[str, Any], bytes, int], bytes | None]
"""(algorithm, header of the token, wrapped key, bytes that the content needs) -> its key."""
RSA_PADDING: Final = {
    "RSA1_5": ("pkcs1", ""),
    "RSA-OAEP": ("oaep", "sha1"),
    "RSA-OAEP-256": ("oaep", "sha256"),
}
_RSA_FIELDS: Final = ("n", "e", "d", "p", "q", "dp", "dq", "qi")
#: By name: bytes of a coordinate, and the curve's object identifier in ASN.1.
_CURVES: Final = {
    "P-256": (32, bytes.fromhex("06082a8648ce3d030107")),
    "P-384": (48, bytes.fromhex("06052b81040022")),
    "P-521": (66, bytes.fromhex("06052b81040023")),
}
_EC_PUBLIC: Final = bytes.fromhex("06072a8648ce3d0201")
_LONGEST: Final = 1 << 16


class JwkError(ValueError):
    """Why a text is no key."""


def read_jwk(text: bytes) -> ContentKey:
    """Raises JwkError."""
    import json

    try:
        said = json.loads(text[:_LONGEST])
    except (ValueError, RecursionError):
        said = None
    kind = said.get("kty") if isinstance(said, dict) else None
    if not isinstance(kind, str):
        raise JwkError("Missing key type (expected 'oct', 'RSA' or 'EC')")
    if kind == "oct":
        return _shared(said)
    if kind == "RSA":
        return _rsa(said)
    if kind == "EC":
        return _elliptic(said)
    raise JwkError("Unmanaged key type (expected 'oct', 'RSA' or 'EC'")


def _bytes(said: dict[str, Any], name: str) -> bytes | None:
    value = said.get(name)
    return from_base64url(value.encode()) if isinstance(value, str) else None


def _shared(said: dict[str, Any]) -> ContentKey:
    if not isinstance(said.get("k"), str):
        raise JwkError("Missing 'k' field in JWK")
    secret = _bytes(said, "k")

    def run(algorithm: str, header: dict[str, Any], wrapped: bytes, _size: int) -> bytes | None:
        return None if secret is None else content_key(algorithm, header, wrapped, secret)

    return run


def _rsa(said: dict[str, Any]) -> ContentKey:
    numbers = [_bytes(said, name) for name in _RSA_FIELDS]
    inner = b"".join(der_integer(number) for number in numbers if number is not None)
    key = private_key(der_of(0x30, der_integer(b"\0") + inner)) if None not in numbers else None
    if key is None or not key.is_rsa:
        raise JwkError("Failed to parse RSA JWK")
    return opening_rsa(key)


def opening_rsa(key: PrivateKey) -> ContentKey:
    def run(algorithm: str, _header: dict[str, Any], wrapped: bytes, _size: int) -> bytes | None:
        padding = RSA_PADDING.get(algorithm)
        return None if padding is None else key.decrypts(wrapped, *padding)

    return run


def _point(said: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """The public half: the curve's identifier, and the point without compression."""
    curve, x, y = _CURVES.get(str(said.get("crv"))), _bytes(said, "x"), _bytes(said, "y")
    if curve is None or x is None or y is None or max(len(x), len(y)) > curve[0]:
        return None
    return curve[1], b"\x04" + x.rjust(curve[0], b"\0") + y.rjust(curve[0], b"\0")


def _elliptic(said: dict[str, Any]) -> ContentKey:
    point, secret = _point(said), _bytes(said, "d")
    key = None
    if point is not None and secret is not None:
        size = _CURVES[str(said["crv"])][0]
        parts = (
            der_integer(b"\1"),
            der_of(0x04, secret.rjust(size, b"\0")),
            der_of(0xA0, point[0]),
            der_of(0xA1, der_of(0x03, b"\0" + point[1])),
        )
        key = private_key(der_of(0x30, b"".join(parts)))
    if key is None or not key.is_ec:
        raise JwkError("Failed to parse EC JWK")
    return opening_elliptic(key)


def opening_elliptic(key: PrivateKey) -> ContentKey:
    def run(algorithm: str, header: dict[str, Any], wrapped: bytes, size: int) -> bytes | None:
        family, _, wrapping = algorithm.partition("+")
        other = header.get("epk")
        point = _point(other) if isinstance(other, dict) and other.get("kty") == "EC" else None
        if family != "ECDH-ES" or point is None or (wrapped and not wrapping):
            return None
        info = der_of(0x30, der_of(0x30, _EC_PUBLIC + point[0]) + der_of(0x03, b"\0" + point[1]))
        public = public_der(info)
        agreed = key.agrees(public) if public is not None else None
        if agreed is None:
            return None
        if not wrapping:
            return derived(agreed, str(header["enc"]), header, size)
        bits = wrapping[1:4]
        if bits not in ("128", "192", "256"):
            return None
        return content_key(wrapping, {}, wrapped, derived(agreed, algorithm, header, int(bits) // 8))

    return run


def derived(agreed: bytes, name: str, header: dict[str, Any], size: int) -> bytes:
    """RFC 7518 4.6.2: the key that both sides make of what they agreed on."""
    parties = b"".join(sized(_bytes(header, field) or b"") for field in ("apu", "apv"))
    info = agreed + sized(name.encode()) + parties + (8 * size).to_bytes(4, "big")
    rounds = range(1, -(-size // 32) + 1)
    return b"".join(hashlib.sha256(number.to_bytes(4, "big") + info).digest() for number in rounds)[:size]
