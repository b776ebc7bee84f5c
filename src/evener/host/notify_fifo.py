"""The pipes that notifications are written to, and the scripts that keepalived starts to read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from evener.host.script_user import ScriptRefused, account_of
from evener.host.scripts import ScriptClient
from evener.keepalived.vrrp.plan import Fifo, GlobalOptions, Program


class Fifos:
    """Made and opened at once; those that cannot be opened are complained about."""

    def __init__(
        self,
        fifos: Iterable[Fifo | None],
        options: GlobalOptions,
        scripts: ScriptClient | None,
        complain: Callable[[str], None],
    ) -> None:
        self._options, self._scripts, self._complain = options, scripts, complain
        self._open: list[tuple[Fifo, int]] = []
        for fifo in fifos:
            if fifo is not None:
                self._make(fifo)

    def write(self, line: str) -> None:
        """Nobody may be reading: then a full pipe loses the line, which is said."""
        data = line.encode("utf-8", "surrogateescape")
        for fifo, descriptor in self._open:
            try:
                os.write(descriptor, data)
            except OSError as error:
                self._complain(f"Failed to write to fifo {fifo.path}: {error.strerror}")

    def _make(self, fifo: Fifo) -> None:
        try:
            try:
                os.mkfifo(fifo.path, 0o600)
                account = account_of(Program((), fifo.user, fifo.group), self._options)
                os.chown(fifo.path, account.uid, account.gid)
            except FileExistsError:
                pass
            # Opened for both directions, it never blocks nor breaks for want of a reader.
            descriptor = os.open(fifo.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ScriptRefused) as error:
            self._complain(f"Unable to open fifo {fifo.path}: {error}")
            return
        self._open.append((fifo, descriptor))
        if fifo.script is not None and self._scripts is not None:
            self._scripts.keep(fifo.script, (fifo.path,))

    def close(self) -> None:
        for fifo, descriptor in self._open:
            os.close(descriptor)
            try:
                os.unlink(fifo.path)
            except OSError:
                pass
        self._open.clear()
