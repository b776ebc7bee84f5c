"""config_save_dir: what was read at the start and at each reload is kept in a directory.

The copy is the configuration as it is executed, printed; includes and parameters are resolved in it. It may
hold passwords, so it is for its owner only.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from evener.keepalived.plan import SavedText

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class ConfigCopies:
    """Numbers the copies: ``keepalived.conf.PID.0``, ``.1``..."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._number = 0

    def keep(self, saved: SavedText | None) -> None:
        if saved is None:
            return
        path = os.path.join(saved.directory, f"keepalived.conf.{os.getpid()}.{self._number}")
        self._number += 1
        try:
            if not os.path.isdir(saved.directory):
                os.mkdir(saved.directory, 0o700)
            descriptor = os.open(path, FLAGS, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(saved.text)
        except OSError as error:
            self._log(f"Unable to save the configuration in {path}: {error.strerror}")
