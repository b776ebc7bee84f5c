"""What keepalived 2.4.3 said of configurations, compared with what is said here.

A *flagged line* is a line that either program names in a message. Messages are compared without the name of
the file, each once: the original repeats those of its parent process in every child.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from evener.cli.keepalived import REMARKS
from evener.cli.keepalived import test_code as exit_code
from evener.keepalived.resolve import LoadOptions, load
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
from evener.text.render_keepalived import render_all

PREFIX = re.compile(r"^\((?:[^()]+: )?Line (\d+)\)")
OPTIONAL_PARTS = re.compile(r"Unknown keyword '(enable_snmp\w*|snmp_\w+|enable_traps|enable_dbus|dbus_\w+)'$")
"""The reference was built without SNMP and DBus; Debian's knows these words, and so do we."""


OUR_OWN = REMARKS | {"planned-keyword"}
"""What the original does not say."""


def plain(lines: Iterable[str]) -> list[str]:
    """Messages without the file's name and what we add below them, each once."""
    return list(dict.fromkeys(PREFIX.sub(r"(Line \1)", line.partition("\n")[0]) for line in lines))


def flagged(lines: Iterable[str]) -> set[int]:
    return {int(found[1]) for line in lines if (found := PREFIX.match(line))}


def ours(path: str, options: LoadOptions) -> tuple[int, list[str]]:
    """Exit code and messages of ``keepalived -t``; remarks that do not fail it are left out."""
    found = Diagnostics()
    try:
        load(path, found, options)
    except FatalConfiguration:
        pass
    wrong = [d for d in found if d.severity >= Severity.WARNING and d.code not in REMARKS]
    code = exit_code(frozenset(d.code for d in found), bool(wrong))
    told = [d for d in found if d.code not in OUR_OWN]
    return code, plain(render_all(told))
