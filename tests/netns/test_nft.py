"""The nftables engine with real packets: who is chosen, who stays, who leaves, and what is counted."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lvs_lab import (
    DIRECT,
    PORT,
    ROUTED,
    UDP,
    LvsLab,
    added,
    answers,
    at,
    destination,
    opened,
    said,
    service,
)
from nft_lab import FAMILIES, METHODS, PROTOCOLS, V4, nft, running, three

from evener.host.nft.engine import NftEngine
from evener.keepalived.lvs.ipvs import (
    DeleteDestination,
    Destination,
    DestinationKey,
    Forwarding,
    Method,
    SetDestination,
)
from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def lab() -> Iterator[LvsLab]:
    yield from opened()


@pytest.fixture
def engine(lab: LvsLab) -> Iterator[NftEngine]:
    yield from running(lab, NftEngine)


@pytest.fixture
def ending_engine(lab: LvsLab) -> Iterator[NftEngine]:
    yield from running(lab, lambda: NftEngine(disconnect=True))


# -- schedulers


@FAMILIES
@METHODS
@PROTOCOLS
def test_round_robin_is_exact(
    lab: LvsLab, engine: NftEngine, family: Family, method: Method, protocol: int
) -> None:
    what = service(family, method, protocol=protocol)
    assert engine.apply(added(what, *three(family, method))) == []
    names = [lab.ask(family, method, protocol) for _ in range(9)]
    assert answers(names) == {"s0": 3, "s1": 3, "s2": 3}
    assert len(set(names[:3])) == 3


@FAMILIES
@METHODS
def test_weights_are_honoured_exactly(lab: LvsLab, engine: NftEngine, family: Family, method: Method) -> None:
    what = service(family, method, "wrr")
    assert engine.apply(added(what, *three(family, method, (40, 30, 20)))) == []
    names = [lab.ask(family, method) for _ in range(9)]
    assert names == ["s0", "s0", "s1", "s0", "s1", "s2", "s0", "s1", "s2"]


@FAMILIES
@METHODS
@pytest.mark.parametrize("scheduler", ["sh", "mh"])
def test_a_client_keeps_its_server(
    lab: LvsLab, engine: NftEngine, family: Family, method: Method, scheduler: str
) -> None:
    assert engine.apply(added(service(family, method, scheduler), *three(family, method))) == []
    chosen = {host: {lab.ask(family, method, host=host) for _ in range(3)} for host in range(10, 20)}
    assert all(len(names) == 1 for names in chosen.values())
    assert len(set().union(*chosen.values())) > 1


def test_dh_looks_at_where_clients_go(lab: LvsLab, engine: NftEngine) -> None:
    """All go to one address here; which server that means is a matter of the address."""
    what, servers = service(V4, scheduler="dh"), three(V4, Method.NAT)
    engine.apply(added(what, *servers))
    chosen = {lab.ask(V4, Method.NAT, host=host) for host in range(10, 20)}
    assert len(chosen) == 1
    gone = int(chosen.pop()[1])
    engine.apply([DeleteDestination(what.key, servers[gone].key)])
    left = {lab.ask(V4, Method.NAT, host=host) for host in range(10, 20)}
    assert len(left) == 1 and f"s{gone}" not in left


def test_maglev_moves_only_the_clients_of_a_server_that_leaves(lab: LvsLab, engine: NftEngine) -> None:
    what, servers = service(V4, scheduler="mh"), three(V4, Method.NAT)
    engine.apply(added(what, *servers))
    before = {host: lab.ask(V4, Method.NAT, host=host) for host in range(10, 20)}
    engine.apply([DeleteDestination(what.key, servers[0].key)])
    after = {host: lab.ask(V4, Method.NAT, host=host) for host in range(10, 20)}
    stayed = [host for host in before if before[host] != "s0" and before[host] == after[host]]
    assert len(stayed) >= sum(name != "s0" for name in before.values()) - 1
    assert "s0" not in after.values()


def test_fo_takes_the_heaviest(lab: LvsLab, engine: NftEngine) -> None:
    what, servers = service(V4, scheduler="fo"), three(V4, Method.NAT, (1, 5, 3))
    engine.apply(added(what, *servers))
    assert {lab.ask(V4, Method.NAT) for _ in range(3)} == {"s1"}
    engine.apply([SetDestination(what.key, replace(servers[1], weight=0))])
    assert {lab.ask(V4, Method.NAT) for _ in range(3)} == {"s2"}


def test_a_reload_of_one_service_does_not_start_the_turns_of_another_again(
    lab: LvsLab, engine: NftEngine
) -> None:
    what, other = service(V4), service(V4, port=81)
    engine.apply([*added(what, *three(V4, Method.NAT)), *added(other, destination(V4, 0))])
    first = lab.ask(V4, Method.NAT)
    engine.apply([SetDestination(other.key, destination(V4, 0, weight=7))])
    assert [first, lab.ask(V4, Method.NAT), lab.ask(V4, Method.NAT)] == ["s0", "s1", "s2"]


# -- persistence


@FAMILIES
@METHODS
def test_persistence_until_the_server_leaves(
    lab: LvsLab, engine: NftEngine, family: Family, method: Method
) -> None:
    what, servers = service(family, method, timeout_s=60), three(family, method)
    engine.apply(added(what, *servers))
    chosen = {host: {lab.ask(family, method, host=host) for _ in range(3)} for host in (10, 11, 12)}
    assert sorted(name for names in chosen.values() for name in names) == ["s0", "s1", "s2"]
    engine.apply([DeleteDestination(what.key, servers[1].key)])
    assert {lab.ask(family, method, host=11) for _ in range(4)} in ({"s0"}, {"s2"})
    assert {lab.ask(family, method, host=10) for _ in range(2)} == chosen[10]
    engine.apply([SetDestination(what.key, replace(servers[0], weight=0))])
    assert {lab.ask(family, method, host=10) for _ in range(2)} == {"s2"}


def test_persistence_for_a_network(lab: LvsLab, engine: NftEngine) -> None:
    what = replace(service(V4, timeout_s=60), prefix=24)
    engine.apply(added(what, *three(V4, Method.NAT)))
    assert len({lab.ask(V4, Method.NAT, host=host) for host in range(10, 20)}) == 1


def test_persistence_ends(lab: LvsLab, engine: NftEngine) -> None:
    engine.apply(added(service(V4, timeout_s=1), *three(V4, Method.NAT)))
    first = lab.ask(V4, Method.NAT)
    assert lab.ask(V4, Method.NAT) == first
    time.sleep(1.2)
    assert lab.ask(V4, Method.NAT) != first


# -- servers that leave


@FAMILIES
@METHODS
def test_draining_keeps_connections(lab: LvsLab, engine: NftEngine, family: Family, method: Method) -> None:
    what, servers = service(family, method), three(family, method)
    engine.apply(added(what, *servers))
    with lab.open(family, method) as kept:
        name = said(kept)
        drained = servers[int(name[1])]
        engine.apply([SetDestination(what.key, replace(drained, weight=0))])
        assert name not in {lab.ask(family, method) for _ in range(6)}
        kept.send(b"more")
        assert said(kept) == name


@FAMILIES
@METHODS
@PROTOCOLS
def test_connections_of_a_removed_server_end_when_asked(
    lab: LvsLab, ending_engine: NftEngine, family: Family, method: Method, protocol: int
) -> None:
    engine = ending_engine
    what, servers = service(family, method, protocol=protocol), three(family, method)
    engine.apply(added(what, *servers))
    with lab.open(family, method, protocol) as sock, lab.open(family, method, protocol) as other:
        name, stays = said(sock, protocol), said(other, protocol)
        engine.apply([DeleteDestination(what.key, servers[int(name[1])].key)])
        if protocol == UDP:
            assert said(sock, protocol) != name
        else:
            with pytest.raises(ConnectionError):
                for _ in range(5):
                    sock.send(b"more")
                    if sock.recv(100) == b"":
                        raise ConnectionResetError
        other.send(b"more")
        assert said(other, protocol) == stays


def test_a_translated_connection_to_a_removed_server_may_go_on(lab: LvsLab, engine: NftEngine) -> None:
    what, servers = service(V4), three(V4, Method.NAT)
    engine.apply(added(what, *servers))
    with lab.open(V4, Method.NAT) as sock:
        name = said(sock)
        engine.apply([DeleteDestination(what.key, servers[int(name[1])].key)])
        sock.send(b"more")
        assert said(sock) == name


@FAMILIES
@METHODS
def test_nobody_there_is_said_at_once(lab: LvsLab, engine: NftEngine, family: Family, method: Method) -> None:
    what, servers = service(family, method), three(family, method, (0, 0, 0))
    engine.apply(added(what, *servers))
    with pytest.raises(ConnectionRefusedError):
        lab.ask(family, method)
    # A sorry server is a destination that comes when the others have gone.
    engine.apply([DeleteDestination(what.key, one.key) for one in servers[:2]])
    engine.apply([SetDestination(what.key, replace(servers[2], weight=1))])
    assert lab.ask(family, method) == "s2"


@METHODS
def test_connections_can_be_ended_while_the_server_stays(
    lab: LvsLab, engine: NftEngine, method: Method
) -> None:
    what, servers = service(V4, method), three(V4, method, (1, 0, 0))
    engine.apply(added(what, *servers))
    with lab.open(V4, method) as one, lab.open(V4, method) as another:
        said(one), said(another)
        assert engine.disconnect(what.key, [servers[0].key]) >= 2
        assert engine.disconnect(what.key, [servers[1].key]) == 0


# -- services of other kinds


@FAMILIES
@METHODS
def test_a_service_of_a_mark(lab: LvsLab, engine: NftEngine, family: Family, method: Method) -> None:
    what = service(family, method, mark=7)
    engine.apply(added(what, *(destination(family, number, method, port=0) for number in range(3))))
    where = "ip" if family is Family.INET else "ip6"
    nft(lab, "add", "table", where, "user")
    nft(lab, "add", "chain", where, "user", "in", "{ type filter hook prerouting priority mangle; }")
    nft(lab, "add", "rule", where, "user", "in", "tcp", "dport", str(PORT), "meta", "mark", "set", "7")
    try:
        assert {lab.ask(family, method) for _ in range(6)} == {"s0", "s1", "s2"}
    finally:
        nft(lab, "delete", "table", where, "user")


@FAMILIES
@METHODS
def test_a_service_of_all_ports(lab: LvsLab, engine: NftEngine, family: Family, method: Method) -> None:
    what = service(family, method, port=0, timeout_s=60)
    other = service(family, method)
    engine.apply(added(what, *(destination(family, number, method, port=0) for number in (0, 1))))
    assert lab.ask(family, method) in ("s0", "s1")
    engine.apply(added(other, destination(family, 2, method)))
    assert lab.ask(family, method) == "s2"


@METHODS
def test_a_server_on_the_director_itself(lab: LvsLab, engine: NftEngine, method: Method) -> None:
    """As sorry servers often are."""
    network = (DIRECT if method is Method.DR else ROUTED)[V4]
    here = at(network, 1 if method is Method.NAT else 100)
    lab.real.add(lab.director, "director", here, port=8080 if method is Method.NAT else PORT)
    what = service(V4, method)
    where = DestinationKey(V4, socket.inet_aton(at(network, 1)), 8080 if method is Method.NAT else PORT)
    assert engine.apply(added(what, Destination(where, Forwarding(method)))) == []
    assert lab.ask(V4, method) == "director"
    assert lab.ask(V4, method) == "director"


def test_another_port_on_the_server(lab: LvsLab, engine: NftEngine) -> None:
    engine.apply(added(service(V4, port=8080), *three(V4, Method.NAT)))
    assert lab.ask(V4, Method.NAT, port=8080) in ("s0", "s1", "s2")


# -- counters


@FAMILIES
@METHODS
def test_counters(lab: LvsLab, engine: NftEngine, family: Family, method: Method) -> None:
    what, servers = service(family, method), three(family, method)
    engine.apply(added(what, *servers))
    with lab.open(family, method) as kept:
        said(kept)
        for _ in range(5):
            lab.ask(family, method)
        counted = engine.traffic()
        total = counted[what.key, None]
        each = [counted[what.key, server.key] for server in servers]
        assert total.connections == 6 and [one.connections for one in each] == [2, 2, 2]
        assert total.packets_in >= 18 and total.bytes_in >= 18 * 40
        if method is Method.NAT:
            assert total.packets_out >= 12 and sum(one.packets_in for one in each) == total.packets_in
            assert total.active == 1
