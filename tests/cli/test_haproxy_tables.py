"""Stick tables and turns in a running haproxy with two workers: what is counted when, who is sent where.

The numbers are those HAProxy 3.5-dev5 shows for the same traffic.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

pytest.importorskip("evener.engine.core")

HAPROXY = [sys.executable, "-m", "evener.cli.haproxy"]
SECONDS = 15.0
STORED = "conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,bytes_in_cnt,bytes_out_cnt"
RULES = {
    "conn": "tcp-request connection track-sc0 str(x) table t",
    "sess": "tcp-request session track-sc0 str(x) table t",
    "content": "tcp-request content track-sc0 str(x) table t",
    "req": "http-request track-sc0 str(x) table t",
    "res": "http-response track-sc0 str(x) table t",
}


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


class Origin:
    """Answers each request with the status its path names and ten bytes; /drop with nothing."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Ends the thread, too: closing alone would not wake it."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(ConnectionError), connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                path = line.split(b" ")[1] if b" " in line else b"/"
                while lines.readline().strip():
                    pass
                if path == b"/drop":
                    return
                status = path[1:4] if path[1:4].isdigit() else b"200"
                head = b"HTTP/1.1 %b X\r\nserver: %b\r\ncontent-length: 10\r\n\r\n" % (status, self.name)
                connection.sendall(head + b"0123456789")


class Place:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, text: str) -> None:
        (self.directory / "cfg").write_text(
            f"global\n stats socket {self.directory}/s level admin\n nbthread 2\n"
            "defaults\n mode http\n timeout connect 3s\n timeout client 3s\n timeout server 3s\n retries 0\n"
            + text.replace("PORT", str(self.port))
        )
        with (self.directory / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [*HAPROXY, "-db", "-f", "cfg"], cwd=self.directory, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )  # fmt: skip
        eventually(lambda: self.answers() or self.process.poll() is not None, "service")  # type: ignore[union-attr]
        assert self.process.poll() is None, (self.directory / "out").read_text()

    def answers(self) -> bool:
        try:
            return self.ask("show info").startswith("Name:")
        except OSError:
            return False

    def ask(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(f"{self.directory}/s")
            client.sendall(line.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def send(self, request: bytes) -> bytes:
        """One connection: the request, and everything that is answered. It may be reset at any moment."""
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as client,
        ):
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))
        return b""

    def get(self, *paths: str) -> bytes:
        """The requests on one connection, which the last one ends."""
        ends = [""] * (len(paths) - 1) + ["connection: close\r\n"]
        lines = (
            f"GET {path} HTTP/1.1\r\nhost: h\r\n{end}\r\n" for path, end in zip(paths, ends, strict=True)
        )
        return self.send("".join(lines).encode())

    def row(self, table: str = "t", key: str = "x") -> dict[str, int]:
        """The numbers of an entry, once nobody tracks it any more."""
        found: dict[str, int] = {}

        def settled() -> bool:
            text = self.ask(f"show table {table} key {key}")
            found.clear()
            found.update({name: int(value) for name, value in re.findall(r"(\w+)(?:\(\d+\))?=(\d+)\b", text)})
            return "use" in found and found["use"] == 0

        eventually(settled, "an entry nobody tracks")
        return found

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)


