"""Runs in the test kernel: packets that IPVS sends to real servers, by the engine as the daemon uses it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "netns"))

from lab import inside, ip
from lvs_lab import (
    DIRECT,
    INNER,
    PORT,
    ROUTED,
    TCP,
    UDP,
    LvsLab,
    added,
    answers,
    at,
    destination,
    service,
    sysctl,
    until,
)

from evener.host.netlink.ipvs import Ipvs, open_ipvs
from evener.keepalived.lvs.ipvs import (
    AddService,
    DeleteDestination,
    Forwarding,
    Method,
    SetDestination,
    TunnelChecksum,
    TunnelType,
)
from evener.keepalived.vrrp.plan import Family

V4 = Family.INET
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=["v4", "v6"])
METHODS = pytest.mark.parametrize("method", [Method.NAT, Method.DR])


@pytest.fixture(scope="module")
def lab() -> Iterator[LvsLab]:
    made = LvsLab()
    yield made
    made.close()


@pytest.fixture
def engine(lab: LvsLab) -> Iterator[Ipvs]:
    made = inside(lab.director, open_ipvs)
    yield made
    made.flush()
    made.close()


@FAMILIES
@METHODS
@pytest.mark.parametrize("protocol", [TCP, UDP], ids=["tcp", "udp"])
def test_traffic_follows(lab: LvsLab, engine: Ipvs, family: Family, method: Method, protocol: int) -> None:
    what = service(family, method, protocol=protocol)
    servers = [destination(family, number, method) for number in range(3)]
    assert engine.apply(added(what, *servers)) == []
    assert answers([lab.ask(family, method, protocol) for _ in range(6)]) == {"s0": 2, "s1": 2, "s2": 2}
    assert engine.apply([DeleteDestination(what.key, servers[1].key)]) == []
    assert answers([lab.ask(family, method, protocol) for _ in range(6)]) == {"s0": 3, "s2": 3}
    # The kernel brings its counters up to date every two seconds of its own time, which may stand still.
    # Two datagrams from one port, by chance, are one connection.
    until(lambda: engine.traffic()[what.key, None].connections >= 11, patience=30)
    assert engine.traffic()[what.key, servers[0].key].packets_in > 0


GUE_PORT = 6080


@pytest.fixture(scope="module")
def tunnelled(lab: LvsLab) -> LvsLab:
    """The servers take packets out of tunnels; they answer as with direct routing."""
    subprocess.run(["modprobe", "fou"], check=True)
    for number, namespace in enumerate(lab.servers):
        receive(namespace, "ipip", at(INNER[V4], 11 + number))
        ip("fou", "add", "port", str(GUE_PORT), "gue", namespace=namespace)
        sysctl(namespace, **{f"net/ipv4/conf/{name}/rp_filter": 0 for name in ("all", "default", "eth0")})
    return lab


def receive(namespace: str, kind: str, own: str, *words: str) -> None:
    """A device that takes packets out of tunnels of this kind."""
    ip("link", "add", "inner", "type", kind, "local", own, *words, namespace=namespace)
    ip("link", "set", "inner", "up", namespace=namespace)
    sysctl(namespace, **{"net/ipv4/conf/inner/rp_filter": 0})


@pytest.mark.parametrize("protocol", [TCP, UDP], ids=["tcp", "udp"])
@pytest.mark.parametrize(
    ("kind", "port", "checksum"),
    [
        (TunnelType.IPIP, 0, TunnelChecksum.NONE),
        (TunnelType.GUE, GUE_PORT, TunnelChecksum.NONE),
        (TunnelType.GUE, GUE_PORT, TunnelChecksum.CHECKSUM),
        (TunnelType.GUE, GUE_PORT, TunnelChecksum.REMOTE),
        (TunnelType.GRE, 0, TunnelChecksum.NONE),
        (TunnelType.GRE, 0, TunnelChecksum.CHECKSUM),
    ],
)
def test_tunnels(
    tunnelled: LvsLab, engine: Ipvs, kind: TunnelType, port: int, checksum: TunnelChecksum, protocol: int
) -> None:
    if kind is TunnelType.GRE:  # such a device takes packets with a checksum only, or only without one
        word = "noicsum" if checksum is TunnelChecksum.NONE else "icsum"
        for number, namespace in enumerate(tunnelled.servers):
            ip("link", "del", "inner", namespace=namespace)
            receive(namespace, "gre", at(INNER[V4], 11 + number), word)
    what = service(V4, Method.DR, protocol=protocol)
    way = Forwarding(Method.TUN, kind, port, checksum)
    servers = [replace(destination(V4, number), forwarding=way) for number in range(2)]
    assert engine.apply(added(what, *servers)) == []
    got = [tunnelled.ask(V4, Method.DR, protocol) for _ in range(4)]
    assert answers(got) == {"s0": 2, "s1": 2}


SCTP = socket.IPPROTO_SCTP


@METHODS
def test_sctp(lab: LvsLab, engine: Ipvs, method: Method) -> None:
    what = service(V4, method, protocol=SCTP)
    assert engine.apply(added(what, *(destination(V4, number, method) for number in range(2)))) == []
    networks = {Method.NAT: (ROUTED, INNER), Method.DR: (DIRECT, DIRECT)}[method]
    listening = []
    for number in range(2):
        own = at(networks[1][V4], 100 if method is Method.DR else 11 + number)
        listening.append(inside(lab.servers[number], lambda own=own: associate(own)))  # type: ignore[misc]
    got = []
    for _ in range(4):
        client = inside(lab.client, lambda: associate(at(networks[0][V4], 10), at(networks[0][V4], 100)))
        (ready,) = select.select(listening, [], [], 5)[0]
        accepted, _ = ready.accept()
        accepted.send(f"s{listening.index(ready)}".encode())
        got.append(client.recv(100).decode())
        accepted.close()
        client.close()
    for each in listening:
        each.close()
    assert answers(got) == {"s0": 2, "s1": 2}


def associate(own: str, peer: str = "") -> socket.socket:
    """A socket that listens, or that is connected."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    made.settimeout(5)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((own, 0 if peer else PORT))
    if peer:
        made.connect((peer, PORT))
    else:
        made.listen(8)
    return made


