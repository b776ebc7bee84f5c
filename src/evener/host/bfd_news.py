"""How the states of BFD sessions travel from the BFD process to those who act on them.

The parent makes a pair of sockets for each process that may listen, before it forks any of them; so a process
that is started anew finds its end where it was. A message is a digit and a name: ``1uplink`` is up. Nobody
waits: what cannot be written because a reader is stuck is kept, the newest state of each session, and
written later.
"""

from __future__ import annotations

import socket
from typing import Final, NamedTuple

LISTENERS: Final = ("vrrp", "checkers")
"""The keys of the processes that may listen, as in ``RunOptions.pid_files``."""

MESSAGE_BYTES = 512


class News(NamedTuple):
    """A session is up, or is not."""

    name: str
    up: bool


class Newswire:
    """One direction to one listener; every process inherits both ends and uses one."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._unsent: dict[str, bool] = {}

    def fileno(self) -> int:
        """Of the reader's end."""
        return self._reader.fileno()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def read(self) -> list[News]:
        """What has arrived, in order."""
        news: list[News] = []
        while True:
            try:
                data = self._reader.recv(MESSAGE_BYTES)
            except OSError:
                return news
            if not data:
                return news
            news.append(News(data[1:].decode("utf-8", "surrogateescape"), data[:1] == b"1"))

    def write(self, name: str, up: bool) -> None:
        self._unsent.pop(name, None)
        self._unsent[name] = up
        self.flush()

    def flush(self) -> bool:
        """Write what is left to write; True when nothing is."""
        for name, up in list(self._unsent.items()):
            try:
                self._writer.send((b"1" if up else b"0") + name.encode("utf-8", "surrogateescape"))
            except OSError:
                return False
            del self._unsent[name]
        return True


Newswires = dict[str, Newswire]


def newswires() -> Newswires:
    return {key: Newswire() for key in LISTENERS}
