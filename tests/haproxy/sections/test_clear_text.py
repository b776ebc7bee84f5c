"""A file that wants TLS is checked, and not run in clear text."""

from pathlib import Path

import pytest
from config_text import DEFAULTS, read

from evener.haproxy.clear_text import refuse_clear_text
from evener.text.diagnostic import Diagnostics


@pytest.mark.parametrize(
    ("bind", "server", "refused"),
    [
        ("", "server s 127.0.0.1:80", []),
        ("", "server s 127.0.0.1:80 ssl verify none", ["server 'l/s'"]),
        ("", "server s 127.0.0.1:80 check-ssl verify none", []),
        ("", "server-template t 2 127.0.0.1:80 ssl verify none", ["servers 'l/t'"]),
        ("", "default-server ssl verify none\n server s 127.0.0.1:80", ["server 'l/s'"]),
        ("", "default-server ssl verify none\n server s 127.0.0.1:80 no-ssl", []),
        ("ssl crt {pem}", "server s 127.0.0.1:80", ["listener ':8080' of proxy 'l'"]),
    ],
)
def test_what_is_refused(bind: str, server: str, refused: list[str], tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    pem.write_text("")
    made, _ = read(f"defaults{DEFAULTS}listen l\n bind :8080 {bind.format(pem=pem)}\n {server}\n", tmp_path)
    found = Diagnostics()
    refuse_clear_text(made, found)
    told = [diagnostic.message for diagnostic in found]
    assert len(told) == len(refused)
    assert all(f"{who} asks for 'ssl'" in text for who, text in zip(refused, told, strict=True))
