"""Compact tables of words: those whose meaning is not executed yet, and those that have none here.

One line per word: its name, how many arguments it takes (``2``, ``1-3``, ``1+``; ``0!``: and ``no`` may
stand before it), and after a bar a line of documentation; after another, what is said when there are too
few arguments (``missing`` says so too). ``checks`` look closer at the arguments of some. ``planned`` words
say so when they are used; ``harmless`` words tune something that evener does not have (memory pools,
pollers, threads, kernel features that are always used) and are accepted as they are, for good. ``refused``
words were removed from the language, or mean nothing where they stand: each row is a name and the sentence
it is refused with. ``absent`` words stand in the manual and are unknown to the original all the same: it was
built without QUIC, and a few were never registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Keyword, known_word
from evener.vocab.registry import Status

Check = Callable[[tuple[str, ...], Any], str]
"""What is wrong with the arguments of a word where a ``Place`` is read; "" when nothing is."""
Checked = tuple[Check, str]
"""A check, and arguments that pass it."""
Missing = Mapping[str, str]
NO_MISSING: Final[Missing] = MappingProxyType({})
NO_CHECKS: Final[Mapping[str, Checked]] = MappingProxyType({})


def planned(
    text: str,
    contexts: Iterable[str] = (),
    checks: Mapping[str, Checked] = NO_CHECKS,
    missing: Missing = NO_MISSING,
) -> tuple[Keyword, ...]:
    """Words that are known, checked for their number of arguments, and not executed."""
    return tuple(_rows(text, tuple(contexts), checks, missing, effect=True, status=Status.PLANNED))


def acting(
    text: str,
    contexts: Iterable[str] = (),
    checks: Mapping[str, Checked] = NO_CHECKS,
    missing: Missing = NO_MISSING,
) -> tuple[Keyword, ...]:
    """Words that are executed, by whoever looks for them among the ``known`` statements of the block."""
    return tuple(_rows(text, tuple(contexts), checks, missing, effect=True, status=Status.WORKING))


def harmless(
    text: str,
    contexts: Iterable[str] = (),
    checks: Mapping[str, Checked] = NO_CHECKS,
    missing: Missing = NO_MISSING,
) -> tuple[Keyword, ...]:
    """Words that are accepted and have no effect, because there is nothing for them to tune."""
    return tuple(_rows(text, tuple(contexts), checks, missing, effect=False, status=Status.WORKING))


def absent(text: str, contexts: Iterable[str] = ()) -> tuple[Keyword, ...]:
    """They can be looked up, and a line with one has an unknown word."""
    made = _rows(text, tuple(contexts), NO_CHECKS, NO_MISSING, effect=False, status=Status.PLANNED)
    facts = MappingProxyType({"refused": True, "absent": True})
    return tuple(replace(word, facts=facts) for word in made)


class Refused(Argument[None]):
    """Whatever follows, the word is refused."""

    usage = ""

    def __init__(self, sentence: str, lead: str | None) -> None:
        self.sentence = sentence
        self.lead = lead

    def read(self, cursor: Cursor) -> None:
        sentence = self.sentence.replace("{got}", cursor.peek() or "")
        raise cursor.bad("removed-keyword", sentence, whole=True)


def refused(text: str, lead: str | None = None, after: Missing = NO_MISSING) -> tuple[Keyword, ...]:
    """Words that are refused with a sentence of their own; ``after``: more lines of it."""
    made = []
    for row in text.strip().splitlines():
        name, _, sentence = (side.strip() for side in row.partition("|"))
        facts = MappingProxyType({"refused": True, **({"lead": lead} if lead is not None else {})})
        argument = Refused(sentence + after.get(name, ""), lead)
        made.append(Keyword(name, name, sentence, (name,), (name,), facts=facts, argument=argument))
    return tuple(made)


def _rows(
    text: str,
    contexts: tuple[str, ...],
    checks: Mapping[str, Checked],
    missing: Missing,
    effect: bool,
    status: Status,
) -> Iterator[Keyword]:
    for row in text.strip().splitlines():
        head, _, doc = row.partition("|")
        doc, _, told = doc.partition("|")
        *words, count = head.split()
        least, most = _count(count.rstrip("!"))
        check, example = checks.get(" ".join(words), (None, ""))
        yield known_word(
            " ".join(words),
            doc.strip(),
            missing=told.strip() or missing.get(" ".join(words), ""),
            least=least,
            most=most,
            contexts=contexts,
            effect=effect,
            negatable=count.endswith("!"),
            status=status,
            check=check,
            example=f"{' '.join(words)} {example}" if example else "",
        )


def _count(text: str) -> tuple[int, int | None]:
    if text.endswith("+"):
        return int(text[:-1]), None
    low, dash, high = text.partition("-")
    return int(low), int(high if dash else low)
