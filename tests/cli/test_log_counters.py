"""Rings that are followed from the runtime API, and how many log messages were lost or came in."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_haproxy_run import Place, eventually


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.end()


def counted(place: Place, name: str) -> int:
    found = re.search(rf"(?m)^{name}: ([0-9]+)$", place.ask("show info"))
    assert found is not None
    return int(found[1])


def log_to(place: Place, target: str, more: str) -> None:
    place.write(f"log {target} local0")
    cfg = place.directory / "cfg"
    cfg.write_text(
        cfg.read_text().replace("    mode http\n", "    mode http\n    log global\n    log-format %HU\n", 1)
        + more
    )


RING = """
ring r
    format raw
    size 32764
    maxlen 1200
"""


def test_a_ring_is_followed_until_a_key_is_pressed(place: Place) -> None:
    log_to(place, "ring@r", RING)
    place.serving()
    place.get("/before")
    eventually(lambda: "/before" in place.ask("show events r"), "the first line")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{place.directory}/s")
        client.sendall(b"show events r -wn\n")
        client.setblocking(False)
        told = b""

        def later() -> bool:  # what is logged before the command has come is not new
            nonlocal told
            place.get("/later")
            with contextlib.suppress(BlockingIOError):
                told += client.recv(65536)
            return b"/later\n" in told

        eventually(later, "a new line")
        assert b"/before" not in told
        client.settimeout(10)
        client.sendall(b"\n")
        while data := client.recv(65536):
            told += data
        assert told.endswith(b"\n\n")
    assert "/later" in place.ask("show events r -0").split("\0")[-2]
    assert place.ask("show events r -n").strip() == ""


def test_messages_that_nobody_took_are_counted(place: Place) -> None:
    log_to(place, f"{place.directory}/nobody", "")
    place.serving()
    eventually(lambda: counted(place, "DroppedLogs") > 0, "a message is lost")
    before = counted(place, "DroppedLogs")
    place.get()
    eventually(lambda: counted(place, "DroppedLogs") > before, "another one is")


def test_messages_of_others_are_counted(place: Place) -> None:
    log_to(place, "ring@r", RING + "\nlog-forward in\n    dgram-bind 127.0.0.1:0\n    log ring@r local0\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cfg = place.directory / "cfg"
    cfg.write_text(cfg.read_text().replace("dgram-bind 127.0.0.1:0", f"dgram-bind 127.0.0.1:{port}"))
    place.serving()
    assert counted(place, "CumRecvLogs") == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(b"<14>Nov 28 22:00:00 h t: hello", ("127.0.0.1", port))
    eventually(lambda: counted(place, "CumRecvLogs") == 3, "three messages")
