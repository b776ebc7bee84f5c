"""TCP keep-alive and acknowledgements: which options the sockets of a proxy get, and accepted ones have."""

import socket
from pathlib import Path

import pytest
from config_text import DEFAULTS, read

from evener.haproxy.keep_alive import WAIT_TO_ACKNOWLEDGE, SocketOption, of_clients, of_servers
from evener.haproxy.sections.proxy import Proxy
from evener.host.listeners import Listen, open_listener, set_options

ON: SocketOption = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def proxy(lines: str, where: Path) -> Proxy:
    made, found = read(f"defaults{DEFAULTS}listen l\n  mode tcp\n  bind :8080\n{lines}", where)
    assert not found.has_errors
    return made.proxies[0]


@pytest.mark.parametrize(
    ("lines", "clients", "servers"),
    [
        ("", [], []),
        ("  option tcp-smart-accept\n", [WAIT_TO_ACKNOWLEDGE], []),
        ("  option tcp-smart-connect\n", [], [WAIT_TO_ACKNOWLEDGE]),
        ("  mode http\n", [WAIT_TO_ACKNOWLEDGE], []),
        ("  mode http\n  no option tcp-smart-accept\n", [], []),
        ("  clitcpka-cnt 3\n", [], []),
        ("  option tcpka\n", [ON], [ON]),
        ("  option srvtcpka\n", [], [ON]),
        (
            "  option clitcpka\n  clitcpka-cnt 3\n  clitcpka-idle 60\n  clitcpka-intvl 5s\n",
            [
                ON,
                (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
                (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
                (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
            ],
            [],
        ),
    ],
)
def test_options(
    lines: str, clients: list[SocketOption], servers: list[SocketOption], tmp_path: Path
) -> None:
    made = proxy(lines, tmp_path)
    assert of_clients(made) == clients
    assert of_servers(made) == servers


def test_accepted_connections_have_them(tmp_path: Path) -> None:
    made = proxy("  option clitcpka\n  clitcpka-cnt 3\n  option tcp-smart-accept\n", tmp_path)
    with open_listener(Listen(socket.AF_INET, "127.0.0.1")) as listener:
        set_options(listener, of_clients(made))
        listener.setblocking(True)
        listener.settimeout(5)
        with socket.create_connection(listener.getsockname(), timeout=5), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 0
