"""``default-path``: the directory that relative names in the configuration start from.

It really is the working directory while a file is read, because names are opened in many places; it is
given back after each file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

MODES = ("current", "config", "parent", "origin")


class DefaultPath:
    """The mode in force, and the directory to return to."""

    __slots__ = ("_home", "_mode", "_origin")

    def __init__(self) -> None:
        try:
            self._home = os.getcwd()
        except OSError:  # it was removed: there is no way back, and nothing relative to find
            self._home = "."
        self._mode = "current"
        self._origin = ""

    def set(self, words: Sequence[str], file: str) -> str | None:
        """Obey ``default-path <mode> [<directory>]``; returns what is wrong with it."""
        mode = words[1] if len(words) > 1 else ""
        if mode not in MODES:
            what = "unsupported" if mode else "missing"
            known = "supported modes include 'current', 'config', 'parent', and 'origin'."
            return f"{what} default-path mode '{mode}' for 'default-path', {known}"
        if mode == "origin" and len(words) < 3:
            return "'default-path origin' expects a directory as an argument."
        self._mode = mode
        self._origin = words[2] if mode == "origin" else ""
        return self.enter(file)

    def enter(self, file: str) -> str | None:
        """Go where the names in ``file`` start from; returns what is wrong with that."""
        try:
            self._go(os.path.dirname(file) or ".")
        except (OSError, ValueError) as error:
            reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
            back = f"Impossible to get back to directory '{self._home}': {reason}."
            return f"couldn't set 'default-path' to {self._mode} '{self._origin}': {back}"
        return None

    def _go(self, directory: str) -> None:
        os.chdir(self._home)
        if self._mode == "config":
            os.chdir(directory)
        elif self._mode == "parent":
            os.chdir(os.path.join(directory, ".."))
        elif self._mode == "origin":
            os.chdir(self._origin)

    def leave(self) -> None:
        try:
            os.chdir(self._home)
        except OSError:
            return
