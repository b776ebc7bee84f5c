"""The status socket, over a real one."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from evener.host.vrrp_loop import Loop, clock
from evener.host.vrrp_status import MOST_CLIENTS, StatusSocket, listen, respond
from evener.keepalived.vrrp.metrics import REASONS, escaped, exposition
from evener.keepalived.vrrp.plan import Instance, Program, Script, VirtualAddress, VrrpPlan
from evener.keepalived.vrrp.router import Router

LONG = "x" * 2_000_000


def answer(path: str) -> tuple[str, str] | None:
    return {"/metrics": ("text/plain", "one 1\n"), "/long": ("text/plain", LONG)}.get(path)


def ask(path: Path, loop: Loop, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(request)
        for _ in range(2):
            loop.turn([clock() + 100_000])
        client.settimeout(5)
        parts = []
        while data := client.recv(1 << 16):
            parts.append(data)
    return b"".join(parts)


@pytest.mark.parametrize(
    ("request_", "status", "ends"),
    [
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"200 OK", b"\r\n\r\none 1\n"),
        (b"GET /long?a=b HTTP/1.0\r\n\r\n", b"200 OK", LONG.encode()),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200 OK", b"Connection: close\r\n\r\n"),
        (b"GET /other HTTP/1.1\r\n\r\n", b"404 Not Found", b"/status\n"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405 Method Not Allowed", b"GET only\n"),
        (b"\xff\x00\r\n", b"405 Method Not Allowed", b"GET only\n"),
    ],
)
def test_questions(request_: bytes, status: bytes, ends: bytes, tmp_path: Path) -> None:
    path, loop = tmp_path / "s", Loop()
    served = StatusSocket(str(path), answer, loop.watch, loop.unwatch)
    try:
        got = ask(path, loop, request_)
    finally:
        served.close()
        loop.close()
    assert got.startswith(b"HTTP/1.1 " + status)
    assert got.endswith(ends)
    assert not path.exists()


def test_those_who_say_nothing_make_room(tmp_path: Path) -> None:
    path, loop = tmp_path / "s", Loop()
    served = StatusSocket(str(path), answer, loop.watch, loop.unwatch)
    silent = [socket.socket(socket.AF_UNIX) for _ in range(MOST_CLIENTS + 4)]
    try:
        for one in silent:
            one.connect(str(path))
            loop.turn([clock() + 100_000])
        assert b"one 1" in ask(path, loop, b"GET /metrics HTTP/1.1\r\n\r\n")
    finally:
        for one in silent:
            one.close()
        served.close()
        loop.close()


def test_where_it_listens(tmp_path: Path) -> None:
    with listen("127.0.0.1:0") as made:
        assert made.getsockname()[0] == "127.0.0.1"
    with listen("0") as made:
        assert made.getsockname()[0] == "127.0.0.1"
    with pytest.raises(ValueError, match="no port"):
        listen("nonsense")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="in use"):
        listen(str(tmp_path / "file"))
    assert respond(b"", answer).startswith(b"HTTP/1.1 405")


def test_metrics() -> None:
    vip = VirtualAddress(b"\x0a\0\0\1", 24, "eth0")
    plan = VrrpPlan(
        instances=(Instance('V"1', 51, "eth0", addresses=(vip,)),), scripts=(Script("s", Program(("/x",))),)
    )
    router = Router(plan)
    router.start(0)
    router.advert_sent(1, 'V"1', 0)
    router.members['V"1'].admission.stats.ip_ttl_err = 4
    lines = exposition(router, 9).splitlines()
    labels = r'iname="V\"1",intf="eth0",vrid="51"'
    assert f"keepalived_vrrp_state{{{labels}}} 1" in lines
    assert f"keepalived_advertisements_sent_total{{{labels}}} 1" in lines
    assert f'keepalived_packets_dropped_total{{{labels},reason="ttl"}} 4' in lines
    assert 'keepalived_packets_dropped_total{iname="",intf="",vrid="",reason="vrid"} 9' in lines
    assert 'keepalived_script_status{name="s"} 0' in lines
    assert sum("packets_dropped_total{" in line for line in lines) == len(REASONS) + 1
    assert escaped("\udcff\n") == "\ufffd\\n"
