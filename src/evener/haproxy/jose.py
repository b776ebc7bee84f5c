"""Signatures and encryption of JSON web tokens (RFC 7515, 7516, 7518): what needs more than an HMAC."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from evener.haproxy.converters.encodings import from_base64url
from evener.haproxy.libcrypto import PublicKey, aes, public_key

PUBLIC: Final = frozenset(
    b"%b%d" % (family, size) for family in (b"RS", b"ES", b"PS") for size in (256, 384, 512)
)
#: What ``jwt_verify`` gives, from the manual's table.
VERIFIED, FAILED, UNKNOWN, UNMANAGED, INVALID, NO_KEY, UNAVAILABLE = 1, 0, -1, -2, -3, -5, -7
_HALF: Final = {b"ES256": 32, b"ES384": 48, b"ES512": 66}  #: bytes of each number of a signature
_LONGEST: Final = 1 << 16

_keys: dict[tuple[bytes, bool], PublicKey] = {}


def key_of(path: bytes, certificate: bool = False) -> PublicKey | None:
    """The key in a file; it is read once, when the configuration is."""
    found = _keys.get((path, certificate))
    if found is None:
        try:
            with open(path, "rb") as opened:
                found = public_key(opened.read(_LONGEST), certificate)
        except (OSError, ValueError):
            return None
        if found is not None:
            _keys[path, certificate] = found
    return found


def known_key(path: bytes, certificate: bool) -> PublicKey | None:
    """That of a file which was named in the configuration."""
    return _keys.get((path, certificate))


def verify_public(algorithm: bytes, key: PublicKey | None, signature: bytes, data: bytes) -> int:
    if key is None:
        return NO_KEY
    if algorithm in _HALF:
        if not key.is_ec or len(signature) != 2 * _HALF[algorithm]:
            return FAILED
        signature = der_signature(signature)
    elif not key.is_rsa:
        return FAILED
    good = key.verifies(f"sha{algorithm[2:].decode()}", signature, data, algorithm.startswith(b"PS"))
    return VERIFIED if good else FAILED


def der_signature(pair: bytes) -> bytes:
    """Two numbers side by side (RFC 7518 3.4) as the ASN.1 sequence that libraries want."""
    half = len(pair) // 2
    return der_of(0x30, b"".join(der_integer(part) for part in (pair[:half], pair[half:])))


def der_of(tag: int, inner: bytes) -> bytes:
    """A value of ASN.1 behind its tag and length."""
    size = len(inner)
    length = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes((tag,)) + (length if size < 128 else bytes((0x80 | len(length),)) + length) + inner


def der_integer(number: bytes) -> bytes:
    number = number.lstrip(b"\0") or b"\0"
    return der_of(2, b"\0" + number if number[0] & 0x80 else number)


def sized(data: bytes) -> bytes:
    """Behind its length in 32 bits (RFC 7518 4.6.2)."""
    return len(data).to_bytes(4, "big") + data


#: Which ``alg`` and ``enc`` are used at all: ``jwt.decrypt_alg_list`` and ``jwt.decrypt_enc_list``.
KEY_ALGORITHMS: Final = (
    "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "A128KW", "A192KW", "A256KW", "dir", "ECDH-ES", "ECDH-ES+A128KW",
    "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW",
)  # fmt: skip
#: Bytes of a content's key, by ``enc``.
CONTENT_KEYS: Final = {
    "A128CBC-HS256": 32, "A192CBC-HS384": 48, "A256CBC-HS512": 64,
    "A128GCM": 16, "A192GCM": 24, "A256GCM": 32,
}  # fmt: skip
_permitted: set[str] = {*KEY_ALGORITHMS, *CONTENT_KEYS} - {"RSA1_5"}


def permit(known: Iterable[str], said: str | None) -> None:
    """Of ``known`` names only those of a list with colons: ``ALL``, a name, ``!`` and a name.
    None: the usual ones, which RSA1_5 is not (RFC 8725 3.2)."""
    names = set(known)
    if said is None:
        _permitted.update(names - {"RSA1_5"})
        return
    _permitted.difference_update(names)
    for word in said.split(":"):
        if word.startswith("!"):
            _permitted.discard(word[1:])
        else:
            _permitted.update(names if word == "ALL" else names & {word})


def decrypted(
    token: bytes, key_of_content: Callable[[str, dict[str, Any], bytes, int], bytes | None]
) -> bytes:
    """The content of a token in compact form; empty when it cannot be had.

    ``key_of_content`` is told the algorithm, the header, the wrapped key and how long the key has to be.
    """
    parts = [from_base64url(part) for part in token.split(b".")]
    if len(parts) != 5 or any(part is None for part in parts):
        return b""
    import json

    header, wrapped, nonce, text, tag = (part or b"" for part in parts)
    try:
        said = json.loads(header)
        algorithm, encryption = said["alg"], said["enc"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return b""
    if not isinstance(algorithm, str) or not isinstance(encryption, str):
        return b""
    if not _permitted.issuperset((algorithm, encryption)):
        return b""
    key = key_of_content(algorithm, said, wrapped, CONTENT_KEYS[encryption])
    if key is None:
        return b""
    return _content(encryption, key, nonce, text, tag, token.split(b".")[0]) or b""


def content_key(algorithm: str, said: dict[str, Any], wrapped: bytes, secret: bytes) -> bytes | None:
    """The key of a content by a shared secret: it, or what unwraps the one in the token."""
    if algorithm == "dir":
        return None if wrapped else secret
    bits = algorithm[1:4]
    if bits not in ("128", "192", "256"):
        return None
    if algorithm == f"A{bits}KW":
        made = aes(f"aes-{bits}-wrap", secret, b"", wrapped, encrypt=False)
    elif algorithm == f"A{bits}GCMKW":
        nonce, tag = (_field(said, name) for name in ("iv", "tag"))
        if nonce is None or tag is None or len(tag) != 16:
            return None
        made = aes(f"aes-{bits}-gcm", secret, nonce, wrapped, encrypt=False, tag=tag)
    else:
        return None
    return None if made is None else made[0]


def _field(said: dict[str, Any], name: str) -> bytes | None:
    value = said.get(name)
    return from_base64url(value.encode()) if isinstance(value, str) else None


def _content(encryption: str, key: bytes, nonce: bytes, text: bytes, tag: bytes, head: bytes) -> bytes | None:
    bits = encryption[1:4]
    if encryption in ("A128GCM", "A192GCM", "A256GCM"):
        if len(tag) != 16:
            return None
        made = aes(f"aes-{bits}-gcm", key, nonce, text, encrypt=False, tag=tag, more=head)
        return None if made is None else made[0]
    sizes = {"A128CBC-HS256": 16, "A192CBC-HS384": 24, "A256CBC-HS512": 32}
    half = sizes.get(encryption)
    if half is None or len(key) != 2 * half:
        return None
    import hmac

    covered = head + nonce + text + (8 * len(head)).to_bytes(8, "big")
    computed = hmac.digest(key[:half], covered, f"sha{16 * half}")[:half]
    if not hmac.compare_digest(computed, tag):
        return None
    made = aes(f"aes-{bits}-cbc", key[half:], nonce, text, encrypt=False)
    return None if made is None else made[0]
