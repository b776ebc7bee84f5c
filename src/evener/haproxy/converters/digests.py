"""Converters to cryptographic digests and message authentication codes.

Algorithms go by OpenSSL's names (``sha3-256``, ``blake2b512``, ``RSA-SHA256`` is none), which this module
finds in ``hashlib``. Python is imported where it is used, because OpenSSL is slow to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.converters.encodings import from_base64
from evener.haproxy.sample import Type, converter
from evener.haproxy.values import text_or_variable
from evener.haproxy.variables import is_name

Run = Callable[..., Any]
BIN: Final = Type.BIN

_OTHER_NAMES: Final = {
    "blake2b512": "blake2b",
    "blake2s256": "blake2s",
    "rmd160": "ripemd160",
    "ripemd": "ripemd160",
    "ssl3-md5": "md5",
    "ssl3-sha1": "sha1",
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
}
#: Known to OpenSSL but no longer among what it does by default: accepted, and giving nothing.
_LEGACY: Final = frozenset({"md4", "whirlpool", "md5-sha1x"})
#: Output of the extendable functions in bytes, as OpenSSL gives it when not told a length.
_EXTENDABLE: Final = {"shake_128": 16, "shake_256": 32}


def _python_name(algorithm: str) -> str:
    import hashlib

    name = algorithm.lower()
    name = _OTHER_NAMES.get(name, name)
    for candidate in (name, name.replace("-", "_"), name.replace("shake", "shake_")):
        if candidate in hashlib.algorithms_available or candidate in _LEGACY:
            return candidate
    raise ArgumentError("algorithm must be a valid OpenSSL message digest name.")


def _digest(name: str) -> Callable[[bytes], bytes] | None:
    """The function of that algorithm, None when this machine's OpenSSL refuses it."""
    import hashlib

    try:
        hashlib.new(name, usedforsecurity=False)
    except ValueError:
        return None
    length = _EXTENDABLE.get(name)
    if length is not None:
        return lambda value: hashlib.new(name, value).digest(length)  # type: ignore[call-arg]
    return lambda value: hashlib.new(name, value, usedforsecurity=False).digest()


def _nothing(value: bytes, txn: Any = None) -> None:
    return None


def _check_algorithm(algorithm: str) -> None:
    _python_name(algorithm)


@converter(
    "digest",
    BIN,
    BIN,
    check=_check_algorithm,
    ok=["digest(sha256)", "digest(SHA3-256)"],
    bad=["digest(nope)", "digest"],
)
def digest(algorithm: str) -> Run:
    """The digest of the input by an algorithm of OpenSSL's, as bytes."""
    return _digest(_python_name(algorithm)) or _nothing


@converter("sha1", BIN, BIN)
def sha1() -> Run:
    """The SHA-1 digest, 20 bytes."""
    from hashlib import sha1 as compute

    return lambda value: compute(value, usedforsecurity=False).digest()


def _check_bits(bits: int | None = None) -> None:
    if bits is not None and bits not in (224, 256, 384, 512):
        raise ArgumentError(f"Unsupported number of bits: '{bits}'")


@converter("sha2", BIN, BIN, check=_check_bits, ok=["sha2", "sha2(512)"], bad=["sha2(100)", "sha2(a)"])
def sha2(bits: int = 256) -> Run:
    """The SHA-2 digest of 224, 256, 384 or 512 bits, as bytes."""
    import hashlib

    compute = {224: hashlib.sha224, 256: hashlib.sha256, 384: hashlib.sha384, 512: hashlib.sha512}[bits]
    return lambda value: compute(value).digest()


def _check_hmac(algorithm: str, key: str) -> None:
    _python_name(algorithm)
    if not is_name(key) and from_base64(to_bytes(key)) is None:
        raise ArgumentError(
            "failed to parse key : argument needs to be base64 encoded, "
            "and can either be a string or a variable"
        )


@converter(
    "hmac",
    BIN,
    BIN,
    check=_check_hmac,
    ok=["hmac(sha256,c2VjcmV0)", "hmac(sha256,txn.key)"],
    bad=["hmac(sha256,a2V)", "hmac(nope,c2VjcmV0)", "hmac(sha256)"],
)
def hmac_(algorithm: str, key: str, *, txn: None) -> Run:
    """The message authentication code (RFC 2104) of the input, as bytes.

    The key is base64, written here or in a variable; a variable that is not set or no base64 gives nothing.
    """
    import hmac

    name = _python_name(algorithm)
    if name in _EXTENDABLE or _digest(name) is None:
        return _nothing
    read = text_or_variable(key)

    def run(value: bytes, txn: Any) -> bytes | None:
        text = read(txn)
        secret = None if text is None else from_base64(text)
        return None if secret is None else hmac.digest(secret, value, name)

    return run
