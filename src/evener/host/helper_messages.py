"""How helper processes hear what they are told: JSON, a message in each packet of a socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any


def messages(far: socket.socket, most: int, over: Callable[[], None]) -> Iterator[Any]:
    """What waits on a non-blocking socket, at most ``most`` bytes each.

    ``over`` is called when nobody is left who could say more.
    """
    while True:
        try:
            data = far.recv(most)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            over()
            return
        yield json.loads(data)
