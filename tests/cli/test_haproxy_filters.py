"""Compression, cache and bandwidth limits of a running haproxy: two workers, real sockets, hostile peers."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from place import eventually

pytest.importorskip("evener.engine.core")

HAPROXY = [sys.executable, "-m", "evener.cli.haproxy"]
SECONDS = 15.0
TEXT = b"the quick brown fox " * 5000
Answer = tuple[int, dict[bytes, bytes], bytes]


class Origin:
    """Answers by path; ``hits`` counts the requests it got."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.hits: dict[bytes, int] = {}
        self.requests: list[bytes] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    more = connection.recv(65536)
                    if not more:
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                if b"transfer-encoding: chunked" in head:
                    while not data.endswith(b"0\r\n\r\n"):
                        data += connection.recv(65536)
                elif b"content-length: " in head:
                    length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
                    while len(data) < length:
                        data += connection.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + data)
                data = b""
                path = head.split(b" ")[1]
                self.hits[path] = self.hits.get(path, 0) + 1
                connection.sendall(self.answer(path))
                if b"broken" in path:
                    return

    def answer(self, path: bytes) -> bytes:
        if path.startswith(b"/broken-length"):
            return b"HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 5000\r\n\r\nshort"
        if path.startswith(b"/broken-chunk"):
            head = b"HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n"
            return head + b"5\r\nhello\r\n" + (b"zz\r\n" if b"junk" in path else b"")
        if path.startswith(b"/broken-close"):
            return b"HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n\r\nto the end"
        if path.startswith(b"/vary"):
            extra = b"vary: " + b"x," * 7000 + b"\r\n"
        else:
            extra = b'etag: "e"\r\ntrailer-to-come: no\r\n'
        kind = b"content-type: text/plain\r\ncache-control: max-age=60\r\n" + extra
        if path.startswith(b"/chunked"):
            pieces = b"".join(b"%x\r\n%b\r\n" % (len(TEXT) // 4, TEXT[: len(TEXT) // 4]) for _ in range(4))
            return (
                b"HTTP/1.1 200 OK\r\n%btransfer-encoding: chunked\r\n\r\n" % kind
                + pieces
                + b"0\r\nx-t: 1\r\n\r\n"
            )
        return b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n" % (kind, len(TEXT)) + TEXT


def read(connection: socket.socket) -> Answer:
    """One response: status, headers, body (chunks undone, trailers among the headers)."""
    with connection.makefile("rb") as stream:
        return parsed(stream)


def parsed(stream: BinaryIO) -> Answer:
    while True:
        status = int(stream.readline().split()[1])
        headers = dict(header_lines(stream))
        if status >= 200:
            break
    if headers.get(b"transfer-encoding") == b"chunked":
        parts = []
        while size := int(stream.readline(), 16):
            parts.append(stream.read(size))
            assert stream.read(2) == b"\r\n"
        headers |= dict(header_lines(stream))
        return status, headers, b"".join(parts)
    if status == 304:
        return status, headers, b""
    body = stream.read(int(headers[b"content-length"])) if b"content-length" in headers else stream.read()
    return status, headers, body


def header_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while line := stream.readline().strip():
        name, _, value = line.partition(b": ")
        yield name, value


class Running:
    def __init__(self, directory: Path, origin: Origin, rules: str) -> None:
        self.directory = directory
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port: int = chosen.getsockname()[1]
        (directory / "cfg").write_text(
            f"global\n  stats socket {directory}/s level admin\n  nbthread 2\n"
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 2s\n"
            f"listen l\n  bind 127.0.0.1:{self.port}\n  server s 127.0.0.1:{origin.port}\n{rules}"
        )
        with (directory / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [*HAPROXY, "-f", "cfg"], cwd=directory, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )  # fmt: skip
        eventually(self.answers, f"serving: {(directory / 'out').read_text()}")

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.directory / "out").read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            return True
        return False

    def get(self, path: str, headers: str = "", method: str = "GET", body: bytes = b"") -> Answer:
        length = f"content-length: {len(body)}\r\n" if body else ""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            head = f"{method} {path} HTTP/1.1\r\nhost: a\r\n{length}{headers}\r\n"
            connection.sendall(head.encode() + body)
            return read(connection)

    def ask(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(f"{self.directory}/s")
            client.sendall(line.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def stat(self, name: str, column: str) -> int:
        names, *rows = self.ask("show stat").lstrip("# ").splitlines()
        at = names.split(",").index(column)
        return int(next(row.split(",")[at] for row in rows if row.startswith(f"l,{name},")))


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    with contextlib.suppress(OSError):
        made.listener.shutdown(socket.SHUT_RDWR)
    made.listener.close()


@pytest.fixture
def start(tmp_path: Path, origin: Origin) -> Iterator[Callable[[str], Running]]:
    made: list[Running] = []

    def one(rules: str) -> Running:
        made.append(Running(tmp_path, origin, rules))
        return made[-1]

    yield one
    for running in made:
        running.process.kill()
        running.process.wait()


CACHE = (
    "  http-request cache-use c\n  http-response cache-store c\n"
    "  http-response set-header x-hit %[res.cache_hit]\n"
    "cache c\n  total-max-size 4\n  max-object-size 500000\n  process-vary on\n"
)


@pytest.mark.parametrize("path", ["/plain", "/chunked"])
def test_compressed_bodies(start: Callable[[str], Running], path: str) -> None:
    running = start("  compression algo gzip\n  compression type text/plain\n")
    status, headers, body = running.get(path, "accept-encoding: gzip\r\n")
    assert (status, headers[b"content-encoding"], headers[b"etag"]) == (200, b"gzip", b'W/"e"')
    assert b"content-length" not in headers
    assert gzip.decompress(body) == TEXT
    assert headers.get(b"x-t") == (b"1" if path == "/chunked" else None), "trailers stay"
    assert running.get(path)[2] == TEXT
    assert running.stat("FRONTEND", "comp_in") == len(TEXT)
    assert running.stat("BACKEND", "comp_out") == len(body)
    assert running.stat("FRONTEND", "comp_rsp") == 1


@pytest.mark.parametrize("dropped", [False, True])
def test_trailers(start: Callable[[str], Running], origin: Origin, dropped: bool) -> None:
    options = "  option http-drop-request-trailers\n  option http-drop-response-trailers\n"
    running = start(options if dropped else "")
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(
            b"POST /chunked HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n0\r\nx-r: 0\r\n\r\n"
        )
        _, headers, body = read(connection)
    assert body == TEXT
    assert headers.get(b"x-t") == (None if dropped else b"1")
    sent = origin.requests[-1].partition(b"\r\n\r\n")[2]
    assert sent == b"5\r\nhello\r\n0\r\n" + (b"" if dropped else b"x-r: 0\r\n") + b"\r\n"


def test_compressed_requests(start: Callable[[str], Running], origin: Origin) -> None:
    running = start(
        "  compression direction request\n  compression algo-req gzip\n  compression minsize-req 10\n"
    )
    assert running.get("/up", "content-type: text/plain\r\n", "POST", TEXT)[0] == 200
    head, _, body = origin.requests[-1].partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head and b"transfer-encoding: chunked" in head
    assert b"content-length" not in head
    undone = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        undone, body = undone + body[: int(size, 16)], body[int(size, 16) + 2 :]
    assert gzip.decompress(undone) == TEXT


@pytest.mark.parametrize("path", ["/plain", "/chunked"])
def test_workers_share_a_cache(start: Callable[[str], Running], origin: Origin, path: str) -> None:
    running = start(CACHE)
    first = running.get(path)
    assert first[1][b"x-hit"] == b"0" and first[2] == TEXT
    for _ in range(30):
        _, headers, body = running.get(path)
        assert headers[b"x-hit"] == b"1" and headers[b"age"] in (b"0", b"1", b"2") and body == TEXT
    assert origin.hits == {path.encode(): 1}
    assert running.stat("FRONTEND", "cache_lookups") == 31
    assert running.stat("FRONTEND", "cache_hits") == 30
    head, entry, *_ = running.ask("show cache").splitlines()
    assert ": c (shctx:0x" in head and head.endswith("available blocks:4096)")
    assert " type:full " in entry and " refcount:0," in entry
    assert running.get(path, 'if-none-match: "e"\r\n')[::2] == (304, b"")
    assert running.get(path, 'if-none-match: "f"\r\n')[0] == 200
    assert origin.hits == {path.encode(): 1}
    assert running.get(path, method="POST", body=b"x")[0] == 200
    assert running.get(path)[1][b"x-hit"] == b"0", "what was stored is not true any more"


def test_what_comes_from_the_cache_is_compressed(start: Callable[[str], Running], origin: Origin) -> None:
    running = start("  compression algo gzip\n" + CACHE)
    for turn in range(3):
        status, headers, body = running.get("/plain", "accept-encoding: gzip\r\n")
        assert (status, headers[b"content-encoding"]) == (200, b"gzip")
        assert gzip.decompress(body) == TEXT
        assert headers[b"x-hit"] == (b"1" if turn else b"0")
    assert running.get("/plain")[2] == TEXT, "stored as the server sent it"
    assert origin.hits == {b"/plain": 1}


@pytest.mark.parametrize(
    "path", ["/broken-length", "/broken-chunk", "/broken-chunk-junk", "/broken-close", "/vary"]
)
def test_nothing_partial_is_kept(start: Callable[[str], Running], origin: Origin, path: str) -> None:
    running = start("  retries 0\n" + CACHE)
    for _ in range(2):
        with contextlib.suppress(OSError, ValueError, IndexError):
            running.get(path)
    assert origin.hits[path.encode()] == 2
    assert len(running.ask("show cache").strip().splitlines()) == 1, "only the cache's own line"


def test_clients_that_leave(start: Callable[[str], Running], origin: Origin) -> None:
    """Neither a store nor a hit that is cut short leaves a trace."""
    running = start(CACHE.replace("total-max-size 4", "total-max-size 4\n  max-age 60"))
    for path in ("/plain", "/plain", "/chunked"):
        for wait in (False, True):
            with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode())
                if wait:
                    connection.recv(100)
    for path in ("/plain", "/chunked"):
        assert running.get(path)[2] == TEXT
        assert running.get(path)[2] == TEXT

    def unread() -> bool:
        lines = running.ask("show cache").strip().splitlines()[1:]
        return bool(lines) and all(" refcount:0," in line for line in lines)

    eventually(unread, "nobody reads any more")


def test_early_hints(start: Callable[[str], Running]) -> None:
    running = start("  http-request early-hint link </a>\n  http-request early-hint link </b>\n")
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        data = b""
        while b"200 OK" not in data:
            data += connection.recv(65536)
    assert data.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nlink: </b>\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_limited_bodies_arrive_whole(start: Callable[[str], Running], mode: str) -> None:
    """They wait for their turn longer than the server may be silent, and nobody is late."""
    rules = "http-request" if mode == "http" else "mode tcp\n  tcp-request content"
    running = start(
        "  filter bwlim-out slow default-limit 40k default-period 1s min-size 1k\n"
        "  filter bwlim-in up default-limit 100k default-period 100ms\n"
        f"  {rules} set-bandwidth-limit slow period int(1400)\n  {rules} set-bandwidth-limit up\n"
    )
    began = time.monotonic()
    assert running.get("/plain", method="POST", body=TEXT)[2] == TEXT
    # 100,000 bytes: 40 kB at once, the rest at 40 kB in 1.4 s
    assert time.monotonic() - began > 1.5, "not limited at all"


def test_pieces_of_any_size(start: Callable[[str], Running]) -> None:
    running = start(
        "  compression algo gzip\n  filter trace name a quiet random-forwarding\n  filter comp-res\n"
        "  filter trace name b quiet random-forwarding max-fwd 5000\n"
    )
    for path, method in itertools.product(("/plain", "/chunked"), ("GET", "POST")):
        body = TEXT if method == "POST" else b""
        status, headers, found = running.get(path, "accept-encoding: gzip\r\n", method, body)
        assert status == 200 and headers[b"content-encoding"] == b"gzip"
        assert gzip.decompress(found) == TEXT
