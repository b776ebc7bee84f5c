"""How plans travel from the parent, which reads configurations, to the children, which must not wait.

A socket pair carries pickled plans, each behind its length. Both ends are the same program, of the same
installation, and nobody else has the descriptors: that is what makes pickle right here.
"""

from __future__ import annotations

import socket
from typing import Any, Generic, TypeVar

from evener.host.bfd_news import Newswires

Plan = TypeVar("Plan")

LENGTH_BYTES = 4


class PlanChannel(Generic[Plan]):
    """The parent's end writes plans, the child's end collects them without waiting."""

    def __init__(self, end: socket.socket, news: Newswires | None = None) -> None:
        self._end = end
        self.news: Newswires = {} if news is None else news
        """What the BFD process has to say, and to whom."""
        self._buffer = bytearray()
        end.setblocking(False)

    def fileno(self) -> int:
        return self._end.fileno()

    def receive(self) -> tuple[list[Plan], bool]:
        """The plans that are complete, and whether the parent is still there."""
        alive = True
        try:
            while data := self._end.recv(1 << 16):
                self._buffer += data
            alive = False
        except BlockingIOError:
            pass
        except OSError:
            alive = False
        return list(self._complete()), alive

    def _complete(self) -> list[Plan]:
        import pickle

        plans: list[Plan] = []
        while len(self._buffer) >= LENGTH_BYTES:
            size = LENGTH_BYTES + int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if len(self._buffer) < size:
                break
            plans.append(pickle.loads(self._buffer[LENGTH_BYTES:size]))
            del self._buffer[:size]
        return plans


def send_plan(end: socket.socket, plan: Any) -> None:
    """The parent's side: hand a plan over (may wait; the parent may)."""
    import pickle

    data = pickle.dumps(plan)
    end.sendall(len(data).to_bytes(LENGTH_BYTES, "big") + data)
