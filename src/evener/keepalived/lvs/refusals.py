"""How the log says that IPVS has refused something: for whom, and why, in keepalived's words.

IPVS cmd IP_VS_SO_SET_ADD(1154) error: Scheduler or persistence engine not found(2) (10.0.0.5:tcp:80)
"""

from __future__ import annotations

import errno
import os
import socket

from evener.keepalived.lvs.ipvs import (
    PROTOCOLS,
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    DestinationKey,
    ServiceKey,
    SetDestination,
    SetService,
)
from evener.keepalived.vrrp.plan import Family

START_DAEMON, STOP_DAEMON = ("IP_VS_SO_SET_STARTDAEMON", 1163), ("IP_VS_SO_SET_STOPDAEMON", 1164)
COMMANDS: dict[type[Change], tuple[str, int]] = {
    AddService: ("IP_VS_SO_SET_ADD", 1154),
    SetService: ("IP_VS_SO_SET_EDIT", 1155),
    DeleteService: ("IP_VS_SO_SET_DEL", 1156),
    AddDestination: ("IP_VS_SO_SET_ADDDEST", 1159),
    DeleteDestination: ("IP_VS_SO_SET_DELDEST", 1160),
    SetDestination: ("IP_VS_SO_SET_EDITDEST", 1161),
}
"""Names and numbers of the socket options that there were before netlink."""
NO_SCHEDULER = "Scheduler or persistence engine not found"
REASONS = {
    ("IP_VS_SO_SET_ADD", errno.EEXIST): "Service already exists",
    ("IP_VS_SO_SET_ADD", errno.ENOENT): NO_SCHEDULER,
    ("IP_VS_SO_SET_EDIT", errno.ENOENT): NO_SCHEDULER,
    ("IP_VS_SO_SET_ADDDEST", errno.EEXIST): "Destination already exists",
    ("IP_VS_SO_SET_EDITDEST", errno.ENOENT): "No such destination",
    ("IP_VS_SO_SET_DELDEST", errno.ENOENT): "No such destination",
    ("IP_VS_SO_SET_STARTDAEMON", errno.EEXIST): "Daemon has already run",
    ("IP_VS_SO_SET_STOPDAEMON", errno.ESRCH): "No daemon is running",
}
ANY_REASON = {
    errno.ESRCH: "No such service",
    errno.EPERM: "Permission denied (you must be root)",
    errno.EINVAL: "Invalid operation.  Possibly wrong module version, address not unicast, ...",
    errno.ENOPROTOOPT: "Protocol not available",
    errno.ENOMEM: "Memory allocation problem",
    errno.EOPNOTSUPP: "Operation not supported with IPv6",
    errno.EAFNOSUPPORT: "Operation not supported with specified address family",
    errno.EMSGSIZE: "Module is wrong version",
}


def refused(change: Change, code: int) -> str:
    """A change of services."""
    match change:
        case AddService(service) | SetService(service):
            whom = _service(service.key)
        case AddDestination(key, destination) | SetDestination(key, destination):
            whom = f"{_service(key)} -> {_destination(destination.key)}"
        case DeleteDestination(key, place):
            whom = f"{_service(key)} -> {_destination(place)}"
        case DeleteService(key):
            whom = _service(key)
        case _:
            raise TypeError(change)
    return f"{command_refused(COMMANDS[type(change)], code)} ({whom})"


def command_refused(command: tuple[str, int], code: int) -> str:
    name, number = command
    reason = REASONS.get((name, code)) or ANY_REASON.get(code) or os.strerror(code)
    return f"IPVS cmd {name}({number}) error: {reason}({code})"


def _service(key: ServiceKey) -> str:
    if key.fwmark:
        return f"Fwm {key.fwmark}{' inet6' if key.family is Family.INET6 else ''}"
    protocol = PROTOCOLS.get(key.protocol, str(key.protocol))
    return f"{socket.inet_ntop(key.family, key.address)}:{protocol}:{key.port}"


def _destination(key: DestinationKey) -> str:
    return f"{socket.inet_ntop(key.family, key.address)}:{key.port}"
