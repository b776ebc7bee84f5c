"""vrrp_instance: one virtual router on one interface, and vrrp_sync_group: instances that move together."""

from __future__ import annotations

from evener.keepalived.addresses import IpEntry, IpLine, PeerEntry, PeerLine
from evener.keepalived.arguments import (
    SECOND,
    Address,
    Decimal,
    Flag,
    IpAddress,
    Number,
    OneOf,
    OnlyNumber,
    OptionalNumber,
    OptionalString,
    SignedNumber,
    String,
    Strings,
)
from evener.keepalived.blocks import instance_checks as checks
from evener.keepalived.blocks.common import COUNT, SECONDS, extra_times
from evener.keepalived.blocks.vrrp_auth import Authentication, AuthHmac
from evener.keepalived.blocks.vrrp_tracking import Tracking, priority_changes, smtp_alert, yes_no
from evener.keepalived.declare import Nested, Values, block, collected, word
from evener.keepalived.numbers import INT_MAX, UINT_MAX
from evener.keepalived.routes import RouteEntry, RouteLine
from evener.keepalived.rules import RuleEntry, RuleLine
from evener.keepalived.scripts import Script, ScriptCommand
from evener.keepalived.virtual_interface import IpvlanArgument, IpvlanEntry, VmacArgument, VmacEntry
from evener.text.record import dataclass

MALFORMED_SOURCE = "Configuration error: VRRP instance[{name}] malformed src address[{word}]. Skipping..."
IGNORING = "({name}) {keyword} '{word}' invalid - ignoring"
BAD_VRID = "({name}): VRID '{word}' not valid - must be between 1 & 255"
BAD_PRIORITY = "({name}) Priority not valid! must be between 1 & 255. Using default 100"
BAD_ADVERT = "({name}) Advert interval ({word}) not valid! Must be > 0 - ignoring"


