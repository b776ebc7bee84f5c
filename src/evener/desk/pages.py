"""One page per declared word: what ``explain`` shows, and what the manual pages are made of.

A ``Page`` is plain text taken from a declaration, the same for both products and every family of words;
``pages_haproxy`` and ``pages_keepalived`` make them, ``find`` looks them up as a person would name them.
Nothing here knows how a page is shown.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from evener.vocab.blocks import Keyword, Repeat


class Standing(Enum):
    """What becomes of a word that is used; the value is how a page says it."""

    EXECUTED = "executed"
    PLANNED = "planned: it is read and checked, and not executed yet"
    IDLE = "accepted without effect: there is nothing here for it to tune"
    REMOVED = "removed from the language: it is refused"
    ABSENT = "not available here: it is refused"


@dataclass(frozen=True, slots=True)
class Page:
    """``family`` is what kind of word it is; ``contexts`` are the places it may stand in."""

    product: str
    family: str
    name: str
    signature: str
    doc: str
    standing: Standing
    contexts: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


_AGAIN = {
    Repeat.REPLACE: "",
    Repeat.WARN: "takes the place of the first, with a warning",
    Repeat.REFUSE: "is refused",
    Repeat.COLLECT: "adds to what was said",
}


def keyword_standing(word: Keyword) -> Standing:
    if word.facts.get("refused"):
        return Standing.REMOVED
    if word.planned:
        return Standing.PLANNED
    return Standing.EXECUTED if word.effect else Standing.IDLE


def keyword_page(product: str, family: str, word: Keyword, contexts: Sequence[str]) -> Page:
    """The page of a block's keyword, whichever product's."""
    facts = []
    if word.negatable:
        facts.append(("taken back by", f"no {word.name}"))
    if word.undo:
        facts.append(("taken back by", word.undo))
    if _AGAIN[word.repeat]:
        facts.append(("said again", _AGAIN[word.repeat]))
    removed = bool(word.facts.get("refused"))
    return Page(
        product,
        family,
        word.name,
        word.signature,
        word.doc,
        keyword_standing(word),
        tuple(contexts),
        tuple(facts),
        () if removed else word.ok,
        word.bad,
    )


def find(pages: Iterable[Page], name: str) -> list[Page]:
    """The pages called ``name`` or in the group of that name; else those whose last words it is.

    ``timeout`` finds all timeouts, ``forwardfor`` finds ``option forwardfor``, ``lower()`` the converter,
    ``http-request deny`` the action, ``track-sc0`` the action whose name a number is part of.
    """
    wanted = name.partition("(")[0].strip() or name
    pages = list(pages)
    exact = [page for page in pages if page.name == wanted]
    grouped = [page for page in pages if page.name.startswith(f"{wanted} ")]
    found = exact + grouped or [page for page in pages if page.name.endswith(f" {wanted}")]
    return found or _in_context(pages, wanted) or _numbered(pages, wanted) or _in_signature(pages, wanted)


def _in_context(pages: Iterable[Page], wanted: str) -> list[Page]:
    """Where the word stands, then the word."""
    context, _, word = wanted.rpartition(" ")
    return [page for page in find(pages, word) if context in page.contexts] if context else []


def _numbered(pages: Iterable[Page], wanted: str) -> list[Page]:
    word = wanted.rstrip("0123456789")
    return [page for page in pages if page.name == word] if word and word != wanted else []


def _in_signature(pages: Iterable[Page], wanted: str) -> list[Page]:
    """Words that have no page of their own, but are named in the form of another."""
    word = re.compile(rf"(?<![\w.<-]){re.escape(wanted)}(?![\w.>-])")
    return [page for page in pages if len(wanted) > 2 and word.search(page.signature)]


def closest(pages: Iterable[Page], name: str) -> list[str]:
    """Up to three names that may have been meant."""
    return difflib.get_close_matches(name, sorted({page.name for page in pages}), n=3, cutoff=0.6)
