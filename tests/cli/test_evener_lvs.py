"""``evener lvs``: the client of the control socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.cli.evener import main
from evener.cli.lvs import table

SHOWN = [
    {
        "name": "[fd00::5]:80/tcp", "scheduler": "rr", "quorum_up": False, "sorry_active": True, "weight": 0,
        "sorry_server": "[fd00::9]:80", "quorum": 1, "connections": 5, "active": 1, "bytes_in": 2,
        "bytes_out": 3, "real_servers": [
            {
                "name": "[fd00::1]:80", "method": "NAT", "state": "drain", "weight": 0, "checks": 2,
                "failed_checks": 1, "override": "drain", "connections": 4, "active": 1, "bytes_in": 2,
                "bytes_out": 3,
            }
        ],
    }
]  # fmt: skip


class Daemon:
    """Answers each connection with one answer."""

    def __init__(self, path: Path) -> None:
        self.heard: list[bytes] = []
        self.answer = "done\n"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(4096))
                connection.sendall((self.answer + "\n").encode())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "s")


@pytest.fixture
def daemon(path: str) -> Iterator[Daemon]:
    daemon = Daemon(Path(path))
    yield daemon
    daemon.close()


def test_a_command(daemon: Daemon, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lvs", "--socket", path, "drain", "10.0.0.5 80 TCP", "10.1.0.1:80"]) == 0
    assert daemon.heard == [b"drain '10.0.0.5 80 TCP' 10.1.0.1:80\n"]
    assert capsys.readouterr().out == "done\n"


def test_it_shows_the_services_when_nothing_is_asked(daemon: Daemon, path: str) -> None:
    assert main(["lvs", "--socket", path]) == 0
    assert main(["lvs", "--socket", path, "--json", "show", "stats"]) == 0
    assert daemon.heard == [b"show services\n", b"show stats json\n"]


def test_refusals(daemon: Daemon, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    daemon.answer = "error: no such thing\n"
    assert main(["lvs", "--socket", path, "nonsense"]) == 1
    assert capsys.readouterr().err == "evener: no such thing\n"


def test_nobody_there(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lvs", "--socket", path]) == 2
    assert path in capsys.readouterr().err


@pytest.mark.parametrize("counted", [False, True])
def test_the_table(counted: bool, capsys: pytest.CaptureFixture[str]) -> None:
    table(json.loads(json.dumps(SHOWN)), counted)
    shown = capsys.readouterr().out
    for part in ("[fd00::5]:80/tcp", "[fd00::1]:80", "[fd00::9]:80", "sorry", "drain", "1/2"):
        assert part in shown
    assert ("conns" in shown) == counted
