"""What is looked at when a block ends: what it lacks. ``None`` takes the block away.

The messages carry the line of the closing brace, as in the original. Checks that need other blocks
are in ``complete``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.keepalived.blocks.static import GarpGroup
from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.blocks.vrrp_instance import VrrpSyncGroup
from evener.keepalived.ends_checkers import CHECKER_ENDS
from evener.keepalived.reading import Reading
from evener.keepalived.trackers.things import BfdInstance, TrackFile, VrrpScript, VrrpTrackProcess
from evener.text.span import Span


def shown_server(server: VirtualServer) -> str:
    """A virtual server as messages show it: ``[10.0.0.5]:tcp:80``."""
    identity = server.name
    if identity.group is not None:
        return f"[{identity.group}]:0"
    if identity.fwmark is not None:
        return f"FWM {identity.fwmark}"
    return f"[{identity.address}]:{(server.protocol or 'none').lower()}:{identity.port}"


def _script(reading: Reading, made: VrrpScript, span: Span) -> VrrpScript | None:
    if made.script is not None:
        return made
    reading.alert("no-script", f"No script set for vrrp_script {made.name} - removing", span)
    return None


def _track_file(reading: Reading, made: TrackFile, span: Span) -> TrackFile | None:
    if made.file is None:
        reading.alert("no-file", f"No file set for track_file {made.name} - ignoring", span)
        return None
    exists = reading.surroundings.directory_exists
    if exists is not None and not exists(made.file.rpartition("/")[0] if "/" in made.file else "."):
        message = f"realpath() error 2 (No such file or directory) for {made.name}"
        reading.alert("no-directory", message, span)
        return None
    return made


def _track_process(reading: Reading, made: VrrpTrackProcess, span: Span) -> VrrpTrackProcess | None:
    if made.process:
        return made
    reading.alert("no-process", f"track process '{made.name}' process name not specified", span)
    return None


def _sync_group(reading: Reading, made: VrrpSyncGroup, span: Span) -> VrrpSyncGroup | None:
    if made.group:
        return made
    reading.alert("empty-group", f"Sync group {made.name} has no members - removing", span)
    return None


def _garp_group(reading: Reading, made: GarpGroup, span: Span) -> GarpGroup | None:
    if made.garp_interval is not None or made.gna_interval is not None:
        return made
    name = made.interface or next((line[0] for line in made.interfaces), "")
    reading.alert("no-delay", f"garp group {name} does not have any delay set - removing", span)
    return None


def _bfd(reading: Reading, made: BfdInstance, span: Span) -> BfdInstance | None:
    name, source, neighbour = made.name, made.source_ip, made.neighbor_ip
    problem = ""
    if neighbour is None:
        problem = f"BFD instance {name} has no neighbor address set"
    elif source is not None and source.version != neighbour.version:
        ends = f"source address {source} and neighbor address {neighbour}"
        problem = f"BFD instance {name} {ends} are not of the same family"
    if problem:
        reading.said.setdefault("bfd_instance", set()).add(name)
        reading.alert("no-neighbor", f"Configuration error: {problem}, disabling instance", span)
        return None
    hops = made.ttl or made.hoplimit
    if hops is not None and (made.max_hops or 0) > hops:
        message = f"BFD instance {name}: max_hops exceeds ttl/hoplimit - setting to ttl/hoplimit"
        reading.alert("too-many-hops", message, span)
    return made


def _real_server(reading: Reading, made: RealServer, span: Span) -> RealServer | None:
    """One of another family than the virtual server's can be reached by tunnels only."""
    address = made.name[0]
    virtual = reading.builders[-1].get(("name",))
    tunnel = (made.lvs_method or reading.builders[-1].get(("lvs_method",)) or ("",))[0] == "TUN"
    if virtual.address is None or tunnel or virtual.address.version == address.version:
        return made
    message = (
        f"Address family of virtual server and real server {address} don't match - skipping real server."
    )
    reading.alert("wrong-family", message, span)
    return None


def _virtual_server(reading: Reading, made: VirtualServer, span: Span) -> VirtualServer | None:
    if made.real_server:
        return made
    message = f"Virtual server {shown_server(made)} has no real servers - ignoring"
    reading.alert("no-real-servers", message, span)
    return None


ENDS: dict[type, Callable[[Reading, Any, Span], Any]] = {
    VrrpScript: _script,
    TrackFile: _track_file,
    VrrpTrackProcess: _track_process,
    VrrpSyncGroup: _sync_group,
    GarpGroup: _garp_group,
    BfdInstance: _bfd,
    **CHECKER_ENDS,
    RealServer: _real_server,
    VirtualServer: _virtual_server,
}
