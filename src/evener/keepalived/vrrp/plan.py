"""What the VRRP process executes: a keepalived.conf with everything resolved that can be.

``keepalived/compile.py`` fills these from the IR; the state machines, ``host/`` and the tests read them.
They know no keyword, no file and no kernel object: addresses are packed bytes, interfaces are names
(an interface may appear later), users are names (they are looked up where the script is started).
Defaults are those of keepalived 2.4, so that a plan can be written by hand in a test.

Units are in the names: ``_us`` microseconds, ``_cs`` centiseconds (the unit of the VRRPv3 wire format).
"""

from __future__ import annotations

import socket
from dataclasses import field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from evener.keepalived.described import Lines
from evener.keepalived.vrrp.plan_machine import Buffers, BusOptions, DumpFiles, FirewallOptions, RxPolicy
from evener.keepalived.vrrp.plan_routes import Route, Rule
from evener.keepalived.vrrp.plan_tracked import TrackedFile, TrackedProcess, TrackedSession
from evener.text.record import dataclass

if TYPE_CHECKING:
    from evener.keepalived.snmp.plan import SnmpPlan

OWNER_PRIORITY = 255
"""RFC 9568 5.2.4: the router that owns the addresses."""

STOP_PRIORITY = 0
"""RFC 9568 5.2.4: the master stops participating."""


class Family(IntEnum):
    """The address family of an instance: of its adverts and of its virtual addresses."""

    INET = socket.AF_INET
    INET6 = socket.AF_INET6


class State(IntEnum):
    """The states of an instance, numbered as keepalived's JSON shows them."""

    INIT = 0
    BACKUP = 1
    MASTER = 2
    FAULT = 3


class Auth(IntEnum):
    """The authentication types of RFC 2338 that are executed."""

    NONE = 0
    PASS = 1
    AH = 2


@dataclass(frozen=True, slots=True)
class Program:
    """A command to run. ``user`` None is the global script user; ``group`` None is the user's group."""

    argv: tuple[str, ...]
    user: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """Where mail about transitions goes, and by way of which server.

    ``sender`` and ``helo`` empty: made of the machine's own name.
    """

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    helo: str
    timeout_s: int = 30


@dataclass(frozen=True, slots=True)
class Fifo:
    """A pipe that notifications are written to, and the script that keepalived starts to read it."""

    path: str
    user: str | None = None
    group: str | None = None
    script: Program | None = None


@dataclass(frozen=True, slots=True)
class VirtualAddress:
    """One address that the master carries.

    ``device`` is always resolved (the instance's interface, or ``default_interface``); ``scope`` is the
    rtnetlink number (0 global, 253 link, 254 host); ``broadcast`` is packed; ``flags`` are IFA_F_* beyond
    those that are always set; ``preferred_lft`` 0 deprecates an IPv6 address, None leaves it alone
    (the manual: /128 addresses are deprecated by default - the compiler decides that).
    ``advertised`` is False for virtual_ipaddress_excluded.
    """

    packed: bytes
    prefix: int
    device: str
    label: str | None = None
    scope: int = 0
    broadcast: bytes | None = None
    peer: bytes | None = None
    flags: int = 0
    preferred_lft: int | None = None
    advertised: bool = True
    tracked: bool = True
    detect_duplicates: bool = False
    """``-nodad``: without it, an IPv6 address is used before anybody could object."""

    @property
    def family(self) -> Family:
        return Family.INET if len(self.packed) == 4 else Family.INET6

    def __str__(self) -> str:
        return f"{socket.inet_ntop(self.family, self.packed)}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class VirtualInterface:
    """An interface that an instance makes on top of its own, for its addresses and its adverts.

    With a ``mac`` it is a macvlan, else an ipvlan. ``xmit_base``: adverts use the interface below.
    ``address`` is one of its own, not virtual.
    """

    name: str
    parent: str
    family: Family
    mac: bytes | None = None
    group: int | None = None
    notify: bool = False
    xmit_base: bool = False
    ipvlan_flags: int = 0
    address: VirtualAddress | None = None

    @property
    def kind(self) -> str:
        return "macvlan" if self.mac is not None else "ipvlan"

    @property
    def sourceless(self) -> bool:
        """An ipvlan has no IPv4 address but the one that it is given."""
        return self.mac is None and self.family is Family.INET and self.address is None


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A key of auth_hmac: its bytes, or the file that holds them (read by the VRRP process)."""

    number: int
    data: bytes = field(default=b"", repr=False)
    path: str | None = None


@dataclass(frozen=True, slots=True)
class HmacAuth:
    """auth_hmac. ``timed``: old adverts are recognised by the clock, not only by their order.

    ``signs`` False: receive-only; ``insists`` False: adverts without a trailer pass (migration).
    """

    keys: tuple[HmacKey, ...]
    active: int = 1
    window_s: int = 5
    timed: bool = True
    signs: bool = True
    insists: bool = True

    def key(self, number: int) -> bytes | None:
        return next((key.data for key in self.keys if key.number == number and key.data), None)


@dataclass(frozen=True, slots=True)
class GarpOptions:
    """How often gratuitous ARPs / unsolicited NAs are repeated, and when. A zero switches a set off."""

    master_repeat: int = 5
    master_delay_us: int = 5_000_000
    lower_prio_repeat: int = 5
    lower_prio_delay_us: int = 5_000_000
    refresh_us: int = 0
    refresh_repeat: int = 1
    extra_us: int = 0
    """Between announcements of addresses on other interfaces, where no adverts are seen."""
    extra_all: bool = False
    """Not of those on macvlans only."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A unicast peer. The TTL range is checked when either end was configured (None: not checked)."""

    packed: bytes
    min_ttl: int | None = None
    max_ttl: int | None = None


