"""Bad input of every kind: what HAProxy 3.5-dev5 refuses is refused at the same lines, and nothing grows."""

from pathlib import Path

import pytest

from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity

D = b"defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
SERVER = b"backend b\n server s 1.2.3.4:80"
CASES: dict[str, tuple[bytes, list[int]]] = {
    "NUL": (D + b"backend b\n server s\0x 1.2.3.4:80\n", [7]),
    "GBK": (D + "backend b\n server 服务 1.2.3.4:80\n".encode("gbk"), [7]),
    "GBK in comments": (D + "# 负载均衡\n".encode("gbk") + SERVER + b"\n", []),
    "NBSP": (D + "backend b\n server\u00a0s 1.2.3.4:80\n".encode(), [7]),
    "NBSP in Latin-1": (D + b"backend b\n\xa0server s 1.2.3.4:80\n", [7]),
    "CRLF": ((D + SERVER + b"\n").replace(b"\n", b"\r\n"), []),
    "a single quote": (D + b"backend b\n server s '1.2.3.4:80\n", [7]),
    "a double quote": (D + b'backend b\n server s "1.2.3.4:80\n', [7]),
    "64 words": (D + SERVER + b" check" * 61 + b"\n", []),
    "66 words": (D + SERVER + b" check" * 63 + b"\n", [7]),
    "a megabyte in a word": (D + SERVER + b" " + b"x" * 1_000_000 + b"\n", [7]),
    "a megabyte in a comment": (D + b"# " + b"x" * 1_000_000 + b"\n" + SERVER + b"\n", []),
    "no LF at the end": (D + SERVER, [7]),
    "a variable of itself": (b'global\n setenv A "x$A"\n presetenv B "x$B"\n' + D, []),
    "99 .if": (D + b".if 1\n" * 99 + b".endif\n" * 99, []),
    "100 .if": (D + b".if 1\n" * 100 + b".endif\n" * 100, [105]),
    "UTF-16": (D.decode().encode("utf-16"), [1]),
    "a mark of UTF-8": (b"\xef\xbb\xbf" + D, [1, 2, 3, 4, 5]),
}


def refused(data: bytes, where: Path) -> list[int]:
    """The lines with errors."""
    path = where / "bad.cfg"
    path.write_bytes(data)
    found = Diagnostics()
    try:
        load([str(path)], found, ReadOptions(), lambda host, family: None)
    except FatalConfiguration:
        pass
    alerts = [entry for entry in found if entry.severity is Severity.ALERT]
    return sorted({entry.span.line for entry in alerts if entry.span is not None})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.timeout(20)
def test_refused_where_it_is_wrong(name: str, tmp_path: Path) -> None:
    data, lines = CASES[name]
    assert refused(data, tmp_path) == lines


@pytest.mark.timeout(20)
def test_variables_do_not_grow_without_end(tmp_path: Path) -> None:
    doubled = b"global\n setenv A " + b"x" * 64 + b"\n" + b' setenv A "$A$A"\n' * 40 + D
    assert refused(doubled, tmp_path)
    many = b'global\n setenv A "' + b"x" * 500_000 + b'"\n'
    many += b"".join(b' setenv B%d "$A"\n' % number for number in range(200)) + D
    assert refused(many, tmp_path)
    one_line = b'global\n setenv A "' + b"x" * 100_000 + b'"\n setenv B "' + b"$A" * 100_000 + b'"\n' + D
    assert refused(one_line, tmp_path) == [3]
