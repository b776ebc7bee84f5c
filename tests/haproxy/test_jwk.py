"""Web keys that open encrypted tokens; the agreement is that of RFC 7518, appendix C."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import txn, value

from evener.haproxy import jose
from evener.haproxy.jwk import JwkError, derived, read_jwk
from evener.haproxy.libcrypto import aes, library
from evener.haproxy.sample import Sample, Type

pytestmark = pytest.mark.skipif(library() is None, reason="no libcrypto")
ALICE = {
    "kty": "EC", "crv": "P-256",
    "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
}  # fmt: skip
BOB = {
    "kty": "EC", "crv": "P-256",
    "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
}  # fmt: skip
AGREED = base64.urlsafe_b64decode("VqqN6vgjbSBcIijNcacQGg==")
RSA_PARTS = ("n", "e", "d", "p", "q", "dp", "dq", "qi")


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header: dict[str, object], wrapped: bytes, key: bytes, text: bytes) -> bytes:
    """Enciphered with A128GCM."""
    head = url64(json.dumps(header).encode()).encode()
    made = aes("aes-128-gcm", key, bytes(12), text, encrypt=True, more=head)
    assert made is not None
    rest = (wrapped, bytes(12), *made)
    return b".".join([head, *(url64(part).encode() for part in rest)])


def opened(key: dict[str, str] | str, given: bytes) -> bytes | None:
    here = txn()
    text = key if isinstance(key, str) else json.dumps(key)
    here.vars["txn.jwk"] = Sample(Type.STR, text.encode())
    here.vars["txn.jwe"] = Sample(Type.STR, given)
    found = value("var(txn.jwe),jwt_decrypt_jwk(txn.jwk)", here)
    assert found is None or isinstance(found, bytes)
    return found


def test_what_both_sides_agree_on() -> None:
    header: dict[str, object] = {
        "alg": "ECDH-ES",
        "enc": "A128GCM",
        "apu": "QWxpY2U",
        "apv": "Qm9i",
        "epk": ALICE,
    }
    assert read_jwk(json.dumps(BOB).encode())("ECDH-ES", header, b"", 16) == AGREED
    assert opened(BOB, token(header, b"", AGREED, b"hello")) == b"hello"
    assert opened(BOB, token(header, b"x", AGREED, b"hello")) == b""
    assert opened(BOB, token({**header, "epk": {**ALICE, "x": ALICE["y"]}}, b"", AGREED, b"hello")) == b""
    assert opened(BOB, token({**header, "epk": 5}, b"", AGREED, b"hello")) == b""


def test_an_agreement_that_wraps_the_key() -> None:
    header: dict[str, object] = {"alg": "ECDH-ES+A256KW", "enc": "A128GCM", "epk": ALICE}
    agree = read_jwk(json.dumps(BOB).encode())
    plain: dict[str, object] = {"enc": "A256GCM", "epk": ALICE}
    assert agree("ECDH-ES", plain, b"", 32) is not None
    # what is agreed on is the same; what is made of it depends on the algorithm that is named
    secret = shared_secret()
    wrapping = derived(secret, "ECDH-ES+A256KW", header, 32)
    made = aes("aes-256-wrap", wrapping, b"", b"k" * 16, encrypt=True)
    assert made is not None
    assert opened(BOB, token(header, made[0], b"k" * 16, b"hello")) == b"hello"


def shared_secret() -> bytes:
    from evener.haproxy.jwk import _EC_PUBLIC, _point
    from evener.haproxy.libcrypto import private_key, public_der

    point, other = _point(BOB), _point(ALICE)
    assert point is not None
    assert other is not None
    number = base64.urlsafe_b64decode(BOB["d"] + "=")
    parts = jose.der_integer(b"\1") + jose.der_of(4, number) + jose.der_of(0xA0, point[0])
    mine = private_key(jose.der_of(0x30, parts))
    theirs = public_der(
        jose.der_of(0x30, jose.der_of(0x30, _EC_PUBLIC + other[0]) + jose.der_of(3, b"\0" + other[1]))
    )
    assert mine is not None
    assert theirs is not None
    found = mine.agrees(theirs)
    assert found is not None
    return found


def numbers(der: bytes) -> Iterator[bytes]:
    """The integers of an ASN.1 sequence."""
    at = 4
    while at < len(der):
        size, at = der[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(der[at : at + count], "big"), at + count
        yield der[at : at + size].lstrip(b"\0")
        at += size


def openssl(*words: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command")
    path = tmp_path_factory.mktemp("rsa") / "k"
    openssl("genrsa", "-out", path, "2048")
    der = openssl("rsa", "-in", path, "-outform", "DER", "-traditional")
    parts = list(numbers(der))[1:]
    return path, {"kty": "RSA", **{name: url64(part) for name, part in zip(RSA_PARTS, parts, strict=True)}}


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        ("RSA-OAEP", ["rsa_padding_mode:oaep"]),
        ("RSA-OAEP-256", ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"]),
        ("RSA1_5", ["rsa_padding_mode:pkcs1"]),
    ],
)
def test_keys_wrapped_for_rsa(rsa: tuple[Path, dict[str, str]], algorithm: str, options: list[str]) -> None:
    path, key = rsa
    words = [word for option in options for word in ("-pkeyopt", option)]
    wrapped = openssl("pkeyutl", "-encrypt", "-inkey", path, *words, given=b"0123456789abcdef")
    made = token({"alg": algorithm, "enc": "A128GCM"}, wrapped, b"0123456789abcdef", b"hello")
    assert opened(key, made) == (b"" if algorithm == "RSA1_5" else b"hello"), "RFC 8725 3.2"
    jose.permit(jose.KEY_ALGORITHMS, "ALL:!dir")
    try:
        assert opened(key, made) == b"hello"
    finally:
        jose.permit(jose.KEY_ALGORITHMS, "ALL:!RSA1_5")
    assert opened(BOB, made) == b""
    assert opened({name: part for name, part in key.items() if name != "qi"}, made) == b""


def test_only_what_is_permitted_is_opened() -> None:
    secret = {"kty": "oct", "k": url64(b"0123456789abcdef")}
    made = token({"alg": "dir", "enc": "A128GCM"}, b"", b"0123456789abcdef", b"hello")
    assert opened(secret, made) == b"hello"
    jose.permit(jose.CONTENT_KEYS, "A256GCM")
    try:
        assert opened(secret, made) == b""
    finally:
        jose.permit(jose.CONTENT_KEYS, "ALL")
    assert opened(secret, made) == b"hello"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Missing key type"), ("[]", "Missing key type"), ("{}", "Missing key type"),
        ('{"kty":5}', "Missing key type"), ("[" * 100_000, "Missing key type"),
        ('{"kty":"OKP"}', "Unmanaged key type"), ('{"kty":"oct"}', "Missing 'k' field in JWK"),
        ('{"kty":"RSA","n":"AQAB"}', "Failed to parse RSA JWK"),
        (json.dumps({"kty": "RSA", **dict.fromkeys(RSA_PARTS, "AQAB")})[:-1], "Missing key type"),
        ('{"kty":"EC","crv":"P-1","x":"AA","y":"AA","d":"AA"}', "Failed to parse EC JWK"),
        (json.dumps({**BOB, "y": BOB["x"]}), "Failed to parse EC JWK"),
        (json.dumps({**BOB, "x": BOB["x"] * 40}), "Failed to parse EC JWK"),
    ],
)  # fmt: skip
def test_texts_that_are_no_keys(text: str, told: str) -> None:
    with pytest.raises(JwkError, match=told):
        read_jwk(text.encode())
    assert opened(text, b"a.b.c.d.e") in (b"", None)
