"""What the log says when IPVS refuses: lines of the original."""

from __future__ import annotations

import errno
import socket

import pytest

from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
    SetDestination,
    SetService,
)
from evener.keepalived.lvs.refusals import refused
from evener.keepalived.vrrp.plan import Family

KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("10.9.0.2"), 80)
SIX = ServiceKey(Family.INET6, socket.IPPROTO_UDP, socket.inet_pton(socket.AF_INET6, "fd00::5"), 5)
MARK = ServiceKey(Family.INET6, 0, b"", 0, 7)
PLACE = DestinationKey(Family.INET, socket.inet_aton("10.9.1.1"), 80)
MADE = Destination(PLACE)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (
            AddService(Service(KEY, "twos")),
            errno.ENOENT,
            "IP_VS_SO_SET_ADD(1154) error: Scheduler or persistence engine not found(2) (10.9.0.2:tcp:80)",
        ),
        (
            SetService(Service(SIX)),
            errno.EPERM,
            "IP_VS_SO_SET_EDIT(1155) error: Permission denied (you must be root)(1) (fd00::5:udp:5)",
        ),
        (
            DeleteService(MARK),
            errno.ESRCH,
            "IP_VS_SO_SET_DEL(1156) error: No such service(3) (Fwm 7 inet6)",
        ),
        (
            AddDestination(SIX, MADE),
            errno.EEXIST,
            "IP_VS_SO_SET_ADDDEST(1159) error: Destination already exists(17) (fd00::5:udp:5 -> 10.9.1.1:80)",
        ),
        (
            SetDestination(KEY, MADE),
            errno.ENOSPC,
            "IP_VS_SO_SET_EDITDEST(1161) error: No space left on device(28) (10.9.0.2:tcp:80 -> 10.9.1.1:80)",
        ),
        (
            DeleteDestination(KEY, PLACE),
            errno.ENOENT,
            "IP_VS_SO_SET_DELDEST(1160) error: No such destination(2) (10.9.0.2:tcp:80 -> 10.9.1.1:80)",
        ),
    ],
)
def test_lines(change: Change, code: int, text: str) -> None:
    assert refused(change, code) == f"IPVS cmd {text}"
