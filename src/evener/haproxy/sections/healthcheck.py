"""``healthcheck``: a named check that server lines refer to, instead of the one of their proxy.

A ``type`` with the arguments of the proxy option of that name, and the rules that it may have, in any
order. The lines are kept as they are; here they are only found right or wrong, with the original's words.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from evener.haproxy.checks.scripts import KINDS, RULED, Rules
from evener.haproxy.line import Line
from evener.haproxy.sections.other import OtherSection
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import BAD_NAME, MISSING, Place, read_value
from evener.text.record import dataclass
from evener.vocab.blocks import Slot, vocabulary
from evener.vocab.registry import Declaration, Registry

KEYWORDS: Final = {"tcp-check": "tcp-check", "http-check": "httpchk"}
"""The type that rules of that keyword belong to."""


WORDS: Final[Registry[Declaration]] = Registry("healthcheck line")
for _name, _usage, _doc, _ok, _bad in (
    ("type", "<type> [<argument>...]", "The kind of check, with what the proxy option of that name takes: "
     + ", ".join(KINDS) + ".", "httpchk GET /health", "nothing"),
    ("http-check", "<rule>", "A step of a check of type httpchk, as in proxies.", "send uri /health", "x"),
    ("tcp-check", "<rule>", "A step of a check of type tcp-check, as proxies have them.", "connect", "x"),
):  # fmt: skip
    WORDS.declare(Declaration(_name, f"{_name} {_usage}", _doc, (f"{_name} {_ok}",), (f"{_name} {_bad}",)))
WORDS.freeze()


@dataclass(slots=True)
class HealthcheckReader:
    """One section while its lines are read."""

    place: Place
    type: str = ""
    rules: set[str] = field(default_factory=set)

    def open(self, line: Line, known: OtherSection | None) -> None:
        words = line.words
        if len(words) < 2:
            self.place.alert("missing-name", "missing name for healthcheck section.", line.span(0))
            return
        bad = BAD_NAME.search(words[1])
        if bad:
            message = f"character '{bad[0]}' is not permitted in 'healthcheck' name '{words[1]}'."
            self.place.alert("bad-name", message, line.span(1))
        elif known is not None:
            message = f"healthcheck section '{words[1]}' already defined at {known.span}."
            self.place.alert("duplicate-section", message, line.span(1))

    def line(self, line: Line) -> None:
        word = line.words[0]
        if word == "type":
            self.read_type(line)
        elif word in KEYWORDS:
            self.read_rule(line)
        else:
            message = f"unknown keyword '{word}' in 'healthcheck' section"
            self.place.alert("unknown-keyword", message, line.span(0))

    def read_type(self, line: Line) -> None:
        kind = line.words[1] if len(line.words) > 1 else ""
        wrong = self.complaint(kind)
        if wrong:
            self.place.alert("bad-healthcheck", wrong, line.span(min(1, len(line.words) - 1)))
            return
        self.type = kind
        slot, _ = vocabulary(Proxy).find(["option", kind])
        assert isinstance(slot, Slot)
        read_value(slot, line, 2, self.place)

    def complaint(self, kind: str) -> str:
        if not kind:
            return "'type' expects a healthcheck type."
        if self.type:
            return "healthcheck type already defined."
        for keyword in self.rules:
            if kind != KEYWORDS[keyword]:
                return f"cannot set '{kind}' type with '{keyword}' rules"
        if kind not in KINDS:
            listed = ", ".join(f"'{name}'" for name in KINDS)
            return f"unknown healthcheck type '{kind}' (expects {listed})."
        return ""

    def read_rule(self, line: Line) -> None:
        keyword = line.words[0]
        if self.type and self.type != KEYWORDS[keyword]:
            message = f"unable to configure '{keyword}' rule for '{self.type}' healthcheck"
            self.place.alert("bad-healthcheck", message, line.span(0))
        elif self.rules - {keyword}:
            message = "cannot mix 'tcp-check' and 'http-check' rules"
            self.place.alert("bad-healthcheck", message, line.span(0))
        else:
            self.rules.add(keyword)
            slot, index = vocabulary(Proxy).find(line.words)
            assert isinstance(slot, Slot)
            if read_value(slot, line, index, self.place) is MISSING:
                return

    def close(self, section: OtherSection) -> None:
        for keyword in sorted(self.rules):
            if not self.type:
                message = (
                    f"healthcheck section '*healthcheck-{section.name}' : {keyword} rules without "
                    f"'type {keyword}', so the rules are ignored."
                )
                self.place.warning("check-rules-ignored", message, section.span)


def contents(section: OtherSection) -> tuple[str, tuple[str, ...], Rules]:
    """(type, its words, rules) of a section that was read; without a type a check only connects."""
    kind: tuple[str, ...] = next((line[1:] for line in section.lines if line[0] == "type"), ("tcp-check",))
    keyword = RULED.get(kind[0])
    typed = any(line[0] == "type" for line in section.lines)
    rules = [line[1:] for line in section.lines if line[0] == keyword and typed]
    return kind[0], kind[1:], rules
