"""What is looked at while the lines of a vrrp_instance or vrrp_sync_group are read.

Each function gets the reading, the builder of the block, the value and its place; it returns the
value to keep, or None to drop it. What can only be known at the end is in ``complete``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evener.keepalived.addresses import IpEntry, PeerEntry
from evener.keepalived.arguments import Address
from evener.keepalived.scripts import ScriptCommand, first_word
from evener.keepalived.virtual_interface import IpvlanEntry
from evener.text.span import Span

MAX_INTERFACE = 15
LOOPBACK = "lo"
PASSWORD = 8


def family(builder: Any) -> int | None:
    """The IP version of an instance as far as it has shown: by its VIPs, peers or source."""
    for name in ("virtual_ipaddress", "unicast_peer"):
        held = builder.get((name,))
        if held:
            return int(held[0].address.version)
    for name in ("unicast_src_ip", "mcast_src_ip", "mcast_dst_ip"):
        source = builder.get((name,))
        if source is not None:
            return int(source.version)
    lan = builder.get(("use_ipvlan",))
    if lan is not None and lan.address is not None:
        return int(lan.address.version)
    return 6 if builder.get(("native_ipv6",)) else None


def interface(reading: Any, builder: Any, value: str, span: Span) -> str | None:
    if len(value) > MAX_INTERFACE:
        reading.alert("name-too-long", f"Interface name '{value}' too long - ignoring", span)
        return None
    if value == LOOPBACK:
        message = f"({reading.name}) cannot use a loopback interface ({value}) for vrrp - ignoring"
        reading.alert("loopback", message, span)
        return None
    message = f"WARNING - interface {value} for vrrp_instance {reading.name} doesn't exist"
    reading.interface(value, message, span)
    return value


def vip(reading: Any, builder: Any, value: IpEntry, span: Span) -> IpEntry | None:
    """All VIPs of an instance are of one family, and no VIP is there twice."""
    if family(builder) not in (None, value.address.version):
        message = f"({reading.name}): address family must match VRRP instance [{value.text}] - ignoring"
        reading.alert("wrong-family", message, span)
        return None
    return _once(reading, value, "a VIP", span)


def evip(reading: Any, builder: Any, value: IpEntry, span: Span) -> IpEntry | None:
    return _once(reading, value, "an excluded VIP", span, "Excluded ")


def _once(reading: Any, value: IpEntry, kind: str, span: Span, which: str = "") -> IpEntry | None:
    before = reading.mark("vip", (value.address, value.dev, value.length), kind)
    if before is None:
        return value
    message = f"({reading.name}): {which}VIP duplicates {before} {value.text} - ignoring"
    reading.warn("duplicate-vip", message, span)
    return None


def peer(reading: Any, builder: Any, value: PeerEntry, span: Span) -> PeerEntry | None:
    if family(builder) not in (None, value.address.version):
        message = f"({reading.name}): address family must match VRRP instance [{value.address}] - ignoring"
        reading.alert("wrong-family", message, span)
        return None
    if reading.mark("peer", value.address) is not None:
        reading.warn("duplicate-peer", f"({reading.name}) {value.address} - duplicate unicast_peer", span)
        return None
    return value


def source(reading: Any, builder: Any, value: Address, span: Span) -> Address | None:
    if family(builder) not in (None, value.version):
        place = f"Configuration error: VRRP instance[{reading.name}] and src address[{value}]"
        reading.alert("wrong-family", f"{place} MUST be of the same family !!! Skipping...", span)
        return None
    return value


def password(reading: Any, builder: Any, value: str, span: Span) -> str:
    if len(value.encode("utf-8", "surrogateescape")) > PASSWORD:
        reading.warn("password-truncated", f"Truncating auth_pass to {PASSWORD} characters", span)
        cut = value.encode("utf-8", "surrogateescape")[:PASSWORD]
        return cut.decode("utf-8", "surrogateescape")
    return value


def master_repeat(reading: Any, builder: Any, value: int, span: Span) -> int:
    return _positive(reading, "garp_master_repeat", value, span)


def refresh_repeat(reading: Any, builder: Any, value: int, span: Span) -> int:
    return _positive(reading, "garp_master_refresh_repeat", value, span)


def _positive(reading: Any, keyword: str, value: int, span: Span) -> int:
    """A set of gratuitous ARPs has at least one."""
    if not value:
        message = f"({reading.name}): {keyword} must be greater than 0, setting to 1"
        reading.warn("zero-repeat", message, span)
    return value or 1


def old_sync_daemon(reading: Any, builder: Any, value: str, span: Span) -> str | None:
    """There is one for all instances."""
    text = f"({reading.name}) Specifying lvs_sync_daemon_interface against a vrrp is deprecated."
    reading.warn("deprecated-keyword", text, span)
    reading.warn(
        "deprecated-keyword",
        " " * (abs(len(reading.name) - 2) + 6) + "Please use global lvs_sync_daemon",
        span,
    )
    if not reading.sync_interface:
        reading.sync_interface = value
        return value
    before = reading.sync_interface
    again = f"({reading.name}) lvs_sync_daemon_interface has already been specified as {before} - ignoring"
    reading.alert("already-specified", again, span)
    return None


def instead_of(other: str) -> Any:
    """Of two opposite flags the last one counts."""

    def check(reading: Any, builder: Any, value: bool, span: Span) -> bool:
        builder.set((other,), False)
        return value

    return check


def ipvlan(reading: Any, builder: Any, value: IpvlanEntry, span: Span) -> IpvlanEntry | None:
    if builder.get(("use_ipvlan",)) is not None:
        reading.alert("ipvlan-again", f"({reading.name}) use_ipvlan already specified", span)
        return None
    if value.address is not None and family(builder) not in (None, value.address.version):
        place = f"({reading.name}) ipvlan address[{value.address}]"
        reading.alert("wrong-family", f"{place} MUST match vrrp instance family !!! Skipping...", span)
        return replace(value, address=None, prefix=None)
    return value


def old_tracking(reading: Any, builder: Any, value: bool, span: Span) -> bool:
    advice = "Use track_interface/script/file on the sync group"
    reading.warn("deprecated-keyword", f"({reading.name}) global_tracking is deprecated. {advice}", span)
    return value


def first_script(keyword: str) -> Any:
    """The check of a script of which the first one counts."""

    def check(reading: Any, builder: Any, value: ScriptCommand, span: Span) -> ScriptCommand | None:
        if builder.get((keyword,)) is None:
            return value
        group = builder.cls.__name__ == "VrrpSyncGroup"
        whose = f"vrrp group {reading.name}:" if group else f"({reading.name})"
        kind = keyword if keyword == "notify_deleted" else f"{keyword} script"
        message = f"{whose} {kind} already specified - ignoring {first_word(value.text)}"
        reading.alert("already-specified", message, span)
        return None

    return check


def state(reading: Any, builder: Any, value: str, span: Span) -> str | None:
    if value == "BACKUP" and builder.get(("state",)) == "MASTER":
        message = f"({reading.name}) state previously set as MASTER - ignoring BACKUP"
        reading.alert("state-again", message, span)
        return None
    return value


def native_ipv6(reading: Any, builder: Any, value: bool, span: Span) -> bool | None:
    if family(builder) == 4:
        message = f"({reading.name}) Cannot specify native_ipv6 with IPv4 addresses"
        reading.alert("wrong-family", message, span)
        return None
    return value


def old_checksum(reading: Any, builder: Any, value: str, span: Span) -> str | None:
    if value in ("", "never"):
        return value
    message = f"({reading.name}) Unknown old_unicast_chksum mode {value} - ignoring"
    reading.alert("unknown-value", message, span)
    return None


def group_address(reading: Any, builder: Any, value: Address, span: Span) -> Address | None:
    """The group of adverts is one of the instance's family."""
    link_local = value.version == 6 and (int(value) >> 112) & 0xFF0F == 0xFF02
    if family(builder) not in (None, value.version):
        problem = f"mcast dest address {value} MUST match VRRP instance family. Skipping..."
    elif value.version == 6 and not link_local:
        problem = f"mcast_dst_ip {value} not link-local multicast. Skipping..."
    elif not value.is_multicast:
        problem = f"mcast_dst_ip {value} not multicast. Skipping..."
    else:
        return value
    reading.alert("no-group", f"({reading.name}) {problem}", span)
    return None


def vrf(reading: Any, builder: Any, value: str, span: Span) -> str | None:
    """The VRF of an instance that has no interface."""
    before = builder.get(("vrf",))
    if len(value) > MAX_INTERFACE:
        problem = f"VRF interface name '{value}' too long - ignoring"
    elif builder.get(("interface",)) is not None and not reading.surroundings.lacks(
        builder.get(("interface",))
    ):
        problem = "Cannot specify VRF interface and interface - ignoring"
    elif before is not None and not reading.surroundings.lacks(before):
        problem = f"VRF interface already specified as '{before}' - ignoring"
    elif reading.misses(value):
        problem = f"WARNING - VRF interface {value} doesn't exist"
    elif value == LOOPBACK:
        problem = f"cannot use a loopback interface ({value}) for VRF - ignoring"
    else:
        return value
    reading.alert("bad-vrf", f"({reading.name}) {problem}", span)
    return None
