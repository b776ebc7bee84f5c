"""Where connections come from and go to: ``source``, ``usesrc``, ``socks4``; transparent binds, interfaces.

In a namespace whose rules deliver 192.0.2.0/24 locally without those addresses being anybody's, so that only
sockets with IP_TRANSPARENT may use them.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from lab import why_not

from evener.host import net_namespaces

pytest.importorskip("evener.engine.core")
NAME = f"evener-src-{os.getpid()}"
ORIGIN, SOCKS = 9100, 9200
IP_TRANSPARENT = 19
CONFIG = f"""
defaults
    mode http
    timeout connect 3s
    timeout client 3s
    timeout server 3s
    retries 0
listen client
    bind 127.0.0.1:9001
    source 0.0.0.0 usesrc client
    server s 127.0.0.1:{ORIGIN}
listen clientip
    bind 127.0.0.1:9002
    server s 127.0.0.1:{ORIGIN} source 0.0.0.0 usesrc clientip
listen last
    bind 127.0.0.1:9003
    server s 127.0.0.1:{ORIGIN} source 0.0.0.0 usesrc hdr_ip(x-f)
listen first
    bind 127.0.0.1:9004
    server s 127.0.0.1:{ORIGIN} source 0.0.0.0 usesrc hdr_ip(x-f,1)
listen fixed
    bind 127.0.0.1:9005
    server s 127.0.0.1:{ORIGIN} source 0.0.0.0 usesrc 192.0.2.77:4321
listen ports
    bind 127.0.0.1:9006
    http-reuse never
    option httpclose
    server s 127.0.0.1:{ORIGIN} source 127.0.0.5:2000-2001
listen device
    bind 127.0.0.1:9007
    server s 127.0.0.1:{ORIGIN} source 127.0.0.6 interface lo
listen nowhere
    bind 127.0.0.1:9008
    server s 127.0.0.1:{ORIGIN} source 0.0.0.0 interface down0
listen socks
    bind 127.0.0.1:9009
    server s 198.51.100.1:80 socks4 127.0.0.1:{SOCKS}
listen see-through
    bind 192.0.2.50:9010 transparent
    http-request return status 200 content-type text/plain lf-string "%[dst]:%[dst_port]"
listen of-lo
    bind :9011 interface lo
    http-request return status 200
listen of-another
    bind :9012 interface down0
    http-request return status 200
listen anywhere
    bind 192.0.2.51:9013 transparent
    server s 0.0.0.0:9014 source 127.0.0.1
"""


class Origin:
    """Answers with the address it was connected from; keeps connections open."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self.listening = []
        for address in addresses:
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
            made.bind(address)
            made.listen(32)
            self.listening.append(made)
            threading.Thread(target=self.accept, args=(made,), daemon=True).start()

    def accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, (host, port) = listening.accept()
                threading.Thread(target=self.serve, args=(peer, f"{host}:{port}"), daemon=True).start()

    def serve(self, peer: socket.socket, seen: str) -> None:
        with peer, contextlib.suppress(OSError):
            if peer.getsockname()[1] == SOCKS:
                asked = peer.recv(64)
                seen = asked.hex()
                peer.sendall(b"\x00\x5a" + bytes(6))
            while peer.recv(65536):
                peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(seen), seen.encode()))

    def close(self) -> None:
        for made in self.listening:
            made.close()


