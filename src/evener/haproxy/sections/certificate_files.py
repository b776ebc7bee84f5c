"""The certificates that ``bind`` lines, crt-lists and ``load`` lines name: found, read, and judged.

``certificates`` knows what may be wrong with a file; here is which files are meant, and how the line that
names them is refused. It is imported for lines that name certificates only.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from evener.haproxy.certificates import (
    FINE,
    Finding,
    Habits,
    bundle,
    certificate,
    habits,
    is_folder,
    of_folder,
    told,
)
from evener.haproxy.sections.crt_list import BadList, Entry, read_list
from evener.haproxy.sections.reading import TIGHT, Place, where_of

if TYPE_CHECKING:
    from evener.haproxy.line import Line
    from evener.haproxy.sections.bind import BindOptions

Options = tuple[tuple[str, ...], ...]
NAMING = ("crt", "default-crt", "crt-list")


def customs(place: Place) -> Habits:
    """How the global section wants certificates to be loaded."""
    return habits([known.words for known in place.settings])


def full_name(name: str, base: str) -> str:
    """The file, or the name of one that a ``crt-store`` has loaded."""
    return name if name.startswith(("/", "@")) or not base else f"{base}/{name}"


def not_there(path: str) -> str:
    """Why there is no certificate of that name."""
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        reason = os.strerror(getattr(error, "errno", None) or errno.ENOENT)
        return f"unable to stat SSL certificate from file '{path}' : {reason}.\n"
    return ""


def named(path: str, place: Place, how: Habits) -> Iterator[Finding]:
    """What is said of each file that a name stands for."""
    if path in place.stored:
        yield FINE
        return
    kind = is_folder(path)
    files = of_folder(path) if kind else bundle(path, how) if kind is None else [path]
    if kind is None and not files:
        yield Finding(not_there(path))
    for file in files:
        yield certificate(file, how)


def bind_certificates(line: Line, options: BindOptions, place: Place, where: str) -> tuple[Options, ...]:
    """Say what is wrong with the certificates of a ``bind`` line; the first that cannot be used ends it.

    Returns the options that a crt-list gives each of the certificates.
    """
    how = customs(place)
    made: list[Options] = []
    before, place.where = place.where, f"{where} : "
    for known in options.known:
        word, *rest = known.words
        if word not in NAMING:
            continue
        at = line.words.index(rest[0], 1)
        found = listed(rest[0], place, how, line) if word == "crt-list" else plain(rest[0], place, how)
        for own, finding in found:
            made.append(own)
            if not said(finding, line, at, place):
                place.where = before
                return tuple(made)
    place.where = before
    return tuple(made)


def plain(name: str, place: Place, how: Habits) -> Iterator[tuple[Options, Finding]]:
    for finding in named(full_name(name, how.base), place, how):
        yield (), finding


def listed(path: str, place: Place, how: Habits, line: Line) -> Iterator[tuple[Options, Finding]]:
    """A crt-list: first what is written there, then its certificates."""
    try:
        entries = read_list(path, place, where_of(line))
    except BadList as error:
        yield (), Finding(f"'crt-list' : {error}")
        return
    for entry in entries:
        for finding in named(full_name(entry.certificate, how.base), place, how):
            yield entry.options, of_entry(entry, path, finding)
        filters(entry, line, place)


def said(finding: Finding, line: Line, at: int, place: Place) -> bool:
    """Say what was found; False when it is fatal."""
    if finding.alone:
        place.diagnostics.alert("locked-key", finding.alone, line.span(at), lead="config : ")
    if not finding.wrong:
        return True
    if finding.warning:
        place.warning("bad-certificate", told(finding.wrong), line.span(at))
        return True
    place.alert("bad-certificate", told(finding.wrong), line.span(at))
    return False


def of_entry(entry: Entry, path: str, finding: Finding) -> Finding:
    if finding.listed:
        return replace(finding, wrong=f"'crt-list' : {finding.wrong}")
    if not finding.wrong or finding.warning:
        return finding
    start = f"'crt-list' : error processing line {entry.number} in file '{path}' : "
    end = ""
    if finding.unread:
        end = (
            f"unable to load SSL private key into SSL Context '{finding.unread}': passed a null parameter.\n"
        )
    return Finding(start + finding.wrong + end, finding.alone)


def filters(entry: Entry, line: Line, place: Place) -> None:
    """Names that are left out must be left out of something."""
    span = where_of(line)
    for name in entry.filters:
        if name.startswith("!*") and name != "!*":
            text = f'crt-list: Unsupported exclusion (!) on a wildcard filter "{name}"'
            place.diagnostics.warning("excluded-wildcard", text, span, lead=TIGHT)
    negative = any(name[:1] == "!" and name[1:2] != "*" for name in entry.filters)
    if negative and not any(name[:1] == "*" and name != "*" for name in entry.filters):
        text = (
            f'crt-list: negative filters on crt-list line "{entry.certificate}" without a positive wildcard '
            "filter won't do anything!"
        )
        place.diagnostics.warning("lone-negative-filters", text, span, lead=TIGHT)


__all__ = ["NAMING", "Options", "bind_certificates", "bundle", "customs", "full_name"]
