"""Converters that encrypt, and that verify and decrypt web tokens; figures are those of HAProxy 3.5-dev5."""

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from samples import txn, value

from evener.haproxy.converters.encodings import from_base64
from evener.haproxy.jose import der_signature
from evener.haproxy.libcrypto import aes, library
from evener.haproxy.sample import Sample, Type

pytestmark = pytest.mark.skipif(library() is None, reason="no libcrypto")
KEY, NONCE = "Zm9vb2Zvb29mb29vb29vbw==", "MTIzNDU2Nzg5MDEyMzQ1Ng=="


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"str(hello),aes_cbc_enc(128,MTIzNDU2Nzg5MDEy,{KEY}),hex", b"486C59B81FF23F277CCD3067E5CF98D2"),
        (f"str(hello),aes_cbc_enc(128,{NONCE},{KEY}),hex", b"B5A3E960DA9F07C571DF171D9F9AAD35"),
        (f"str(hello),aes_cbc_enc(128,{NONCE},{KEY},dGVzdAo=),hex", b"B5A3E960DA9F07C571DF171D9F9AAD35"),
        (f"str(hello),aes_cbc_enc(128,{NONCE},Zm9v),hex", None),
        (f"str(hello),aes_cbc_enc(128,{NONCE},{KEY}),aes_cbc_dec(128,{NONCE},{KEY})", b"hello"),
        (f"str(hello),aes_cbc_dec(128,{NONCE},{KEY})", None),
        (f"str(hello),aes_gcm_enc(128,MTIzNDU2Nzg5MDEy,{KEY},txn.t,dGVzdAo=),hex", b"8964610730"),
    ],
)
def test_aes(expression: str, expected: bytes | None) -> None:
    found = value(expression)
    assert found == expected


def test_the_tag_vouches_for_everything() -> None:
    here = txn()
    value(f"str(hello),aes_gcm_enc(256,{NONCE},{KEY[:-2]}Zm9vb2Zvb29mb29vbw==,txn.t)", here)
    made = value(f"str(hello),aes_gcm_enc(128,MTIzNDU2Nzg5MDEy,{KEY},txn.t,dGVzdAo=)", here)
    assert made is not None
    assert here.vars["txn.t"].value == b"yq7DyyPWII6ZW3oFodgw7Q=="
    here.vars["txn.c"] = Sample(Type.BIN, made)
    found = value(f"var(txn.c),aes_gcm_dec(128,MTIzNDU2Nzg5MDEy,{KEY},txn.t,dGVzdAo=)", here)
    assert found == b"hello"
    assert value(f"var(txn.c),aes_gcm_dec(128,MTIzNDU2Nzg5MDEy,{KEY},txn.t)", here) is None
    here.vars["txn.t"] = Sample(Type.STR, b"AAAA")
    assert value(f"var(txn.c),aes_gcm_dec(128,MTIzNDU2Nzg5MDEy,{KEY},txn.t,dGVzdAo=)", here) is None


def url64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def openssl(*words: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, check=True).stdout


def plain_pair(der: bytes, half: int) -> bytes:
    """The two numbers of an ASN.1 signature side by side."""
    at, numbers = (3 if der[1] & 0x80 else 2), []
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big").to_bytes(half, "big"))
        at += 2 + length
    return b"".join(numbers)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
