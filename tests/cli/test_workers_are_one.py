"""Four workers, one proxy: limits, turns, queues, tables and totals count what all of them do.

Connections are new for each request, so that the kernel spreads them over the workers.
"""

import csv
import io
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from place import Place, eventually, free_port

from evener.haproxy.balance.rotation import Rotation
from evener.haproxy.server_state import SCALE

pytestmark = pytest.mark.timeout(60)
WORKERS = 4
SERVERS = "abc"


class HoldingOrigin:
    """Answers with its name; requests for ``/hold`` when it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.released = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(20)
            try:
                if b" /hold" in connection.recv(4096):
                    self.released.wait(20)
                head = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"
                connection.sendall((head + self.name).encode())
            except OSError:
                return


class Crowd:
    """A running haproxy with four workers, and its origins."""

    def __init__(self, directory: Path) -> None:
        self.place = Place(directory)
        self.origins = [HoldingOrigin(name) for name in SERVERS]
        self.ports = {name: free_port() for name in ("turns", "least", "few", "slow", "seen", "full")}
        lines = "".join(f"  server {o.name} 127.0.0.1:{o.port}\n" for o in self.origins)
        first = self.origins[0].port
        (directory / "cfg").write_text(
            f"global\n  stats socket {directory}/s level admin\n  nbthread {WORKERS}\n"
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
            "  option httpclose\n  retries 0\n"
            f"frontend f\n  bind 127.0.0.1:{self.place.port}\n  http-request return status 200\n"
            f"listen turns\n  bind 127.0.0.1:{self.ports['turns']}\n  balance roundrobin\n{lines}"
            f"listen least\n  bind 127.0.0.1:{self.ports['least']}\n  balance leastconn\n{lines}"
            f"listen few\n  bind 127.0.0.1:{self.ports['few']}\n  maxconn 3\n  server a 127.0.0.1:{first}\n"
            f"frontend slow\n  bind 127.0.0.1:{self.ports['slow']}\n  rate-limit sessions 10\n"
            "  http-request return status 200\n"
            f"frontend seen\n  bind 127.0.0.1:{self.ports['seen']}\n"
            "  stick-table type ip size 100 expire 1h store gpc0,conn_cur,conn_cnt,http_req_cnt\n"
            "  tcp-request connection track-sc0 src\n  http-request sc-inc-gpc0(0)\n"
            "  http-request return status 200 content-type text/plain lf-string %[sc0_get_gpc0]\n"
            f"listen full\n  bind 127.0.0.1:{self.ports['full']}\n  timeout queue 20s\n"
            f"  server a 127.0.0.1:{first} maxconn 2\n"
        )
        self.place.serving("-db")

    def connect(self, name: str, path: str = "") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.ports[name]), timeout=20)
        if path:
            client.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
        return client

    def body(self, client: socket.socket) -> str:
        with client:
            data = b"".join(iter(lambda: client.recv(65536), b""))
        return data.partition(b"\r\n\r\n")[2].decode()

    def get(self, name: str) -> str:
        return self.body(self.connect(name, "/"))

    def row(self, proxy: str, service: str) -> dict[str, str]:
        rows = csv.DictReader(io.StringIO(self.place.ask("show stat").removeprefix("# ")))
        return next(row for row in rows if (row["pxname"], row["svname"]) == (proxy, service))

    def release(self) -> None:
        for origin in self.origins:
            origin.released.set()

    def hold(self) -> None:
        for origin in self.origins:
            origin.released.clear()

    def end(self) -> None:
        self.release()
        self.place.end()
        for origin in self.origins:
            origin.listener.close()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    made = Crowd(tmp_path_factory.mktemp("w"))
    yield made
    made.end()


def test_servers_take_turns(crowd: Crowd) -> None:
    assert "".join(crowd.get("turns") for _ in range(60)) == SERVERS * 20
    assert [crowd.row("turns", name)["stot"] for name in SERVERS] == ["20"] * 3
    assert crowd.row("turns", "BACKEND")["stot"] == crowd.row("turns", "FRONTEND")["stot"] == "60"


def test_turns_after_a_change(crowd: Crowd) -> None:
    taken = int(crowd.row("turns", "BACKEND")["stot"])
    known = Rotation()
    known.move(0, {0: SCALE, 1: SCALE, 2: SCALE})
    crowd.place.ask("set weight turns/b 2")
    known.move(taken, {0: SCALE, 1: 2 * SCALE, 2: SCALE})
    order, lead = known.turns.order()
    expected = [order[n if n < lead else lead + (n - lead) % (len(order) - lead)] for n in range(60)]
    assert "".join(crowd.get("turns") for _ in range(60)) == "".join(SERVERS[index] for index in expected)


def test_the_least_busy_is_known_to_all(crowd: Crowd) -> None:
    crowd.hold()
    clients = [crowd.connect("least", "/hold") for _ in range(12)]
    eventually(lambda: crowd.row("least", "BACKEND")["scur"] == "12", "twelve at once")
    assert [crowd.row("least", name)["scur"] for name in SERVERS] == ["4"] * 3
    crowd.release()
    assert sorted(crowd.body(client) for client in clients) == sorted(SERVERS * 4)


def test_the_order_of_equals_after_changes(crowd: Crowd) -> None:
    """A thousand picks: who is changed goes behind all others, as in the tree of the original."""
    rng = random.Random(5)
    order = list("".join(crowd.get("least") for _ in range(3)))
    for _ in range(100):
        name = rng.choice(SERVERS)
        crowd.place.ask(f"set weight least/{name} {rng.randint(2, 200)}")
        crowd.place.ask(f"set weight least/{name} 1")
        order.remove(name)
        order.append(name)
        got = "".join(crowd.get("least") for _ in range(10))
        assert got == "".join(order * 4)[:10]
        order = order[10 % 3 :] + order[: 10 % 3]


def test_no_more_clients_than_permitted(crowd: Crowd) -> None:
    crowd.hold()
    clients = [crowd.connect("few", "/hold") for _ in range(9)]
    eventually(lambda: crowd.row("few", "FRONTEND")["scur"] == "3", "three clients")
    crowd.release()
    assert [crowd.body(client) for client in clients] == ["a"] * 9
    assert crowd.row("few", "FRONTEND")["smax"] == "3"
    assert crowd.row("few", "FRONTEND")["stot"] == "9"


def test_no_faster_than_permitted(crowd: Crowd) -> None:
    for client in [crowd.connect("slow", "/") for _ in range(15)]:
        crowd.body(client)
    row = crowd.row("slow", "FRONTEND")
    assert row["stot"] == "15"
    assert int(row["rate_max"]) <= 11  # both workers may see the last place free


def test_a_table_that_all_count_in(crowd: Crowd) -> None:
    assert sorted(int(crowd.get("seen")) for _ in range(40)) == list(range(1, 41))
    idle = [crowd.connect("seen") for _ in range(8)]
    eventually(lambda: "conn_cur=8" in crowd.place.ask("show table seen"), "eight connections")
    (line,) = [line for line in crowd.place.ask("show table seen").splitlines() if "key=" in line]
    assert {"gpc0=40", "conn_cnt=48", "http_req_cnt=40", "use=8"} <= set(line.split())
    for client in idle:
        client.close()
    eventually(lambda: "conn_cur=0" in crowd.place.ask("show table seen"), "none left")


def test_a_queue_of_all(crowd: Crowd) -> None:
    crowd.hold()
    clients = [crowd.connect("full", "/hold") for _ in range(10)]
    eventually(lambda: crowd.row("full", "BACKEND")["qcur"] == "8", "eight wait")
    assert crowd.row("full", "a")["scur"] == "2"
    crowd.release()
    assert [crowd.body(client) for client in clients] == ["a"] * 10
    row = crowd.row("full", "a")
    assert (row["smax"], row["stot"]) == ("2", "10")
    assert (crowd.row("full", "BACKEND")["qcur"], crowd.row("full", "BACKEND")["qmax"]) == ("0", "8")
