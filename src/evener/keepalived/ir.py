"""The typed IR of a keepalived.conf: ``Configuration``, the block of the outermost level.

It is frozen dataclasses all the way down (``blocks``, ``checkers``, ``trackers`` declare them); every block
knows where it stands (``at``) and which statement set each of its fields (``spans``). Loading this
module loads the whole vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from evener.keepalived.addresses import IpEntry, IpLine
from evener.keepalived.arguments import Flag, Number, OnlyName, OptionalString, String, Strings
from evener.keepalived.blocks.common import first_only
from evener.keepalived.blocks.delays import DelayEntry, DelayLine
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.static import GarpGroup, Ssl, TrackGroup
from evener.keepalived.blocks.virtual_server import SERVER_GROUP, VIRTUAL_SERVER, VirtualServer
from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.declare import Block, Nested, Values, block, collected, word
from evener.keepalived.numbers import UINT_MAX
from evener.keepalived.routes import RouteEntry, RouteLine
from evener.keepalived.rules import RuleEntry, RuleLine
from evener.keepalived.trackers.things import BfdInstance, TrackFile, VrrpScript, VrrpTrackProcess
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.registry import Status

NAME = String("<STRING>")
ONLY_NAME = OnlyName("<STRING>")
PLANNED = Status.PLANNED


@dataclass(frozen=True, slots=True)
class NamedValues:
    """A block of values that has a name."""

    name: str
    values: tuple[tuple[str, ...], ...]
    at: Span | None = field(default=None, compare=False, repr=False)


@block("configuration")
@dataclass(frozen=True, slots=True)
class Configuration(Block):
    """Everything a configuration says. Fields are None, False or empty where it says nothing."""

    net_namespace: str | None = word(
        String("<NAME>"),
        "Run in this network namespace.",
        missing="net_namespace name missing - ignoring",
        check=first_only("net_namespace", "Duplicate net_namespace definition {word} - ignoring"),
    )
    net_namespace_ipvs: str | None = word(
        OptionalString("[<NAME>]"),
        "Network namespace of IPVS (no name: that of process 1).",
        check=first_only("net_namespace_ipvs", "Duplicate net_namespace_ipvs definition {word} - ignoring"),
    )
    namespace_with_ipsets: bool = word(
        Flag(),
        "Use ipsets in a namespace; no effect: nftables sets are used.",
        default=False,
    )
    use_pid_dir: bool = word(Flag(), "Pid files in a directory of their own.", default=False)
    instance: str | None = word(
        String("<NAME>"),
        "Name of this daemon among several.",
        missing="instance name missing - ignoring",
        check=first_only("instance", "Duplicate instance definition {word} - ignoring"),
    )
    child_wait_time: int | None = word(
        Number(0, UINT_MAX),
        "Seconds that processes may take to end (default 10).",
        complaint="Invalid child_wait_time {word}",
    )
    linkbeat_use_polling: bool = word(Flag(), "Deprecated: see linkbeat_interfaces.", default=False)
    global_defs: GlobalDefs = word(Nested(GlobalDefs), "Settings of the whole daemon.", default=GlobalDefs())
    track_group: tuple[TrackGroup, ...] = collected(
        Nested(TrackGroup, ONLY_NAME, good="a { group { VI_1 } }"),
        "Instances that depend on static things.",
        missing="track_group must have a name - skipping",
    )
    static_ipaddress: tuple[IpEntry, ...] = collected(
        Values(IpLine(static=True)), "Addresses that are always set."
    )
    static_routes: tuple[RouteEntry, ...] = collected(
        Values(RouteLine(static=True)), "Routes that are always set."
    )
    static_rules: tuple[RuleEntry, ...] = collected(
        Values(RuleLine(static=True)), "Routing rules that are always set."
    )
    linkbeat_interfaces: tuple[tuple[str, ...], ...] = collected(
        Values(Strings("<IF> [MII|ETHTOOL|IOCTL]", good="eth0 MII")),
        "Interfaces whose drivers are asked for the state of the link, every second.",
    )
    interface_up_down_delays: tuple[DelayEntry, ...] = collected(
        Values(DelayLine()), "Seconds until a change of an interface's state counts."
    )
    garp_group: tuple[GarpGroup, ...] = collected(
        Nested(GarpGroup, good="{ garp_interval 1 }"), "Pace of gratuitous ARPs."
    )
    vrrp_script: tuple[VrrpScript, ...] = collected(
        Nested(VrrpScript, NAME, good="a { script /bin/true }"), "A script that is tracked."
    )
    vrrp_track_process: tuple[VrrpTrackProcess, ...] = collected(
        Nested(VrrpTrackProcess, NAME, good="a { process a }"), "A process that is tracked."
    )
    track_file: tuple[TrackFile, ...] = collected(
        Nested(TrackFile, NAME, good="a { file /a }"), "A file that is tracked."
    )
    vrrp_track_file: tuple[TrackFile, ...] = collected(
        Nested(TrackFile, NAME, good="a { file /a }"),
        "Old spelling of track_file.",
        sets="track_file",
    )
    bfd_instance: tuple[BfdInstance, ...] = collected(
        Nested(BfdInstance, NAME, good="a { neighbor_ip 10.0.0.2 }"), "A BFD session."
    )
    vrrp_sync_group: tuple[VrrpSyncGroup, ...] = collected(
        Nested(VrrpSyncGroup, ONLY_NAME, good="a { group { VI_1 } }"),
        "Instances that move together.",
        missing="vrrp_sync_group must have a name - skipping",
    )
    vrrp_instance: tuple[VrrpInstance, ...] = collected(
        Nested(VrrpInstance, ONLY_NAME), "A virtual router.", missing="vrrp_instance must have a name"
    )
    ssl: Ssl | None = word(Nested(Ssl), "Certificate of SSL_GET.", name="SSL")
    virtual_server_group: tuple[NamedValues, ...] = collected(
        SERVER_GROUP, "Addresses of one virtual server."
    )
    virtual_server: Sequence[VirtualServer] = collected(VIRTUAL_SERVER, "A service that is balanced.")