@pytest.mark.parametrize(
    ("algorithm", "making", "signing", "half"),
    [
        ("RS256", ["-algorithm", "RSA"], [], 0),
        (
            "PS384",
            ["-algorithm", "RSA"],
            ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:48"],
            0,
        ),
        ("ES256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], [], 32),
        ("ES512", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], [], 66),
    ],
)
def test_public_keys(
    tmp_path: Path, algorithm: str, making: Sequence[str], signing: Sequence[str], half: int
) -> None:
    private, public, certificate = (tmp_path / name for name in ("k", "p.pem", "c.pem"))
    openssl("genpkey", *making, "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    openssl("req", "-x509", "-new", "-key", private, "-subj", "/CN=a", "-out", certificate)
    signed = url64(json.dumps({"alg": algorithm}).encode()) + b"." + url64(b'{"a":1}')
    signature = openssl("dgst", f"-sha{algorithm[2:]}", "-sign", private, *signing, given=signed)
    signature = plain_pair(signature, half) if half else signature
    here = txn()
    other = "ES384" if half else "RS512"
    for token, verify, expected in (
        (signature, f"jwt_verify({algorithm},{public})", 1),
        (signature, f"jwt_verify_cert({algorithm},{certificate})", 1),
        (signature[:-1] + bytes((signature[-1] ^ 1,)), f"jwt_verify({algorithm},{public})", 0),
        (signature, f"jwt_verify({other},{public})", 0),
        (signature, f"jwt_verify({'RS256' if half else 'ES256'},{public})", 0),
        (signature, f"jwt_verify({algorithm},txn.path)", 1),
        (signature, f"jwt_verify_cert({algorithm},txn.path)", -5),
    ):
        here.vars["txn.path"] = Sample(Type.STR, str(public).encode())
        here.vars["txn.jwt"] = Sample(Type.STR, signed + b"." + url64(token))
        found = value(f"var(txn.jwt),{verify}", here)
        assert found == expected, verify


def test_numbers_of_a_signature() -> None:
    assert der_signature(b"\x80\x00\x00\x01") == bytes.fromhex("3008 0203 008000 0201 01".replace(" ", ""))
    assert der_signature(bytes(4)) == bytes.fromhex("3006020100020100")


def encrypted(algorithm: str, encryption: str, secret: bytes, text: bytes) -> bytes:
    """A token, made by the rules of RFC 7518."""
    header: dict[str, str] = {"alg": algorithm, "enc": encryption}
    bits = int(encryption[1:4])
    key = secret if algorithm == "dir" else bytes(range(bits // 8 * (2 if "CBC" in encryption else 1)))
    wrapped = b""
    if algorithm.endswith("GCMKW"):
        made = aes(f"aes-{algorithm[1:4]}-gcm", secret, bytes(12), key, encrypt=True)
        assert made is not None
        wrapped = made[0]
        header |= {"iv": url64(bytes(12)).decode(), "tag": url64(made[1]).decode()}
    elif algorithm.endswith("KW"):
        made = aes(f"aes-{algorithm[1:4]}-wrap", secret, b"", key, encrypt=True)
        assert made is not None
        wrapped = made[0]
    head = url64(json.dumps(header).encode())
    if encryption.endswith("GCM"):
        made = aes(f"aes-{bits}-gcm", key, bytes(12), text, encrypt=True, more=head)
        assert made is not None
        nonce, (cipher, tag) = bytes(12), made
    else:
        import hmac

        half = bits // 8
        made = aes(f"aes-{bits}-cbc", key[half:], bytes(16), text, encrypt=True)
        assert made is not None
        nonce, cipher = bytes(16), made[0]
        covered = head + nonce + cipher + (8 * len(head)).to_bytes(8, "big")
        tag = hmac.digest(key[:half], covered, f"sha{16 * half}")[:half]
    return b".".join([head, *map(url64, (wrapped, nonce, cipher, tag))])


@pytest.mark.parametrize("encryption", ["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"])
@pytest.mark.parametrize("algorithm", ["dir", "A128KW", "A256KW", "A192GCMKW"])
def test_encrypted_tokens(algorithm: str, encryption: str) -> None:
    size = int((algorithm if algorithm != "dir" else encryption)[1:4]) // 8
    secret = bytes(range(7, 7 + size * (2 if algorithm == "dir" and "CBC" in encryption else 1)))
    token = encrypted(algorithm, encryption, secret, b"the content")
    here = txn()
    here.vars["txn.key"] = Sample(Type.STR, base64.b64encode(secret))
    parts = token.split(b".")
    spoiled = b".".join([*parts[:4], b"A" * len(parts[4])])
    for given, expected in ((token, b"the content"), (spoiled, b""), (b"a.b.c", b""), (b"....", b"")):
        here.vars["txn.jwe"] = Sample(Type.STR, given)
        found = value("var(txn.jwe),jwt_decrypt_secret(txn.key)", here)
        assert found == expected


def test_keys_of_the_wrong_length_are_refused() -> None:
    assert from_base64(KEY.encode()) is not None
    assert aes("aes-128-gcm", b"short", bytes(12), b"x", encrypt=True) is None
    assert aes("aes-128-none", bytes(16), bytes(12), b"x", encrypt=True) is None
