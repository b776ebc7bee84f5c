"""The tables of nftables_ipvs in a real kernel, and engines in another network namespace."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest
from lab import inside
from lvs_lab import LvsLab, opened

from evener.host.address_watch import AddressWatch
from evener.host.lvs_engine import open_engine
from evener.host.namespace import FIRST, within
from evener.host.netlink.link import Interfaces
from evener.host.nft.engine import NftEngine
from evener.host.nft.marking import MarkTables
from evener.host.reactor import Reactor
from evener.keepalived.lvs.ipvs import AddService, Engine, Service, ServiceKey
from evener.keepalived.lvs.plan import CheckerOptions, CheckerPlan, Marking, VirtualServer
from evener.keepalived.vrrp.plan import Family
from evener.keepalived.vrrp.plan_machine import Buffer, Buffers

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]
TABLE = "marks_of_lvs"


@pytest.fixture(scope="module")
def lab() -> Iterator[LvsLab]:
    yield from opened()


def nft(lab: LvsLab, *words: str) -> str:
    command = ["ip", "netns", "exec", lab.director, "nft", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def key(address: str, port: int, protocol: int = socket.IPPROTO_TCP) -> ServiceKey:
    family = Family.INET6 if ":" in address else Family.INET
    return ServiceKey(family, protocol, socket.inet_pton(family, address), port)


def test_packets_get_the_mark_of_their_group(lab: LvsLab) -> None:
    tables = inside(lab.director, lambda: MarkTables(Marking(TABLE), print))
    try:
        assert tables.use({key("10.7.0.1", 80): 1000, key("fd07::1", 80): 1001, key("10.7.0.1", 81): 1002})
        # What comes after our chain sees the mark.
        nft(lab, "add table inet seen")
        nft(lab, "add chain inet seen in { type filter hook input priority 0 ; }")
        for mark in (1000, 1001, 1002):
            nft(lab, f"add rule inet seen in meta mark {mark} counter")
        for address, port in (("10.7.0.1", 80), ("fd07::1", 80)):
            with pytest.raises(OSError):
                lab.open_at(address, port)
        seen = nft(lab, "list table inet seen")
        assert [f"{mark:#010x} counter packets 1 " in seen for mark in (1000, 1001, 1002)] == [1, 1, 0], seen
        # A reload: one goes, one changes, one comes.
        assert tables.use({key("10.7.0.1", 80): 1002, key("10.7.0.1", 53, socket.IPPROTO_UDP): 1003})
        held = nft(lab, "list table ip " + TABLE)
        assert "10.7.0.1 . 80 : 0x000003ea" in held and "10.7.0.1 . 53 : 0x000003eb" in held
        assert "0x000003e8" not in held and "hook input priority -1" in held.replace("filter - 1", "-1")
        assert "fd07" not in nft(lab, "list table ip6 " + TABLE)
    finally:
        nft(lab, "delete table inet seen")
        tables.close()
    assert TABLE not in nft(lab, "list tables")


def test_what_a_process_left_goes(lab: LvsLab) -> None:
    left = inside(lab.director, lambda: MarkTables(Marking(TABLE), print))
    assert left.use({key("10.7.0.1", 80): 1000})
    left._socket.close()  # as when it is killed
    tables = inside(lab.director, lambda: MarkTables(Marking(TABLE), print))
    assert tables.use({key("10.7.0.1", 81): 1000})
    assert ". 80 :" not in nft(lab, "list table ip " + TABLE)
    tables.close()


def test_the_engine_is_in_the_namespace_of_its_own(lab: LvsLab) -> None:
    """net_namespace_ipvs."""
    here = inside(
        lab.client, lambda: open_engine(CheckerOptions(engine="nft", namespace=lab.director), print)
    )
    assert isinstance(here, NftEngine)
    try:
        assert here.apply([AddService(Service(key("10.7.0.100", 80), "rr"))]) == []
        assert "10.7.0.100" in nft(lab, "list ruleset")
    finally:
        here.flush()
        here.close()


def test_two_daemons_in_one_namespace(lab: LvsLab) -> None:
    """Each has tables of its own, by its ``instance`` name; the same name is refused."""
    said: list[str] = []

    def opened(instance: str) -> Engine | None:
        options = CheckerOptions(engine="nft", instance=instance)
        return inside(lab.director, lambda: open_engine(options, said.append))

    one, other = opened("one"), opened("other")
    assert one is not None and other is not None
    try:
        assert opened("one") is None
        assert "evener_lvs_one" in said[-1]
        for engine, address in ((one, "10.7.0.100"), (other, "10.8.0.100")):
            assert engine.apply([AddService(Service(key(address, 80), "rr"))]) == []
        one.apply([AddService(Service(key("10.7.0.101", 80), "rr"))])
        assert "10.8.0.100" in nft(lab, "list table ip evener_lvs_other")
        one.flush()
        assert "evener_lvs_one" not in nft(lab, "list tables")
        assert "10.8.0.100" in nft(lab, "list table ip evener_lvs_other")
    finally:
        other.flush()
        one.close()
        other.close()
    again = opened("one")
    assert again is not None
    again.close()


def test_a_namespace_that_is_not_there_is_said() -> None:
    said: list[str] = []
    assert open_engine(CheckerOptions(engine="nft", namespace="no-such-name"), said.append) is None
    assert "no-such-name" in said[-1]
    assert within(None, lambda: 7) == 7


def test_the_namespace_of_process_1_has_no_name() -> None:
    try:
        open(FIRST, "rb").close()
    except OSError:
        pytest.skip("process 1 is not ours to look at")
    assert within("", lambda: 8) == 8


def test_buffers_of_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """lvs_netlink_monitor_rcv_bufs; the kernel doubles what it is told."""
    virtual = VirtualServer("a", "a", (key("10.7.0.1", 80),), Service(key("10.7.0.1", 80)), ha_suspend=True)
    buffers = Buffers(command=Buffer(30_000), monitor=Buffer(40_000))
    dumps: list[int] = []
    made = Interfaces.__init__

    def note(self: Interfaces, *, dump_buffer: int = 0, force: bool = False) -> None:
        dumps.append(dump_buffer)
        made(self, dump_buffer=dump_buffer, force=force)

    monkeypatch.setattr(Interfaces, "__init__", note)
    reactor = Reactor()
    watch = AddressWatch(reactor, lambda name, suspended: None)
    try:
        watch.use(CheckerPlan(CheckerOptions(buffers=buffers), (virtual,)))
        assert watch._interfaces is not None
        with socket.fromfd(watch._interfaces.fileno(), socket.AF_NETLINK, socket.SOCK_RAW) as monitor:
            assert monitor.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 80_000
        assert dumps == [30_000]
    finally:
        watch.close()
        reactor.close()
