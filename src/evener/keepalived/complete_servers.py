"""Virtual servers after everything was read: defaults that the original sets, with its remarks."""

from __future__ import annotations

from dataclasses import replace

from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.ends import shown_server
from evener.keepalived.ir import Configuration
from evener.keepalived.reading import Reading


def complete_servers(reading: Reading, configuration: Configuration) -> Configuration:
    servers = tuple(
        # Nothing is to be said about, nor changed in, what is like one that was looked at (``alike``).
        server if type(server.real_server) is not tuple else completed(reading, server)
        for server in configuration.virtual_server
    )
    return replace(configuration, virtual_server=servers)


def completed(reading: Reading, server: VirtualServer) -> VirtualServer:
    identity = server.name
    shown = f"Virtual server {shown_server(server)}"
    if identity.fwmark is not None and server.protocol is not None:
        message = f"Warning: {shown}: protocol specified for fwmark - protocol will be ignored"
        reading.warn("protocol-ignored", message)
        server = replace(server, protocol=None)
    if identity.address is not None and server.protocol is None:
        reading.warn("no-protocol", f"{shown}: no protocol set - defaulting to UDP")
        server = replace(server, protocol="UDP")
        shown = f"Virtual server {shown_server(server)}"
    if identity.address is not None and not identity.port and server.persistence_timeout is None:
        reading.warn("zero-port", f"{shown}: zero port only valid for persistent services - setting")
        server = replace(server, persistence_timeout=360)
    if server.lvs_sched is None:
        reading.warn("no-scheduler", f"{shown}: no scheduler set, setting default 'wlc'")
        server = replace(server, lvs_sched="wlc")
    if server.lvs_method is None and any(real.lvs_method is None for real in server.real_server):
        reading.warn("no-method", f"{shown}: no forwarding method set, setting default NAT")
        server = replace(server, lvs_method=("NAT",))
    server = replace(server, real_server=_distinct(reading, server))
    server = _ports(reading, _quorum(reading, server))
    # Two that differed by a port that does not count are one.
    return replace(server, real_server=_distinct(reading, server))


def _ports(reading: Reading, server: VirtualServer) -> VirtualServer:
    """Only NAT rewrites ports: by any other method the real server has that of the virtual one."""
    identity = server.name
    if identity.group is not None:
        return server
    port = identity.port if identity.fwmark is None else 0
    kept = []
    for real in server.real_server:
        method = (real.lvs_method or server.lvs_method or ("NAT",))[0]
        address, own = real.name
        if method != "NAT" and own not in (0, port):
            name = f"[{address}]:{(server.protocol or 'none').lower()}:{own}"
            if identity.fwmark is not None:
                what = f"WARNING - fwmark virtual server {shown_server(server)}, real server {name}"
                reading.warn("port-cleared", f"{what} has port specified - clearing")
            else:
                what = f"WARNING - virtual server {shown_server(server)} and real server {name}"
                reading.warn("ports-differ", f"{what} ports don't match - resetting")
            real = replace(real, name=(address, port))
        kept.append(real)
    return replace(server, real_server=tuple(kept))


def _distinct(reading: Reading, server: VirtualServer) -> tuple[RealServer, ...]:
    seen: dict[object, RealServer] = {}
    for real in server.real_server:
        if seen.setdefault(real.name, real) is not real:
            address, port = real.name
            name = f"[{address}]:{(server.protocol or 'none').lower()}:{port}"
            message = f"VS {shown_server(server)}: real server {name} is duplicated - removing second rs"
            reading.warn("duplicate-real-server", message)
    return tuple(seen.values())


def _quorum(reading: Reading, server: VirtualServer) -> VirtualServer:
    default = 1 if server.weight is None else server.weight
    weight = sum(default if real.weight is None else real.weight for real in server.real_server)
    if server.quorum is None or server.quorum <= weight:
        return server
    text = f"Warning - quorum {server.quorum} for {shown_server(server)} exceeds total weight of real servers"
    reading.warn("quorum-too-high", f"{text} {weight}, reducing quorum to {weight}")
    return replace(server, quorum=weight or 1)
