"""Rings, what feeds on them, receivers and log backends, on real sockets; every loop is bounded."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evener.haproxy.check_plan import CheckPlanner
from evener.haproxy.compile import compile_plan
from evener.haproxy.fleet import Fleet
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.host.log_house import LogHouse, Received
from evener.host.log_receiver import DatagramReceiver, StreamReceiver
from evener.host.log_ring import Feeder, LogRing
from evener.host.reactor import Reactor
from evener.text.diagnostic import Diagnostics


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    made = Reactor()
    yield made
    made.close()


def turn_until(reactor: Reactor, done: Callable[[], object]) -> None:
    for _ in range(500):
        if done():
            return
        reactor.turn(0.05)
    raise AssertionError("never")


def udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


def test_a_ring_keeps_the_newest() -> None:
    ring = LogRing("r", size=3 * 18, longest=10)
    for number in range(5):
        assert ring.append(b"message %d and more" % number)
    assert ring.messages() == [b"message %d " % number for number in (2, 3, 4)]
    assert (ring.first, ring.end) == (2, 5)
    assert ring.get(1) is None and ring.get(5) is None and ring.get(4) == b"message 4 "
    assert not LogRing("r", size=10).append(b"x" * 10) and LogRing("r", size=18).append(b"x" * 10)


@pytest.mark.parametrize(("octets", "wanted"), [(False, b"early\nlate\n"), (True, b"5 early4 late")])
def test_a_server_is_fed(reactor: Reactor, octets: bool, wanted: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ring = LogRing("r")
        ring.append(b"early")
        feeder = Feeder(reactor, ring, socket.AF_INET, server.getsockname(), octet_count=octets)
        ring.append(b"late")
        server.settimeout(5)
        got = b""
        connection, _ = server.accept()
        connection.setblocking(False)

        def read() -> bool:
            nonlocal got
            try:
                got += connection.recv(1000)
            except BlockingIOError:
                pass
            return len(got) >= len(wanted)

        turn_until(reactor, read)
        assert got == wanted
        connection.close()
        feeder.close()


def test_a_server_that_is_not_there_is_tried_again(reactor: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evener.host.log_ring.PAUSE", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    ring = LogRing("r")
    feeder = Feeder(reactor, ring, socket.AF_INET, address)
    ring.append(b"a")
    for _ in range(20):
        reactor.turn(0.01)
    with socket.create_server(address) as server:
        server.setblocking(False)
        accepted: list[socket.socket] = []

        def accept() -> bool:
            try:
                accepted.append(server.accept()[0])
            except BlockingIOError:
                return False
            return True

        turn_until(reactor, accept)
        for _ in range(5):
            reactor.turn(0.01)
        accepted[0].settimeout(5)
        assert accepted[0].recv(100) == b"a\n"
        accepted[0].close()
        feeder.close()


def test_receivers(reactor: Reactor) -> None:
    got: list[tuple[bytes, bytes]] = []
    datagrams, listener = udp(), socket.create_server(("127.0.0.1", 0))
    for opened in (datagrams, listener):
        opened.setblocking(False)
    DatagramReceiver(reactor, datagrams, lambda raw, source: got.append((raw, source)))
    StreamReceiver(reactor, listener, lambda raw, source: got.append((raw, source)), limit=1, timeout=5.0)
    with udp() as sender:
        sender.sendto(b"<1>datagram", datagrams.getsockname())
    turn_until(reactor, lambda: got)
    first = socket.create_connection(listener.getsockname())
    first.sendall(b"<1>one\n6 <1>tw")
    turn_until(reactor, lambda: len(got) == 2)
    second = socket.create_connection(listener.getsockname())
    second.sendall(b"<1>later\n")
    first.sendall(b"o<1>three\ngarbage")
    turn_until(reactor, lambda: len(got) == 5)  # the first one ends with the garbage, the second comes in
    assert [raw for raw, _ in got] == [b"<1>datagram", b"<1>one", b"<1>two", b"<1>three", b"<1>later"]
    assert {source for _, source in got} == {b"127.0.0.1"}
    for opened in (first, second):
        opened.close()
    reactor.turn(0.2)  # the receiver hears of it
    for opened in (datagrams, listener):
        opened.close()


class House:
    def __init__(self, reactor: Reactor, path: Path, text: str) -> None:
        path.write_text(text)
        found = Diagnostics()
        configuration = load([str(path)], found, ReadOptions())
        assert configuration is not None and not found.has_errors, list(found)
        plan = compile_plan(configuration, found)
        assert not found.has_errors, list(found)
        planner = CheckPlanner(plan, found)
        self.fleet = Fleet(plan, planner.server, planner.farm, lambda row, column: 0, 0.0)
        self.house = LogHouse(reactor, configuration, self.fleet)
        self.configuration = configuration

    def end(self, servers: list[socket.socket]) -> None:
        self.house.close()
        for server in servers:
            server.close()

    def start(self, *listening: Received) -> None:
        self.house.start(list(listening))


BACKEND = """
frontend f
 mode http
 bind 127.0.0.1:1
 timeout client 1s
 log backend@b local0
 log ring@r local0
