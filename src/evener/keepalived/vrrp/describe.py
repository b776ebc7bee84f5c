"""The VRRP process's part of keepalived.data: every instance, group and tracked thing as it stands now.

For people, and for scripts that were written for the original's file: the same lines with the same keys.
Moments of the loop's clock become wall clock times by what ``World`` says; nothing here looks at a clock.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator

from evener.keepalived.described import Owned, told
from evener.keepalived.vrrp.describe_routes import route_line, rule_line
from evener.keepalived.vrrp.describe_tracked import quoted, tracked_lines
from evener.keepalived.vrrp.plan import (
    Auth,
    Family,
    GarpGroup,
    GarpOptions,
    Instance,
    Notifications,
    Peer,
    Program,
    State,
    Track,
    TrackKind,
    VirtualAddress,
)
from evener.keepalived.vrrp.plan_tracked import TrackedProcess
from evener.keepalived.vrrp.router import Group, Member, Router
from evener.text.record import dataclass

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
AUTH_NAMES = {Auth.PASS: "SIMPLE_PASSWORD", Auth.AH: "IPSEC_AH"}
TRACKED = (
    (TrackKind.INTERFACE, "interfaces", ""),
    (TrackKind.SCRIPT, "scripts", ""),
    (TrackKind.FILE, "files", ","),
    (TrackKind.PROCESS, "processes", ","),
    (TrackKind.BFD, "BFDs", ":"),
)
"""What is tracked, what the original calls it, and the mark behind each name."""

IPVLAN_TYPES = {1: "private", 2: "vepa"}
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class World:
    """What the router does not know itself."""

    wall_s: Callable[[int], float]
    """The wall clock of a moment."""
    account: Callable[[Program | Owned], str]
    """``uid:gid`` of who runs a script."""
    interfaces: tuple[str, ...] = ()
    """Lines about the machine's interfaces."""
    pool: tuple[str, ...] = ()
    """Lines about the sockets of adverts."""
    machine: str = ""
    index_of: Callable[[str], int | None] = lambda name: None
    descriptors: Callable[[str], tuple[int, int] | None] = lambda name: None
    """Of the sockets of an instance: to receive, and to send."""
    next_frame: Callable[[GarpGroup, str], float] = lambda group, kind: 0.0
    """When a group may announce again, on the wall clock; 0: it has not yet."""
    running: Callable[[TrackedProcess], int] = lambda process: 0
    """How many of a tracked process there are."""


def text(router: Router, world: World) -> str:
    return "".join(f"{line}\n" for line in _lines(router, world))


def _lines(router: Router, world: World) -> Iterator[str]:
    plan = router.plan
    yield from told(plan.options.described, world.account, world.machine)
    yield from _garp_groups(router, world)
    yield from _static(router)
    if plan.instances:
        yield "------< VRRP Topology >------"
    for member in router.members.values():
        yield from _instance(router, member, world)
    if world.pool:
        yield "------< VRRP Sockpool >------"
        yield from world.pool
    if router.groups:
        yield "------< VRRP Sync groups >------"
    for group in router.groups:
        yield from _group(group, world)
    yield from tracked_lines(router, world.account, world.running)
    if world.interfaces:
        yield "------< Interfaces >------"
        yield from world.interfaces


def _garp_groups(router: Router, world: World) -> Iterator[str]:
    groups = router.plan.garp_groups
    if groups:
        yield "------< Gratuitous ARP delays >------"
    for group in groups:
        yield "------< GARP delay group >------"
        for kind, interval_us in (("GARP", group.garp_interval_us), ("GNA", group.gna_interval_us)):
            if interval_us:
                yield f" {kind} interval = {interval_us / SECOND:.6f}"
                yield f" {kind} next time {_short_moment(world.next_frame(group, kind))}"
        if not (group.garp_interval_us or group.gna_interval_us):
            yield " No configuration"
        yield " Interfaces"
        yield from (f"  {name}" for name in group.interfaces if world.index_of(name) is not None)


def _static(router: Router) -> Iterator[str]:
    static = router.plan.static
    for title, several in (
        ("Addresses", [address_text(a, True) for a in static.addresses]),
        ("Routes", [route_line(route) for route in static.routes]),
        ("Rules", [rule_line(rule) for rule in static.rules]),
    ):
        if several:
            yield f"------< Static {title} >------"
            yield from (f"     {one}" for one in several)


