"""Lines that the engine puts into datagram sockets by itself are those that the sender of the house sends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from origin import Origin
from proxy import Proxy, wait_for

from evener.engine.fold import Folding
from evener.haproxy.logformat import Format, compile_log_line, read_format
from evener.haproxy.notes import notes
from evener.haproxy.request_log import INFO, Outlet
from evener.haproxy.scope import CompileEnv
from evener.host.syslog import Identity, Sender, Target

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


class Logged:
    """A proxy whose lines go to targets, natively where that can be; ``closures`` counts the others."""

    def __init__(self, origin: Origin, *targets: Target) -> None:
        form = read_format("%ci %HM %HP %ST")
        assert isinstance(form, Format)
        self.closures = 0
        self.sender = Sender(targets, Identity("tag", 7))
        self.outlet = Outlet((), None)
        self.outlet.send, self.outlet.direct = self.sender.send, self.sender.direct
        fold = Folding()
        line = compile_log_line(form, CompileEnv(fold=fold))

        def plain(txn: Any) -> int:
            self.closures += 1
            self.outlet.send(INFO, line(txn))
            return 0

        self.proxy = Proxy(origin.port)
        self.proxy.frontend.on_request = self.note
        self.proxy.frontend.on_log = fold.log(plain, self.outlet, INFO, line)

    @staticmethod
    def note(txn: Any) -> int:
        if txn.req.path == b"/noted":
            notes(txn).log_level = 3
        return 0

    def __enter__(self) -> Logged:
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__(None, None, None)
        self.sender.close()
        assert not self.proxy.errors


def udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


def test_each_target_gets_its_head_and_its_length(origin: Origin) -> None:
    with udp() as first, udp() as second, udp() as third:
        targets = (
            Target(first.getsockname(), facility=16, format="local"),
            Target(second.getsockname(), facility=1, minimum=4, length=12, format="priority"),
            Target(third.getsockname(), level=5),
        )
        with Logged(origin, *targets) as logged:
            assert logged.proxy.get("/a")[0] == 200
            line = first.recv(200)
            assert line.startswith(b"<134>") and line.endswith(b" tag[7]: 127.0.0.1 GET /a 200\n")
            assert second.recv(200) == b"<14>127.0.0\n"
            third.settimeout(0.05)
            with pytest.raises(TimeoutError):  # less urgent than it wants
                third.recv(200)
            assert logged.closures == 0
            assert logged.proxy.get("/noted")[0] == 200
            assert first.recv(200).endswith(b" 127.0.0.1 GET /noted 200\n")
            assert logged.closures == 1


def test_a_head_longer_than_the_message_may_be(origin: Origin) -> None:
    with udp() as first, Logged(origin, Target(first.getsockname(), length=5)) as logged:
        assert logged.proxy.get("/a")[0] == 200
        assert first.recv(200) == b"<134\n"


@pytest.mark.parametrize("form", ["rfc5424", "timed", "iso"])
def test_heads_with_more_than_seconds_are_not_kept(origin: Origin, form: str) -> None:
    with udp() as first, Logged(origin, Target(first.getsockname(), format=form)) as logged:
        assert logged.proxy.get("/a")[0] == 200
        assert first.recv(200).endswith(b"127.0.0.1 GET /a 200\n")
        assert logged.closures == 1


def test_samples_are_the_senders(origin: Origin) -> None:
    with udp() as first, Logged(origin, Target(first.getsockname(), sample=(((2, 2),), 2))) as logged:
        for path in ("/1", "/2", "/3", "/4"):
            assert logged.proxy.get(path)[0] == 200
        assert first.recv(200).endswith(b"GET /2 200\n")
        assert first.recv(200).endswith(b"GET /4 200\n")
        assert logged.closures == 4


def test_a_receiver_that_comes_back_is_found(origin: Origin, tmp_path: Path) -> None:
    path = str(tmp_path / "log")

    def listening() -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.bind(path)
        made.settimeout(5)
        return made

    with listening() as first, Logged(origin, Target(path, family=socket.AF_UNIX)) as logged:
        assert logged.proxy.get("/1")[0] == 200
        assert first.recv(200).endswith(b"GET /1 200\n")
        first.close()
        Path(path).unlink()
        assert logged.proxy.get("/lost")[0] == 200
        wait_for(lambda: logged.sender.dropped == 1)
        with listening() as again:
            assert logged.proxy.get("/2")[0] == 200
            assert again.recv(200).endswith(b"GET /2 200\n")
