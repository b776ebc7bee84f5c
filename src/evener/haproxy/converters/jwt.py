"""Converters of JSON web tokens in their compact form (RFC 7515, RFC 7519).

Parts are looked at and HMAC signatures verified. Signatures by public keys and encrypted tokens need a
TLS library and are known, but not executed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.converters.encodings import from_base64url
from evener.haproxy.converters.json_text import check_query, query
from evener.haproxy.sample import Sample, Type, converter
from evener.haproxy.sample_planned import declare_planned_converters
from evener.haproxy.values import text_or_variable
from evener.haproxy.variables import is_name

Run = Callable[..., Any]
BIN: Final = Type.BIN

_HASHES: Final = {b"HS256": "sha256", b"HS384": "sha384", b"HS512": "sha512"}
_PUBLIC: Final = frozenset(
    b"%b%d" % (family, size) for family in (b"RS", b"ES", b"PS") for size in (256, 384, 512)
)

#: What ``jwt_verify`` gives, from the manual's table.
VERIFIED, FAILED, UNKNOWN, UNMANAGED, INVALID = 1, 0, -1, -2, -3


def _part(index: int, json_path: str, output_type: str) -> Run:
    look = query(json_path, output_type == "int") if json_path else None

    def run(value: bytes) -> Sample | None:
        parts = value.split(b".", index + 1)
        if index >= len(parts):
            return None
        decoded = from_base64url(parts[index])
        if decoded is None:
            return None
        return Sample(Type.STR, decoded) if look is None else look(decoded)

    return run


@converter(
    "jwt_header_query",
    BIN,
    Type.ANY,
    check=check_query,
    ok=["jwt_header_query", "jwt_header_query($.alg)", "jwt_header_query($.n,int)"],
    bad=["jwt_header_query($.a,str)", "jwt_header_query(a,int,1)"],
)
def jwt_header_query(json_path: str = "", output_type: str = "") -> Run:
    """The decoded header of a web token, or the value at a JSON path in it (see ``json_query``)."""
    return _part(0, json_path, output_type)


@converter(
    "jwt_payload_query",
    BIN,
    Type.ANY,
    check=check_query,
    ok=["jwt_payload_query", "jwt_payload_query($.iss)", "jwt_payload_query($.exp,int)"],
    bad=["jwt_payload_query($.a,str)", "jwt_payload_query(a,int,1)"],
)
def jwt_payload_query(json_path: str = "", output_type: str = "") -> Run:
    """The decoded payload of a signed web token, or the value at a JSON path in it (see ``json_query``)."""
    return _part(1, json_path, output_type)


def _check_verify(alg: str, key: str) -> None:
    if is_name(alg) or alg == "none" or to_bytes(alg) in _HASHES:
        return
    if to_bytes(alg) in _PUBLIC:
        raise ArgumentError(f"algorithm '{alg}' is known but not executed yet, only HS256, HS384 and HS512")
    raise ArgumentError(f"unknown JWT algorithm: {alg}")


def _verify(token: bytes, algorithm: bytes, key: bytes) -> int:
    import hmac

    parts = token.split(b".")
    name = _HASHES.get(algorithm)
    if name is None and algorithm not in _PUBLIC and algorithm != b"none":
        return UNKNOWN
    signature = from_base64url(parts[2]) if len(parts) == 3 else None
    if algorithm == b"none" and len(parts) == 3:
        return FAILED if parts[2] else VERIFIED
    if not signature:
        return INVALID
    if name is None:
        return UNMANAGED
    computed = hmac.digest(key, parts[0] + b"." + parts[1], name)
    return VERIFIED if hmac.compare_digest(computed, signature) else FAILED


@converter(
    "jwt_verify",
    BIN,
    Type.SINT,
    check=_check_verify,
    ok=["jwt_verify(HS256,secret)", "jwt_verify(txn.alg,txn.key)"],
    bad=["jwt_verify(HS257,secret)", "jwt_verify(HS256)", "jwt_verify(RS256,/key.pem)"],
)
def jwt_verify(alg: str, key: str, *, txn: None) -> Run:
    """1 when the signature of a web token is right, 0 when it is wrong, negative for any other error.

    The algorithm and the secret may be in variables. -1 is an algorithm that does not exist, -2 one that
    is not managed (those of public keys), -3 something that is no signed token.
    """
    algorithm, secret = text_or_variable(alg), text_or_variable(key)

    def run(value: bytes, txn: Any) -> int | None:
        name, shared = algorithm(txn), secret(txn)
        return None if name is None or shared is None else _verify(value, name, shared)

    return run


declare_planned_converters(
    "jwt_verify_cert(string,string): sint",
    BIN,
    "Verify the signature of a web token by the public key of a certificate. Needs a TLS library.",
)
declare_planned_converters(
    "jwt_decrypt_cert(string): bin\njwt_decrypt_jwk(string): bin\njwt_decrypt_secret(string): bin",
    BIN,
    "The decrypted content of an encrypted web token (RFC 7516). Needs a TLS library.",
)
