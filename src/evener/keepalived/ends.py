"""What is looked at when a block ends: what it lacks. ``None`` takes the block away.

The messages carry the line of the closing brace, as in the original. Checks that need other blocks
are in ``complete``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from evener.keepalived.blocks.static import GarpGroup, TrackGroup
from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.blocks.vrrp_instance import VrrpInstance, VrrpSyncGroup
from evener.keepalived.ends_checkers import CHECKER_ENDS
from evener.keepalived.reading import Reading
from evener.keepalived.scripts import NOBODY
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
    if made.script is None:
        reading.alert("no-script", f"No script set for vrrp_script {made.name} - removing", span)
        return None
    if made.user is NOBODY:
        return None
    if made.user is None and reading.lacks_default_user(span):
        message = f"Unable to set default user for vrrp script {made.name} - removing"
        reading.alert("no-default-user", message, span)
        return None
    return made


UNICAST = frozenset(
    ["unicast_peer", "unicast_src_ip", "unicast_fault_no_peer", "check_unicast_src", "old_unicast_checksum"]
)


def unicast_said(reading: Reading, made: VrrpInstance) -> bool:
    """Whether anything stood there that means unicast, even without peers."""
    return not UNICAST.isdisjoint(reading.said.get(made.name, ()))


def _instance(reading: Reading, made: VrrpInstance, span: Span) -> VrrpInstance:
    """What unicast needs of virtual interfaces, and the other way round."""
    said = unicast_said(reading, made)
    lacking = reading.surroundings.lacks(made.interface or "") and not reading.dynamic_interfaces
    virtual = made.use_vmac is not None or made.use_ipvlan is not None
    if said and virtual and (made.interface is None or lacking):
        message = "Cannot use VMAC/ipvlan with unicast and no interface - clearing use_vmac"
        reading.alert("vmac-and-unicast", f"({made.name}): {message}", span)
        made = replace(made, use_vmac=None, use_ipvlan=None)
    elif said and virtual and not made.vmac_xmit_base:
        message = f"({made.name}) unicast with use_vmac requires vmac_xmit_base - setting"
        reading.warn("vmac-and-unicast", message, span)
        made = replace(made, vmac_xmit_base=True)
    if made.unicast_ttl is not None and not made.unicast_peer:
        message = f"({made.name}): Cannot use unicast_ttl without unicast peers - resetting"
        reading.warn("ttl-without-peers", message, span)
        made = replace(made, unicast_ttl=None)
    return made


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


def _track_group(reading: Reading, made: TrackGroup, span: Span) -> TrackGroup | None:
    if made.group:
        return made
    reading.alert("empty-group", f"Static track group {made.name} has no members - removing", span)
    return None


def _garp_group(reading: Reading, made: GarpGroup, span: Span) -> GarpGroup | None:
    if made.garp_interval is not None or made.gna_interval is not None:
        return made
    message = f"garp group {reading.garp_groups} does not have any delay set - removing"
    reading.alert("no-delay", message, span)
    reading.garp_grouped.difference_update(made.members)
    return None


def _bfd(reading: Reading, made: BfdInstance, span: Span) -> BfdInstance | None:
    name, source, neighbour = made.name, made.source_ip, made.neighbor_ip
    problem = ""
    if name in reading.said.get("bfd_ignored", ()):
        reading.said.setdefault("bfd_instance", set()).add(name)
        return None
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
    outer = reading.builders[-1]
    tunnel = (made.lvs_method or outer.get(("lvs_method",)) or ("",))[0] == "TUN"
    if tunnel or _family(outer) in (None, address.version):
        return made
    message = (
        f"Address family of virtual server and real server {address} don't match - skipping real server."
    )
    reading.alert("wrong-family", message, span)
    return None


FAMILIES = {"inet": 4, "inet6": 6}


def _family(virtual: Any) -> int | None:
    """The IP version of a virtual server as far as it has shown: by itself, or by a real server."""
    address, word = virtual.get(("name",)).address, virtual.get(("ip_family",))
    if address is not None:
        return int(address.version)
    if word is not None:
        return FAMILIES[word]
    method = virtual.get(("lvs_method",))
    for real in virtual.get(("real_server",)) or ():
        if (real.lvs_method or method or ("",))[0] != "TUN":
            return int(real.name[0].version)
    return None


def _virtual_server(reading: Reading, made: VirtualServer, span: Span) -> VirtualServer | None:
    if not made.real_server:
        message = f"Virtual server {shown_server(made)} has no real servers - ignoring"
        reading.alert("no-real-servers", message, span)
        return None
    if made.sorry_server is None:
        return made
    method = (made.sorry_server_lvs_method or made.lvs_method or ("",))[0]
    address = made.sorry_server[0]
    known = made.name.address.version if made.name.address is not None else FAMILIES.get(made.ip_family or "")
    family = known or next(
        (
            r.name[0].version
            for r in made.real_server
            if (r.lvs_method or made.lvs_method or ("",))[0] != "TUN"
        ),
        None,
    )
    if method == "TUN" or family in (None, address.version):
        return made
    text = f"Address family of virtual server and sorry server {address} don't match - skipping sorry server."
    reading.alert("wrong-family", text, span)
    return replace(made, sorry_server=None)


ENDS: dict[type, Callable[[Reading, Any, Span], Any]] = {
    VrrpScript: _script,
    VrrpInstance: _instance,
    TrackFile: _track_file,
    VrrpTrackProcess: _track_process,
    VrrpSyncGroup: _sync_group,
    GarpGroup: _garp_group,
    TrackGroup: _track_group,
    BfdInstance: _bfd,
    **CHECKER_ENDS,
    RealServer: _real_server,
    VirtualServer: _virtual_server,
}
