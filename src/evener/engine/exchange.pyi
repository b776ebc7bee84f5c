"""Idle connections between workers: see exchange.pyx."""

import socket

def inboxes(count: int) -> list[tuple[socket.socket, socket.socket]]: ...
