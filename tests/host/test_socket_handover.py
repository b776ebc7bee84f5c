"""Listening sockets that go from one process to another; what is said on the wire is what HAProxy says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path

import pytest

from evener.host.socket_handover import BATCH, QUESTION, Handed, HandoverFailure, hand_over, take_over


def listening(count: int) -> list[Handed]:
    made = []
    for _ in range(count):
        made.append(Handed(socket.create_server(("127.0.0.1", 0)), "", ""))
    return made


def serve(path: Path, sockets: list[Handed]) -> threading.Thread:
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen()

    def run() -> None:
        with door, door.accept()[0] as peer:
            assert peer.recv(100) == QUESTION + b"\n"
            hand_over(peer, sockets)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1])
def test_they_arrive_in_order(tmp_path: Path, count: int) -> None:
    sockets = listening(count)
    if sockets:
        sockets[0].interface, sockets[0].namespace = "eth0", "blue"
    thread = serve(tmp_path / "s", sockets)
    found = take_over(str(tmp_path / "s"))
    thread.join(5)
    assert [handed.place for handed in found] == [handed.place for handed in sockets]
    for one in (*found, *sockets):
        one.opened.close()


def test_connections_that_wait_are_not_lost(tmp_path: Path) -> None:
    (older,) = sockets = listening(1)
    with socket.create_connection(older.opened.getsockname()) as client:
        serve(tmp_path / "s", sockets).join(0)
        (newer,) = take_over(str(tmp_path / "s"))
        older.opened.close()
        newer.opened.setblocking(True)
        with newer.opened, newer.opened.accept()[0] as served:
            served.sendall(b"here")
        assert client.recv(10) == b"here"


def test_names_of_unix_sockets_before_they_are_renamed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(f"{tmp_path}/a.123.tmp")
        assert Handed(opened).place == (socket.AF_UNIX, f"{tmp_path}/a", 0, "", "")


def test_a_message_of_the_original(tmp_path: Path) -> None:
    """Taken from HAProxy 3.5: one socket with ``interface lo``, whose name ends with a NUL."""
    (one,) = listening(1)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{tmp_path}/s")
        door.listen()

        def run() -> None:
            with door.accept()[0] as peer:
                peer.recv(100)
                peer.sendall(struct.pack("=i", 1))
                socket.send_fds(peer, [b"\0\2lo\0\0\0\0"], [one.opened.fileno()])

        threading.Thread(target=run, daemon=True).start()
        (found,) = take_over(f"{tmp_path}/s")
    assert (found.interface, found.namespace) == ("lo", "")
    assert found.opened.getsockname() == one.opened.getsockname()
    found.opened.close()
    one.opened.close()


@pytest.mark.parametrize("answer", [b"", b"\1\0", struct.pack("=i", 2)])
def test_too_little(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{tmp_path}/s")
        door.listen()

        def run() -> None:
            with contextlib.suppress(OSError), door.accept()[0] as peer:
                peer.recv(100)
                peer.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        with pytest.raises(HandoverFailure, match="number of sockets"):
            take_over(f"{tmp_path}/s")


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(HandoverFailure, match="Failed to connect to the old process socket"):
        take_over(f"{tmp_path}/none")