def test_weights_and_drain(lab: LvsLab, engine: Ipvs) -> None:
    what = service(V4, Method.NAT, "wrr")
    servers = [destination(V4, 0, weight=3), destination(V4, 1, weight=1)]
    engine.apply(added(what, *servers))
    assert answers([lab.ask(V4, Method.NAT) for _ in range(8)]) == {"s0": 6, "s1": 2}
    engine.apply([SetDestination(what.key, destination(V4, 0, weight=0))])
    assert answers([lab.ask(V4, Method.NAT) for _ in range(3)]) == {"s1": 3}


def test_persistent_clients_stay(lab: LvsLab, engine: Ipvs) -> None:
    what = service(V4, Method.NAT, timeout_s=60)
    engine.apply(added(what, *(destination(V4, number) for number in range(3))))
    for host in (10, 11, 12):
        assert len({lab.ask(V4, Method.NAT, host=host) for _ in range(4)}) == 1


def test_what_the_kernel_refuses_does_not_keep_the_rest_out(lab: LvsLab, engine: Ipvs) -> None:
    unknown = service(V4, Method.DR, "nobody")
    what = service(V4, Method.NAT)
    failures = engine.apply([AddService(unknown), *added(what, destination(V4, 0))])
    assert [failure.change for failure in failures] == [AddService(unknown)]
    assert "Scheduler or persistence engine not found(2) (10.7.0.100:tcp:80)" in failures[0].text
    assert lab.ask(V4, Method.NAT) == "s0"


def test_without_permission_every_change_fails(lab: LvsLab) -> None:
    """Who may not administer the network gets an answer for each service."""

    def attempt() -> list[str]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setuid(65534)
                failures = open_ipvs().apply(added(service(V4), destination(V4, 0)))
                os.write(writer, json.dumps([failure.text for failure in failures]).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, "rb") as file:
            said: list[str] = json.loads(file.read() or b"[]")
        os.waitpid(pid, 0)
        return said

    said = inside(lab.director, attempt)
    assert said[0].endswith("error: Permission denied (you must be root)(1) (10.8.0.100:tcp:80)"), said
    assert len(said) == 2


def test_timeouts(lab: LvsLab, engine: Ipvs) -> None:
    before = engine.timeouts()
    assert engine.set_timeouts(100, 0, 30) == 0
    assert engine.timeouts() == (100, before[1], 30)
