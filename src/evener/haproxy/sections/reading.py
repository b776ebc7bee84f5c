"""What every section shares while its lines are read: where we are, and how complaints are worded.

A ``Place`` is the section being read. ``read_value`` reads the arguments of one keyword and turns what
is wrong with them into a diagnostic with the original's sentence: the keyword's declaration may give
the sentences (facts ``missing``, ``wrong``, ``extra``; ``{got}`` is the word found), otherwise they are
made from the argument's own complaint. Words after the arguments are refused unless the declaration
says ``loose`` (the original does not look at them).
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from evener.haproxy.addresses import Allow, Resolve, resolve_name
from evener.haproxy.experiments import Experiments
from evener.haproxy.line import Line
from evener.haproxy.scripts import Scripts
from evener.haproxy.sections.likeness import closest
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import BadArgument, Cursor
from evener.vocab.blocks import Keyword, Slot, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evener.haproxy.scope import Scope
    from evener.haproxy.sections.server import ServerOptions
    from evener.vocab.blocks import Known

NOT_EXECUTED: Final = "not-executed-yet"
REPORTED: Final = "reported"
"""The code of a BadArgument about which everything has been said already."""

TIGHT: Final = "config : parsing [{place}]: "
"""Some messages of the original have no blank before the colon."""
AT: Final = "[{place}] : "
SERVER_LEAD: Final = "config : [{place}] : "
ALONE: Final = "config : "
BARE: Final = ""
BAD_NAME: Final = re.compile(r"[^A-Za-z0-9_.:\-]")
"""A character that names of sections, servers and the like may not have."""


class Missing:
    """The type of ``MISSING``: no value could be read, and that was said."""


MISSING: Final = Missing()


@dataclass(slots=True)
class Place:
    """The section in which lines are read. ``where`` comes before a message (``'bind :80' in ...``)."""

    kind: str
    name: str
    diagnostics: Diagnostics
    scope: Scope | None = None
    resolve: Resolve = resolve_name
    where: str = ""
    lead: str | None = None
    tail: str = ""  #: what the original puts after a complaint (server options: one more full stop)
    global_logs: int = 0  #: how many log lines ``global`` has had so far
    at: Span | None = None  #: the argument that is looked at
    word: str = ""  #: the word whose arguments a table's check looks at
    item: str = ""  #: the server whose line is read
    base: ServerOptions | None = None  #: what ``default-server`` has said so far
    servers: dict[str, ServerOptions] = field(default_factory=dict)
    """Servers and named default-servers of the proxy, for ``from srv:``."""
    named: dict[str, ServerOptions] = field(default_factory=dict)
    """Those of them that ``default-server name`` has made."""
    proxy_base: ServerOptions | None = None  #: what ``from be:`` means, where that is not ``base``
    settings: Sequence[Known] = ()
    """The lines of the global section that are kept as they are."""
    stored: frozenset[str] = frozenset()
    """Certificates of ``crt-store`` sections, by the names under which others use them."""
    authorities: str = ""
    """The directory of authorities: ``ca-base``."""
    folders: dict[str, str] = field(default_factory=dict)  #: by ``crt`` and ``key``, as said so far
    experiments: Experiments = field(default_factory=Experiments)
    scripts: Scripts = field(default_factory=lambda: Scripts(complete=False))
    told: set[str] = field(default_factory=set)
    stick_counters: int | None = None  #: ``tune.stick-counters``, if said
    described: bool = False  #: ``global`` has a ``description`` by now
    planned: bool = False  #: the section as a whole is not executed, which was said
    seen: dict[tuple[str, str], Span] = field(default_factory=dict)
    """What was named in the section so far, by its kind and name, and where."""

    def alert(self, code: str, message: str, span: Span | None = None, fatal: bool = True) -> None:
        self.diagnostics.add(
            Diagnostic(code, Severity.ALERT, self.where + message, span, lead=self.lead, fatal=fatal)
        )
        self.told_once()

    def warning(self, code: str, message: str, span: Span | None = None) -> None:
        self.diagnostics.warning(code, self.where + message, span, lead=self.lead)
        self.told_once()

    def told_once(self) -> None:
        """Of a server's line the original says once where it is; what it says besides stands alone."""
        if self.lead == SERVER_LEAD:
            self.where, self.lead = "", ALONE

    def not_executed(self, what: str, span: Span | None) -> None:
        """Say once per section that a word is known and not executed."""
        if what not in self.told and not self.planned:
            self.told.add(what)
            self.diagnostics.notice(NOT_EXECUTED, f"evener: '{what}' is not executed yet.", span)