def address_text(address: VirtualAddress, there: bool, below: str = "", *, blocked: bool = False) -> str:
    """An address as the original shows it; ``below`` is the interface under its macvlan, and ``blocked`` one
    that packets are not taken for."""
    size = "" if address.prefix == len(address.packed) * 8 else f"/{address.prefix}"
    words = [socket.inet_ntop(address.family, address.packed)]
    if address.peer:
        words += ["peer", socket.inet_ntop(address.family, address.peer)]
    words[-1] += size
    if address.broadcast:
        words += ["brd", socket.inet_ntop(address.family, address.broadcast)]
    device = f"{address.device}@{below}" if below else address.device
    words += ["dev", device, "scope", SCOPES.get(address.scope, str(address.scope))]
    if address.label:
        words += ["label", address.label]
    if address.family is Family.INET6:
        life = address.preferred_lft
        words += ["deprecated"] if life == 0 else ["preferred_lft", "forever" if life is None else str(life)]
    return " ".join([*words, *(["set"] if there else []), *(["nftable_set"] if blocked else [])])


def addresses(config: Instance, there: bool, *, advertised: bool) -> list[str]:
    virtual = config.virtual
    return [
        address_text(
            a,
            there,
            virtual.parent if virtual and virtual.name == a.device else "",
            blocked=there and not config.accept,
        )
        for a in config.addresses
        if a.advertised is advertised
    ]


def wants(member: Member) -> State:
    machine = member.machine
    return State.MASTER if machine.wants_master else machine.state


def _flags(config: Instance) -> Iterator[str]:
    """Most of the original's flags are said elsewhere; but that there are some shows."""
    some = (
        config.unicast or not config.preempt or config.virtual is not None or config.garp.extra_all
        or not config.track_primary or config.skip_check_adv_addr or config.source is not None
        or config.promote_secondaries or config.v3_checksum_as_v2
    )  # fmt: skip
    yield "   Flags:" if some else "   Flags: none"
    if config.unicast:
        yield "     Using unicast"


def _instance(router: Router, member: Member, world: World) -> Iterator[str]:
    machine, config = member.machine, member.machine.config
    yield f" VRRP Instance = {config.name}"
    yield f"   VRRP Version = {config.version}"
    if member.group is not None:
        yield f"   Sync group = {member.group.config.name}"
    if config.family is Family.INET6:
        yield "   Using Native IPv6"
    yield f"   State = {machine.state.name}"
    if machine.state is State.MASTER and config.owner:
        yield "   Rogue master counter = 0"
        yield "   Roger timer thread = (nil)"
    if machine.state is State.BACKUP:
        master = socket.inet_ntop(config.family, machine.master_source) if machine.master_source else "(none)"
        yield f"   Master router = {master}"
        yield f"   Master priority = {machine.master_priority}"
        if config.version == 3:
            yield f"   Master advert interval = {machine.master_advert_us // 1000} milli-sec"
    yield from _flags(config)
    yield f"   Wantstate = {wants(member).name}"
    yield "   Number of config faults = 0"
    yield from _standing(router, member)
    yield f"   Last transition = {_moment(world.wall_s(member.since))}"
    deadline = machine.deadline
    yield f"   Read timeout = {'DISABLED' if deadline is None else _moment(world.wall_s(deadline))}"
    yield f"   Master down timer = {machine.master_down_us()} usecs"
    options = router.plan.options
    group = options.mcast_group4 if config.family is Family.INET else options.mcast_group6
    yield from _place(config, machine.source, group, world)
    yield from _garp(config.garp)
    yield from _election(member, world)
    yield from _authentication(config)
    yield from _carried(config, machine.state is State.MASTER, world.descriptors(config.name))
    yield from _tracked(member.machine.config.tracks)
    yield f"   Using smtp notification = {_yes(config.notify.mail)}"
    yield f"   Notify deleted = {'Deleted' if config.notify.send_deleted else 'Fault'}"
    yield from _notified(config.notify, world)
    yield f"   Notify priority changes = {_true(config.notify.priority_changes)}"


def _standing(router: Router, member: Member) -> Iterator[str]:
    known = router.known
    down = [t for t in member.tracks if t.weight == 0 and known.get((t.kind, t.name)) == 0]
    faults = {
        "i/f down": any(t.kind is TrackKind.INTERFACE for t in down),
        "no source IP address": any(t.kind is TrackKind.SOURCE for t in down),
    }
    others = sum(t.kind not in (TrackKind.INTERFACE, TrackKind.SOURCE) for t in down)
    yield f"   Number of tracker faults = {others}"
    if any(faults.values()):
        yield "   Flags of interface faults:"
        yield from (f"     {what}" for what, there in faults.items() if there)
    else:
        yield "   Flags of interface faults - (none)"
    yield f"   Number of track scripts init = {int(member.standing.pending)}"