def eventually(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin(b"s1")
    yield made
    made.close()


def frontend(rule: str, origin: Origin, more: str = "") -> str:
    return (
        f"backend t\n stick-table type string size 100 expire 1m store {STORED}\n"
        f"frontend f\n bind 127.0.0.1:PORT\n tcp-request inspect-delay 1s\n {rule}\n{more}"
        " http-request return status 404 if { path /return }\n http-request deny if { path /deny }\n"
        " http-request reject if { path /reject }\n http-request auth if { path /auth }\n default_backend b\n"
        f"backend b\n server s1 127.0.0.1:{origin.port}\n"
    )


#: requests of one connection -> what is counted: connections and sessions of a session, then of a stream
CASES = [
    (["/200"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 0, "http_fail_cnt": 0}),
    (["/404"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 1, "http_fail_cnt": 0}),
    (["/500"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 0, "http_fail_cnt": 1}),
    (["/501"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 0, "http_fail_cnt": 0}),
    (["/drop"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 0, "http_fail_cnt": 1}),
    (["/return"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 0, "bytes_out_cnt": 56}),
    (["/deny"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 1, "http_fail_cnt": 0}),
    (["/auth"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 1, "http_fail_cnt": 0}),
    (["/reject"], {"conn_cnt": 1, "http_req_cnt": 1, "http_err_cnt": 0, "http_fail_cnt": 0}),
    (["/200", "/404"], {"conn_cnt": 1, "http_req_cnt": 2, "http_err_cnt": 1, "http_fail_cnt": 0}),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["conn", "sess", "content", "req"])
def test_what_is_counted(place: Place, origin: Origin, kind: str) -> None:
    place.start(frontend(RULES[kind], origin))
    for paths, expected in CASES:
        place.get(*paths)
        row = place.row()
        wanted = {**expected, "sess_cnt": int(kind in ("conn", "sess")), "conn_cur": 0}
        if kind in ("content", "req"):
            wanted["conn_cnt"] = len(paths)
        assert {name: row[name] for name in wanted} == wanted, paths
        assert row["bytes_in_cnt"] > 10 * len(paths)
        assert place.ask("clear table t key x").strip() == ""


def test_responses_are_tracked(place: Place, origin: Origin) -> None:
    place.start(frontend(RULES["res"], origin))
    for path, errors, failures in (("/200", 0, 0), ("/404", 1, 0), ("/500", 0, 1)):
        place.get(path)
        row = place.row()
        assert (row["http_req_cnt"], row["http_err_cnt"], row["http_fail_cnt"]) == (1, errors, failures)
        place.ask("clear table t")


def test_no_request_at_all(place: Place, origin: Origin) -> None:
    place.start(frontend(RULES["conn"], origin))
    place.send(b"GARBAGE \x01\r\n\r\n")
    row = place.row()
    assert (row["http_req_cnt"], row["http_err_cnt"], row["sess_cnt"]) == (1, 1, 1)


def test_refused_connections(place: Place, origin: Origin) -> None:
    more = " tcp-request connection reject\n"
    place.start(frontend(RULES["conn"], origin, more))
    assert place.get("/200") == b""
    row = place.row()
    assert (row["conn_cnt"], row["sess_cnt"], row["conn_cur"], row["http_req_cnt"]) == (1, 0, 0, 0)


def test_tcp(place: Place, origin: Origin) -> None:
    place.start(
        f"backend t\n stick-table type ip size 100 store {STORED}\n"
        "listen f\n mode tcp\n bind 127.0.0.1:PORT\n tcp-request content track-sc0 src table t\n"
        f" server s1 127.0.0.1:{origin.port}\n"
    )
    request = b"GET /200 HTTP/1.0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", place.port), timeout=5) as client:
        client.sendall(request)
        answer = client.recv(65536)
        eventually(lambda: "conn_cur=1" in place.ask("show table t"), "a tracked connection")
    row = place.row("t", "127.0.0.1")
    assert (row["conn_cnt"], row["conn_cur"], row["http_req_cnt"]) == (1, 0, 0)
    assert row["bytes_in_cnt"] == len(request) and row["bytes_out_cnt"] >= len(answer)


