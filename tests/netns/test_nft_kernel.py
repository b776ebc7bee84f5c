"""The nftables engine and the kernel: what is refused, what others do to the rules, what is left of them."""

from __future__ import annotations

import json
import os
import random
import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lab import inside
from lvs_lab import (
    UDP,
    LvsLab,
    added,
    destination,
    opened,
    service,
)
from nft_lab import METHODS, V4, nft, running, three

from evener.host.nft.engine import NftEngine
from evener.host.nft.socket import NetfilterSocket
from evener.keepalived.lvs import nft_table
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Method,
    ServiceFlags,
    SetDestination,
    SetService,
)
from evener.keepalived.lvs.nft_direct import Timeouts
from evener.keepalived.vrrp.plan import Family
from evener.wire import nftables

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def lab() -> Iterator[LvsLab]:
    yield from opened()


@pytest.fixture
def engine(lab: LvsLab) -> Iterator[NftEngine]:
    yield from running(lab, NftEngine)


def test_what_nftables_cannot_do_is_refused_and_the_rest_is_loaded(lab: LvsLab, engine: NftEngine) -> None:
    refused, loaded = service(V4, scheduler="wlc", port=81), service(V4)
    tunnel, plain = destination(V4, 1, Method.TUN), destination(V4, 0)
    failures = engine.apply([*added(refused, destination(V4, 2)), *added(loaded, tunnel, plain)])
    assert [failure.change for failure in failures] == [
        AddService(refused),
        AddDestination(loaded.key, tunnel),
    ]
    assert "wlc" in failures[0].text and "TUN" in failures[1].text
    assert {lab.ask(V4, Method.NAT) for _ in range(2)} == {"s0"}
    with pytest.raises(ConnectionRefusedError):
        lab.ask(V4, Method.NAT, port=81)
    assert engine.apply([SetService(replace(refused, scheduler="rr"))]) == []
    assert lab.ask(V4, Method.NAT, port=81) == "s2"
    assert engine.apply([DeleteService(refused.key), DeleteService(loaded.key)]) == []


def test_nothing_stays_behind_and_other_tables_are_left_alone(lab: LvsLab, engine: NftEngine) -> None:
    nft(lab, "add", "table", "ip", "user")
    try:
        for _ in range(2):
            what = service(V4)
            assert engine.apply(added(what, *three(V4, Method.NAT))) == []
            assert "evener_lvs" in nft(lab, "list", "tables")
            assert engine.apply([DeleteService(what.key)]) == []
            assert nft(lab, "list", "tables").split() == ["table", "ip", "user"]
    finally:
        nft(lab, "delete", "table", "ip", "user")


def test_rulesets_can_be_listed(lab: LvsLab, engine: NftEngine) -> None:
    for family in Family:
        for method in (Method.NAT, Method.DR):
            for number, scheduler in enumerate(("rr", "wrr", "sh", "mh", "dh", "fo")):
                for timeout_s in (0, 60):
                    port = 1000 + number * 2 + bool(timeout_s)
                    what = service(family, method, scheduler, port=port, timeout_s=timeout_s)
                    assert engine.apply(added(what, *three(family, method))) == []
    assert nft(lab, "list", "ruleset").count("chain s") == 48
    assert nft(lab, "-j", "list", "ruleset")


def test_a_new_engine_replaces_what_an_older_one_left(lab: LvsLab, engine: NftEngine) -> None:
    older = inside(lab.director, NftEngine)
    older.apply(added(service(V4, port=99), destination(V4, 1)))
    older.close()
    engine.apply(added(service(V4), destination(V4, 2)))
    assert lab.ask(V4, Method.NAT) == "s2"
    assert "99" not in nft(lab, "list", "map", "ip", "evener_lvs", "services")


@METHODS
def test_what_others_remove_is_loaded_again(lab: LvsLab, engine: NftEngine, method: Method) -> None:
    what, servers = service(V4, method), three(V4, method, (1, 0, 0))
    engine.apply(added(what, *servers))
    assert not engine.repair()
    nft(lab, "flush", "ruleset")
    assert engine.repair() and not engine.repair()
    assert lab.ask(V4, method) == "s0"
    nft(lab, "flush", "ruleset")
    assert engine.apply([SetDestination(what.key, destination(V4, 1, method, 1))]) == []
    assert {lab.ask(V4, method) for _ in range(2)} == {"s0", "s1"}


