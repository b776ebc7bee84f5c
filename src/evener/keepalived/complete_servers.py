"""Virtual servers after everything was read: defaults that the original sets, with its remarks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evener.keepalived.blocks.group_lines import port_of, shown_line
from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.ends import shown_server
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import Reading
from evener.keepalived.twins import Twin, collection, entries

CONNECTING = ("tcp_check", "ping_check", "udp_check", "http_get", "ssl_get", "dns_check", "smtp_check")
Lines = tuple[tuple[str, ...], ...]


def complete_servers(reading: Reading, configuration: Configuration) -> Configuration:
    groups = {group.name: group.values for group in configuration.virtual_server_group}
    servers = [
        # Nothing is to be said about, nor changed in, what is like one that was looked at (``alike``).
        server
        if isinstance(server, Twin)
        else completed(reading, server, groups.get(server.name.group or "", ()))
        for server in entries(configuration.virtual_server)
    ]
    return replace(configuration, virtual_server=collection(servers))


def completed(reading: Reading, server: VirtualServer, group: Lines = ()) -> VirtualServer:
    server = _protocol(reading, server, group)
    shown = f"Virtual server {shown_server(server)}"
    if server.lvs_sched is None:
        reading.warn("no-scheduler", f"{shown}: no scheduler set, setting default 'wlc'")
        server = replace(server, lvs_sched="wlc")
    server = replace(server, real_server=_distinct(reading, server))
    methods = [real.lvs_method for real in server.real_server]
    if server.sorry_server is not None:
        methods.append(server.sorry_server_lvs_method)
    if server.lvs_method is None and None in methods:
        reading.warn("no-method", f"{shown}: no forwarding method set, setting default NAT")
        server = replace(server, lvs_method=("NAT",))
    server = _hysteresis(reading, _quorum(reading, _sorry_inhibit(reading, server)))
    if server.quorum == 0:  # nothing can be lost of a weight of nothing, once it is there
        server = replace(server, quorum=1)
    if server.name.group is not None:
        _group_ports(reading, server, group)
        return server
    server = _sorry_port(reading, _ports(reading, server))
    # Two that differed by a port that does not count are one.
    return replace(
        server, real_server=tuple({real.name: real for real in reversed(server.real_server)}.values())[::-1]
    )


def _protocol(reading: Reading, server: VirtualServer, group: Lines) -> VirtualServer:
    """What depends on whether packets are known by addresses or by marks."""
    shown = f"Virtual server {shown_server(server)}"
    identity = server.name
    ranges = [line for line in group if line[0] != "fwmark"]
    marked = identity.fwmark is not None or len(ranges) < len(group)
    if server.ha_suspend and marked:
        reading.warn("suspend-and-mark", f"{shown}: cannot use ha_suspend with fwmarks - clearing ha_suspend")
        server = replace(server, ha_suspend=False)
    if ranges or identity.address is not None:
        if server.protocol is None:
            reading.warn("no-protocol", f"{shown}: no protocol set - defaulting to UDP")
            server = replace(server, protocol="UDP")
            shown = f"Virtual server {shown_server(server)}"
        if server.ops and server.protocol != "UDP":
            reading.warn("ops-and-protocol", f"{shown}: one packet scheduling requires UDP - resetting")
            server = replace(server, ops=False)
    portless = any(not port_of(line) for line in ranges) or (
        identity.address is not None and not identity.port
    )
    if portless and server.persistence_timeout is None:
        reading.warn("zero-port", f"{shown}: zero port only valid for persistent services - setting")
        server = replace(server, persistence_timeout=360)
    if server.protocol is not None and marked and not ranges:
        message = f"Warning: {shown}: protocol specified for fwmark - protocol will be ignored"
        reading.warn("protocol-ignored", message)
        server = replace(server, protocol=None)
    return server


def _shown(server: VirtualServer, real: RealServer) -> str:
    return f"[{real.name[0]}]:{(server.protocol or 'none').lower()}:{real.name[1]}"


def method_of(server: VirtualServer, own: tuple[str, ...] | None) -> str:
    """How packets reach a real server (or a sorry one) with that ``lvs_method`` of its ``own``."""
    return (own or server.lvs_method or ("NAT",))[0]


def _group_ports(reading: Reading, server: VirtualServer, group: Lines) -> None:
    """Ports of real servers that do not count, or are not those of the group."""
    name = shown_server(server)
    direct = [
        real for real in server.real_server if method_of(server, real.lvs_method) != "NAT" and real.name[1]
    ]
    sorry = server.sorry_server
    if sorry is not None and (method_of(server, server.sorry_server_lvs_method) == "NAT" or not sorry[1]):
        sorry = None
    ignored = "sorry server has port specified - port will be ignored"
    if any(line[0] == "fwmark" for line in group):
        for real in direct:
            what = f"real server {_shown(server, real)} has port specified - port will be ignored"
            reading.warn("port-ignored", f"WARNING - fwmark virtual server {name}, {what}")
        if sorry is not None:
            reading.warn("port-ignored", f"WARNING - fwmark virtual server {name}, {ignored}")
    for line in group:
        if line[0] == "fwmark":
            continue
        for real in direct:
            if real.name[1] != port_of(line):
                what = f"{name}:{shown_line(line)} and real server {_shown(server, real)} ports don't match"
                reading.warn("ports-differ", f"virtual server {what}")
        if sorry is not None and sorry[1] != port_of(line):
            reading.warn("port-ignored", f"WARNING - virtual server {name}, {ignored}")


def _ports(reading: Reading, server: VirtualServer) -> VirtualServer:
    """Only NAT rewrites ports: by any other method the real server has that of the virtual one."""
    identity = server.name
    port = identity.port if identity.fwmark is None else 0
    kept = []
    for real in server.real_server:
        address, own = real.name
        if not own and port:
            real = replace(real, name=(address, port))
        elif method_of(server, real.lvs_method) != "NAT" and own not in (0, port):
            name = _shown(server, real)
            if identity.fwmark is not None:
                what = f"WARNING - fwmark virtual server {shown_server(server)}, real server {name}"
                reading.warn("port-cleared", f"{what} has port specified - clearing")
            else:
                what = f"WARNING - virtual server {shown_server(server)} and real server {name}"
                reading.warn("ports-differ", f"{what} ports don't match - resetting")
            real = replace(_checked_at(real, own), name=(address, port))
        kept.append(real)
    return replace(server, real_server=tuple(kept))


def _checked_at(real: RealServer, port: int) -> RealServer:
    """Checks go where the real server was written to be, whatever port packets are sent to."""
    checks: dict[str, Any] = {
        kind: tuple(_at(made, port) for made in found)
        for kind in CONNECTING
        if (found := getattr(real, kind))
    }
    return replace(real, **checks)


def _at(made: Any, port: int) -> Any:
    hosts = tuple(_at(host, port) for host in getattr(made, "host", ()))
    if hosts:
        made = replace(made, host=hosts)
    return made if made.connect_port is not None else replace(made, connect_port=port)


def _sorry_port(reading: Reading, server: VirtualServer) -> VirtualServer:
    sorry, identity = server.sorry_server, server.name
    if sorry is None or method_of(server, server.sorry_server_lvs_method) == "NAT":
        return server
    port = identity.port if identity.fwmark is None else 0
    if sorry[1] in (0, port):
        return server
    shown = f"WARNING - virtual server {shown_server(server)}"
    if identity.fwmark is not None:
        reading.warn("port-cleared", f"{shown}, sorry server has port specified - clearing")
    else:
        reading.warn("ports-differ", f"{shown} and sorry server ports don't match - resetting")
    return replace(server, sorry_server=(sorry[0], port))


def _sorry_inhibit(reading: Reading, server: VirtualServer) -> VirtualServer:
    """A sorry server that is a real server as well goes down in one way."""
    for real in server.real_server:
        inhibit = server.inhibit_on_failure if real.inhibit_on_failure is None else real.inhibit_on_failure
        if real.name == server.sorry_server and inhibit != server.sorry_server_inhibit:
            what = f"real server {_shown(server, real)} matches sorry server, but inhibit setting differs"
            change = "setting" if inhibit else "clearing"
            shown = f"Virtual server {shown_server(server)}"
            reading.warn("sorry-inhibit", f"{shown}: {what}, {change} on sorry server")
            server = replace(server, sorry_server_inhibit=inhibit)
    return server


def _hysteresis(reading: Reading, server: VirtualServer) -> VirtualServer:
    quorum, hysteresis = 1 if server.quorum is None else server.quorum, server.hysteresis or 0
    if hysteresis < quorum:
        return server
    shown = f"Virtual server {shown_server(server)}"
    most = (quorum - 1) % 2**32
    message = f"hysteresis {hysteresis} >= quorum {quorum}; setting hysteresis to {most}"
    reading.warn("hysteresis-too-high", f"{shown}: {message}")
    return replace(server, hysteresis=max(quorum - 1, 0))


def _distinct(reading: Reading, server: VirtualServer) -> tuple[RealServer, ...]:
    seen: dict[object, RealServer] = {}
    for real in server.real_server:
        if seen.setdefault(real.name, real) is not real:
            name = _shown(server, real)
            message = f"VS {shown_server(server)}: real server {name} is duplicated - removing second rs"
            reading.warn("duplicate-real-server", message)
    return tuple(seen.values())


def _quorum(reading: Reading, server: VirtualServer) -> VirtualServer:
    default = 1 if server.weight is None else server.weight
    weight = sum(default if real.weight is None else real.weight for real in server.real_server)
    quorum = 1 if server.quorum is None else server.quorum
    if quorum <= weight:
        return server
    text = f"Warning - quorum {quorum} for {shown_server(server)} exceeds total weight of real servers"
    reading.warn("quorum-too-high", f"{text} {weight}, reducing quorum to {weight}")
    return replace(server, quorum=weight)
