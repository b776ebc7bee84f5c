"""Converters of JSON web tokens in their compact form (RFC 7515, RFC 7519).

Parts are looked at, signatures verified, and tokens decrypted with shared secrets, web keys and the keys of
certificates.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.converters.encodings import from_base64url
from evener.haproxy.converters.json_text import check_query, query
from evener.haproxy.jose import (
    FAILED,
    INVALID,
    PUBLIC,
    UNAVAILABLE,
    UNKNOWN,
    UNMANAGED,
    VERIFIED,
    content_key,
    decrypted,
    key_of,
    known_key,
    verify_public,
)
from evener.haproxy.sample import Sample, Type, converter
from evener.haproxy.token_certificates import certificate_of
from evener.haproxy.values import text_or_variable
from evener.haproxy.variables import is_name

if TYPE_CHECKING:
    from evener.haproxy.jwk import ContentKey

Run = Callable[..., Any]
BIN: Final = Type.BIN

_HASHES: Final = {b"HS256": "sha256", b"HS384": "sha384", b"HS512": "sha512"}


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
    if to_bytes(alg) not in PUBLIC:
        raise ArgumentError(f"unknown JWT algorithm: {alg}")
    if not is_name(key) and key_of(to_bytes(key)) is None:
        raise ArgumentError("(null)")


def _verify(token: bytes, algorithm: bytes, key: bytes, certificate: bool = False) -> int:
    import hmac

    parts = token.split(b".")
    name = _HASHES.get(algorithm)
    if name is None and algorithm not in PUBLIC and algorithm != b"none":
        return UNKNOWN
    signature = from_base64url(parts[2]) if len(parts) == 3 else None
    if algorithm == b"none" and len(parts) == 3:
        return FAILED if parts[2] else VERIFIED
    if not signature:
        return INVALID
    if name is None:
        stored = certificate_of(key) if certificate else None
        if stored is not None and not stored.usable:
            return UNAVAILABLE
        public = stored.public if stored is not None else known_key(key, certificate)
        return verify_public(algorithm, public, signature, parts[0] + b"." + parts[1])
    if certificate:
        return UNMANAGED
    computed = hmac.digest(key, parts[0] + b"." + parts[1], name)
    return VERIFIED if hmac.compare_digest(computed, signature) else FAILED


def _verifier(alg: str, key: str, certificate: bool) -> Run:
    algorithm, secret = text_or_variable(alg), text_or_variable(key)
    if not is_name(key) and not (certificate and certificate_of(to_bytes(key))):
        key_of(to_bytes(key), certificate)  # read now: later the file may be out of reach

    def run(value: bytes, txn: Any) -> int | None:
        name, shared = algorithm(txn), secret(txn)
        return None if name is None or shared is None else _verify(value, name, shared, certificate)

    return run


@converter(
    "jwt_verify",
    BIN,
    Type.SINT,
    check=_check_verify,
    ok=["jwt_verify(HS256,secret)", "jwt_verify(txn.alg,txn.key)", "jwt_verify(RS256,txn.key)"],
    bad=["jwt_verify(HS257,secret)", "jwt_verify(HS256)", "jwt_verify(RS256,/no/key.pem)"],
)
def jwt_verify(alg: str, key: str, *, txn: None) -> Run:
    """1 when the signature of a web token is right, 0 when it is wrong, negative for any other error.

    The key is a secret for ``HS*`` and the name of a file with a public key (PEM) for ``RS*``, ``ES*`` and
    ``PS*``; it may be in a variable, as may the algorithm. A file named by a variable must be named in the
    configuration as well. -1 is an algorithm that does not exist, -2 one that is not managed, -3
    something that is no signed token, -5 a file that is not known.
    """
    return _verifier(alg, key, False)


def _check_verify_cert(alg: str, cert: str) -> None:
    if not is_name(alg) and to_bytes(alg) not in PUBLIC:
        raise ArgumentError(f"unknown JWT algorithm: {alg}")
    if is_name(cert) or certificate_of(to_bytes(cert)) is not None:
        return
    if key_of(to_bytes(cert), True) is None:
        raise ArgumentError(f"unable to load certificate '{cert}'")


@converter(
    "jwt_verify_cert",
    BIN,
    Type.SINT,
    check=_check_verify_cert,
    ok=["jwt_verify_cert(RS256,txn.cert)"],
    bad=["jwt_verify_cert(RS256,/no/cert.pem)", "jwt_verify_cert(HS256,txn.cert)"],
)
def jwt_verify_cert(alg: str, cert: str, *, txn: None) -> Run:
    """As ``jwt_verify`` with the public key of a certificate: a PEM file, or one that ``crt-store`` has
    loaded, which then must have ``jwt on`` (else the result is -7)."""
    return _verifier(alg, cert, True)


def _secret(text: bytes) -> bytes | None:
    """Of base64 in either alphabet."""
    return from_base64url(text.rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_"))


def _check_secret(secret: str) -> None:
    if not is_name(secret) and _secret(to_bytes(secret)) is None:
        raise ArgumentError(
            "failed to parse secret: argument needs to be base64 encoded, "
            "and can either be a string or a variable"
        )


@converter(
    "jwt_decrypt_secret",
    BIN,
    BIN,
    check=_check_secret,
    ok=["jwt_decrypt_secret(GawgguFyGrWKav7AX4VKUg)", "jwt_decrypt_secret(txn.key)"],
    bad=["jwt_decrypt_secret(a)", "jwt_decrypt_secret(a,b)"],
)
def jwt_decrypt_secret(secret: str, *, txn: None) -> Run:
    """The content of an encrypted web token (RFC 7516), by a shared secret in base64; empty when it is none.

    Algorithms are ``dir``, ``A*KW`` and ``A*GCMKW``, with ``A*CBC-HS*`` and ``A*GCM`` for the content.
    """
    read = text_or_variable(secret)

    def run(value: bytes, txn: Any) -> bytes | None:
        text = read(txn)
        key = None if text is None else _secret(text)
        return None if key is None else decrypted(value, partial(_shared, key))

    return run


def _shared(
    secret: bytes, algorithm: str, header: dict[str, Any], wrapped: bytes, _size: int
) -> bytes | None:
    return content_key(algorithm, header, wrapped, secret)


def _check_jwk(jwk: str) -> None:
    if not is_name(jwk):
        _read_jwk(to_bytes(jwk))


def _read_jwk(text: bytes) -> ContentKey:
    from evener.haproxy.jwk import JwkError, read_jwk

    try:
        return read_jwk(text)
    except JwkError as error:
        raise ArgumentError(str(error)) from None


@converter(
    "jwt_decrypt_jwk",
    BIN,
    BIN,
    check=_check_jwk,
    ok=["""jwt_decrypt_jwk('{"kty":"oct","k":"wAsgsg"}')""", "jwt_decrypt_jwk(txn.jwk)"],
    bad=["jwt_decrypt_jwk(a)", "jwt_decrypt_jwk('{}')", "jwt_decrypt_jwk(txn.a,b)"],
)
def jwt_decrypt_jwk(jwk: str, *, txn: None) -> Run:
    """The content of an encrypted web token (RFC 7516), by a web key (RFC 7517); empty when it is none.

    A key of type ``oct`` does what ``jwt_decrypt_secret`` does, one of type ``RSA`` opens ``RSA-OAEP``,
    ``RSA-OAEP-256`` and, where ``jwt.decrypt_alg_list`` permits it, ``RSA1_5``, and one of type ``EC``
    (P-256, P-384, P-521) opens ``ECDH-ES`` with or without ``+A*KW``. The key may be in a variable.
    """
    if not is_name(jwk):
        key = _read_jwk(to_bytes(jwk))
        return lambda value, txn: decrypted(value, key)
    read = text_or_variable(jwk)

    def run(value: bytes, txn: Any) -> bytes | None:
        text = read(txn)
        try:
            return None if text is None else decrypted(value, _read_jwk(text))
        except ArgumentError:
            return b""

    return run


def _check_certificate(cert: str) -> None:
    if is_name(cert):
        return
    found = certificate_of(to_bytes(cert))
    if found is None:
        raise ArgumentError(f"unknown certificate {cert}")
    if not found.usable:
        raise ArgumentError(f'unusable certificate {cert} ("jwt" option not set to "on")')


@converter(
    "jwt_decrypt_cert",
    BIN,
    BIN,
    check=_check_certificate,
    ok=["jwt_decrypt_cert(txn.cert)"],
    bad=["jwt_decrypt_cert(/no/cert.pem)", "jwt_decrypt_cert(txn.a,b)"],
)
def jwt_decrypt_cert(cert: str, *, txn: None) -> Run:
    """The content of an encrypted web token (RFC 7516), by the private key of a certificate; empty when it is
    none.

    The certificate is named as ``crt-store`` has loaded it, with ``jwt on``; the name may be in a variable.
    An RSA key opens ``RSA-OAEP``, ``RSA-OAEP-256`` and, where ``jwt.decrypt_alg_list`` permits it,
    ``RSA1_5``, one on an elliptic curve opens ``ECDH-ES`` with or without ``+A*KW``.
    """
    read = text_or_variable(cert)

    def run(value: bytes, txn: Any) -> bytes | None:
        name = read(txn)
        if name is None:
            return None
        found = certificate_of(name)
        opening = found.opening if found is not None and found.usable else None
        return b"" if opening is None else decrypted(value, opening)

    return run
