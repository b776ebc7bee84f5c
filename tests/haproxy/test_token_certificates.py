"""Certificates of ``crt-store`` with which web tokens are verified and opened."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from samples import failure, txn, value
from sections.config_text import printed, read
from test_jwk import token, url64
from test_runtime_api import Machine

from evener.haproxy import token_certificates
from evener.haproxy.commands import PermitCertificate
from evener.haproxy.libcrypto import library
from evener.haproxy.sample import Sample, Type

pytestmark = [
    pytest.mark.skipif(library() is None, reason="no libcrypto"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command"),
]
STORE = """
global
    crt-base {0}
    key-base {0}
crt-store
    load crt a.pem key a.key jwt on
crt-store web
    load crt a.pem key a.key jwt on alias main
    load crt b.pem jwt off
"""


def openssl(*words: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, check=True).stdout


@pytest.fixture
def loaded(tmp_path: Path) -> Path:
    """A folder with a certificate and its key, each in a file of its own and both together; read as above."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a",
            "-keyout", tmp_path / "a.key", "-out", tmp_path / "a.pem")  # fmt: skip
    (tmp_path / "b.pem").write_bytes((tmp_path / "a.pem").read_bytes() + (tmp_path / "a.key").read_bytes())
    _, found = read(STORE.format(tmp_path), tmp_path)
    assert not printed(found, tmp_path)
    return tmp_path


def opened(name: str, given: bytes) -> object:
    here = txn()
    here.vars["txn.cert"] = Sample(Type.STR, name.encode())
    here.vars["txn.jwe"] = Sample(Type.STR, given)
    return value("var(txn.jwe),jwt_decrypt_cert(txn.cert)", here)


def test_tokens_are_opened_with_the_private_key(loaded: Path) -> None:
    key = b"k" * 16
    wrapped = openssl("pkeyutl", "-encrypt", "-certin", "-inkey", loaded / "a.pem",
                      "-pkeyopt", "rsa_padding_mode:oaep", given=key)  # fmt: skip
    given = token({"alg": "RSA-OAEP", "enc": "A128GCM"}, wrapped, key, b"hello")
    assert opened(f"{loaded}/a.pem", given) == b"hello"
    assert opened("@web/main", given) == b"hello"
    for unusable in ("@web/b.pem", "a.pem", "@web/a.pem"):
        assert opened(unusable, given) == b"", unusable
    token_certificates.permit(b"@web/b.pem", True)
    assert opened("@web/b.pem", given) == b"hello"
    assert opened("@web/main", given[:-2]) == b""


def test_what_a_line_may_name(loaded: Path) -> None:
    assert "unknown certificate a.pem" in failure("str(a),jwt_decrypt_cert(a.pem)")
    assert "unusable certificate @web/b.pem" in failure("str(a),jwt_decrypt_cert(@web/b.pem)")
    assert value(f"str(a.b.c.d.e),jwt_decrypt_cert({loaded}/a.pem)") == b""


def test_signatures_are_verified_by_them(loaded: Path) -> None:
    signed = url64(json.dumps({"alg": "RS256"}).encode()) + "." + url64(b"{}")
    made = openssl("dgst", "-sha256", "-sign", loaded / "a.key", given=signed.encode())
    here = txn()
    here.vars["txn.jwt"] = Sample(Type.STR, f"{signed}.{url64(made)}".encode())
    for name, expected in (("@web/main", 1), (f"{loaded}/a.pem", 1), ("@web/b.pem", -7), ("@web/x", -5)):
        here.vars["txn.name"] = Sample(Type.STR, name.encode())
        assert value("var(txn.jwt),jwt_verify_cert(RS256,txn.name)", here) == expected, name


def test_operators_permit_and_forbid(loaded: Path) -> None:
    machine = Machine()
    assert machine.ask("show ssl jwt") == f"# filename\n{loaded}/a.pem\n@web/main\n\n"
    assert machine.ask("del ssl jwt @web/main") == "\n"
    assert machine.ask("add ssl jwt @web/b.pem") == "\n"
    assert machine.ask("show ssl jwt") == f"# filename\n{loaded}/a.pem\n@web/b.pem\n\n"
    assert machine.performed[-2:] == [
        PermitCertificate("@web/main", False),
        PermitCertificate("@web/b.pem", True),
    ]