ring r
 maxlen 100
backend b
 mode log
 balance {balance}
 hash-type map-based {function}
 server s1 udp@127.0.0.1:{0}
 server s2 udp@127.0.0.1:{1}
 server s3 udp@127.0.0.1:{2} backup
"""


def spread(
    reactor: Reactor, path: Path, balance: str, function: str = "none"
) -> tuple[House, list[socket.socket]]:
    servers = [udp() for _ in range(3)]
    ports = [server.getsockname()[1] for server in servers]
    made = House(reactor, path, BACKEND.format(*ports, balance=balance, function=function))
    made.start()
    return made, servers


def got(servers: list[socket.socket]) -> list[list[bytes]]:
    found: list[list[bytes]] = []
    for server in servers:
        server.setblocking(False)
        messages: list[bytes] = []
        for _ in range(100):
            try:
                messages.append(server.recv(1000))
            except BlockingIOError:
                break
        found.append(messages)
    return found


def send(made: House, *messages: bytes) -> None:
    found = made.house.sink("backend@b")
    assert found is not None
    for message in messages:
        found[0](b"<1>", message)


def test_messages_in_turn(reactor: Reactor, tmp_path: Path) -> None:
    made, servers = spread(reactor, tmp_path / "cfg", "roundrobin")
    send(made, b"a", b"b", b"c")
    assert got(servers) == [[b"<1>a\n", b"<1>c\n"], [b"<1>b\n"], []]
    made.end(servers)


def test_messages_by_hash(reactor: Reactor, tmp_path: Path) -> None:
    made, servers = spread(reactor, tmp_path / "cfg", "log-hash 'field(2,/)'")
    send(made, b"x/0", b"x/1", b"y/3", b"y/4", b"without a key")
    assert got(servers) == [[b"<1>x/0\n", b"<1>y/4\n"], [b"<1>x/1\n", b"<1>y/3\n"], []]
    made.end(servers)


def test_sticky_stays_until_its_server_goes(reactor: Reactor, tmp_path: Path) -> None:
    made, servers = spread(reactor, tmp_path / "cfg", "sticky")
    first, second, _ = made.fleet.farms[0].servers
    send(made, b"a")
    made.fleet.set_maintenance(1.0, first)
    made.house.refresh()
    send(made, b"b")
    made.fleet.set_ready(1.0, first)
    made.house.refresh()
    send(made, b"c")  # the one that came back is the last
    made.fleet.set_maintenance(1.0, first)
    made.fleet.set_maintenance(1.0, second)
    made.house.refresh()
    send(made, b"d")
    assert got(servers) == [[b"<1>a\n"], [b"<1>b\n", b"<1>c\n"], [b"<1>d\n"]]
    made.end(servers)


def test_servers_get_messages_by_weight(reactor: Reactor, tmp_path: Path) -> None:
    made, servers = spread(reactor, tmp_path / "cfg", "roundrobin")
    heavy = made.fleet.farms[0].servers[1]
    made.fleet.set_weight(1.0, heavy, 2)
    made.house.refresh()
    send(made, *(b"%d" % number for number in range(8)))
    assert [len(messages) for messages in got(servers)] == [2, 6, 0]
    made.end(servers)


def test_a_number_is_hashed_in_binary(reactor: Reactor, tmp_path: Path) -> None:
    made, servers = spread(reactor, tmp_path / "cfg", "log-hash length", "djb2")
    send(made, *(b"a" * length for length in range(1, 13)))
    lengths = [[len(message) - len(b"<1>\n") for message in messages] for messages in got(servers)]
    assert lengths == [[1, 3, 5, 7, 9, 11], [2, 4, 6, 8, 10, 12], []]  # as the original spreads them
    made.end(servers)


def test_workers_reach_places_through_the_house(reactor: Reactor, tmp_path: Path) -> None:
    made, servers = spread(reactor, tmp_path / "cfg", "roundrobin")
    ring, backend = made.house.worker_sink("ring@r"), made.house.worker_sink("backend@b")
    assert ring is not None and backend is not None and ring[1] == "raw" and backend[1] == ""
    assert ring[0](b"", b"to the ring") and backend[0](b"<2>", b"to the backend")
    turn_until(reactor, lambda: made.house.rings["r"].messages())
    reactor.turn(0.05)
    assert made.house.rings["r"].messages() == [b"to the ring"]
    assert got(servers)[0] == [b"<2>to the backend\n"]
    for _ in range(100_000):  # nobody empties it: dropped, not waited for
        if not ring[0](b"", b"x" * 1000):
            break
    else:
        raise AssertionError("never full")
    made.end(servers)


FORWARD = """
log-forward lf
 dgram-bind 127.0.0.1:1
 option host {host}
 log 127.0.0.1:{0} {form} local3
 log 127.0.0.1:{1} sample 2:2 local3 err
