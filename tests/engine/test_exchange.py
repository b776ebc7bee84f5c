"""Idle server connections change hands between workers."""

from __future__ import annotations

import os
import signal
import socket

import pytest
from origin import Origin
from proxy import Peer, Proxy, wait_for

from evener.engine.columns import Column
from evener.engine.core import Listener
from evener.engine.exchange import inboxes

pytestmark = pytest.mark.timeout(30)


def ask(port: int) -> tuple[int, bytes]:
    with Peer(socket.create_connection(("127.0.0.1", port), timeout=5)) as peer:
        peer.request("/")
        return peer.response()


def test_a_worker_without_an_idle_connection_gets_that_of_another() -> None:
    """Each of two workers has a port of its own; the server sees one connection all the time."""
    origin = Origin()
    proxy = Proxy(origin.port)
    proxy.backend.reuse = 3
    doors = [socket.create_server(("127.0.0.1", 0), backlog=16) for _ in range(2)]
    ports = [door.getsockname()[1] for door in doors]
    shared, children = inboxes(2), []
    for number, door in enumerate(doors):
        child = os.fork()
        if child == 0:
            try:
                signal.signal(signal.SIGTERM, lambda *_: proxy.engine.stop())
                proxy.engine.worker = number
                proxy.engine.listeners[:] = [Listener(door.fileno(), proxy.frontend, 2)]
                proxy.engine.add_listener(proxy.engine.listeners.pop())
                proxy.engine.exchange(shared)
                proxy.engine.run()
            finally:
                os._exit(0)
        children.append(child)
    try:
        for turn in range(6):  # a machine under load may let the question time out now and then
            assert ask(ports[turn % 2]) == (200, b"hello")
            wait_for(lambda: proxy.cell(4, Column.USED_CUR) == 0)
        assert origin.accepted <= 3
        assert proxy.cell(4, Column.REUSED) == 6 - origin.accepted
        assert proxy.cell(4, Column.IDLE_CUR) <= 2
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
        for one in (*doors, proxy.listener, *(end for pair in shared for end in pair)):
            one.close()
        origin.close()
