"""The VRRP process's part of keepalived.data: every instance, group and tracked thing as it stands now.

For people, and for scripts that were written for the original's file: the same lines with the same keys.
Moments of the loop's clock become wall clock times by what ``World`` says; nothing here looks at a clock.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator

from evener.keepalived.vrrp.describe_routes import route_line, rule_line
from evener.keepalived.vrrp.plan import (
    Auth,
    Family,
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
from evener.keepalived.vrrp.router import Group, Member, Router
from evener.text.record import dataclass

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
AUTH_NAMES = {Auth.PASS: "SIMPLE_PASSWORD", Auth.AH: "IPSEC_AH"}
TRACKED = (
    (TrackKind.INTERFACE, "interfaces"),
    (TrackKind.SCRIPT, "scripts"),
    (TrackKind.FILE, "files"),
    (TrackKind.PROCESS, "processes"),
    (TrackKind.BFD, "BFDs"),
)
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class World:
    """What the router does not know itself."""

    wall_s: Callable[[int], float]
    """The wall clock of a moment."""
    account: Callable[[Program], str]
    """``uid:gid`` of who runs a script."""
    interfaces: tuple[str, ...] = ()
    """Lines about the machine's interfaces."""


def text(router: Router, world: World) -> str:
    return "".join(f"{line}\n" for line in _lines(router, world))


def _lines(router: Router, world: World) -> Iterator[str]:
    plan = router.plan
    yield from plan.options.described
    yield from _garp_groups(router)
    yield from _static(router)
    if plan.instances:
        yield "------< VRRP Topology >------"
    for member in router.members.values():
        yield from _instance(router, member, world)
    if router.groups:
        yield "------< VRRP Sync groups >------"
    for group in router.groups:
        yield from _group(group, world)
    yield from _scripts(router, world)
    yield from _files(router)
    yield from _processes(router)
    if world.interfaces:
        yield "------< Interfaces >------"
        yield from world.interfaces


def _garp_groups(router: Router) -> Iterator[str]:
    groups = router.plan.garp_groups
    if groups:
        yield "------< Gratuitous ARP delays >------"
    for group in groups:
        yield "------< GARP delay group >------"
        yield f" GARP interval = {group.garp_interval_us / SECOND:.6f}"
        yield f" GNA interval = {group.gna_interval_us / SECOND:.6f}"
        yield " Interfaces"
        yield from (f"  {name}" for name in group.interfaces)


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
    some = config.unicast or not config.preempt or config.virtual is not None
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
    if machine.state is State.BACKUP:
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
    yield from _place(config, machine.source, group)
    yield from _garp(config.garp)
    yield from _election(member, world)
    yield from _authentication(config)
    yield from _carried(config, machine.state is State.MASTER)
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


def _place(config: Instance, source: bytes, group: bytes) -> Iterator[str]:
    virtual = config.virtual
    if virtual is None:
        yield f"   Interface = {config.interface or 'not configured'}"
    else:
        kind = "VMAC, i/f name" if virtual.mac is not None else "IPVLAN, i/f"
        yield f"   Use {kind} {virtual.name}, xmit_base = {_true(virtual.xmit_base)}"
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
        yield f"   Multicast address {socket.inet_ntop(config.family, config.mcast_group or group)}"


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
    answer, warn = not config.lower_prio_no_advert, config.higher_prio_send_advert
    yield f"   Send advert after receive lower priority advert = {_true(answer)}"
    yield f"   Send advert after receive higher priority advert = {_true(warn)}"
    if config.owner:
        yield f"   Address owner ignores received adverts = {_true(config.owner_ignores_adverts)}"
    yield f"   Virtual Router ID = {config.vrid}"
    yield f"   Priority = {config.priority}"
    yield f"   Effective priority = {member.machine.priority}"
    yield f"   Total priority = {member.standing.priority}"
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


def _carried(config: Instance, there: bool) -> Iterator[str]:
    yield f"   Virtual IP ({len(config.advertised)}):"
    yield from (f"     {one}" for one in addresses(config, there, advertised=True))
    lists = (
        ("Virtual IP Excluded", addresses(config, there, advertised=False)),
        ("Unicast Peer", [_peer(config, peer) for peer in config.peers]),
        ("Virtual Routes", [route_line(route) for route in config.routes]),
        ("Virtual Rules", [rule_line(rule) for rule in config.rules]),
    )
    if config.unicast and config.unicast_ttl is not None:
        yield f"   Unicast TTL = {config.unicast_ttl}"
    if config.unicast:
        yield f"   Check unicast src : {_yes(config.check_unicast_src)}"
    for title, several in lists:
        if several:
            yield f"   {title} :"
            yield from (f"     {one}" for one in several)


