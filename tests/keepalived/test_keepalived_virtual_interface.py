"""use_vmac and use_ipvlan: names, MAC addresses, and what is said of those that will not do."""

from __future__ import annotations

import socket

import pytest
from kadtext import instance, read, said

from evener.keepalived.compile import compile_plan
from evener.keepalived.virtual_interface import mac_of
from evener.keepalived.vrrp.plan import Family, VirtualAddress, VirtualInterface


def made(*texts: str) -> list[VirtualInterface | None]:
    configuration, _ = read("".join(texts))
    assert configuration is not None
    return [config.virtual for config in compile_plan(configuration).instances]


def test_the_default_is_the_address_of_the_standard() -> None:
    (virtual,) = made(instance("use_vmac"))
    assert virtual == VirtualInterface("vrrp.9", "eth0", Family.INET, bytes.fromhex("00005e000109"))
    sixth = instance("use_vmac").replace("10.1.0.1/24", "fe80::1/64")
    assert made(sixth) == [VirtualInterface("vrrp.9", "eth0", Family.INET6, bytes.fromhex("00005e000209"))]


def test_names_do_not_meet() -> None:
    sixth = instance("use_vmac", "B").replace("10.1.0.1/24", "fe80::1/64")
    third = instance("use_vmac", "C").replace("eth0", "eth1")
    names = [virtual.name for virtual in made(instance("use_vmac"), sixth, third) if virtual]
    assert names == ["vrrp.9", "vrrp6.9", "vrrp1.9"]
    prefixed = "global_defs {\nvmac_prefix averylongprefix\n}\n"
    (virtual,) = made(prefixed, instance("use_vmac"))
    assert virtual is not None and virtual.name == "averylongpref.9"


def test_addresses_and_adverts_move_onto_it() -> None:
    configuration, _ = read(instance("use_vmac"))
    assert configuration is not None
    (config,) = compile_plan(configuration).instances
    assert (config.interface, config.wire, config.addresses[0].device) == ("eth0", "vrrp.9", "vrrp.9")
    configuration, _ = read(instance("use_vmac v 02:11:22:33:44\nvmac_xmit_base"))
    assert configuration is not None
    (config,) = compile_plan(configuration).instances
    assert (config.wire, config.addresses[0].device) == ("eth0", "v")
    assert config.virtual is not None and config.virtual.mac == bytes.fromhex("021122334409")


def test_ipvlan() -> None:
    (virtual,) = made(instance("use_ipvlan ipv0 10.1.0.7/24 private group 5"))
    own = VirtualAddress(socket.inet_aton("10.1.0.7"), 24, "ipv0", advertised=False)
    expected = VirtualInterface("ipv0", "eth0", Family.INET, group=5, ipvlan_flags=1, address=own)
    assert virtual == expected and virtual.kind == "ipvlan"


@pytest.mark.parametrize(
    ("address", "vip", "silent"),
    [("", "10.1.0.1/24", True), ("10.1.0.7", "10.1.0.1/24", False), ("", "fe80::1/64", False)],
)
def test_an_ipvlan_has_no_address_of_its_own(address: str, vip: str, silent: bool) -> None:
    """Those of IPv6 get a link-local one from the interface below."""
    text = instance(f"use_ipvlan {address}").replace("10.1.0.1/24", vip)
    configuration, _ = read(text)
    assert configuration is not None
    assert compile_plan(configuration).instances[0].mute is silent
    message = "(A) IPv4 ipvlan requires a source ip address to be configured. setting instance to fault state"
    assert said(text) == [message] * silent


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("use_vmac 01:11:22:33:44:55", "VMAC MAC address is multicast 01:11:22:33:44:55 - ignoring"),
        ("use_vmac 02:11:22:33:44:5x", "VMAC invalid MAC address 02:11:22:33:44:5x - ignored"),
        (
            "use_vmac 00:00:5e:00:01:05",
            "VMAC MAC address not allowed to be RFC5798 address (00:00:5e:00:01:05) - ignoring",
        ),
        ("use_vmac a b", "VMAC interface name already specified"),
        (
            "use_vmac abcdefghijklmnop",
            "VMAC interface name 'abcdefghijklmnop' too long or invalid characters - ignoring",
        ),
        ("use_ipvlan 10.1.0.7 vepa bridge", "(A) ipvlan type already specified - ignoring 'bridge'"),
    ],
)
def test_wrong_words(body: str, expected: str) -> None:
    assert said(instance(body)) == [f"(Line 2) {expected}"]


def test_a_name_is_used_once() -> None:
    other = instance("use_vmac v", "B").replace(" 9", " 10")
    assert said(instance("use_vmac v") + other) == [
        "(Line 10) (B) VRRP instance A is already using v - ignoring name"
    ]


@pytest.mark.parametrize("text", ["1:2:3:4", "1:2:3:4:5:6:7", "1:2:3:4:5:g", "1::3:4:5:6", "001:2:3:4:5:6"])
def test_what_is_no_mac_address(text: str) -> None:
    assert mac_of(text) is None


def test_the_last_byte_may_be_left_out() -> None:
    assert mac_of("2:11:22:33:44") == mac_of("02:11:22:33:44:") == bytes.fromhex("0211223344")