"""


def test_forwarding(reactor: Reactor, tmp_path: Path) -> None:
    servers = [udp(), udp()]
    ports = [server.getsockname()[1] for server in servers]
    made = House(reactor, tmp_path / "cfg", FORWARD.format(*ports, host="replace", form="format rfc5424"))
    with udp() as listening, udp() as sender:
        listening.setblocking(False)
        made.start((next(made.configuration.log_forwards), True, listening))
        for text in (
            b"<134>Nov  8 09:20:23 h app[1]: info",
            b"<130>Nov  8 09:20:23 h app[1]: crit",
            b"<131>x",
        ):
            sender.sendto(text, listening.getsockname())
        turn_until(reactor, lambda: made.house.received == 3)
        all_, some = got(servers)
        assert [message.split(b" ", 2)[0] for message in all_] == [b"<134>1", b"<130>1", b"<131>1"]
        assert all_[0].endswith(b" 127.0.0.1 app 1 - - info\n")
        assert some == [b"<131>x\n"]
        made.house.stop()
    made.end(servers)


def test_a_backend_that_is_disabled_takes_nothing(reactor: Reactor, tmp_path: Path) -> None:
    text = (
        "frontend f\n mode http\n bind 127.0.0.1:1\n log backend@b local0\nbackend b\n mode log\n disabled\n"
    )
    made = House(reactor, tmp_path / "cfg", text)
    found = made.house.sink("backend@b")
    assert found is not None and not found[0](b"", b"x")
    made.end([])


@pytest.mark.parametrize(
    ("balance", "wrong"),
    [
        ("leastconn", "\"balance\" only supports 'roundrobin', 'random', 'sticky' and 'log-hash'."),
        ("log-hash nosuch", "failed to initialize: unknown converter 'nosuch'"),
        ("log-hash lower", ""),
        ("log-hash lower\n hash-type consistent", 'unsupported hash method (from "hash-type").'),
        ("sticky", ""),
    ],
)
def test_how_log_backends_may_balance(tmp_path: Path, balance: str, wrong: str) -> None:
    (tmp_path / "cfg").write_text(f"backend b\n mode log\n balance {balance}\n")
    found = Diagnostics()
    load([str(tmp_path / "cfg")], found, ReadOptions())
    assert found.has_errors is bool(wrong), list(found)
    assert not wrong or any(wrong in diagnostic.message for diagnostic in found), list(found)


def test_how_much_may_wait_for_a_log_server(reactor: Reactor, tmp_path: Path) -> None:
    """The server is not there: as many bytes as ``log-bufsize`` says wait for it, the newest."""
    nobody = socket.create_server(("127.0.0.1", 0))
    port = nobody.getsockname()[1]
    nobody.close()
    front = "frontend f\n mode http\n bind 127.0.0.1:1\n timeout client 1s\n log backend@b local0\n"
    text = f"{front}backend b\n mode log\n server s 127.0.0.1:{port} log-bufsize 100\n"
    made = House(reactor, tmp_path / "cfg", text)
    made.start()
    send(made, *(b"message %d" % number for number in range(20)))
    (feeder,) = [opened for backend in made.house._backends for opened in backend._opened]
    assert isinstance(feeder, Feeder)
    kept = feeder._ring.messages()
    assert 1 < len(kept) < 10 and kept[-1] == b"<1>message 19"
    made.end([])