def test_without_permission_every_change_fails(lab: LvsLab) -> None:
    def attempt() -> list[str]:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child has its own way
            pid = os.fork()
        if pid == 0:
            try:
                os.setuid(65534)
                failures = NftEngine().apply(added(service(V4), destination(V4, 0)))
                os.write(writer, json.dumps([failure.text for failure in failures]).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, "rb") as file:
            said = json.loads(file.read())
        os.waitpid(pid, 0)
        return said

    assert inside(lab.director, attempt) == ["nftables: Operation not permitted ([10.8.0.100]:tcp:80)"] * 2


def test_timeouts_of_direct_routing_change(lab: LvsLab, engine: NftEngine) -> None:
    engine.apply(added(service(V4, Method.DR, protocol=UDP), *three(V4, Method.DR, (1, 0, 0))))
    engine.set_timeouts(Timeouts(udp_s=7))
    assert "timeout 7s" in nft(lab, "list", "chain", "ip", "evener_lvs", "dr")
    assert "timeout 5m" not in nft(lab, "list", "chain", "ip", "evener_lvs", "flows_known")
    assert lab.ask(V4, Method.DR, UDP) == "s0"


def test_a_small_buffer_is_enough(lab: LvsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container one may not have a large one."""
    monkeypatch.setattr(NetfilterSocket, "_room", lambda self, force, ask, size: None)
    engine = inside(lab.director, NftEngine)
    try:
        changes = [
            one for port in range(1, 1200) for one in added(service(V4, port=port), destination(V4, 0))
        ]
        assert engine.apply(changes) == []
        assert lab.ask(V4, Method.NAT, port=1100) == "s0"
    finally:
        engine.flush()
        engine.close()


@pytest.mark.parametrize("seed", range(3))
def test_many_changes_end_where_one_would(lab: LvsLab, engine: NftEngine, seed: int) -> None:
    """What the kernel has after random batches is what the state says, element by element."""
    dice = random.Random(seed)
    keys = [service(family, port=port) for family in Family for port in (80, 81, 82)]
    told: dict = {}
    for _ in range(30):
        batch = [change for _ in range(dice.randint(1, 8)) for change in random_change(dice, keys, told)]
        assert engine.apply(batch) == []
    for family in Family:
        rendered = [one.rendered for key, one in engine._state.services.items() if key.family is family]
        table = nft_table.table(family)
        for name in ("services", "any_port", "dr_services", "choices", "dests", "quiet"):
            wanted = {
                key: nftables.attributes(data).get(1, b"")
                for one in rendered
                for key, data in one.elements.get(name, {}).items()
            }
            assert {one.key: one.data for one in engine._socket.elements(table, name)} == wanted
        counted = {key for one in rendered for key in one.counted}
        assert {one.key for one in engine._socket.elements(table, "sent")} == counted
    listed = nft(lab, "list", "ruleset")
    chains = [name for one in engine._state.services.values() for name in one.rendered.chains]
    assert listed.count("chain s") + listed.count("chain choice_s") == len(chains)


def random_change(dice: random.Random, keys: list, told: dict) -> Iterator:
    """One change that makes sense, or two; ``told`` is the model."""
    what = replace(
        dice.choice(keys),
        scheduler=dice.choice(["rr", "wrr", "sh", "mh"]),
        **dice.choice([{}, {"flags": ServiceFlags.PERSISTENT, "timeout_s": 60}]),
    )
    family, key = what.key.family, what.key
    if key not in told:
        told[key] = set()
        yield AddService(what)
        return
    where, weight = destination(family, number := dice.randrange(4)), dice.randrange(4)
    match dice.randrange(5):
        case 0:
            yield SetService(what)
        case 1 if dice.random() < 0.3:
            del told[key]
            yield DeleteService(key)
        case 2 if number in told[key]:
            told[key].discard(number)
            yield DeleteDestination(key, where.key)
        case _:
            change = SetDestination if number in told[key] else AddDestination
            told[key].add(number)
            yield change(key, replace(where, weight=weight))