Ask = Callable[..., str]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sources")
    (folder / "cfg").write_text(CONFIG)
    subprocess.run(["ip", "netns", "add", NAME], check=True)
    for words in (
        "link set lo up", "link add down0 type veth peer name down1", "rule add to 192.0.2.0/24 lookup 100",
        "route add local 192.0.2.0/24 dev lo table 100",
    ):  # fmt: skip
        subprocess.run(["ip", "-n", NAME, *words.split()], check=True)
    with net_namespaces.inside(NAME):
        origin = Origin(("127.0.0.1", ORIGIN), ("127.0.0.1", SOCKS), ("192.0.2.51", 9014))
    process = subprocess.Popen(
        ["ip", "netns", "exec", NAME, sys.executable, "-m", "evener.cli.haproxy", "-f", "cfg"],
        cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        end = time.monotonic() + 15
        while time.monotonic() < end and "200" not in get(("127.0.0.1", 9011)):
            assert process.poll() is None
            time.sleep(0.05)
        yield get
    finally:
        process.kill()
        process.wait()
        origin.close()
        subprocess.run(["ip", "netns", "del", NAME], check=False)


def get(to: tuple[str, int], *lines: str, by: tuple[str, int] | None = None) -> str:
    """Status and body of a GET from within the namespace, perhaps from an address that is nobody's."""
    with net_namespaces.inside(NAME):
        client = socket.socket()
    with client:
        client.settimeout(5)
        client.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if by is not None:
                client.bind(by)
            client.connect(to)
        except OSError as error:
            return type(error).__name__
        head = "".join(f"{line}\r\n" for line in ("GET / HTTP/1.1", "host: a", "connection: close", *lines))
        client.sendall(head.encode() + b"\r\n")
        told = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    body = told.partition("\r\n\r\n")[2]
    return f"{told[9:12]} {body}".strip()


def test_the_client_s_address_and_port(ask: Ask) -> None:
    assert ask(("127.0.0.1", 9001), by=("192.0.2.8", 5555)) == "200 192.0.2.8:5555"


def test_the_client_s_address(ask: Ask) -> None:
    status, _, seen = ask(("127.0.0.1", 9002), by=("192.0.2.9", 5556)).partition(" ")
    host, _, port = seen.partition(":")
    assert (status, host) == ("200", "192.0.2.9") and port != "5556"


@pytest.mark.parametrize(
    ("port", "lines", "seen"),
    [
        (9003, ("x-f: 192.0.2.1, 192.0.2.2", "x-f: 192.0.2.3"), "192.0.2.3"),
        (9004, ("x-f: 192.0.2.1, 192.0.2.2", "x-f: 192.0.2.3"), "192.0.2.1"),
        (9003, (), "127.0.0.1"),
        (9003, ("x-f: no address",), "127.0.0.1"),
        (9003, ("x-f: ,",), "127.0.0.1"),
    ],
)
def test_an_address_of_a_header(ask: Ask, port: int, lines: tuple[str, ...], seen: str) -> None:
    """Without one connections come from where they come from without ``usesrc``."""
    assert ask(("127.0.0.1", port), *lines).partition(":")[0] == f"200 {seen}"


def test_a_fixed_address_that_is_nobody_s(ask: Ask) -> None:
    assert ask(("127.0.0.1", 9005)) == "200 192.0.2.77:4321"


def test_a_range_of_ports(ask: Ask) -> None:
    seen = [ask(("127.0.0.1", 9006)) for _ in range(2)]
    assert set(seen) <= {"200 127.0.0.5:2000", "200 127.0.0.5:2001"}


def test_a_source_with_an_interface(ask: Ask) -> None:
    assert ask(("127.0.0.1", 9007)).partition(":")[0] == "200 127.0.0.6"
    assert ask(("127.0.0.1", 9008)).startswith("503")


def test_a_socks4_proxy_is_asked_the_way(ask: Ask) -> None:
    assert ask(("127.0.0.1", 9009)) == "200 " + (bytes.fromhex("04010050c6336401") + b"HAProxy\0").hex()


def test_a_transparent_bind_takes_what_is_for_nobody(ask: Ask) -> None:
    assert ask(("192.0.2.50", 9010)) == "200 192.0.2.50:9010"


def test_a_bind_of_an_interface(ask: Ask) -> None:
    assert ask(("127.0.0.1", 9011)).startswith("200")
    assert ask(("127.0.0.1", 9012)) == "ConnectionRefusedError"


def test_a_server_that_is_where_the_client_wanted_to_go(ask: Ask) -> None:
    assert ask(("192.0.2.51", 9013)).partition(":")[0] == "200 127.0.0.1"