def _place(config: Instance, source: bytes, group: bytes, world: World) -> Iterator[str]:
    virtual = config.virtual
    if virtual is None:
        yield f"   Interface = {config.interface or 'not configured'}"
    else:
        kind = "VMAC, i/f name" if virtual.mac is not None else "IPVLAN, i/f"
        there = _true(world.index_of(virtual.name) is not None)
        if virtual.mac is not None:
            yield f"   Use {kind} {virtual.name}, is_up = {there}, xmit_base = {_true(virtual.xmit_base)}"
        else:
            yield f"   Use {kind} {virtual.name}, is_up = {there}, type {_ipvlan_type(virtual.ipvlan_flags)}"
        if virtual.group is not None:
            yield f"     Interface group {virtual.group}"
        what = "vmac" if virtual.mac is not None else "ipvlan"
        over = ", xmit base i/f" if virtual.xmit_base else ""
        yield f"   Interface = {virtual.name}, {what} on {virtual.parent}{over}"
    for wanted, line in (
        (not config.track_primary, "VRRP interface tracking disabled"),
        (config.skip_check_adv_addr, "Skip checking advert IP addresses"),
        (config.strict, "Enforcing strict VRRP compliance"),
    ):
        if wanted:
            yield f"   {line}"
    told = " (from configuration)" if config.source is not None else ""
    yield f"   Using src_ip = {(socket.inet_ntop(config.family, source) if source else '(none)') + told}"
    if not config.unicast:
        index = world.index_of(config.wire or "") or 0
        scope = "" if config.family is Family.INET else f", ifindex {index}"
        yield f"   Multicast address {socket.inet_ntop(config.family, config.mcast_group or group)}{scope}"


def _ipvlan_type(flags: int) -> str:
    return IPVLAN_TYPES.get(flags, "bridge")


def _garp(garp: GarpOptions) -> Iterator[str]:
    yield f"   Gratuitous ARP delay = {garp.master_delay_us // SECOND}"
    yield f"   Gratuitous ARP repeat = {garp.master_repeat}"
    yield f"   Gratuitous ARP refresh = {garp.refresh_us // SECOND}"
    yield f"   Gratuitous ARP refresh repeat = {garp.refresh_repeat}"
    yield f"   Gratuitous ARP lower priority delay = {garp.lower_prio_delay_us // SECOND}"
    yield f"   Gratuitous ARP lower priority repeat = {garp.lower_prio_repeat}"


def _election(member: Member, world: World) -> Iterator[str]:
    config = member.machine.config
    yield f"   Down timer adverts = {config.down_timer_adverts}"
    if config.garp.extra_us and config.elsewhere():
        of = "i/f" if config.garp.extra_all else "VMAC"
        yield f"   Gratuitous ARP for each secondary {of} = {config.garp.extra_us // SECOND}"
    answer, warn = not config.lower_prio_no_advert, config.higher_prio_send_advert
    yield f"   Send advert after receive lower priority advert = {_true(answer)}"
    yield f"   Send advert after receive higher priority advert = {_true(warn)}"
    if config.owner:
        yield f"   Address owner ignores received adverts = {_true(config.owner_ignores_adverts)}"
    yield f"   Virtual Router ID = {config.vrid}"
    yield f"   Priority = {config.priority}"
    yield f"   Effective priority = {member.machine.priority}"
    yield f"   Total priority = {member.standing.priority}"
    if not config.preempt:
        yield f"   Highest other priority = {config.other_priority or 0}"
    whole = f"{config.advert_cs // 100} sec" if config.version == 2 else f"{config.advert_cs * 10} milli-sec"
    yield f"   Advert interval = {whole}"
    sent = 0.0 if member.sent_at is None else world.wall_s(member.sent_at)
    yield f"   Last advert sent = {sent:.6f}"
    yield f"   Accept = {'enabled' if config.accept else 'disabled'}"
    yield f"   Preempt = {'enabled' if config.preempt else 'disabled'}"
    if config.preempt_delay_us:
        yield f"   Preempt delay = {config.preempt_delay_us / SECOND:g} secs"
    yield f"   Promote_secondaries = {'enabled' if config.promote_secondaries else 'disabled'}"


def _authentication(config: Instance) -> Iterator[str]:
    """Secrets are not shown."""
    if config.version == 2:
        yield f"   Authentication type = {AUTH_NAMES.get(config.auth, 'none')}"
        if config.auth is not Auth.NONE:
            yield "   Password = ********"
    elif config.family is Family.INET:
        yield f"   VRRPv3 uses VRRPv2 checksum = {'en' if config.v3_checksum_as_v2 else 'dis'}abled"
    auth = config.hmac
    if auth is not None:
        mode = "receive-only" if not auth.signs else "enforce" if auth.insists else "permissive"
        yield "   Authentication extension = HMAC-SHA256-128"
        yield f"     Keys = {len(auth.keys)}, active key id = {auth.active}"
        yield f"     Mode = {mode}"
        yield f"     Anti replay = {f'time, window = {auth.window_s} sec' if auth.timed else 'monotonic'}"


