"""Servers that cannot be connected to from the address they should be: tried again at once, and told of."""

from __future__ import annotations

import socket

import pytest
from origin import Origin
from proxy import LOCALHOST, Proxy


@pytest.mark.parametrize("retries", [0, 2])
def test_a_source_address_that_is_not_ours(retries: int) -> None:
    told: list[tuple[int, bool]] = []
    origin = Origin()
    with Proxy(origin.port) as proxy:
        proxy.engine.hear_unbound(lambda backend, no_ports: told.append((backend, no_ports)))
        proxy.backend.retries, proxy.backend.retry_on = retries, 1
        proxy.backend.servers[0].set_source(socket.AF_INET, bytes((192, 0, 2, 99)), 0, 0)
        assert proxy.get()[0] == 503
        seen = proxy.log()
    origin.close()
    assert (seen["end"], seen["retries"]) == (b"SC", retries)
    assert told == [(0, False)] * (retries + 1)


def test_a_port_that_has_a_connection_already() -> None:
    told: list[tuple[int, bool]] = []
    origin = Origin()
    with socket.socket() as busy, Proxy(origin.port) as proxy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        busy.bind(("127.0.0.1", 0))
        busy.connect(("127.0.0.1", origin.port))
        port = busy.getsockname()[1]
        proxy.engine.hear_unbound(lambda backend, no_ports: told.append((backend, no_ports)))
        proxy.backend.retries, proxy.backend.retry_on = 1, 1
        proxy.backend.servers[0].set_source(socket.AF_INET, LOCALHOST, port, port)
        assert proxy.get()[0] == 503
        seen = proxy.log()
    origin.close()
    assert (seen["end"], seen["retries"]) == (b"SC", 1)
    assert told == [(0, True)] * 2
