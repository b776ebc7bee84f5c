"""``evener fmt``: one layout for configuration files, with the comments kept and the meaning untouched.

What a line is made of is the business of ``fmt_haproxy`` and ``fmt_keepalived``; this holds what both have
in common, the comparison, and the writing of a file in one step. Formatting only moves blanks, blank lines
and comments: words stay as they were written, with their quotes and variables.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

INDENT = "    "

#: Text in, formatted text out; raises Unformattable.
Formatter = Callable[[str], str]


class Unformattable(Exception):
    """The file is broken, or its meaning would change: it is left alone. ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class Layout:
    """Lines on their way out: runs of blank lines become one, none stand at either end of the file."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def add(self, depth: int, text: str, comment: str = "") -> None:
        code = INDENT * depth + text if text else ""
        margin = "  " if text else INDENT * depth
        self.lines.append(f"{code}{margin}{comment}" if comment else code)

    def text(self) -> str:
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "".join(f"{line}\n" for line in self.lines)


def tidy(comment: str) -> str:
    """A comment without blanks at its end."""
    return comment.rstrip(" \t\v\f\r")


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def difference(path: Path, before: str, after: str) -> str:
    """A unified diff."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, fromfile=str(path), tofile=f"{path} (formatted)"))


def replace(path: Path, text: str) -> None:
    """Put ``text`` in the place of a file, all at once, with the file's mode and owner."""
    found = path.resolve().stat()
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            os.fchmod(file.fileno(), found.st_mode & 0o7777)
            if (os.geteuid(), os.getegid()) != (found.st_uid, found.st_gid):
                os.fchown(file.fileno(), found.st_uid, found.st_gid)
        os.replace(name, target)
    except OSError:
        os.unlink(name)
        raise
