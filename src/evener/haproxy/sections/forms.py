"""Sections that are one block: how each opens, what is wrong with that, and what its end is asked.

A ``Form`` stands beside the block that declares the section's words. Each section has a module of its own,
which is only imported when a configuration (or whoever explains words) wants it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from evener.haproxy.sections.reading import TIGHT, Place
from evener.haproxy.sections.rule_words import Reported
from evener.haproxy.sections.values import LONGEST, read_time, time_words, warn_after
from evener.text.record import dataclass
from evener.vocab.arguments import Argument, Cursor, decimal
from evener.vocab.blocks import Vocabulary, vocabulary

if TYPE_CHECKING:
    from evener.haproxy.ir import Configuration
    from evener.text.diagnostic import Diagnostics
    from evener.text.span import Span

PARSING: Final = "config : Parsing [{place}]: "
MODULES: Final = {
    "acme": "acme",
    "crt-store": "crt_store",
    "fcgi-app": "fcgi",
    "mailers": "mailers",
    "namespace_list": "namespaces",
    "peers": "peers",
    "resolvers": "resolvers",
    "traces": "traces",
    "userlist": "userlists",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What is said of a section's opening line, and how its lines are looked at.

    ``missing``: said when there is no name (empty: it may be missing). ``plain``: the name may only have
    letters, digits and ``_.:-``. ``most``: words after the keyword, None any. ``twice``: said of a second
    section of that name, ``{at}`` is where the first one stands. ``ends`` are those of these complaints
    after which the rest of the file is not read (``line``: any about a line). ``groups`` are sentences
    about a first word without a second one, and with an unknown one. ``experimental`` sections must be
    allowed. ``ordered``: what a line means depends on those before it, so that lines are printed as they
    stand. ``close`` looks at the whole section, ``verify`` at what it refers to when everything was read.
    """

    block: type
    missing: str = ""
    lead: str | None = None
    plain: bool = True
    most: int | None = 1
    extra: str = "'{kind}' cannot handle unexpected argument '{got}'."
    twice: str = ""
    twice_lead: str | None = PARSING
    twice_warns: bool = False
    single: bool = False  #: there may only be one, whatever its name
    ends: frozenset[str] = frozenset()
    unknown: str = "unknown keyword '{got}' in '{kind}' section"
    unknown_lead: str | None = None
    guesses: bool = False
    ignores: bool = False  #: unknown words are passed over
    groups: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    group_leads: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    experimental: bool = False
    ordered: bool = False
    close: Callable[[Any, Place], None] | None = None
    verify: Callable[[Any, Configuration, Diagnostics], None] | None = None

    @property
    def words(self) -> Vocabulary:
        return vocabulary(self.block)


def form_of(kind: str) -> Form:
    """The form of a section; its module is imported now."""
    module = importlib.import_module(f"evener.haproxy.sections.{MODULES[kind]}")
    form: Form = module.FORM
    return form


def tight(cursor: Cursor, code: str, message: str) -> Reported:
    """Say what is wrong with the word taken last, in the form without a blank before the colon."""
    cursor.context.diagnostics.alert(code, message, cursor.span(), lead=TIGHT)
    return Reported()


def seen(place: Place, what: str, name: str, cursor: Cursor) -> str:
    """Where ``name`` was said before in this section; remembers it otherwise."""
    before = place.seen.get((what, name))
    if before is None:
        place.seen[what, name] = cursor.line.span(0)
        return ""
    return str(before)


def say(diagnostics: Diagnostics, message: str, span: Span, lead: str | None = None) -> None:
    """An alert; what stands on further lines of the message is an alert of its own, without a place."""
    first, *more = message.split("\n")
    diagnostics.alert("bad-statement", first, span, lead=lead)
    for text in more:
        diagnostics.alert("bad-statement", text, span, lead="config : ")


class SectionTime(Argument[int]):
    """A delay in milliseconds, with the sentences that the smaller sections share.

    ``about`` is what an overflow is said to be an argument of; ``small``: bare numbers below 100 are
    doubted.
    """

    usage = "<time>"

    def __init__(self, about: str = "{got}", small: bool = False) -> None:
        self.about = about
        self.small = small

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("<time> as argument")
        name = cursor.name if self.about == "{got}" else cursor.name.split()[0]
        found = read_time(text)
        if found.wrong:
            message = f"unexpected character '{found.wrong}' in argument to <{name}>."
            raise tight(cursor, "bad-time", message)
        if found.milliseconds > LONGEST:
            about = text if self.about == "{got}" else cursor.name.split()[-1]
            message = (
                f"timer overflow in argument <{about}> to <{name}>, "
                "maximum value is 2147483647 ms (~24.8 days)."
            )
            raise tight(cursor, "bad-time", message)
        if found.after:
            warn_after(cursor, text, found.after)
        if self.small and (decimal(text) or 100) < 100:
            self.doubt(cursor, found.milliseconds)
        return found.milliseconds

    def doubt(self, cursor: Cursor, value: int) -> None:
        place: Place = cursor.context
        place.alert(
            "suspiciously-small-time",
            f"'{cursor.name} {value}' looks suspiciously small for a value in milliseconds. "
            f"Please use an explicit unit ('{value}ms') if that was the intent.",
            cursor.span(),
            fatal=False,
        )

    def words(self, value: int) -> list[str]:
        return [time_words(value)]


__all__ = ["MODULES", "PARSING", "Form", "SectionTime", "form_of", "say", "seen", "tight"]
