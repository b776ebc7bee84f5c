"""Certificates as the TLS library sees them; what is said on ``-c`` is in the experiments."""

from pathlib import Path

import pytest

from evener.haproxy import certificates, tls_library
from evener.haproxy.certificates import Habits, certificate, habits, is_sctl

FOLDER = Path(__file__).parents[2] / "fixtures" / "tls"


def test_a_good_one() -> None:
    assert certificate(str(FOLDER / "server.pem"), Habits()) == certificates.FINE


def test_short_keys_depend_on_the_security_level() -> None:
    path = str(FOLDER / "small.pem")
    assert "ee key too small" in certificate(path, Habits()).wrong
    assert certificate(path, Habits(level=0)) == certificates.FINE


def test_short_parameters_are_refused_unless_the_file_has_its_own(tmp_path: Path) -> None:
    weak = habits([("tune.ssl.default-dh-param", "1024")])
    plain, own = FOLDER / "server.pem", tmp_path / "own.pem"
    own.write_bytes(plain.read_bytes() + (FOLDER / "dh.pem").read_bytes())
    found = certificate(str(plain), weak)
    assert found.warning
    assert found.wrong.startswith(f"unable to load default 1024 bits DH parameter for certificate '{plain}'.")
    assert certificate(str(own), weak) == certificates.FINE
    assert not habits([("tune.ssl.default-dh-param", "2048")]).weak
    assert not habits([("tune.ssl.default-dh-param", "1024"), ("ssl-dh-param-file", "x")]).weak


def test_without_a_library_files_need_only_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "library", lambda: None)
    monkeypatch.setattr(tls_library, "library", lambda: None)
    assert certificate(str(FOLDER / "README"), Habits()) == certificates.FINE
    assert certificates.authority(str(FOLDER / "README")) == ""
    assert certificates.authority(str(FOLDER / "nothing")) == "No such file or directory"
    assert tls_library.knows("ciphers", "nonsense")


def test_what_the_global_section_says() -> None:
    assert habits([("ssl-load-extra-files", "none")]).extra == frozenset()
    assert habits([("ssl-load-extra-files", "sctl", "ocsp")]).extra == {"sctl", "ocsp"}
    said = habits([("ssl-load-extra-del-ext",), ("ssl-security-level", "1"), ("crt-base", "/c")])
    assert (said.without_extension, said.level, said.base) == (True, 1, "/c")
    assert habits([]) == Habits()


@pytest.mark.parametrize(
    ("data", "good"),
    [
        (b"\0\3\0\1x", True),
        (b"\0\6\0\1x\0\1y", True),
        (b"\0\4\0\1x", False),
        (b"\0\3\0\2x", False),
        (b"\0\2\0\0", False),
        (b"", False),
    ],
)
def test_lists_of_timestamps(data: bytes, good: bool) -> None:
    assert is_sctl(data) is good


@pytest.mark.parametrize("size", [0, 1, 100, 5000])
def test_any_bytes(size: int, tmp_path: Path) -> None:
    """Hostile files are refused with a reason, whatever is in them."""
    for start in (b"", b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN PRIVATE KEY-----\n\0"):
        path = tmp_path / "x.pem"
        path.write_bytes(start + bytes(range(256)) * (size // 256) + b"\xff" * (size % 256))
        assert certificate(str(path), Habits()).wrong
        assert certificates.authority(str(path))
        assert not certificates.parameters(str(path))
