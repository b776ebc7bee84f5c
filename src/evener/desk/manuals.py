"""The manual pages of the two configuration languages, made of the pages of their words.

Every keyword of a vocabulary is in its manual: signature, documentation, where it may stand, what becomes
of it, and an example. The pages of the commands are ``cli.manuals``'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from evener.desk import roff
from evener.desk.explain import all_pages
from evener.desk.pages import Page, Standing

Parts = Iterator[tuple[str, Sequence[str]]]

_SHAPE = """\
A file consists of sections. A section begins with its keyword, perhaps with a name, and holds all the
statements up to the next one. A statement is a line of words separated by blanks; ``#`` begins a comment.
A backslash takes the meaning from the next character, and so do double quotes, in which variables of the
environment (``"${NAME}"``) still are replaced, and single quotes, in which nothing is.

Lines that begin with ``.if``, ``.elif``, ``.else`` and ``.endif`` choose what is read; ``.notice``,
``.warning``, ``.alert`` and ``.diag`` say something while reading.

Times are numbers followed by us, ms, s, m, h or d; sizes by k, m or g."""

_BLOCKS = """\
A statement is a line of words. A block is a keyword, perhaps a name, and statements between braces.
``!`` and ``#`` begin a comment. ``include`` reads other files, ``$NAME=text`` defines a parameter that
``$NAME`` stands for, ``@id`` before a line keeps it for daemons started with that ``-i id``."""

_SAMPLES = """\
A sample is a fetch, which says where information comes from, and any number of converters behind it, each
after a comma. A fetch may be used in the places where its source of information is available. The places:"""

_STATUS = """\
A word is executed unless its entry says otherwise. ``planned`` words are read and checked, and using one
is answered with a notice. Words ``without effect`` tune something that evener does not have, and are
accepted so that a file can stay as it is."""

_NOTES = {
    Standing.PLANNED: "planned",
    Standing.IDLE: "without effect",
    Standing.REMOVED: "removed, refused",
    Standing.ABSENT: "not available here, refused",
}


def haproxy_manual() -> str:
    from evener.desk.pages_haproxy import FAMILIES

    def parts() -> Parts:
        yield "description", [*roff.prose(_SHAPE), ".PP", *roff.prose(_STATUS)]
        yield "samples", _sources()
        for family, pages in groupby(all_pages("haproxy"), key=lambda page: page.family):
            yield f"{family}s", [*roff.prose(FAMILIES[family]), *_entries(pages)]
        yield "see also", ["haproxy(1), evener(1)"]

    return roff.page("evener-haproxy.cfg", 5, "the language of haproxy.cfg as evener reads it", parts())


def keepalived_manual() -> str:
    def parts() -> Parts:
        yield "description", [*roff.prose(_BLOCKS), ".PP", *roff.prose(_STATUS)]
        for block, pages in groupby(all_pages("keepalived"), key=lambda page: page.family):
            yield block, _entries(pages, contexts=False)
        yield "see also", ["keepalived(8), evener(1)"]

    return roff.page(
        "evener-keepalived.conf", 5, "the language of keepalived.conf as evener reads it", parts()
    )


def _sources() -> list[str]:
    """Where fetches may be used, by where their information comes from."""
    from evener.haproxy.sample import EVERYWHERE, PLACES, Source, available, describe_source

    lines = roff.prose(_SAMPLES)
    for number, place in enumerate(PLACES, 1):
        lines += roff.item(str(number), roff.prose(f"{place}."))
    lines += [".PP", "The sources of information, and the places where each is available:"]
    for source in Source:
        bits = available(source)
        places = "everywhere" if bits == EVERYWHERE else _ranges(bits, len(PLACES))
        lines += roff.item(describe_source(source), roff.prose(f"{places}."))
    return lines


def _ranges(bits: int, count: int) -> str:
    """``3-11, 20``: the numbers, from 1, of the bits that are set."""
    numbers = [number for number in range(count) if bits >> number & 1]
    runs = [list(run) for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    ends = [(run[0][1] + 1, run[-1][1] + 1) for run in runs]
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ends)


def _entries(pages: Iterable[Page], contexts: bool = True) -> list[str]:
    lines: list[str] = []
    for page in pages:
        lines += roff.item(page.signature, _body(page, contexts))
    return lines


def _body(page: Page, contexts: bool) -> Iterator[str]:
    yield from roff.prose(page.doc, between=".IP")
    facts = [f"{name}: {value}" for name, value in page.facts]
    if contexts and page.contexts and page.family != "sample fetch":
        facts.insert(0, f"in: {', '.join(page.contexts)}")
    if page.standing in _NOTES:
        facts.append(_NOTES[page.standing])
    if facts:
        yield ".br"
        yield roff.italic("; ".join(facts))
    if page.good and page.good[0] != page.signature:
        yield ".br"
        yield f"Example: {roff.bold(page.good[0])}"