class TrackKind(Enum):
    """What a track watches; ``Track.name`` is looked up among things of this kind."""

    INTERFACE = "interface"
    SCRIPT = "script"
    FILE = "file"
    PROCESS = "process"
    BFD = "bfd"
    SOURCE = "source"
    """Whether an instance (by its name) has an address to send from; every instance has this one."""


@dataclass(frozen=True, slots=True)
class Track:
    """What an instance or a sync group watches. Weight 0: the instance is in fault while it is down.

    ``reverse`` turns the meaning round: up counts as down (weight 0), or the sign of the adjustment.
    The weight is resolved: the script's own when the track names none.
    """

    kind: TrackKind
    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A vrrp_script. ``timeout_us`` 0 means the interval, as in keepalived."""

    name: str
    program: Program
    interval_us: int = 1_000_000
    timeout_us: int = 0
    rise: int = 1
    fall: int = 1
    init_fail: bool = False
    weight: int = field(default=0, compare=False)
    """What counts where a track names no weight; it and ``reverse`` are in the tracks already."""
    reverse: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Notifications:
    """The scripts of an instance or a sync group. ``any`` gets four more words (see host/scripts)."""

    master: Program | None = None
    backup: Program | None = None
    fault: Program | None = None
    stop: Program | None = None
    any: Program | None = None
    deleted: Program | None = None
    send_deleted: bool = False
    master_rx_lower_pri: Program | None = None
    priority_changes: bool = False
    mail: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    """A vrrp_instance. ``interface`` None is possible with unicast only.

    ``source`` is mcast_src_ip/unicast_src_ip; None takes the interface's first address (IPv6: the first
    link-local one). ``state`` is the configured initial state; MASTER takes effect only with priority 255.
    ``password`` is exactly eight bytes (padded with zeros) unless ``auth`` is NONE (of AH they are the key).
    """

    name: str
    vrid: int
    interface: str | None
    version: int = 2
    family: Family = Family.INET
    priority: int = 100
    state: State = State.BACKUP
    advert_cs: int = 100
    addresses: tuple[VirtualAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    source: bytes | None = None
    track_source: bool = False
    mcast_group: bytes | None = None
    peers: tuple[Peer, ...] = ()
    unicast: bool = False
    unicast_ttl: int | None = None
    check_unicast_src: bool = False
    auth: Auth = Auth.NONE
    password: bytes = b""
    hmac: HmacAuth | None = None
    preempt: bool = True
    preempt_delay_us: int = 0
    down_timer_adverts: int = 3
    garp: GarpOptions = GarpOptions()
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    strict: bool = False
    owner_ignores_adverts: bool = False
    v3_checksum_as_v2: bool = False
    skip_check_adv_addr: bool = False
    track_primary: bool = True
    tracks: tuple[Track, ...] = ()
    notify: Notifications = Notifications()
    promote_secondaries: bool = False
    accept: bool = True
    vrf: str | None = None
    rx_buffer: int | None = None
    old_checksum: bool = False
    """VRRPv3 unicast checksums as of release 1.3.6: for the multicast group."""
    other_priority: int | None = None
    """The highest priority of the others: step down when a timer is so late that one may be master."""
    address_virtuals: tuple[VirtualInterface, ...] = ()
    """The macvlans of addresses on other interfaces."""
    virtual: VirtualInterface | None = None

    @property
    def mute(self) -> bool:
        """Never anything but in fault: unicast without anybody to send to (unicast_fault_no_peer), or an
        ipvlan of IPv4 that has no address to send from."""
        nobody = self.unicast and not self.peers
        return nobody or (self.virtual is not None and self.virtual.sourceless)

    @property
    def wire(self) -> str | None:
        """The interface that adverts are sent and received on."""
        base = self.interface or self.vrf
        return base if self.virtual is None or self.virtual.xmit_base else self.virtual.name

    @property
    def virtuals(self) -> tuple[VirtualInterface, ...]:
        return (*([self.virtual] if self.virtual is not None else []), *self.address_virtuals)

    def elsewhere(self) -> tuple[VirtualAddress, ...]:
        """The addresses that garp_extra_if is about."""
        known = {self.wire, self.interface}
        names = {virtual.name for virtual in self.address_virtuals}
        others = (a for a in self.addresses if a.device not in known)
        return tuple(a for a in others if self.garp.extra_all or a.device in names)

    @property
    def advertised(self) -> tuple[VirtualAddress, ...]:
        return tuple(a for a in self.addresses if a.advertised)

    @property
    def owner(self) -> bool:
        return self.priority == OWNER_PRIORITY

    @property
    def advert_us(self) -> int:
        return self.advert_cs * 10_000


@dataclass(frozen=True, slots=True)
class SyncGroup:
    """A vrrp_sync_group: its members (names of instances of this plan), its tracks, its notifications."""

    name: str
    members: tuple[str, ...]
    tracks: tuple[Track, ...] = ()
    notify: Notifications = Notifications()
    weighs: bool = False
    """Weights of its members' tracks count."""


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What global_defs asks of the scheduler for the VRRP process; None and () leave it alone."""

    nice: int | None = None
    rt_priority: int | None = None
    rlimit_rttime_us: int | None = None
    cpu_affinity: tuple[int, ...] = ()
    no_swap: bool = False
    most_auto_priority: int = 0
    """How far the realtime priority may be raised when timers are late; 0: it is not."""
    auto_delay_us: int = 1_000_000


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What of global_defs the VRRP process needs."""

    router_id: str = ""
    described: Lines = ()
    """Lines of global_defs for keepalived.data."""
    described_parent: Lines = ()
    json_version: int = 1
    files: DumpFiles = DumpFiles()
    mcast_group4: bytes = b"\xe0\x00\x00\x12"
    mcast_group6: bytes = b"\xff\x02" + bytes(13) + b"\x12"
    check_unicast_src: bool = False
    garp_interval_us: int = 0
    gna_interval_us: int = 0
    startup_delay_us: int = 0
    delay_after_boot_us: int = 0
    log_unknown_vrids: bool = False
    script_user: str | None = None
    script_group: str | None = None
    script_security: bool = False
    notify_fifo: Fifo | None = None
    vrrp_notify_fifo: Fifo | None = None
    mail: Mail | None = None
    mail_faults: bool = True
    rx_policy: RxPolicy = RxPolicy()
    buffers: Buffers = Buffers()
    quiet_igmp: bool = False
    states_on_reload: bool = False
    supplementary_groups: bool = False
    follow_links: bool = True
    """Scripts are run by their real path."""
    scheduling: Scheduling = Scheduling()
    firewall: FirewallOptions = FirewallOptions()
    status_socket: str | None = None
    leave_at_end: bool = False
    """What a master has set stays when the process ends, and nobody is told."""
    report_addresses: bool = False
    """Each address that is set or removed on the machine is logged."""
    bus: BusOptions | None = None
    """enable_dbus."""
    snmp: SnmpPlan | None = None
    """Of both processes that serve a part of it."""
    pid_directory: str | None = None
    """Below that of pid files, where they are not in it; ``instance`` becomes part of their names."""
    instance: str | None = None
    process_name: str | None = None
    parent_process_name: str | None = None


