"""One rtnetlink socket: requests with their acknowledgements, and a monitor that never blocks.

Knows nothing of addresses or links; ``addr.py`` and ``link.py`` speak through it. Requests are answered by
the kernel within the system call that sends them, so waiting for an acknowledgement does not mean
waiting for anybody; a second's timeout guards against our own mistakes.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE, NLM_F_REPLACE = 1, 4, 0x300, 0x400, 0x100
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 1, 0x10, 0x100
RECEIVE_BYTES = 1 << 16
TIMEOUT_S = 1.0
SO_RCVBUFFORCE = 33
ACKNOWLEDGEMENT = struct.Struct("=IHHIIi")
"""struct nlmsghdr (length, type, flags, sequence, port), then the error of struct nlmsgerr."""


def prepare_messages() -> None:
    """Import pyroute2's message classes now rather than when the first address is added."""
    from pyroute2.netlink.rtnl import fibmsg, ifaddrmsg, ifinfmsg, marshal, rtmsg

    del fibmsg, ifaddrmsg, ifinfmsg, marshal, rtmsg


class RtnlSocket:
    """A bound rtnetlink socket. ``groups`` makes it a monitor (then non-blocking)."""

    def __init__(self, groups: int = 0) -> None:
        from pyroute2.netlink.rtnl.marshal import MarshalRtnl

        self._marshal = MarshalRtnl()
        self._sequence = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, groups))
        if groups:
            self._socket.setblocking(False)
        else:
            self._socket.settimeout(TIMEOUT_S)

    def set_buffer(self, size: int, *, force: bool) -> None:
        """The receive buffer; 0 leaves it alone."""
        if size:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE if force else socket.SO_RCVBUF, size)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def encode(self, message: Any, kind: int, flags: int) -> tuple[int, bytes]:
        """Give a message its header; returns its sequence number and bytes."""
        self._sequence += 1
        header = message["header"]
        header["type"], header["flags"] = kind, flags | NLM_F_REQUEST
        header["sequence_number"], header["pid"] = self._sequence, 0
        message.encode()
        return self._sequence, bytes(message.data)

    def request(self, requests: list[tuple[Any, int, int]]) -> list[int]:
        """Send (message, type, flags) each; returns the errno of each, 0 for success, in order."""
        results: list[int] = []
        for message, kind, flags in requests:
            sequence, data = self.encode(message, kind, flags | NLM_F_ACK)
            self._socket.send(data)
            results.append(self._acknowledged(sequence))
        return results

    def _acknowledged(self, sequence: int) -> int:
        while True:
            data = self._socket.recv(RECEIVE_BYTES)
            _, kind, _, answered, _, code = ACKNOWLEDGEMENT.unpack_from(data)
            if kind == NLMSG_ERROR and answered == sequence:
                return -int(code)

    def dump(self, message: Any, kind: int) -> list[Any]:
        """All answers to a dump request (blocking sockets only)."""
        _, data = self.encode(message, kind, NLM_F_DUMP)
        self._socket.send(data)
        answers: list[Any] = []
        while True:
            for answer in self._marshal.parse(self._socket.recv(RECEIVE_BYTES)):
                if answer["header"]["type"] in (NLMSG_DONE, NLMSG_ERROR):
                    return answers
                answers.append(answer)

    def pending(self) -> Iterator[Any]:
        """The messages that have arrived; raises OSError ENOBUFS when some were lost."""
        for data in self.datagrams():
            yield from self.decode(data)

    def decode(self, data: bytes) -> Iterator[Any]:
        yield from self._marshal.parse(data)

    def datagrams(self) -> Iterator[bytes]:
        """What has arrived, as it came (monitors only); raises OSError ENOBUFS when some were lost."""
        while True:
            try:
                yield self._socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return


def explain(code: int) -> str:
    return f"{errno.errorcode.get(code, code)} ({os.strerror(code)})"
