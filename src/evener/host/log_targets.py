"""``log`` lines of the configuration as targets of the syslog sender.

``log global`` stands for the targets of the global section. A target that is not a datagram address, a
descriptor or a standard stream needs a sink (``log_house``), and is left out without one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from evener.haproxy.addresses import Address, Transport
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.log_values import LEVELS, Log
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.tuning import tuning
from evener.host.syslog import Identity, Sender, Sink, Target
from evener.vocab.arguments import decimal

STREAMS = {"stdout": 1, "stderr": 2}
SYSLOG_PORT = 514


Sinks = Callable[[str], tuple[Sink, str] | None]
"""What takes the messages for a place (``ring@``, ``backend@``, a server on a connection), if anything,
and in which format unless the log line says."""


def no_sinks(_place: str) -> None:
    return None


def targets_of(logs: Iterable[Log], global_: Global, sinks: Sinks = no_sinks) -> Iterator[Target]:
    options = tuning(global_).backend
    for log in logs:
        if log.is_global:
            yield from targets_of(global_.log, global_, sinks)
            continue
        target = _target(log, sinks)
        if target is not None:
            yield replace(target, options=options) if options else target


def _target(log: Log, sinks: Sinks) -> Target | None:
    fd, family, address, form = STREAMS.get(log.target), int(socket.AF_INET), None, log.format
    sink, found = None, sinks(log.target) if fd is None else None
    if found is not None:
        sink, form = found[0], form or found[1]
    elif fd is None:
        if log.address is None or (log.address.transport is Transport.STREAM and log.address.fd is None):
            return None
        fd, family, address = _place(log.address)
    return Target(
        address=address,
        fd=fd,
        family=family,
        format=form or "",
        facility=log.facility_number,
        level=LEVELS.index(log.level) if log.level else 7,
        minimum=LEVELS.index(log.minimum) if log.minimum else 0,
        length=log.length,
        sample=_sample(log),
        sink=sink,
    )


def _place(address: Address) -> tuple[int | None, int, tuple[str, int] | str | None]:
    if address.fd is not None:
        return address.fd, int(socket.AF_UNIX), None
    if address.family == socket.AF_UNIX:
        return None, address.family, address.host
    return None, address.family, (address.host, address.port or SYSLOG_PORT)


def _sample(log: Log) -> tuple[tuple[tuple[int, int], ...], int] | None:
    if log.sample is None:
        return None
    ranges, size = log.sample
    pairs = [part.partition("-") for part in ranges.split(",")]
    return tuple((decimal(low) or 0, decimal(high or low) or 0) for low, _, high in pairs), size


def identity_of(global_: Global, proxy: Proxy | None = None, pid: int | None = None) -> Identity:
    """The tag, the process and the host name that messages of ``proxy`` carry."""
    tag = (proxy.logging.log_tag if proxy is not None else None) or global_.log_tag or "haproxy"
    host = global_.log_send_hostname
    if host == "":
        host = socket.gethostname()
    return Identity(tag, os.getpid() if pid is None else pid, host)


def sender_of(
    global_: Global,
    proxy: Proxy | None,
    sinks: Sinks = no_sinks,
    drop: Callable[[], object] = lambda: None,
) -> Sender:
    """The sender for ``proxy``, or for the process itself."""
    logs = proxy.logging.log if proxy is not None else global_.log
    return Sender(list(targets_of(logs, global_, sinks)), identity_of(global_, proxy), drop)