def allowed_forms(text: str, allow: int, place: Place) -> int:
    """``allow``, and experimental forms of addresses if ``text`` is one and that was allowed."""
    if text.startswith("rhttp@") and place.experiments.allow():
        return allow | Allow.EXPERIMENTAL
    return allow


def where_of(line: Line) -> Span:
    """The line as a whole, without asking for its columns (thousands of lines are never pointed into)."""
    return line.place


def read_value(slot: Slot, line: Line, index: int, place: Place) -> Any:
    """The value of a keyword whose arguments begin at ``index``; MISSING when it is wrong."""
    word = slot.keyword
    cursor = Cursor(line, index, place, word.name)
    try:
        counted(word, cursor)
        value = read(slot, cursor)
        if cursor.index < len(line.words) and not word.facts.get("loose"):
            extra = word.facts.get("extra", f"'{word.name}' cannot handle unexpected argument '{{got}}'.")
            message = said(extra, line, cursor.index).replace("{name}", word.name)
            raise BadArgument("unexpected-argument", message, cursor.index, whole=True)
    except BadArgument as error:
        complain(word, error, line, place)
        return MISSING
    return value


def counted(word: Keyword, cursor: Cursor) -> None:
    """Of some words the original counts the arguments before it looks at any (fact ``counted``)."""
    most = word.facts.get("counted")
    if most is None or len(cursor.words) <= cursor.index + most:
        return
    cursor.index += most + 1
    name, got = word.facts.get("counted_as", word.name), cursor.words[cursor.index - 1]
    cursor.context.alert(
        "unexpected-argument", f"'{name}' cannot handle unexpected argument '{got}'.", cursor.span()
    )
    raise BadArgument(REPORTED, "", cursor.index)


def complain(word: Keyword, error: BadArgument, line: Line, place: Place) -> None:
    """Turn what is wrong with an argument into a diagnostic at that argument."""
    if error.code == REPORTED:
        return
    lead = word.facts.get("lead", place.lead)
    message = place.where + sentence(word, error, line) + place.tail
    place.diagnostics.add(
        Diagnostic(error.code, Severity.ALERT, message, line.span(error.index), error.hint, lead=lead)
    )


def sentence(word: Keyword, error: BadArgument, line: Line) -> str:
    """The original's sentence for a bad argument of ``word``."""
    if error.whole:
        return error.message
    key = "missing" if error.code == "missing-argument" else "wrong"
    given = word.facts.get(key) or (word.facts.get("wrong") if key == "missing" else None)
    if given is not None:
        return said(str(given), line, error.index).replace("{name}", word.name)
    return f"'{word.name}' {error.message}."


TOLD: Final = "\0"
"""What a check returns when it has said itself what is wrong."""


def complaint(check: Any, name: str, arguments: tuple[str, ...], place: Place, span: Span) -> str:
    """What a table's check says of the arguments of ``name``, with the names filled in."""
    place.at, place.word = span, name
    text: str = check(arguments or ("",), place)
    got = arguments[0] if arguments else ""
    if "{place}" in text:
        text = text.replace("{place}", str(span))
    return text.replace("{name}", name).replace("{got}", got).replace("{item}", place.item)


def said(template: str, line: Line, index: int) -> str:
    """``{got}`` is the word at ``index``, empty past the end of the line; ``{number}`` what it counts as;
    ``{value}`` the line's second word."""
    words = line.words
    got = words[index] if index < len(words) else ""
    if "{number}" in template:
        found = re.match(r"[-+]?[0-9]+", got)
        template = template.replace("{number}", str(int(found[0])) if found else "0")
    made = template.replace("{got}", got)
    return made.replace("{value}", words[1]) if "{value}" in made else made


def unknown(text: str, known: Any) -> str:
    """The tail of an unknown-word message: what was perhaps meant."""
    meant = closest(text, known)
    return f"; did you mean '{meant}' maybe ?" if meant else ""
