"""The part of global_defs about VRRP: defaults of instances, timing of adverts and gratuitous ARPs."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import (
    SAID,
    SECOND,
    Address,
    Decimal,
    Flag,
    IpAddress,
    Number,
    OnlyNumber,
    OptionalString,
    SignedNumber,
    String,
    Strings,
    Timer,
    Value,
)
from evener.keepalived.blocks.common import COUNT, SECONDS, SIZE, extra_times, first_only, yes_no
from evener.keepalived.blocks.process_settings import ProcessSettings
from evener.keepalived.declare import word
from evener.keepalived.numbers import INT_MAX, UINT_MAX, whole
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor

INTERVAL = Decimal(1, UINT_MAX)
INVALID = "{keyword} '{word}' is invalid"
IGNORING = "Invalid {keyword} '{word}' - ignoring"
NOT_IPTABLES = (
    "iptables not supported, using nftables instead. "
    "Please replace 'vrrp_iptables and 'vrrp_ipsets' with 'nftables' config option"
)


def at_least_one(keyword: str) -> Any:
    """A set of gratuitous ARPs has at least one."""

    def check(reading: Any, builder: Any, value: int, span: Any) -> int:
        if not value:
            reading.warn("zero-repeat", f"{keyword} must be greater than 0, setting to 1", span)
        return value or 1

    return check


class GroupAddress(IpAddress):
    """A multicast group; that it is one, and of the right family, is looked at by ``multicast``."""

    def __init__(self, good: str) -> None:
        super().__init__()
        self.good = (good,)


def multicast(version: int) -> Any:
    def check(reading: Any, builder: Any, value: Address, span: Any) -> Address | None:
        if value.version == version and value.is_multicast:
            return value
        what = f"IPv{version}" if value.version != version else "multicast"
        message = f"vrrp_mcast_group{version} [{value}] is not {what}. Skipping"
        reading.alert("no-group", message, span)
        return None

    return check


GROUP4, GROUP6 = GroupAddress("224.0.0.18"), GroupAddress("ff02::12")


class BufferPolicy(Value):
    """``MTU``, ``ADVERT`` or a number; a number counts before both, and MTU before ADVERT."""

    usage = "MTU|ADVERT|<NUMBER>"
    good = ("MTU", "ADVERT", "65536")
    bad = ("", "x")

    def read(self, cursor: Cursor) -> str:
        first, reading = cursor.peek(), cursor.context
        policies, size = set(), ""
        for word_ in [cursor.take(), *cursor.rest()]:
            if word_.upper() in ("MTU", "ADVERT"):
                policies.add(word_.upper())
                continue
            code, message, number = whole(first or "", 0, UINT_MAX)  # it is the first word that is read
            if code:
                reading.alert(code, message, cursor.span())
                reading.alert("bad-policy", f"Invalid vrrp_rx_bufs_policy {word_}", cursor.span())
            else:
                size = str(number)
        if size and policies:
            text = "Cannot set vrrp_rx_bufs_policy size and policy, ignoring policy"
            reading.warn("both-policies", text, cursor.span())
        elif len(policies) > 1:
            text = "Cannot set both vrrp_rx_bufs_policy MTU and ADVERT, ignoring ADVERT"
            reading.warn("both-policies", text, cursor.span())
        if not size and not policies:
            raise cursor.bad(SAID, "")
        return size or ("MTU" if "MTU" in policies else "ADVERT")


def only_nftables(reading: Any, builder: Any, value: Any, span: Any) -> Any:
    reading.warn("iptables-unsupported", NOT_IPTABLES, span)
    return value


def set_dynamic(reading: Any, builder: Any, value: str, span: Any) -> str:
    """From here on an interface that does not exist is no reason to complain."""
    reading.dynamic_interfaces = True
    if value in ("", "allow_if_changes"):
        return value
    reading.alert("unknown-option", f"Unknown dynamic_interfaces option '{value}'", span)
    return ""


@dataclass(frozen=True, slots=True)
class VrrpSettings(ProcessSettings):
    """Defaults and limits of VRRP."""

    dynamic_interfaces: str | None = word(
        OptionalString("[allow_if_changes]"),
        "Interfaces may appear and disappear.",
        check=set_dynamic,
        bad=("dynamic_interfaces x",),
        ok=("dynamic_interfaces", "dynamic_interfaces allow_if_changes"),
    )
    default_interface: str | None = word(
        String(),
        "Interface of addresses that name none (default eth0).",
        missing="default_interface requires interface name",
    )
    disable_local_igmp: bool = word(
        Flag(), "Do not tell switches of 224.0.0.x groups (a setting of the kernel).", default=False
    )
    v3_checksum_as_v2: bool | None = yes_no("VRRPv3 checksum without pseudo header for IPv4 (RFC 9568).")
    vrrp_mcast_group4: Address | None = word(
        GROUP4,
        "Multicast group of IPv4 adverts (default 224.0.0.18).",
        complaint="Can't parse vrrp_mcast_group4 [{word}]. Skipping",
        bad=("vrrp_mcast_group4 x", "vrrp_mcast_group4 10.0.0.1"),
        check=multicast(4),
    )
    vrrp_mcast_group6: Address | None = word(
        GROUP6,
        "Multicast group of IPv6 adverts (default ff02::12).",
        complaint="Can't parse vrrp_mcast_group6 [{word}]. Skipping",
        bad=("vrrp_mcast_group6 x", "vrrp_mcast_group6 fd00::1"),
        check=multicast(6),
    )
    vrrp_garp_master_delay: int | None = word(
        SECONDS,
        "Seconds until the second set of gratuitous ARPs; 0 for none.",
        complaint="vrrp_garp_master_delay '{word}' invalid - ignoring",
    )
    vrrp_garp_master_repeat: int | None = word(
        COUNT,
        "Gratuitous ARPs at a time after becoming master.",
        ok=("vrrp_garp_master_repeat 2",),
        bad=("vrrp_garp_master_repeat 0", "vrrp_garp_master_repeat x"),
        complaint="vrrp_garp_master_repeat '{word}' invalid - ignoring",
        check=at_least_one("vrrp_garp_master_repeat"),
    )
    vrrp_garp_master_refresh: int | None = word(
        COUNT, "Seconds between sets of gratuitous ARPs while master; 0 for never.", complaint=IGNORING
    )
    vrrp_garp_master_refresh_repeat: int | None = word(
        COUNT,
        "Gratuitous ARPs at a time while master.",
        complaint="vrrp_garp_master_refresh_repeat '{word}' invalid - ignoring",
        ok=("vrrp_garp_master_refresh_repeat 2",),
        bad=("vrrp_garp_master_refresh_repeat 0", "vrrp_garp_master_refresh_repeat x"),
        check=at_least_one("vrrp_garp_master_refresh_repeat"),
    )
    vrrp_garp_lower_prio_delay: int | None = word(
        SECONDS,
        "Seconds until the second set after a lower priority advert.",
        complaint="vrrp_garp_lower_prio_delay '{word}' invalid - ignoring",
    )
    vrrp_garp_lower_prio_repeat: int | None = word(
        Number(0, INT_MAX),
        "Gratuitous ARPs at a time after a lower priority advert.",
        complaint="Invalid vrrp_garp_lower_prio_repeat '{word}'",
    )
    vrrp_down_timer_adverts: int | None = word(
        Number(1, 100),
        "Advert intervals without an advert until the master is down.",
        complaint="Invalid vrrp_down_timer_adverts [1:100] '{word}'",
    )
    vrrp_garp_interval: int | None = word(INTERVAL, "Seconds between two gratuitous ARPs.", complaint=INVALID)
    vrrp_gna_interval: int | None = word(INTERVAL, "Seconds between two unsolicited NAs.", complaint=INVALID)
    vrrp_min_garp: bool | None = yes_no(
        "One gratuitous ARP per address, and no second set.",
        complaint="Invalid value for vrrp_min_garp specified",
    )
    vrrp_garp_extra_if: tuple[str, ...] = word(
        Strings("[all] <NUMBER>", good="all 60"),
        "Gratuitous ARPs on other interfaces, every so many seconds.",
        default=(),
        bad=("vrrp_garp_extra_if all", "vrrp_garp_extra_if x"),
        check=extra_times("vrrp_garp_extra_if"),
        missing="{keyword} specified without time - ignoring",
    )
    vrrp_vmac_garp_intvl: tuple[str, ...] = word(
        Strings("[all] <NUMBER>", good="all 60"),
        "Old spelling of vrrp_garp_extra_if.",
        sets="vrrp_garp_extra_if",
        bad=("vrrp_vmac_garp_intvl all", "vrrp_vmac_garp_intvl x"),
        check=extra_times("vrrp_vmac_garp_intvl", "vrrp_garp_extra_if"),
        missing="{keyword} specified without time - ignoring",
    )
    vrrp_lower_prio_no_advert: bool | None = yes_no(
        "Do not answer an advert of lower priority.",
        complaint="Invalid value for vrrp_lower_prio_no_advert specified",
    )
    vrrp_higher_prio_send_advert: bool | None = yes_no(
        "Send an advert before giving way to a higher one.",
        complaint="Invalid value for vrrp_higher_prio_send_advert specified",
    )
    vrrp_version: int = word(
        SignedNumber(2, 3),
        "VRRP version of instances that name none.",
        default=2,
        complaint="VRRP Error: Version must be either 2 or 3",
    )
    vrrp_iptables: tuple[str, ...] | None = word(
        Strings(least=0),
        "iptables chains of no_accept mode; the nftables table takes their place.",
        check=only_nftables,
    )
    nftables: str | None = word(
        OptionalString("[<TABLE>]"),
        "nftables table of no_accept mode.",
        check=first_only("nftables", "nftables already specified - ignoring", "vrrp_iptables"),
    )
    nftables_priority: int | None = word(
        Number(-INT_MAX - 1, INT_MAX),
        "Priority of the nftables base chains.",
        complaint="invalid nftables chain priority '{word}'",
    )
    nftables_ifindex: bool = word(Flag(), "Match interfaces by index in nftables rules.", default=False)
    nftables_counters: bool = word(Flag(), "Count in the nftables rules.", default=False)
    vrrp_check_unicast_src: bool = word(Flag(), "Drop unicast adverts of unknown senders.", default=False)
    vrrp_skip_check_adv_addr: bool | None = yes_no(
        "Check the addresses only of a new master's adverts.",
        complaint="Invalid value '{word}' for global vrrp_check_adv_addr specified",
    )
    vrrp_strict: bool | None = yes_no("Keep strictly to the RFCs.")
    vrrp_notify_priority_changes: bool | None = yes_no("Tell FIFOs about changes of priority.")
    fifo_write_vrrp_states_on_reload: bool = word(
        Flag(), "Repeat all states on the FIFOs after a reload.", default=False
    )
    vrrp_netlink_cmd_rcv_bufs: int | None = word(
        SIZE,
        "Receive buffer of the VRRP command socket.",
        complaint="vrrp_netlink_cmd_rcv_bufs size ({word}) invalid",
        missing="{keyword} size missing",
    )
    vrrp_netlink_cmd_rcv_bufs_force: bool | None = yes_no("Set it beyond the system's limit.")
    vrrp_netlink_monitor_rcv_bufs: int | None = word(
        SIZE,
        "Receive buffer of the VRRP monitor socket.",
        complaint="vrrp_netlink_monitor_rcv_bufs size ({word}) invalid",
        missing="{keyword} size missing",
    )
    vrrp_netlink_monitor_rcv_bufs_force: bool | None = yes_no("Set it beyond the system's limit.")
    process_monitor_rcv_bufs: int | None = word(
        SIZE,
        "Receive buffer of the process monitor.",
        complaint="process_monitor_rcv_bufs size ({word}) invalid",
        missing="{keyword} size missing",
    )
    process_monitor_rcv_bufs_force: bool | None = yes_no("Set it beyond the system's limit.")
    vrrp_rx_bufs_policy: str | int | None = word(
        BufferPolicy(), "How large the receive buffers of adverts are.", missing="vrrp_rx_bufs_policy missing"
    )
    vrrp_rx_bufs_multiplier: int | None = word(
        OnlyNumber(1, UINT_MAX),
        "How many adverts a receive buffer holds.",
        complaint="Invalid vrrp_rx_bufs_multiplier {word}",
        missing="Invalid vrrp_rx_bufs_multiplier",
    )
    vrrp_startup_delay: int | None = word(
        Timer(SECOND // 1000, UINT_MAX), "Seconds before instances start.", complaint=INVALID
    )
    vrrp_delay_after_boot: int | None = word(
        Timer(SECOND // 1000, UINT_MAX), "Seconds after boot before instances start.", complaint=INVALID
    )
    log_unknown_vrids: bool = word(Flag(), "Log adverts of routers that are not configured.", default=False)
    vrrp_owner_ignore_adverts: bool | None = yes_no(
        "The address owner ignores adverts.",
        complaint="Invalid value '{keyword}' for global {word} specified",
    )
    vmac_prefix: str | None = word(
        String(),
        "Names of VMAC interfaces begin with this (default vrrp).",
        check=first_only("vmac_prefix", "vmac prefix has already been specified - ignoring {word}"),
    )
    vmac_addr_prefix: str | None = word(
        String(),
        "Names of VMAC interfaces of addresses begin with this.",
        check=first_only("vmac_addr_prefix", "vmac_addr prefix has already been specified - ignoring {word}"),
    )
