"""``namespace`` of bind and server lines: sockets on the other side of a network namespace's wall."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import why_not

pytest.importorskip("evener.engine.core")
NAME = f"evener-words-{os.getpid()}"


@pytest.fixture
def namespace() -> Iterator[str]:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    subprocess.run(["ip", "netns", "add", NAME], check=True)
    subprocess.run(["ip", "-n", NAME, "link", "set", "lo", "up"], check=True)
    yield NAME
    subprocess.run(["ip", "netns", "del", NAME], check=False)


def within(name: str, *words: str) -> bytes:
    return subprocess.run(["ip", "netns", "exec", name, *words], capture_output=True, check=False).stdout


FETCH = "import socket; s = socket.create_connection(('127.0.0.1', 8080), 5); s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(s.recv(99))"  # noqa: E501


def test_both_sides(namespace: str, tmp_path: Path) -> None:
    """A client within reaches an origin out here, and the other way round; each by the same port."""
    with socket.create_server(("127.0.0.1", 0)) as origin:
        threading.Thread(target=answer, args=(origin,), daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        (tmp_path / "cfg").write_text(
            f"""
global
    stats socket {tmp_path}/s level admin
defaults
    mode http
    timeout connect 3s
    timeout client 3s
    timeout server 3s
listen inward
    bind 127.0.0.1:{port}
    server s 127.0.0.1:8080 namespace {namespace} check inter 100ms
listen outward
    bind 127.0.0.1:8080 namespace {namespace}
    server s 127.0.0.1:{origin.getsockname()[1]}
"""
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "evener.cli.haproxy", "-f", "cfg"], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        try:
            end = time.monotonic() + 15
            while not get(port) and time.monotonic() < end:
                time.sleep(0.05)
            assert b"200 OK" in get(port)  # into the namespace, and out of it again
            assert b"200 OK" in within(namespace, sys.executable, "-c", FETCH)
        finally:
            process.kill()
            process.wait()
            origin.shutdown(socket.SHUT_RDWR)


def get(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(1000)
    except OSError:
        return b""


def answer(listener: socket.socket) -> None:
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                if connection.recv(4096):
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    except OSError:
        return
