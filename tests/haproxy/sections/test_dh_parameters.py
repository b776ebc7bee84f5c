"""Diffie-Hellman parameters: the original's warning about short ones, and files that have none."""

from pathlib import Path

import pytest
from config_text import DEFAULTS, read

OWN = "-----BEGIN DH PARAMETERS-----\n-----END DH PARAMETERS-----\n"


def said(tmp_path: Path, size: int, options: str, more: str = "") -> list[str]:
    text = f"global\n  tune.ssl.default-dh-param {size}\n{more}defaults{DEFAULTS}"
    _, found = read(f"{text}frontend f\n  bind :1 ssl {options}\n", tmp_path)
    return [entry.message for entry in found if "DH param" in entry.message]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.pem").touch()
    (tmp_path / "own.pem").write_text(OWN)
    (tmp_path / "d").mkdir()
    for name in ("a.pem", "b.pem", ".hidden"):
        (tmp_path / "d" / name).touch()
    (tmp_path / "list").write_text("plain.pem\nplain.pem x.example\n")


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ("crt plain.pem", ["plain.pem"]),
        ("crt own.pem", []),
        ("crt d", ["d/a.pem", "d/b.pem"]),
        ("crt plain.pem crt own.pem", ["plain.pem"]),
        ("crt-list list", ["plain.pem"]),
    ],
)
def test_each_certificate_is_warned_about(options: str, files: list[str], tmp_path: Path) -> None:
    found = said(tmp_path, 1024, options)
    list_of = "'crt-list' : " if "crt-list" in options else ""
    assert found == [
        f"'bind :1' in section 'frontend' : \n  {list_of}unable to load default 1024 bits DH parameter for "
        f"certificate '{file}'.\n  , DH ciphers won't be available."
        for file in files
    ]


def test_longer_ones_and_a_file_of_them_are_fine(tmp_path: Path) -> None:
    assert said(tmp_path, 2048, "crt plain.pem") == []
    assert said(tmp_path, 1024, "crt plain.pem", "  ssl-dh-param-file own.pem\n") == []
    wrong, *_ = said(tmp_path, 1024, "crt plain.pem", "  ssl-dh-param-file plain.pem\n")
    assert "unable to load DH parameters from file <plain.pem>" in wrong