def _carried(config: Instance, there: bool, sockets: tuple[int, int] | None) -> Iterator[str]:
    if config.rx_buffer:
        yield f"   Kernel rx buffer size = {config.rx_buffer}"
    advertised = addresses(config, there, advertised=True)
    yield from _listed(f"Virtual IP ({len(advertised)}):", advertised)
    yield from _listed("Virtual IP Excluded :", addresses(config, there, advertised=False))
    if config.unicast:
        yield from _unicast(config)
    yield "   No sockets allocated" if sockets is None else f"   fd_in {sockets[0]}, fd_out {sockets[1]}"
    yield from _listed("Virtual Routes :", [route_line(route) for route in config.routes])
    yield from _listed("Virtual Rules :", [rule_line(rule) for rule in config.rules])


def _listed(title: str, several: list[str]) -> Iterator[str]:
    if several:
        yield f"   {title}"
        yield from (f"     {one}" for one in several)


def _unicast(config: Instance) -> Iterator[str]:
    hops = 255 if config.unicast_ttl is None and config.family is Family.INET else config.unicast_ttl
    if hops is not None:  # of IPv6 the kernel has its own
        yield f"   Unicast TTL = {hops}"
    # Limits of TTLs are of no use when adverts may come from anybody.
    limited = any(peer.min_ttl is not None or peer.max_ttl is not None for peer in config.peers)
    yield f"   Check unicast src : {_yes(config.check_unicast_src or limited)}"
    yield "   Unicast Peer :"
    yield from (f"     {_peer(config, peer)}" for peer in config.peers)
    yield f"   Unicast checksum compatibility = {'config' if config.old_checksum else 'no'}"


def _peer(config: Instance, peer: Peer) -> str:
    packed, low, high = peer.packed, peer.min_ttl, peer.max_ttl
    name = socket.inet_ntop(config.family, packed)
    return f"{name} min_ttl {0 if low is None else low} max_ttl {255 if high is None else high}"


def _tracked(tracks: Iterable[Track]) -> Iterator[str]:
    tracks = list(tracks)
    for kind, title, behind in TRACKED:
        several = [track for track in tracks if track.kind is kind]
        if several:
            yield f"   Tracked {title} :"
            for track in several:
                reverse = " reverse" if track.reverse else ""
                yield f"     {track.name}{behind} weight {track.weight}{reverse}"


def _notified(notify: Notifications, world: World) -> Iterator[str]:
    for title, program in (
        ("Backup", notify.backup),
        ("Master", notify.master),
        ("Fault", notify.fault),
        ("Stop", notify.stop),
        ("Deleted", notify.deleted),
        ("Generic", notify.any),
        ("Master rx lower pri", notify.master_rx_lower_pri),
    ):
        if program is not None:
            yield f"   {title} state transition script = {quoted(program)}, uid:gid {world.account(program)}"


def _group(group: Group, world: World) -> Iterator[str]:
    config, members = group.config, group.members
    yield f" VRRP Sync Group = {config.name}, {group.state.name}"
    faults = sum(member.standing.faulty for member in members)
    yield f"   Num member fault {faults}, num member init {sum(m.standing.pending for m in members)}"
    yield "   VRRP member instances :"
    yield from (f"     {member.name}" for member in members)
    if config.weighs:
        yield "   sync group tracking weight set"
    yield f"   Using smtp notification = {_yes(config.notify.mail)}"
    # One word of this list is not as elsewhere in the original.
    yield from (line.replace("processes :", "process :") for line in _tracked(config.tracks))
    yield from _notified(config.notify, world)


def _moment(wall_s: float) -> str:
    date = time.strftime("%a %b %d %H:%M:%S", time.localtime(wall_s))
    fraction, year = f"{wall_s % 1:.6f}"[1:], time.localtime(wall_s).tm_year
    return f"{wall_s:.6f} ({date}{fraction} {year})"


def _short_moment(wall_s: float) -> str:
    """Without the year."""
    date = time.strftime("%a %b %e %H:%M:%S", time.localtime(wall_s))
    return f"{wall_s:.6f} ({date}{f'{wall_s % 1:.6f}'[1:]})"


def _true(value: bool) -> str:
    return "true" if value else "false"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
