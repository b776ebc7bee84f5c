"""Which files a configuration consists of, and their text."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from evener.text.diagnostic import Diagnostics
from evener.text.span import Source


def configuration_files(paths: Sequence[str], diagnostics: Diagnostics) -> list[str]:
    """``paths`` with each directory replaced by its ``*.cfg`` files, sorted by their bytes.

    Hidden files and directories inside a directory are left out. The last element of a source's lines
    is what follows the last LF.
    """
    files: list[str] = []
    for path in paths:
        try:
            found = os.stat(path)
        except (OSError, ValueError) as error:
            cannot_open(path, error, diagnostics)
            continue
        files += _directory(path, diagnostics) if stat.S_ISDIR(found.st_mode) else [path]
    return files


def _directory(path: str, diagnostics: Diagnostics) -> list[str]:
    try:
        names = [n for n in os.listdir(path) if n.endswith(".cfg") and not n.startswith(".")]
    except OSError as error:
        cannot_open(path, error, diagnostics)
        return []
    found = [os.path.join(path, name) for name in sorted(names, key=os.fsencode)]
    return [name for name in found if os.path.isfile(name)]


def read_source(name: str, diagnostics: Diagnostics) -> Source | None:
    try:
        with open(name, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        cannot_open(name, error, diagnostics)
        return None
    return Source(name, tuple(data.decode("utf-8", "surrogateescape").split("\n")))


def cannot_open(path: str, error: Exception, diagnostics: Diagnostics) -> None:
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    message = f"Cannot open configuration file/directory {path} : {reason}"
    diagnostics.alert("unreadable-file", message, lead="config : ")
