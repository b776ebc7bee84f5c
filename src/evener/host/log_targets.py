"""``log`` lines of the configuration as targets of the syslog sender.

``log global`` stands for the targets of the global section; a target that is not a datagram address, a
descriptor or a standard stream is left out (the reader has warned about it).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator

from evener.haproxy.addresses import Address
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.log_values import LEVELS, Log
from evener.haproxy.sections.proxy import Proxy
from evener.host.syslog import Identity, Sender, Target
from evener.vocab.arguments import decimal

STREAMS = {"stdout": 1, "stderr": 2}
SYSLOG_PORT = 514


def targets_of(logs: Iterable[Log], global_: Global) -> Iterator[Target]:
    for log in logs:
        if log.is_global:
            yield from targets_of(global_.log, global_)
            continue
        target = _target(log)
        if target is not None:
            yield target


def _target(log: Log) -> Target | None:
    fd, family, address = STREAMS.get(log.target), int(socket.AF_INET), None
    if fd is None:
        if log.address is None:
            return None
        fd, family, address = _place(log.address)
    return Target(
        address=address,
        fd=fd,
        family=family,
        format=log.format,
        facility=log.facility_number,
        level=LEVELS.index(log.level) if log.level else 7,
        minimum=LEVELS.index(log.minimum) if log.minimum else 0,
        length=log.length,
        sample=_sample(log),
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


def sender_of(global_: Global, proxy: Proxy | None, pid: int | None = None) -> Sender:
    """The sender for ``proxy``, or for the process itself."""
    logs = proxy.logging.log if proxy is not None else global_.log
    return Sender(list(targets_of(logs, global_)), identity_of(global_, proxy, pid))