@dataclass(frozen=True, slots=True)
class GarpGroup:
    """Interfaces that share one pace of gratuitous ARPs and unsolicited NAs; 0: as fast as they come."""

    interfaces: tuple[str, ...]
    garp_interval_us: int = 0
    gna_interval_us: int = 0


@dataclass(frozen=True, slots=True)
class Debounce:
    """How long the state of an interface has to last before it counts."""

    interface: str
    down_us: int
    up_us: int


@dataclass(frozen=True, slots=True)
class StaticPlan:
    """What is set while the daemon runs, whoever is master."""

    addresses: tuple[VirtualAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncDaemon:
    """The kernel's synchronisation of IPVS connections. 0 and empty: the kernel's default."""

    interface: str
    instance: str
    """Whose state decides whether connections are sent or received."""
    sync_id: int
    maxlen: int = 0
    port: int = 0
    ttl: int = 0
    group: bytes = b""
    namespace: str | None = None
    """net_namespace_ipvs."""


@dataclass(frozen=True, slots=True)
class VrrpPlan:
    """Everything the VRRP process executes. Names are unique within each tuple."""

    options: GlobalOptions = GlobalOptions()
    instances: tuple[Instance, ...] = ()
    scripts: tuple[Script, ...] = ()
    groups: tuple[SyncGroup, ...] = ()
    files: tuple[TrackedFile, ...] = ()
    processes: tuple[TrackedProcess, ...] = ()
    sessions: tuple[TrackedSession, ...] = ()
    static: StaticPlan = StaticPlan()
    garp_groups: tuple[GarpGroup, ...] = ()
    linkbeat: tuple[tuple[str, str], ...] = ()
    """Interfaces that are polled, and how (empty: as their driver likes)."""
    debounces: tuple[Debounce, ...] = ()
    lvs_sync: SyncDaemon | None = None
