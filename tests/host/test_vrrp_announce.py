"""The pace of gratuitous ARPs: none, of an interface, of a group of interfaces."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from evener.host.vrrp_announce import Announcer
from evener.keepalived.vrrp.plan import GarpGroup, GlobalOptions, Instance, VirtualAddress, VrrpPlan


def address(last: int, device: str) -> VirtualAddress:
    return VirtualAddress(socket.inet_aton(f"10.0.0.{last}"), 24, device)


class Recorder(Announcer):
    """Keeps what would be sent."""

    def __init__(self, options: GlobalOptions) -> None:
        super().__init__(options, lambda name: None)
        self.left: list[str] = []

    def _send(self, address: VirtualAddress) -> None:
        self.left.append(f"{str(address).split('.')[3].split('/')[0]} {address.device}")


@pytest.fixture
def announcer(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    try:
        made = Recorder(GlobalOptions(garp_interval_us=request.param))
    except PermissionError:
        pytest.skip("packet sockets need root")
    yield made
    made.close()


TWO = Instance("V", 5, "eth0", addresses=(address(1, "eth0"), address(2, "eth1")))


@pytest.mark.parametrize("announcer", [0], indirect=True)
def test_without_an_interval_they_leave_at_once(announcer: Recorder) -> None:
    announcer.announce(0, TWO, 2)
    assert announcer.left == ["1 eth0", "2 eth1", "1 eth0", "2 eth1"]
    assert announcer.pacing.next_timer() is None


@pytest.mark.parametrize("announcer", [100], indirect=True)
def test_each_interface_has_its_own_pace(announcer: Recorder) -> None:
    announcer.announce(5, TWO, 2)
    assert announcer.left == ["1 eth0", "2 eth1"]
    assert announcer.pacing.next_timer() == 105
    announcer.run(105)
    assert announcer.left[2:] == ["1 eth0", "2 eth1"]


@pytest.mark.parametrize("announcer", [100], indirect=True)
def test_a_group_shares_one_pace(announcer: Recorder) -> None:
    announcer.pacing.adopt(VrrpPlan(garp_groups=(GarpGroup(("eth0", "eth1"), 1000),)))
    announcer.announce(0, TWO, 1)
    assert announcer.left == ["1 eth0"]
    announcer.run(999)
    assert announcer.left == ["1 eth0"]
    announcer.run(1000)
    assert announcer.left == ["1 eth0", "2 eth1"]


@pytest.mark.parametrize("announcer", [100], indirect=True)
def test_what_is_no_longer_true_does_not_leave(announcer: Recorder) -> None:
    announcer.announce(0, TWO, 3)
    announcer.pacing.cancel("V")
    assert announcer.pacing.next_timer() is None
