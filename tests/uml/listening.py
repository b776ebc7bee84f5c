"""In the test kernel: what a daemon tells scripts, FIFOs and the mail server."""

from __future__ import annotations

import os
import re
import socket
import threading
from typing import Any

from rig import Run

SCRIPT = """#!/bin/sh
echo "$@" >>{folder}/told
"""
FIFOS = ("lvs", "all")
VOLATILE = re.compile(rb"(Date|Message-ID):[^\n]*\n|(HELO|EHLO) [^\n]*\n", re.IGNORECASE)
COMMANDS = re.compile(rb"^(mail from|rcpt to|data|quit)", re.IGNORECASE)


class Ear:
    """One daemon's: a script ``tell``, FIFOs ``lvs`` and ``all`` in its folder, port 25 of its loopback."""

    def __init__(self, run: Run) -> None:
        self._folder = run.folder
        script = run.folder / "tell"
        script.write_text(SCRIPT.format(folder=run.folder))
        script.chmod(0o755)
        self._fifos = {}
        for name in FIFOS:
            os.mkfifo(run.folder / name)
            self._fifos[name] = os.open(run.folder / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._lines: dict[str, bytes] = dict.fromkeys(FIFOS, b"")
        self._mails: list[str] = []
        self._at = 0
        self._server = run.namespace.inside(lambda: socket.create_server(("127.0.0.1", 25), backlog=32))
        threading.Thread(target=self._serve, daemon=True).start()

    def heard(self) -> list[Any]:
        """Since ``forget``. Scripts and mails are started side by side, so that their order is by chance."""
        for name, fifo in self._fifos.items():
            try:
                while data := os.read(fifo, 65536):
                    self._lines[name] += data.replace(b"\0", b"")  # 2.4.3 writes one too many
            except BlockingIOError:
                pass
        told = self._folder / "told"
        scripts = sorted(told.read_text()[self._at :].splitlines()) if told.exists() else []
        return [*(text.decode().splitlines() for text in self._lines.values()), scripts, sorted(self._mails)]

    def forget(self) -> None:
        self._lines = dict.fromkeys(FIFOS, b"")
        self._mails.clear()
        told = self._folder / "told"
        self._at = len(told.read_text()) if told.exists() else 0

    # -- mail

    def _serve(self) -> None:
        while True:
            connection = self._server.accept()[0]
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            self._take(connection)
        except OSError:
            pass  # it went away amid its mail

    def _take(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        letters = []
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            in_body = False
            for line in lines:
                letters.append(line if in_body else COMMANDS.sub(lambda found: found[0].upper(), line))
                if in_body and line.rstrip(b"\r\n") != b".":
                    continue
                word = line.split()[0].upper() if line.split() else b""
                code = b"354" if word == b"DATA" else b"221" if word == b"QUIT" else b"250"
                connection.sendall(code + b" yes\r\n")
                in_body = word == b"DATA"
                if word == b"QUIT":
                    break
        self._mails.append(VOLATILE.sub(b"", b"".join(letters)).decode(errors="replace"))
