"""One generic netlink socket: many requests in one system call, and what became of each.

The kernel answers within the call that sends, so waiting means no waiting; a timeout guards against
our own mistakes. A batch is sent as one datagram of many messages: the kernel carries them out in order,
reports each that fails, and acknowledges the last one: one answer to read where all goes well.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence

_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("=BBH")
_HEADERS = struct.Struct("=IHHIIBBH")
_ERROR = struct.Struct("=i")
NETLINK_GENERIC, GENL_ID_CTRL, CTRL_GETFAMILY = 16, 16, 3
REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
ERROR, DONE = 2, 3
SOL_NETLINK, NETLINK_CAP_ACK = 270, 10
BATCH_BYTES = 1 << 15
"""Of requests sent at once: if all of them fail, the answers have to fit into the receive buffer."""
RECEIVE_BUFFER = 1 << 21
TIMEOUT_S = 5.0


class NoFamily(OSError):
    """The kernel has no such family: the module is not there."""


class GenericSocket:
    """Speaks with one family, found by its name. Raises NoFamily."""

    def __init__(self, name: str, version: int) -> None:
        self._version = version
        self._serial = 0
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, NETLINK_GENERIC)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)  # acknowledgements do not repeat the request
        self._socket.bind((0, 0))
        self._family = GENL_ID_CTRL
        try:
            self._family = self._find(name)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def _find(self, name: str) -> int:
        text = name.encode() + b"\0"
        request = struct.pack("=HH", len(text) + 4, 2) + text + b"\0" * (-len(text) % 4)
        self._socket.send(self._message(CTRL_GETFAMILY, request, REQUEST))
        kind, _, payload = next(self._answers())
        if kind == ERROR:
            raise NoFamily(-_ERROR.unpack_from(payload)[0], f"no {name} in this kernel")
        at = 4
        while at + 4 <= len(payload):
            length, attribute = struct.unpack_from("=HH", payload, at)
            if attribute == 1:
                return int(struct.unpack_from("=H", payload, at + 4)[0])
            at += max(4, (length + 3) & ~3)
        raise NoFamily(errno.ENOENT, f"no {name} in this kernel")

    def _message(self, command: int, body: bytes, flags: int) -> bytes:
        self._serial += 1
        size = _HEADERS.size + len(body)
        return _HEADERS.pack(size, self._family, flags, self._serial, 0, command, self._version, 0) + body

    def _answers(self) -> Iterator[tuple[int, int, bytes]]:
        """(type, serial, payload) of each message of one datagram; without end."""
        while True:
            data = self._socket.recv(1 << 17)
            at = 0
            while at + _HEADER.size <= len(data):
                size, kind, _, serial, _ = _HEADER.unpack_from(data, at)
                if size < _HEADER.size:
                    break
                yield kind, serial, data[at + _HEADER.size : at + size]
                at += (size + 3) & ~3

    def request(self, requests: Iterable[tuple[int, bytes]]) -> list[int]:
        """Carry out (command, body) each; returns the errno of each, 0 for success."""
        results: list[int] = []
        batch: list[tuple[int, bytes]] = []
        size = 0
        for each in requests:
            length = len(each[1]) + 64
            if batch and size + length > BATCH_BYTES:
                results += self._batch(batch)
                batch, size = [], 0
            batch.append(each)
            size += length
        return results + self._batch(batch) if batch else results

    def _batch(self, requests: Sequence[tuple[int, bytes]]) -> list[int]:
        first, last = self._serial + 1, self._serial + len(requests)
        messages = [self._message(command, body, REQUEST) for command, body in requests[:-1]]
        messages.append(self._message(*requests[-1], REQUEST | ACK))
        self._socket.send(b"".join(messages))
        results = [0] * len(requests)
        for kind, serial, payload in self._answers():
            if kind == ERROR and first <= serial <= last:
                results[serial - first] = -_ERROR.unpack_from(payload)[0]
                if serial == last:
                    break
        return results

    def ask(self, command: int, body: bytes = b"") -> bytes:
        """The payload of the one answer, after the generic header. Raises OSError."""
        self._socket.send(self._message(command, body, REQUEST))
        for kind, serial, payload in self._answers():
            if serial == self._serial:
                if kind == ERROR:
                    raise OSError(-_ERROR.unpack_from(payload)[0], "netlink question")
                return payload[_GENERIC.size :]
        raise AssertionError("answers have no end")

    def dump(self, command: int, body: bytes = b"") -> Iterator[bytes]:
        """The payload of each answer, after the generic header. Raises OSError."""
        self._socket.send(self._message(command, body, REQUEST | DUMP))
        serial = self._serial
        for kind, answered, payload in self._answers():
            if answered != serial:
                continue
            if kind == ERROR:
                raise OSError(-_ERROR.unpack_from(payload)[0], "netlink dump")
            if kind == DONE:
                return
            yield payload[_GENERIC.size :]