@block("vrrp_instance")
@dataclass(frozen=True, slots=True)
class VrrpInstance(Tracking):
    """A virtual router. None means that the keyword was not given."""

    state: str | None = word(
        OneOf("MASTER", "BACKUP"),
        "State to begin with; MASTER takes effect at once with priority 255 only.",
        complaint="({name}) unknown state '{word}', defaulting to BACKUP",
        fallback="BACKUP",
        check=checks.state,
    )
    interface: str | None = word(
        String("<IFNAME>"),
        "Interface of the adverts, and of addresses that name none.",
        check=checks.interface,
    )
    virtual_router_id: int | None = word(Number(1, 255), "VRID, the same on all routers.", complaint=BAD_VRID)
    priority: int | None = word(
        Number(1, 255),
        "The highest becomes master (default 100); 255 owns the addresses.",
        complaint=BAD_PRIORITY,
        fallback=100,
    )
    version: int | None = word(
        SignedNumber(2, 3),
        "VRRP version (default: vrrp_version).",
        complaint="({name}): Version must be either 2 or 3",
    )
    advert_int: int | None = word(
        Decimal(SECOND // 100, 255 * SECOND), "Seconds between adverts (default 1).", complaint=BAD_ADVERT
    )
    authentication: Authentication | None = word(
        Nested(Authentication, good="{ auth_type PASS }"), "Simple authentication of VRRPv2 (RFC 2338)."
    )
    auth_hmac: AuthHmac | None = word(Nested(AuthHmac), "Authentication of adverts by HMAC.")
    virtual_ipaddress: tuple[IpEntry, ...] = collected(
        Values(IpLine()), "Addresses that the master carries.", check=checks.vip
    )
    virtual_ipaddress_excluded: tuple[IpEntry, ...] = collected(
        Values(IpLine()), "More such addresses, not named in adverts.", check=checks.evip
    )
    virtual_routes: tuple[RouteEntry, ...] = collected(Values(RouteLine()), "Routes that the master sets.")
    virtual_rules: tuple[RuleEntry, ...] = collected(
        Values(RuleLine()), "Routing rules that the master sets."
    )
    no_virtual_ipaddress: bool = word(Flag(), "There are no addresses, and that is meant.", default=False)
    promote_secondaries: bool = word(Flag(), "Keep other addresses when the first goes.", default=False)
    unicast_peer: tuple[PeerEntry, ...] = collected(
        Values(PeerLine()), "Send adverts to these addresses instead of a group.", check=checks.peer
    )
    unicast_src_ip: Address | None = word(
        IpAddress(),
        "Source of unicast adverts.",
        complaint=MALFORMED_SOURCE,
        check=checks.source,
    )
    mcast_src_ip: Address | None = word(
        IpAddress(),
        "Source of multicast adverts.",
        complaint=MALFORMED_SOURCE,
        check=checks.source,
    )
    mcast_dst_ip: Address | None = word(
        IpAddress(),
        "Group of multicast adverts.",
        ok=("mcast_dst_ip 224.0.0.19",),
        bad=("mcast_dst_ip 10.0.0.300", "mcast_dst_ip 10.0.0.1"),
        complaint="({name}) malformed mcast dest address {word}. Skipping...",
        check=checks.group_address,
    )
    track_src_ip: bool = word(Flag(), "In fault while the source address is missing.", default=False)
    unicast_fault_no_peer: bool = word(Flag(), "In fault when no peers are given.", default=False)
    check_unicast_src: bool = word(Flag(), "Drop adverts of senders that are no peers.", default=False)
    unicast_ttl: int | None = word(
        Number(0, 255),
        "TTL of unicast adverts.",
        complaint="({name}): TTL '{word}' not valid - must be between 0 & 255",
    )
    old_unicast_checksum: str | None = word(
        OptionalString("[never]"),
        "VRRPv3 unicast checksum as up to version 1.3.6, sent and accepted; ``never``: not.",
        ok=("old_unicast_checksum", "old_unicast_checksum never"),
        bad=("old_unicast_checksum always",),
        check=checks.old_checksum,
    )
    native_ipv6: bool = word(
        Flag(), "Deprecated: the addresses decide.", default=False, check=checks.native_ipv6
    )
    dont_track_primary: bool = word(Flag(), "The interface's own state does not matter.", default=False)
    linkbeat_use_polling: bool = word(
        Flag(),
        "Deprecated: ask the driver for the link's state.",
        default=False,
        told="({name}) 'linkbeat_use_polling' in vrrp instance deprecated - use linkbeat_interfaces block",
    )
    accept: bool = word(
        Flag(),
        "Accept packets for the virtual addresses (the default, but in strict mode).",
        default=False,
        check=checks.instead_of("no_accept"),
    )
    no_accept: bool = word(
        Flag(),
        "Drop packets for the virtual addresses (by nftables rules).",
        default=False,
        check=checks.instead_of("accept"),
    )
    nopreempt: bool = word(
        Flag(),
        "Do not take over from a master of lower priority.",
        default=False,
        check=checks.instead_of("preempt"),
    )
    preempt: bool = word(
        Flag(),
        "Take over from a master of lower priority (the default).",
        default=False,
        check=checks.instead_of("nopreempt"),
    )
    preempt_delay: int | None = word(
        Decimal(0, 1000 * SECOND),
        "Seconds to wait before taking over.",
        complaint="({name}) Preempt_delay not valid! must be between 0-1000",
    )
    debug: int | None = word(
        Number(0, 4),
        "Level of debug messages; has no effect, as in the original.",
        complaint="({name}) Debug value '{word}' not valid; must be between 0-4",
    )
    notify_deleted: ScriptCommand | None = word(
        Script(optional=True),
        "Say DELETED instead of FAULT for an instance that a reload removes.",
        check=checks.first_script("notify_deleted"),
    )
    notify_master_rx_lower_pri: ScriptCommand | None = word(
        Script(),
        "Run when a master receives an advert of lower priority.",
        check=checks.first_script("notify_master_rx_lower_pri"),
    )
    lvs_sync_daemon_interface: str | None = word(
        String("<IFNAME>"), "Deprecated: see lvs_sync_daemon.", check=checks.old_sync_daemon
    )
    garp_master_delay: int | None = word(
        SECONDS,
        "See vrrp_garp_master_delay.",
        complaint="({name}): garp_master_delay '{word}' invalid - ignoring",
    )
    garp_master_refresh: int | None = word(
        COUNT,
        "See vrrp_garp_master_refresh.",
        complaint="({name}): Invalid garp_master_refresh '{word}' - ignoring",
    )
    garp_master_repeat: int | None = word(
        COUNT,
        "See vrrp_garp_master_repeat.",
        ok=("garp_master_repeat 2",),
        bad=("garp_master_repeat 0", "garp_master_repeat x"),
        complaint="({name}): garp_master_repeat '{word}' invalid - ignoring",
        check=checks.master_repeat,
    )
    garp_master_refresh_repeat: int | None = word(
        COUNT,
        "See vrrp_garp_master_refresh_repeat.",
        ok=("garp_master_refresh_repeat 2",),
        bad=("garp_master_refresh_repeat 0", "garp_master_refresh_repeat x"),
        complaint="({name}): garp_master_refresh_repeat '{word}' invalid - ignoring",
        check=checks.refresh_repeat,
    )
    garp_lower_prio_delay: int | None = word(
        SECONDS,
        "See vrrp_garp_lower_prio_delay.",
        complaint="({name}): garp_lower_prio_delay '{word}' invalid - ignoring",
    )
    garp_lower_prio_repeat: int | None = word(
        Number(0, INT_MAX),
        "See vrrp_garp_lower_prio_repeat.",
        complaint="({name}): Invalid garp_lower_prio_repeat '{word}'",
    )
    garp_extra_if: tuple[str, ...] = word(
        Strings("[all] <NUMBER>", good="all 60"),
        "See vrrp_garp_extra_if.",
        default=(),
        bad=("garp_extra_if all", "garp_extra_if x"),
        check=extra_times("garp_extra_if", least=0),
        missing="({name}): {keyword} specified without time - ignoring",
    )
    vmac_garp_intvl: tuple[str, ...] = word(
        Strings("[all] <NUMBER>", good="all 60"),
        "Old spelling of garp_extra_if.",
        sets="garp_extra_if",
        bad=("vmac_garp_intvl all", "vmac_garp_intvl x"),
        check=extra_times("vmac_garp_intvl", "garp_extra_if", 0),
        missing="({name}): {keyword} specified without time - ignoring",
    )
    down_timer_adverts: int | None = word(
        Number(1, 100),
        "See vrrp_down_timer_adverts.",
        complaint="({name}): Invalid down_timer_adverts [1:100] '{word}'",
    )
    timer_expired_backup: int | None = word(
        OptionalNumber(1, 254, 254),
        "Go to backup when timers are so late that another (of this priority at most) may be master.",
        complaint="({name}) timer_expired_backup highest_other_priority not valid! must be between 1 & 254",
    )
    thread_timer_expired: int | None = word(
        OptionalNumber(1, 254, 254),
        "Old spelling of timer_expired_backup.",
        sets="timer_expired_backup",
        complaint="({name}) timer_expired_backup highest_other_priority not valid! must be between 1 & 254",
        told="({name}) thread_timer_expired - please replace with keyword 'timer_expired_backup'",
    )
    lower_prio_no_advert: bool | None = yes_no("See vrrp_lower_prio_no_advert.")
    higher_prio_send_advert: bool | None = yes_no("See vrrp_higher_prio_send_advert.")
    owner_ignore_adverts: bool | None = yes_no("See vrrp_owner_ignore_adverts.")
    skip_check_adv_addr: bool | None = yes_no("See vrrp_skip_check_adv_addr.")
    strict_mode: bool | None = yes_no("See vrrp_strict.")
    v3_checksum_as_v2: bool | None = yes_no("See the global v3_checksum_as_v2.")
    kernel_rx_buf_size: int | None = word(
        OnlyNumber(0, UINT_MAX),
        "Receive buffer of the instance's socket.",
        complaint="({name}) invalid kernel_rx_buf_size specified",
        missing="({name}) invalid kernel_rx_buf_size specified",
    )
    use_vmac: VmacEntry | None = word(
        VmacArgument(), "Put the addresses on a macvlan interface with the virtual MAC address."
    )
    use_vmac_addr: bool = word(Flag(), "A VMAC for each address on another interface.", default=False)
    vmac_xmit_base: bool = word(Flag(), "Adverts use the interface below the VMAC.", default=False)
    use_ipvlan: IpvlanEntry | None = word(
        IpvlanArgument(), "Put the addresses on an ipvlan interface.", check=checks.ipvlan
    )
    vrf: str | None = word(String("<IFNAME>"), "VRF of an instance without interface.", check=checks.vrf)


@block("vrrp_sync_group")
@dataclass(frozen=True, slots=True)
class VrrpSyncGroup(Tracking):
    """Instances that are master together or not at all."""

    group: tuple[tuple[str, ...], ...] = collected(Values(Strings(good="VI_1")), "Names of the instances.")
    global_tracking: bool = word(
        Flag(),
        "Deprecated for ``sync_group_tracking_weight``; track on the group.",
        default=False,
        check=checks.old_tracking,
    )
    sync_group_tracking_weight: bool = word(Flag(), "Weights of members' trackers count.", default=False)
    smtp_alert: bool | None = smtp_alert("vrrp_group")
    notify_priority_changes: bool | None = priority_changes("sync group ")

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(name for line in self.group for name in line)
