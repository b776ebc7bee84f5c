"""Sections that are one block, while they are read: the opening line, the lines, the end.

What each of them is, and what is said about it, is its ``Form``. Lines are kept as words as well, for those
who read them as they stand.
"""

from __future__ import annotations

from typing import Any, Protocol

from evener.haproxy.line import Line
from evener.haproxy.sections.forms import Form, form_of, say
from evener.haproxy.sections.other import SECTIONS, OtherSection
from evener.haproxy.sections.reading import BAD_NAME, TIGHT, Place, unknown, where_of
from evener.haproxy.statements import read_statement
from evener.text.diagnostic import FatalConfiguration, Severity
from evener.text.span import Span
from evener.vocab.blocks import Builder, Slot

_EXPERIMENTAL = "section '{}' is experimental, must be allowed via a global 'expose-experimental-directives'"


class Sections(Protocol):
    """Those read so far, and where the next one begins."""

    other: list[OtherSection]

    def place(self, kind: str, name: str = "") -> Place: ...


class BlockSection:
    """One open section of a ``Form``."""

    def __init__(self, resolver: Sections, line: Line, form: Form | None = None) -> None:
        self.resolver = resolver
        self.words = tuple(line.words)
        self.kind = line.words[0]
        self.name = line.words[1] if len(line.words) > 1 else ""
        self.span = where_of(line)
        self.lines: list[tuple[str, ...]] = []
        self.form: Form = form or form_of(self.kind)
        self.place = resolver.place(self.kind, self.name)
        if SECTIONS[self.kind].planned:
            self.place.not_executed(f"section {self.kind}", line.span(0))
            self.place.planned = True
        block: Any = self.form.block
        self.builder: Builder[Any] = Builder(block, block(name=self.name, span=self.span))
        self.open(line)

    # -- the opening line ---------------------------------------------------------------------------

    def open(self, line: Line) -> None:
        form, words = self.form, line.words
        if form.experimental and not self.place.experiments.allow():
            self.complain("experimental", "extra", _EXPERIMENTAL.format(self.kind), line.span(0), TIGHT)
        elif form.missing and not self.name:
            self.complain("missing-name", "name", form.missing, line.span(0), form.lead)
        elif form.most is not None and len(words) > form.most + 1:
            got = words[form.most + 1]
            message = form.extra.replace("{kind}", self.kind).replace("{got}", got)
            self.complain("unexpected-argument", "extra", message, line.span(form.most + 1))
        elif form.plain and (bad := BAD_NAME.search(self.name)) is not None:
            message = f"character '{bad[0]}' is not permitted in '{self.kind}' name '{self.name}'."
            self.complain("bad-name", "name", message, line.span(1), form.lead)
        elif form.twice and (known := self.known()) is not None:
            self.again(line, known)

    def known(self) -> OtherSection | None:
        others = (other for other in self.resolver.other if other.kind == self.kind)
        return next((o for o in others if self.form.single or o.name == self.name), None)

    def again(self, line: Line, known: OtherSection) -> None:
        message = self.form.twice.replace("{name}", self.name).replace("{at}", str(known.span))
        if self.form.twice_warns:
            self.place.diagnostics.warning(
                "duplicate-section", message, line.span(1), lead=self.form.twice_lead
            )
        else:
            self.complain("duplicate-section", "twice", message, line.span(1), self.form.twice_lead)

    def complain(self, code: str, what: str, message: str, span: Span, lead: str | None = None) -> None:
        if what in self.form.ends:
            raise self.place.diagnostics.abort(code, message, span, lead=lead)
        self.place.diagnostics.alert(code, message, span, lead=lead)

    # -- lines --------------------------------------------------------------------------------------

    def line(self, line: Line) -> None:
        self.lines.append(tuple(line.words))
        diagnostics = self.place.diagnostics
        before = diagnostics.count(Severity.ALERT)
        vocabulary = self.form.words
        start = 1 if line.words[0] in ("no", "default") else 0
        entry, index = vocabulary.find(line.words, start)
        if isinstance(entry, Slot):
            read_statement(self.builder, vocabulary, line, self.place, lambda *_facts: True)
        elif entry is not None:
            self.group(line, line.words[start], index)
        elif not self.form.ignores:
            self.unknown(line, start)
        if "line" in self.form.ends and diagnostics.count(Severity.ALERT) > before:
            diagnostics.aborted = True
            raise FatalConfiguration

    def group(self, line: Line, word: str, index: int) -> None:
        """The word after ``word`` is missing or unknown."""
        got = line.words[index] if index < len(line.words) else ""
        sentences = self.form.groups.get(word, (f"'{word}' expects an argument.",) * 2)
        leads = self.form.group_leads.get(word, (None, None))
        chosen = 1 if got else 0
        message = sentences[chosen].replace("{got}", got)
        say(self.place.diagnostics, message, line.span(index), leads[chosen])

    def unknown(self, line: Line, start: int) -> None:
        form, word = self.form, line.words[start]
        guess = unknown(word, form.words.words) if form.guesses else ""
        sentence = "unknown keyword '{got}' in '{kind}' section" if guess else form.unknown
        message = sentence.replace("{got}", word).replace("{kind}", self.kind) + guess
        self.place.diagnostics.alert("unknown-keyword", message, line.span(start), lead=form.unknown_lead)

    # -- the end ------------------------------------------------------------------------------------

    def close(self) -> None:
        block = self.builder.finish()
        tables = getattr(block, "table", ())
        made = OtherSection(self.words, tuple(self.lines), tables, self.span, block)
        self.resolver.other.append(made)
        if self.form.close is not None:
            self.form.close(block, self.place)
