"""Listening sockets on the loopback, in temporary directories and in the abstract namespace."""

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from evener.host.listeners import (
    TCP_FASTOPEN,
    TCP_MAXSEG,
    TCP_SAVE_SYN,
    TCP_USER_TIMEOUT,
    BindFailure,
    Listen,
    open_listener,
    open_patiently,
    pause_listener,
    resume_listener,
)


def reach(address: tuple[str, int] | str, family: int = socket.AF_INET) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        try:
            client.connect(address)
        except OSError:
            return False
        return True


def test_tcp_and_takeover() -> None:
    first = open_listener(Listen(socket.AF_INET, "127.0.0.1"))
    port = first.getsockname()[1]
    second = open_listener(Listen(socket.AF_INET, "127.0.0.1", port))
    first.close()
    assert reach(("127.0.0.1", port))
    second.close()
    assert not reach(("127.0.0.1", port))


def test_a_taken_address() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BindFailure) as failure:
            open_listener(Listen(socket.AF_INET, "127.0.0.1", port))
    assert str(failure.value) == (
        f"protocol tcpv4: cannot bind socket (Address already in use) for [127.0.0.1:{port}]."
    )


def test_unix_socket_replaces_the_old_one(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    first = open_listener(Listen(socket.AF_UNIX, path))
    second = open_listener(Listen(socket.AF_UNIX, path, mode=0o600, uid=os.getuid(), gid=os.getgid()))
    first.close()
    assert reach(path, socket.AF_UNIX)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(tmp_path) == ["s"]
    second.close()


def test_unix_failure_says_the_path(tmp_path: Path) -> None:
    with pytest.raises(BindFailure) as failure:
        open_listener(Listen(socket.AF_UNIX, f"{tmp_path}/none/s"))
    assert str(failure.value) == (
        f"protocol unix_stream: cannot bind UNIX socket (No such file or directory) [{tmp_path}/none/s]."
    )


def test_abstract_and_inherited() -> None:
    name = f"\0evener-test-{os.getpid()}"
    opened = open_listener(Listen(socket.AF_UNIX, name))
    assert reach(name, socket.AF_UNIX)
    again = open_listener(Listen(socket.AF_UNIX, "", fd=os.dup(opened.fileno())))
    opened.close()
    assert reach(name, socket.AF_UNIX)
    again.close()
    with pytest.raises(BindFailure):
        open_listener(Listen(socket.AF_INET, "", fd=999_999))


def test_pause_refuses_and_resume_accepts() -> None:
    # A port the kernel chose is forgotten by the pause; one that was asked for is not.
    with open_listener(Listen(socket.AF_INET, "127.0.0.1")) as chosen:
        address = chosen.getsockname()
    opened = open_listener(Listen(socket.AF_INET, *address))
    assert pause_listener(opened)
    assert not reach(address)
    assert resume_listener(opened, 10)
    assert reach(address)
    opened.close()


def test_patience() -> None:
    blocker = socket.socket()
    blocker.bind(("127.0.0.1", 0))
    blocker.listen()
    asked: list[int] = []

    def retry(errno: int) -> bool:
        asked.append(errno)
        blocker.close()
        return len(asked) < 3

    opened = open_patiently(Listen(socket.AF_INET, *blocker.getsockname()), retry)
    assert len(asked) == 1
    opened.close()


@pytest.mark.parametrize(
    ("said", "option", "value"),
    [
        ({"mss": 600}, TCP_MAXSEG, 600),
        ({"user_timeout": 4000}, TCP_USER_TIMEOUT, 4000),
        ({"defer_accept": True}, socket.TCP_DEFER_ACCEPT, 1),
        ({"save_syn": 1}, TCP_SAVE_SYN, 1),
        ({"fast_open": True, "backlog": 33}, TCP_FASTOPEN, 33),
    ],
)
def test_options_of_tcp(said: dict[str, Any], option: int, value: int) -> None:
    with open_listener(Listen(socket.AF_INET, "127.0.0.1", **said)) as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, option) >= value
    with open_listener(Listen(socket.AF_INET, "127.0.0.1")) as plain:
        assert plain.getsockopt(socket.IPPROTO_TCP, option) < value or option == TCP_MAXSEG


def test_the_segment_size_is_told_to_clients() -> None:
    with (
        open_listener(Listen(socket.AF_INET, "127.0.0.1", mss=600)) as opened,
        socket.create_connection(opened.getsockname(), timeout=5) as client,
    ):
        assert client.getsockopt(socket.IPPROTO_TCP, TCP_MAXSEG) <= 600


@pytest.mark.parametrize(("said", "option", "value"), [({"v6only": True}, 26, 1), ({"v4v6": True}, 26, 0)])
def test_options_of_ipv6(said: dict[str, Any], option: int, value: int) -> None:
    with open_listener(Listen(socket.AF_INET6, "::", **said)) as opened:
        assert opened.getsockopt(socket.IPPROTO_IPV6, option) == value


def test_ports_are_shared_unless_that_is_forbidden() -> None:
    first = open_listener(Listen(socket.AF_INET, "127.0.0.1"))
    port = first.getsockname()[1]
    open_listener(Listen(socket.AF_INET, "127.0.0.1", port)).close()
    with pytest.raises(BindFailure):
        open_listener(Listen(socket.AF_INET, "127.0.0.1", port, share_port=False))
    first.close()