def _peer(config: Instance, peer: Peer) -> str:
    packed, low, high = peer.packed, peer.min_ttl, peer.max_ttl
    name = socket.inet_ntop(config.family, packed)
    return f"{name} min_ttl {0 if low is None else low} max_ttl {255 if high is None else high}"


def _tracked(tracks: Iterable[Track]) -> Iterator[str]:
    tracks = list(tracks)
    for kind, title in TRACKED:
        several = [track for track in tracks if track.kind is kind]
        if several:
            yield f"   Tracked {title} :"
            comma = "" if kind is TrackKind.INTERFACE else ","
            for track in several:
                reverse = " reverse" if track.reverse else ""
                yield f"     {track.name}{comma} weight {track.weight}{reverse}"


def quoted(program: Program) -> str:
    return " ".join(f"'{word}'" for word in program.argv)


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
    yield f"   Using smtp notification = {_yes(config.notify.mail)}"
    yield from _tracked(config.tracks)
    yield from _notified(config.notify, world)


def _users(router: Router, kind: TrackKind, name: str) -> Iterator[str]:
    for config in router.plan.instances:
        for track in config.tracks:
            if track.kind is kind and track.name == name:
                yield f"     {config.name}, weight {track.weight}{' reverse' if track.reverse else ''}"


def _scripts(router: Router, world: World) -> Iterator[str]:
    if router.plan.scripts:
        yield "------< VRRP Scripts >------"
    for script in router.plan.scripts:
        record = router.scripts[script.name]
        yield f" VRRP Script = {script.name}"
        yield f"   Command = {quoted(script.program)}"
        yield f"   Interval = {script.interval_us / SECOND:g} sec"
        yield f"   Timeout = {script.timeout_us / SECOND:g} sec"
        yield f"   Rise = {script.rise}"
        yield f"   Fall = {script.fall}"
        yield f"   Result = {record.level}"
        yield f"   Status = {'GOOD' if record.up else 'BAD'}"
        yield f"   Script uid:gid = {world.account(script.program)}"
        yield "   VRRP instances :"
        yield from _users(router, TrackKind.SCRIPT, script.name)


def _files(router: Router) -> Iterator[str]:
    if router.plan.files:
        yield "------< VRRP Track files >------"
    for file in router.plan.files:
        yield f" VRRP Track file = {file.name}"
        yield f"   File = {file.path}"
        yield f"   Status = {router.known.get((TrackKind.FILE, file.name), 0)}"
        yield "   Tracking instances :"
        yield from _users(router, TrackKind.FILE, file.name)


def _processes(router: Router) -> Iterator[str]:
    if router.plan.processes:
        yield "------< VRRP Track processes >------"
    for process in router.plan.processes:
        yield f" VRRP Track process = {process.name}"
        yield f"   Process = {process.argv[0]}"
        if process.argv[1:]:
            yield f"   Parameters = {' '.join(process.argv[1:])}"
        yield f"   Min processes = {process.quorum}"
        if process.quorum_max is not None:
            yield f"   Max processes = {process.quorum_max}"
        have = bool(router.known.get((TrackKind.PROCESS, process.name)))
        yield f"   Have quorum = {_true(have)}"
        yield f"   Terminate delay = {process.terminate_delay_us / SECOND:.6f}s"
        yield f"   Fork delay = {process.fork_delay_us / SECOND:.6f}s"
        yield f"   Full command = {_true(process.full_command)}"
        yield "   Tracking instances :"
        yield from _users(router, TrackKind.PROCESS, process.name)


def _moment(wall_s: float) -> str:
    date = time.strftime("%a %b %d %H:%M:%S", time.localtime(wall_s))
    fraction, year = f"{wall_s % 1:.6f}"[1:], time.localtime(wall_s).tm_year
    return f"{wall_s:.6f} ({date}{fraction} {year})"


def _true(value: bool) -> str:
    return "true" if value else "false"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
