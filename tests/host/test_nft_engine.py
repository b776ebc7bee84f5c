"""The nftables engine when the kernel refuses something (real packets: tests/netns/test_nft.py)."""

from __future__ import annotations

import errno

import pytest

from evener.host.nft.engine import ROUNDS, NftEngine
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
)
from evener.keepalived.vrrp.plan import Family
from evener.wire.nfnetlink import Answer
from evener.wire.nftables import Message


class Kernel:
    """Refuses messages that mention one of ``refused``; remembers what it has carried out."""

    def __init__(self, *refused: bytes) -> None:
        self.refused = refused
        self.whole = 0
        """An errno for whole transactions."""
        self.done: list[list[Message]] = []
        self.asked = 0

    def transaction(self, messages: list[Message]) -> dict[int, int]:
        self.asked += 1
        if self.whole:
            return {-1: self.whole}
        wrong = {
            at: errno.EINVAL
            for at, one in enumerate(messages)
            if any(word in one.body for word in self.refused)
        }
        if not wrong and messages:
            self.done.append(messages)
        return wrong

    def ask(self, message: Message) -> Answer:
        return Answer(0, 0, None, 0, b"")

    def close(self) -> None:
        pass


def key(number: int) -> ServiceKey:
    return ServiceKey(Family.INET, 6, bytes((10, 0, 0, number)), 80)


def service(number: int) -> list[Change]:
    where = DestinationKey(Family.INET, bytes((10, 1, 0, number)), 80)
    return [AddService(Service(key(number), "rr")), AddDestination(key(number), Destination(where))]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr("evener.host.nft.engine.NetfilterSocket", lambda: kernel)
    return kernel


def test_a_service_that_is_refused_does_not_keep_others_away(kernel: Kernel) -> None:
    engine = NftEngine()
    kernel.refused = (b"tcp_10.0.0.2_80",)
    changes = [change for number in (1, 2, 3) for change in service(number)]
    failures = engine.apply(changes)
    assert [failure.change for failure in failures] == service(2)
    assert {failure.errno for failure in failures} == {errno.EINVAL}
    said = b"".join(one.body for one in kernel.done[-1])
    assert b"tcp_10.0.0.1_80" in said and b"tcp_10.0.0.3_80" in said and b"tcp_10.0.0.2_80" not in said
    kernel.refused = ()
    assert engine.apply(service(2)) == []


def test_a_transaction_that_is_refused_as_a_whole(kernel: Kernel) -> None:
    engine = NftEngine()
    kernel.whole = errno.EPERM
    assert [failure.errno for failure in engine.apply(service(1))] == [errno.EPERM] * 2
    assert kernel.asked == 1
    kernel.whole = 0
    assert engine.apply(service(1)) == []


def test_it_is_not_tried_for_ever(kernel: Kernel) -> None:
    engine = NftEngine()
    # The table itself is refused.
    kernel.refused = (b"evener_lvs",)
    assert len(engine.apply(service(1))) == 2
    assert kernel.asked <= ROUNDS and kernel.done == []
