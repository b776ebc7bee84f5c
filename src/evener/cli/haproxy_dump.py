"""``-dC``: the configuration after it was cut into words, without comments and indented anew.

Conditions are not evaluated and sections not executed: every line is shown. As the original reads its
files twice, it shows them twice, and so does this. With a key, names and arguments are hidden.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from evener.haproxy import faults, tokens
from evener.haproxy.anonymous import Anonymous
from evener.haproxy.build import BRANCH, VERSION
from evener.haproxy.files import read_source
from evener.haproxy.reader import SECTIONS
from evener.text import render
from evener.text.diagnostic import Diagnostics, Severity
from evener.text.span import Source


def dump(files: list[str], how: str, diagnostics: Diagnostics) -> None:
    """Print the lines of ``files``; ``how`` is what followed ``-dC``: a key, ``,line``, or both."""
    key, _, option = how.partition(",")
    digits = re.match("[0-9]{1,20}", key)
    number = int(digits[0]) & 0xFFFFFFFF if digits else 0
    hide = Anonymous(number) if number else None
    sources = [source for name in files if (source := read_source(name, diagnostics))]
    if diagnostics.has_errors:
        return
    for _ in range(2):
        for source in sources:
            for number, words in _lines(source, diagnostics):
                place = f"{number}\t" if option == "line" else ""
                render.write(1, place + _shown(words, hide) + "\n")
        if diagnostics.count(Severity.ALERT):
            return


def _shown(words: list[str], hide: Anonymous | None) -> str:
    section = words[0] in SECTIONS
    indent = "" if section else "\t"
    if hide is None:
        return indent + "".join(word + " " for word in words)
    return hide.section(words) if section else indent + hide.line(words)


def _lines(source: Source, diagnostics: Diagnostics) -> Iterator[tuple[int, list[str]]]:
    fixed = {".FILE": source.name, "HAPROXY_BRANCH": BRANCH, "HAPROXY_STARTUP_VERSION": VERSION}
    number = 0

    def lookup(name: str) -> str | None:
        if name == ".LINE":
            return str(number)
        return "" if name == ".SECTION" else fixed.get(name) or os.environ.get(name)

    lines, complete = faults.usable_lines(source)
    for number, raw in enumerate(lines, 1):
        try:
            words = tokens.tokenize(raw, lookup)
        except tokens.BrokenLine as error:
            diagnostics.add(faults.broken_line(source, number, raw, error))
            continue
        if words and words[0]:
            yield number, words
    if not complete:
        diagnostics.add(faults.incomplete(source, number + 1))
