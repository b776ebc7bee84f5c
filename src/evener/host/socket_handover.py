"""Listening sockets go from a running process to the one that follows it (``expose-fd listeners``, ``-x``).

The newer process asks on a runtime socket of the older one, and is told how many sockets there are (an
integer of the machine) and then the sockets themselves, at most BATCH with each message: in its data every
socket has its namespace and its interface, each behind its length in one byte, and an integer without
meaning. Before further messages the newer one answers with an integer. The original speaks the same: either
side may be one.
"""

from __future__ import annotations

import array
import re
import socket
import struct
from collections.abc import Iterator, Sequence

from evener.text.record import dataclass

QUESTION = b"_getsocks"
BATCH = 252
PATIENCE = 1.0  #: seconds that a process waits for the other one
_NUMBER = struct.Struct("=i")
_TEMPORARY = re.compile(r"\.[0-9]+\.tmp$")  #: what a unix socket is bound as before it is renamed


class HandoverFailure(Exception):
    """Why nothing was handed over."""


@dataclass(slots=True)
class Handed:
    """A listening socket and where it listens."""

    opened: socket.socket
    namespace: str = ""
    interface: str = ""

    @property
    def place(self) -> tuple[int, str, int, str, str]:
        """Family, address, port, interface and namespace."""
        name = self.opened.getsockname()
        if isinstance(name, bytes):
            name = name.decode("utf-8", "surrogateescape")
        if isinstance(name, str):
            return self.opened.family, _TEMPORARY.sub("", name), 0, self.interface, self.namespace
        return self.opened.family, name[0], name[1], self.interface, self.namespace


def hand_over(connection: socket.socket, sockets: Sequence[Handed]) -> None:
    """Answer the question. Raises OSError when the other side does not listen."""
    connection.settimeout(PATIENCE)
    connection.sendall(_NUMBER.pack(len(sockets)))
    for at in range(0, len(sockets), BATCH):
        if at and not connection.recv(_NUMBER.size):
            return
        batch = sockets[at : at + BATCH]
        data = b"".join(_described(handed) for handed in batch)
        socket.send_fds(connection, [data], [handed.opened.fileno() for handed in batch])


def _described(handed: Handed) -> bytes:
    return _text(handed.namespace) + _text(handed.interface) + _NUMBER.pack(0)


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")[:255]
    return bytes((len(raw),)) + raw


def take_over(path: str) -> list[Handed]:
    """Ask the process with that runtime socket. Raises HandoverFailure."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.connect(path)
        except (OSError, ValueError):
            raise HandoverFailure(f"Failed to connect to the old process socket '{path}'") from None
        try:
            connection.sendall(QUESTION + b"\n")
            return list(_received(connection))
        except (OSError, EOFError):
            told = "Failed to get the number of sockets to be transferred !"
            raise HandoverFailure(told) from None


def _received(connection: socket.socket) -> Iterator[Handed]:
    data, descriptors = _message(connection)
    while len(data) < _NUMBER.size:
        more, further = _message(connection)
        data, descriptors = data + more, descriptors + further
    (count,) = _NUMBER.unpack_from(data)
    data, batches = data[_NUMBER.size :], 0
    while len(descriptors) < count:
        if batches * BATCH < len(descriptors) and len(descriptors) % BATCH == 0:
            batches += 1
            connection.sendall(_NUMBER.pack(len(descriptors)))
        more, further = _message(connection)
        data, descriptors = data + more, descriptors + further
    for descriptor in descriptors:
        opened = socket.socket(fileno=descriptor)
        opened.setblocking(False)
        namespace, data = _taken(data)
        interface, data = _taken(data)
        data = data[_NUMBER.size :]
        yield Handed(opened, namespace, interface.rstrip("\0"))


def _message(connection: socket.socket) -> tuple[bytes, list[int]]:
    room = socket.CMSG_SPACE(BATCH * array.array("i").itemsize)
    data, told, _, _ = connection.recvmsg(65536, room)
    if not data:
        raise EOFError
    found = array.array("i")
    for level, kind, held in told:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(held[: len(held) - len(held) % found.itemsize])
    return data, found.tolist()


def _taken(data: bytes) -> tuple[str, bytes]:
    length = data[0] if data else 0
    return data[1 : 1 + length].decode("utf-8", "surrogateescape"), data[1 + length :]
