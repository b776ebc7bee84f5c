"""``keepalived -t --strict-compat``: every finding as often as the original prints it.

Its parent and each of its children read the whole configuration: what stands outside all blocks, and braces
that do not match, are said by all four of them, what stands in a block by the process that executes it. The
parent names no file when there is only one; the children always do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from evener.text.diagnostic import Diagnostic
from evener.text.render_keepalived import ParentDiagnostic, render, several_files
from evener.text.span import Span

PARENT, CHECKERS, VRRP, BFD = "parent", "checkers", "vrrp", "bfd"
PROCESSES = (PARENT, CHECKERS, VRRP, BFD)
ALL = frozenset(PROCESSES)
OWNERS = {
    "global_defs": frozenset({PARENT}),
    "virtual_server": frozenset({CHECKERS}),
    "virtual_server_group": frozenset({CHECKERS}),
    "SSL": frozenset({CHECKERS}),
    "track_file": frozenset({CHECKERS, VRRP}),
    "vrrp_track_file": frozenset({CHECKERS, VRRP}),
    "bfd_instance": frozenset({BFD}),
}
VRRP_BLOCKS = ("vrrp_", "static_", "garp_group", "track_group", "interface_up_down_delays", "linkbeat_")


def repeated(found: Iterable[Diagnostic]) -> list[str]:
    found = [replace(one, details=(), hint=None) for one in found if one.code != "planned-keyword"]
    several = several_files(found)
    lines: list[str] = []
    for process in PROCESSES:
        mine = [one for one in found if process in owners(one)]
        said = (render(as_said_by(process, one), several_files=several) for one in mine)
        lines += dict.fromkeys(said)
    return lines


def as_said_by(process: str, one: Diagnostic) -> Diagnostic:
    kind = ParentDiagnostic if process == PARENT else Diagnostic
    return kind(one.code, one.severity, one.message, one.span)


def owners(one: Diagnostic) -> frozenset[str]:
    """The processes that say this."""
    if one.code == "missing-brace":
        return ALL
    if one.span is None:
        return frozenset({CHECKERS if one.message.startswith("Virtual server") else VRRP})
    return owners_of(block_at(one.span))


def owners_of(keyword: str | None) -> frozenset[str]:
    if keyword is None:
        return ALL
    if keyword.startswith(VRRP_BLOCKS):
        return frozenset({VRRP})
    return OWNERS.get(keyword, ALL)


def block_at(span: Span) -> str | None:
    """The first word of the outermost block around a place; its own line counts when it opens one."""
    depth, keyword = 0, None
    for number, line in enumerate(span.source.lines[: span.line], 1):
        text = bare(line)
        words = text.split()
        if depth == 0 and words:
            keyword = words[0].partition("{")[0] or None
        if number == span.line:
            return keyword if depth or "{" in text else None
        depth = max(0, depth + text.count("{") - text.count("}"))
    return None


def bare(line: str) -> str:
    """A line without comments and quoted words, as far as braces are concerned."""
    outside = "".join(line.split('"')[::2])
    for mark in "!#":
        outside = outside.partition(mark)[0]
    return outside
