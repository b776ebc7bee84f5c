"""Options of instances: late timers, addresses on other interfaces, old checksums, polled links."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from kadtext import instance, read, said

from evener.host.netlink.link import IFF_RUNNING, IFF_UP, Interface
from evener.host.vrrp_linkbeat import INTERVAL_US, WAYS, Linkbeat
from evener.host.vrrp_socket import AdvertSender, place_of
from evener.keepalived.compile import compile_plan
from evener.keepalived.vrrp.admission import Admission, Received
from evener.keepalived.vrrp.fsm import Machine
from evener.keepalived.vrrp.messages import SendAdvert, SendGarp, Started, TimerExpired
from evener.keepalived.vrrp.plan import GlobalOptions, Instance, Peer, State, VrrpPlan
from evener.wire import vrrp

SECOND = 1_000_000


def planned(body: str, above: str = "") -> VrrpPlan:
    configuration, _ = read(above + instance(body))
    assert configuration is not None
    return compile_plan(configuration)


def master(config: Instance) -> Machine:
    machine = Machine(config)
    machine.handle(0, Started())
    machine.handle(4 * SECOND, TimerExpired())
    assert machine.state is State.MASTER
    return machine


@pytest.mark.parametrize(
    ("option", "late_s", "state"),
    [
        ("timer_expired_backup", 2.0, State.MASTER),
        ("timer_expired_backup", 2.2, State.BACKUP),
        ("timer_expired_backup 100", 2.2, State.MASTER),
        ("timer_expired_backup 100", 2.7, State.BACKUP),
        ("", 60.0, State.MASTER),
    ],
)
def test_a_late_timer_may_end_mastership(option: str, late_s: float, state: State) -> None:
    machine = master(planned(f"nopreempt\n{option}").instances[0])
    commands = machine.handle(int((5 + late_s) * SECOND), TimerExpired())
    assert machine.state is state
    assert any(isinstance(c, SendAdvert) for c in commands) == (state is State.MASTER)


def test_a_late_timer_needs_nopreempt() -> None:
    message = "(A) expired_timer_backup requires nopreempt - resetting"
    assert message in said(instance("timer_expired_backup"))
    assert planned("timer_expired_backup").instances[0].other_priority is None


ELSEWHERE = "garp_extra_if {}\nvirtual_ipaddress {{\n10.1.0.5/24\n10.2.0.5/24 dev eth1\n}}\n{}"


@pytest.mark.parametrize(
    ("words", "more", "found"),
    [
        ("10", "", []),
        ("all 10", "", ["eth1"]),
        ("10", "use_vmac\nuse_vmac_addr", ["vrrp1.9"]),
    ],
)
def test_addresses_on_other_interfaces_are_announced_again(words: str, more: str, found: list[str]) -> None:
    config = planned(ELSEWHERE.format(words, more)).instances[0]
    assert [address.device for address in config.elsewhere()] == found
    machine = master(config)
    sent = [c for s in range(5, 40) for c in machine.handle(s * SECOND, TimerExpired())]
    assert sent.count(SendGarp(1, extra=True)) == 3, "at 19, 29 and 39 s"


def test_addresses_get_macvlans_of_their_own() -> None:
    above = "global_defs {\nvmac_addr_prefix va\n}\n"
    config = planned(ELSEWHERE.format("0", "use_vmac\nuse_vmac_addr"), above).instances[0]
    (virtual,) = config.address_virtuals
    assert (virtual.name, virtual.parent, virtual.kind) == ("va.9", "eth1", "macvlan")
    assert virtual.mac == bytes.fromhex("00005e000109")
    assert [str(a) for a in config.addresses if a.device == "va.9"] == ["10.2.0.5/24"]
    one = planned("virtual_ipaddress {\n10.2.0.5/24 dev eth1 use_vmac\n}").instances[0]
    assert one.virtual is None and [v.name for v in one.address_virtuals] == ["vrrp.9"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("garp_extra_if all", "(Line 2) (A): garp_extra_if specified without time - ignoring"),
        ("garp_extra_if 86401", "(Line 2) (A): garp_extra_if '86401' invalid - ignoring"),
        (
            "vmac_garp_intvl 5",
            '(Line 2) Keyword "vmac_garp_intvl" is deprecated - please use "garp_extra_if"',
        ),
    ],
)
def test_what_is_said_of_extra_interfaces(line: str, message: str) -> None:
    assert message in said(instance(line))


def test_an_instance_in_a_vrf() -> None:
    config = Instance("V", 51, None, vrf="blue", unicast=True, peers=(Peer(bytes(4)),))
    assert place_of(config, GlobalOptions()).interface == "blue"


@pytest.mark.parametrize(
    ("word", "good"), [("old_unicast_checksum", True), ("old_unicast_checksum never", False)]
)
def test_checksums_of_old_releases(word: str, good: bool) -> None:
    """For the multicast group, though the packet goes to a peer; the new ones are taken as well."""
    text = f"version 3\nunicast_src_ip 10.1.0.1\nunicast_peer {{\n10.1.0.2\n}}\n{word}"
    config = planned(text).instances[0]
    source, peer, group = (socket.inet_aton(a) for a in ("10.1.0.2", "10.1.0.1", "224.0.0.18"))
    sender = AdvertSender(replace(config, old_checksum=True, peers=(Peer(peer),)), GlobalOptions())
    pdu = bytes(sender.copies(100, source)[0].packet)[vrrp.IPV4_HEADER_BYTES :]
    assert vrrp.intact(pdu, source, group) and not vrrp.intact(pdu, source, peer)
    gate = Admission(config, GlobalOptions())
    assert (gate.admit(Received(source, peer, 255, pdu, len(pdu))) is not None) == good
    new = vrrp.encode(vrrp.dissect(pdu, socket.AF_INET), source, peer)
    assert Admission(config, GlobalOptions()).admit(Received(source, peer, 255, new)) is not None


class Machines:
    """Interfaces without a kernel."""

    def __init__(self, *names: str) -> None:
        self.by_name = {name: Interface(name, 1, IFF_UP | IFF_RUNNING) for name in names}


def test_polled_links(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned("linkbeat_use_polling", "linkbeat_interfaces {\neth5 MII\n}\n")
    assert plan.linkbeat == (("eth5", "MII"), ("eth0", ""))
    links = {"eth5": True, "eth0": True}
    asked: list[tuple[str, bytes]] = []

    def way(name: str) -> None:
        def ask(_descriptor: int, interface: bytes) -> bool:
            asked.append((name, interface))
            if name == "ETHTOOL":
                raise OSError
            return links[interface.decode()]

        monkeypatch.setitem(WAYS, name, ask)

    for name in WAYS:
        way(name)
    machines = Machines("eth5", "eth0")
    linkbeat = Linkbeat(machines)  # type: ignore[arg-type]
    linkbeat.adopt(0, dict(plan.linkbeat))
    assert linkbeat.run(0) == []
    assert asked == [("MII", b"eth5"), ("ETHTOOL", b"eth0"), ("MII", b"eth0")]
    links["eth0"] = False
    assert linkbeat.run(INTERVAL_US - 1) == []
    assert linkbeat.run(INTERVAL_US) == ["eth0"]
    assert not machines.by_name["eth0"].up and machines.by_name["eth5"].up
    linkbeat.adopt(0, {})
    assert machines.by_name["eth0"].up and linkbeat.next_timer() is None
    linkbeat.close()


def test_the_loopback_interface_can_be_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answers = []
        for way in ("ETHTOOL", "IOCTL"):
            try:
                answers.append(WAYS[way](sock.fileno(), b"lo"))
            except OSError:
                continue
        with pytest.raises(OSError):
            WAYS["MII"](sock.fileno(), b"lo")
    assert answers
