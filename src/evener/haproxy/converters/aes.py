"""Converters that encrypt and decrypt with AES."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.converters.encodings import from_base64
from evener.haproxy.libcrypto import aes
from evener.haproxy.sample import Sample, Type, converter
from evener.haproxy.values import text_or_variable
from evener.haproxy.variables import is_name, setter

Run = Callable[..., Any]
Read = Callable[[Any], bytes | None]
BIN: Final = Type.BIN
TAG_BYTES: Final = 16


def _check(bits: int, *named: tuple[str, str]) -> None:
    if bits not in (128, 192, 256):
        raise ArgumentError("key size must be 128, 192 or 256 (bits).")
    for name, value in named:
        if value and not is_name(value) and from_base64(to_bytes(value)) is None:
            raise ArgumentError(
                f"failed to parse {name} : argument needs to be base64 encoded, "
                "and can either be a string or a variable"
            )


def _check_cbc(bits: int, nonce: str, key: str, aad: str = "") -> None:
    _check(bits, ("nonce", nonce), ("key", key), ("aad", aad))


def _check_gcm_dec(bits: int, nonce: str, key: str, aead_tag: str, aad: str = "") -> None:
    _check(bits, ("nonce", nonce), ("key", key), ("aead_tag", aead_tag), ("aad", aad))


def _check_gcm_enc(bits: int, nonce: str, key: str, aead_tag: str, aad: str = "") -> None:
    _check(bits, ("nonce", nonce), ("key", key))
    if not is_name(aead_tag):
        raise ArgumentError(f"failed to parse aead_tag : invalid variable name '{aead_tag}'.")
    _check(bits, ("aad", aad))


def _bytes(value: str) -> Read:
    """What the base64 text, written here or in a variable, stands for; None when it is none."""
    read = text_or_variable(value)

    def run(txn: Any) -> bytes | None:
        text = read(txn)
        return None if text is None else from_base64(text)

    return run


def _cbc(bits: int, nonce: str, key: str, encrypt: bool) -> Run:
    start, secret = _bytes(nonce), _bytes(key)

    def run(value: bytes, txn: Any) -> bytes | None:
        first, shared = start(txn), secret(txn)
        if first is None or shared is None:
            return None
        made = aes(f"aes-{bits}-cbc", shared, first, value, encrypt=encrypt)
        return None if made is None else made[0]

    return run


@converter(
    "aes_cbc_enc", BIN, BIN, check=_check_cbc,
    ok=["aes_cbc_enc(128,txn.nonce,Zm9vb2Zvb29mb29wZm9vbw==)"],
    bad=["aes_cbc_enc(127,a,b)", "aes_cbc_enc(128,a)"],
)  # fmt: skip
def aes_cbc_enc(bits: int, nonce: str, key: str, aad: str = "", *, txn: None) -> Run:
    """The input encrypted with AES in cipher block chaining mode.

    Nonce and key are base64, written here or in variables. This mode authenticates nothing: ``aad`` is
    not used.
    """
    return _cbc(bits, nonce, key, True)


@converter(
    "aes_cbc_dec", BIN, BIN, check=_check_cbc,
    ok=["aes_cbc_dec(128,txn.nonce,Zm9vb2Zvb29mb29wZm9vbw==)"],
    bad=["aes_cbc_dec(127,a,b)", "aes_cbc_dec(128,a)"],
)  # fmt: skip
def aes_cbc_dec(bits: int, nonce: str, key: str, aad: str = "", *, txn: None) -> Run:
    """The input decrypted with AES in cipher block chaining mode; arguments as of ``aes_cbc_enc``."""
    return _cbc(bits, nonce, key, False)


@converter(
    "aes_gcm_enc", BIN, BIN, check=_check_gcm_enc,
    ok=["aes_gcm_enc(128,txn.nonce,Zm9vb2Zvb29mb29wZm9vbw==,txn.tag)"],
    bad=["aes_gcm_enc(128,txn.n,Zm9v,Zm9v)", "aes_gcm_enc(128,txn.n,Zm9v)"],
)  # fmt: skip
def aes_gcm_enc(bits: int, nonce: str, key: str, aead_tag: str, aad: str = "", *, txn: None) -> Run:
    """The input encrypted with AES in Galois counter mode.

    Nonce, key and ``aad`` (which is authenticated as well) are base64, written here or in variables. The
    tag that authenticates the result is put into the variable ``aead_tag``, in base64.
    """
    start, secret, more, keep = _bytes(nonce), _bytes(key), _bytes(aad), setter(aead_tag)

    def run(value: bytes, txn: Any) -> bytes | None:
        first, shared, besides = start(txn), secret(txn), more(txn) if aad else b""
        if first is None or shared is None or besides is None:
            return None
        made = aes(f"aes-{bits}-gcm", shared, first, value, encrypt=True, more=besides)
        if made is None:
            return None
        keep(txn, Sample(Type.STR, base64.b64encode(made[1])))
        return made[0]

    return run


@converter(
    "aes_gcm_dec", BIN, BIN, check=_check_gcm_dec,
    ok=["aes_gcm_dec(128,txn.nonce,Zm9vb2Zvb29mb29wZm9vbw==,txn.tag)"],
    bad=["aes_gcm_dec(128,txn.n,Zm9v,x)", "aes_gcm_dec(128,txn.n,Zm9v)"],
)  # fmt: skip
def aes_gcm_dec(bits: int, nonce: str, key: str, aead_tag: str, aad: str = "", *, txn: None) -> Run:
    """The input decrypted with AES in Galois counter mode; nothing when the tag does not vouch for it.

    All arguments but the first are base64, written here or in variables.
    """
    start, secret, tag, more = _bytes(nonce), _bytes(key), _bytes(aead_tag), _bytes(aad)

    def run(value: bytes, txn: Any) -> bytes | None:
        first, shared, vouching = start(txn), secret(txn), tag(txn)
        besides = more(txn) if aad else b""
        if first is None or shared is None or besides is None or vouching is None:
            return None
        if len(vouching) != TAG_BYTES:
            return None
        made = aes(f"aes-{bits}-gcm", shared, first, value, encrypt=False, tag=vouching, more=besides)
        return None if made is None else made[0]

    return run