def test_workers_count_together(place: Place, origin: Origin) -> None:
    """Every answer has another number, whichever worker gave it."""
    place.start(
        "frontend f\n bind 127.0.0.1:PORT\n"
        " stick-table type ip size 10 expire 1m store gpc0,http_req_rate(1m)\n"
        " http-request track-sc0 src\n http-request return status 200 hdr n %[sc0_inc_gpc0]\n"
    )
    seen: list[int] = []
    lock = threading.Lock()

    def ask() -> None:
        for _ in range(25):
            number = int(re.findall(rb"n: (\d+)", place.get("/"))[0])
            with lock:
                seen.append(number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert sorted(seen) == list(range(1, 101))
    row = place.row("f", "127.0.0.1")
    assert row["gpc0"] == 100 and row["http_req_rate"] == 100


def test_a_limit(place: Place) -> None:
    place.start(
        "frontend f\n bind 127.0.0.1:PORT\n"
        " http-request track-sc0 src table rates\n"
        " http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }\n"
        " http-request return status 200\n"
        "backend rates\n stick-table type ip size 1m expire 1m store http_req_rate(1m)\n"
    )
    answers = [place.get("/")[9:12] for _ in range(5)]
    assert answers == [b"200"] * 3 + [b"429"] * 2
    assert place.ask("clear table rates key 127.0.0.1") == "\n"
    assert place.get("/")[9:12] == b"200"
    assert place.ask("set table rates key 127.0.0.1 data.http_req_rate 100") == "\n"
    assert place.get("/")[9:12] == b"429"


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_stick_on(place: Place, origin: Origin, mode: str) -> None:
    other = Origin(b"s2")
    key = "urlp(u)" if mode == "http" else "src"
    place.start(
        "peers p\n table t type string size 100 expire 1m\n"
        f"listen f\n mode {mode}\n bind 127.0.0.1:PORT\n balance roundrobin\n stick on {key} table p/t\n"
        f" server s1 127.0.0.1:{origin.port}\n server s2 127.0.0.1:{other.port}\n"
    )
    request = b"GET /200?u=%d HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"

    def server(user: int) -> bytes:
        with socket.create_connection(("127.0.0.1", place.port), timeout=5) as client:
            client.sendall(request % user)
            return re.findall(rb"server: (\w+)", client.recv(65536))[0]  # type: ignore[no-any-return]

    first = [server(user) for user in (1, 2, 3, 4)]
    assert [server(user) for user in (1, 2, 3, 4)] == first
    if mode == "tcp":
        assert len(set(first)) == 1
        assert "key=127.0.0.1 use=0 exp=" in place.ask("show table p/t")
    else:
        assert set(first) == {b"s1", b"s2"}
        assert "used:4" in place.ask("show table p/t")
    assert f"server_key={first[0].decode()}" in place.ask("show table p/t data.server_id gt 0")
    number = {b"s1": b"2", b"s2": b"1"}[first[0]].decode()
    wanted = {"http": "1", "tcp": "127.0.0.1"}[mode]
    place.ask(f"clear table p/t key {wanted}")
    place.ask(f"set table p/t key {wanted} data.server_id {number}")
    assert server(1) != first[0]
    other.close()


def test_hostile_keys(place: Place) -> None:
    """Keys of any length and content are cut, kept and shown; the table stays within its size."""
    place.start(
        "frontend f\n bind 127.0.0.1:PORT\n stick-table type string len 10 size 20 store gpc0\n"
        " http-request track-sc0 url\n http-request return status 200 hdr k %[sc0_key,hex]\n"
    )
    for number in range(60):
        tail = (f"{number}-" + "%00\\=~" * (number * 10)).encode("latin-1")
        answer = place.send(b"GET /%b HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n" % tail)
        assert b" 200 " in answer
    text = place.ask("show table f")
    assert "used:20\n" in text and text.count("\n") == 22
    assert place.process is not None and place.process.poll() is None
    assert "Traceback" not in (place.directory / "out").read_text()


def test_a_long_table_is_shown_piece_by_piece(place: Place) -> None:
    """Other sessions are answered while it is."""
    place.start(
        "frontend f\n bind 127.0.0.1:PORT\n stick-table type integer size 100k store gpc0\n"
        " http-request return status 200\n"
    )
    for first in range(0, 20_000, 5000):
        place.ask(";".join(f"set table f key {number}" for number in range(first, first + 5000)))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(f"{place.directory}/s")
        client.sendall(b"show table f\n")
        shown = client.recv(65536)
        assert shown.startswith(b"# table: f, type: integer, size:102400, used:20000\n")
        assert place.ask("show info").startswith("Name:")
        shown += b"".join(iter(lambda: client.recv(65536), b""))
    keys = {int(key) for key in re.findall(rb" key=(\d+) ", shown)}
    assert keys == set(range(20_000)) and shown.endswith(b"\n\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{place.directory}/s")
        client.sendall(b"show table f\n")
        client.recv(100)
    with socket.socket(socket.AF_UNIX) as client:  # it is cleared piece by piece as well
        client.settimeout(5)
        client.connect(f"{place.directory}/s")
        client.sendall(b"clear table f data.gpc0 eq 0\n")
        assert place.ask("show info").startswith("Name:")
        assert b"".join(iter(lambda: client.recv(65536), b"")) == b"\n"
    assert "used:0" in place.ask("show table")


def ask_origin(client: socket.socket) -> tuple[bytes, bytes]:
    """The worker and the server that answer."""
    client.sendall(b"GET /200 HTTP/1.1\r\nhost: h\r\n\r\n")
    answer = b""
    while not answer.endswith(b"0123456789"):
        more = client.recv(65536)
        assert more, answer
        answer += more
    return re.findall(rb"worker: (\w+)", answer)[0], re.findall(rb"server: (\w+)", answer)[0]


def test_turns_are_alike_in_all_workers(place: Place, origin: Origin) -> None:
    """Whichever worker a connection came to, the next request goes to the next server."""
    others = [Origin(b"s2"), Origin(b"s3")]
    place.start(
        "listen f\n bind 127.0.0.1:PORT\n balance roundrobin\n http-response set-header worker %[thread]\n"
        + "".join(f" server s{n} 127.0.0.1:{o.port}\n" for n, o in enumerate((origin, *others), 1))
    )
    with ExitStack() as stack:
        workers: dict[bytes, socket.socket] = {}
        turn = 0
        while len(workers) < 2 and turn < 3 * 320:
            burst = [socket.create_connection(("127.0.0.1", place.port), timeout=5) for _ in range(32)]
            for client in burst:
                worker, server = ask_origin(stack.enter_context(client))
                assert server == b"s%d" % (turn % 3 + 1)
                workers[worker] = client
                turn += 1
        first, second = workers.values()  # both have taken some

        def servers(count: int) -> list[bytes]:
            return [ask_origin((first, first, second)[turn % 3])[1] for turn in range(count)]

        servers(-turn % 3)
        assert servers(24) == [b"s1", b"s2", b"s3"] * 8
        place.ask("disable server f/s2")
        assert servers(24) == [b"s1", b"s3"] * 12
        place.ask("enable server f/s2")
        assert Counter(servers(30)) == {b"s1": 10, b"s2": 10, b"s3": 10}
    for other in others:
        other.close()
