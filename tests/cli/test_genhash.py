"""``genhash`` beside the original: the same words, the same pages, the same output."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

PEER = shutil.which("genhash", path="/usr/bin:/usr/sbin")
OURS = [
    sys.executable,
    "-c",
    "import sys; from evener.cli.genhash import main; sys.exit(main(program='genhash'))",
]
CERTIFICATE = Path(__file__).parents[2] / "fixtures" / "tls" / "server.pem"
PAGE = bytes(range(256)) + b"<p>evener</p>" * 40
ANSWERS = {
    b"/short": b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE,
    b"/open": b"HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n" + PAGE,
    b"/more": b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n" + PAGE,
    b"/none": b"no header here",
    b"/empty": b"HTTP/1.0 200 OK\r\n\r\n",
    b"/cut": b"HTTP/1.0 200 OK\r\n\r\npage",
}


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """A server that answers in one piece, in plain and over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    ending = threading.Event()

    def serve(listening: socket.socket, secured: bool) -> None:
        while not ending.is_set():
            try:
                connection = listening.accept()[0]
            except TimeoutError:
                continue
            connection.settimeout(5)
            try:
                spoken = context.wrap_socket(connection, server_side=True) if secured else connection
                path = spoken.recv(4096).split(b" ")[1]
                spoken.sendall(ANSWERS.get(path, b""))
                if isinstance(spoken, ssl.SSLSocket) and path != b"/cut":
                    spoken.unwrap()
                spoken.close()
            except (OSError, IndexError):
                connection.close()

    found, threads = {}, []
    sockets = []
    for name in ("plain", "tls", "six"):
        host, family = ("::1", socket.AF_INET6) if name == "six" else ("127.0.0.1", socket.AF_INET)
        listening = socket.create_server((host, 0), family=family)
        listening.settimeout(0.1)
        sockets.append(listening)
        found[name] = listening.getsockname()[1]
        threads.append(threading.Thread(target=serve, args=(listening, name == "tls")))
        threads[-1].start()
    yield found
    ending.set()
    for thread in threads:
        thread.join()
    for listening in sockets:
        listening.close()


def run(program: list[str], *words: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run([*program, *words], capture_output=True, timeout=30, check=False)
    out = re.sub(rb"= \d+ usecs", b"= N usecs", done.stdout)
    return done.returncode, out, re.sub(rb"Usage: \S*genhash", b"Usage: genhash", done.stderr)


def beside(*words: str) -> tuple[int, bytes, bytes]:
    """What ours does; the same as the original does, where that is installed."""
    ours = run(OURS, *words)
    if PEER is not None:
        assert ours == run([PEER], *words)
    return ours


def fetched(port: int, *words: str) -> tuple[int, bytes, bytes]:
    return beside("-s", "127.0.0.1", "-p", str(port), *words)


def test_a_page(ports: dict[str, int]) -> None:
    digest = hashlib.md5(PAGE).hexdigest().encode() + b"\n"
    assert fetched(ports["plain"], "-u", "/short") == (0, digest, b"")
    assert fetched(ports["plain"], "--url=/open", "-P", "1.1") == (0, digest, b"")
    assert fetched(ports["tls"], "-S", "-u", "/short") == (0, digest, b"")
    assert fetched(ports["tls"], "--use-ssl", "-I", "-V", "server.example", "-u", "/short") == (
        0,
        digest,
        b"",
    )


def test_where_to_and_how(ports: dict[str, int]) -> None:
    digest = hashlib.md5(PAGE).hexdigest().encode() + b"\n"
    six = ("-s", "::1", "-p", str(ports["six"]), "-u", "/short")
    assert beside(*six) == beside(*six, "-V", "www.example", "-P", "1.0c") == (0, digest, b"")
    assert beside("-vs", "127.0.0.1", f"-p{ports['plain']}", "-u/short")[0] == 0
    assert beside("--serv=127.0.0.1", f"--po={ports['plain']}", "--ur", "/short") == (0, digest, b"")
    said = b"SSL handshake/communication error connecting to\n"
    assert fetched(ports["plain"], "-S", "-u", "/short") == (0, said, b"")


def test_only_what_content_length_says_counts(ports: dict[str, int]) -> None:
    assert fetched(ports["plain"], "-u", "/more")[1].strip().decode() == hashlib.md5(PAGE[:10]).hexdigest()


@pytest.mark.parametrize("path", sorted(ANSWERS))
def test_verbose(ports: dict[str, int], path: bytes) -> None:
    for words in ((str(ports["plain"]),), (str(ports["tls"]), "-S")):
        out = beside("-s", "127.0.0.1", "-p", *words, "-v", "-u", path.decode())[1]
        assert b"HTTP Header Buffer" in out


def test_no_answer(ports: dict[str, int]) -> None:
    assert fetched(ports["plain"], "-u", "/silent") == (0, b"", b"no data received from remote webserver\n")
    assert fetched(ports["plain"], "-u", "/none")[2] == b"no data received from remote webserver\n"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert fetched(port, "-u", "/")[:2] == (0, b"Connection failed\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), ""),
        (("-h", "-v"), ""),
        (("-x", "-s", "127.0.0.1"), "Unknown option -x\n"),
        (("--nothing", "-s", "127.0.0.1"), "Unknown option --nothing\n"),
        (("-s", "127.0.0.1", "-p"), "Missing parameter for option -p\n"),
        (("-s", "name", "-p", "80"), "server should be an IP, not name\n"),
        (("-p", "0", "-u", "/"), "invalid port number '0'\n"),
        (("-P", "2", "-u", "/"), "invalid HTTP protocol version '2'\n"),
        (("-t", "x", "-u", "/"), "invalid timeout 'x'\n"),
        (("-m", "x", "-u", "/"), "invalid fwmark 'x'\n"),
        (("-s", "127.0.0.1", "-p", "80", "-u", "/", "more", "words"), "Unexpected argument(s): more words\n"),
        (("-s", "127.0.0.1", "-u", "/"), ""),
    ],
)
def test_command_lines_that_are_wrong(words: tuple[str, ...], said: str) -> None:
    code, out, told = beside(*words)
    assert (code, out) == (1, b"")
    assert told.decode().startswith(f"{said}Usage: genhash COMMAND [OPTIONS]\n")


def test_keepalived_does_the_same(ports: dict[str, int]) -> None:
    ours = [sys.executable, "-c", "import sys; from evener.cli.keepalived import main; sys.exit(main())"]
    words = ["-s", "127.0.0.1", "-p", str(ports["plain"]), "-u", "/short"]
    digest = hashlib.md5(PAGE).hexdigest().encode() + b"\n"
    assert run([*ours, "--genhash"], *words) == (0, digest, b"")
    code, out, told = run([*ours, "-n", "-T"], *words)
    assert (code, out) == (0, digest)
    assert told == b"Warning -- `-T` not used as first option, previous options ignored\n"
