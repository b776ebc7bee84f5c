"""The pages of haproxy.cfg: every registry of its vocabulary, and the runtime API's."""

from __future__ import annotations

from collections.abc import Iterator

from evener.desk.pages import Page, Standing, keyword_page
from evener.haproxy.acl import SUFFIXED
from evener.haproxy.action import ACTIONS
from evener.haproxy.aliases import ALIASES
from evener.haproxy.runtime_api import RUNTIME, load_commands
from evener.haproxy.sample import (
    CONVERTERS,
    EVERYWHERE,
    FETCHES,
    PLACES,
    Converter,
    Fetch,
    Place,
    Word,
    describe_source,
)
from evener.haproxy.sections.bind import OPTIONS as BIND
from evener.haproxy.sections.forms import MODULES, form_of
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL
from evener.haproxy.sections.other import SECTIONS
from evener.haproxy.sections.proxy import VOCABULARY as PROXY
from evener.haproxy.sections.server import OPTIONS as SERVER
from evener.haproxy.sections.sides import ANY
from evener.haproxy.vocabulary import load_vocabulary
from evener.vocab.blocks import Keyword
from evener.vocab.registry import Declaration

PRODUCT = "haproxy"
#: Families in the order of the manual page, with the heading and the introduction of each.
FAMILIES = {
    "section": "What opens a section. Everything up to the next such line belongs to it.",
    "global keyword": "Statements of the section 'global'.",
    "proxy keyword": "Statements of 'defaults', 'frontend', 'listen' and 'backend'.",
    "section line": "Lines of the sections that are not proxies.",
    "bind option": "What may follow the address of a 'bind' line.",
    "server option": "What may follow the address of a 'server' or 'server-template', or 'default-server'.",
    "action": "What rules do. A rule is a ruleset, an action, and perhaps a condition ('if', 'unless').",
    "sample fetch": "Where information comes from. A fetch may be followed by converters.",
    "converter": "What makes one sample out of another.",
    "ACL word": "A fetch and a method of matching in one word.",
    "log format alias": "Items of log formats.",
    "runtime command": "What the statistics socket understands.",
}


def haproxy_pages() -> list[Page]:
    """Every page, family by family, by name within a family."""
    load_vocabulary()
    load_commands()
    made = [*_blocks(), *_actions(), *_fetches(), *_converters(), *_acls(), *_aliases(), *_commands()]
    order = list(FAMILIES)
    return sorted(made, key=lambda page: (order.index(page.family), page.name, page.contexts))


def _blocks() -> Iterator[Page]:
    for word in SECTIONS:
        yield keyword_page(PRODUCT, "section", word, ("anywhere",))
    for word in GLOBAL.registry:
        yield keyword_page(PRODUCT, "global keyword", word, ("global",))
    for word in PROXY.registry:
        yield keyword_page(PRODUCT, "proxy keyword", word, _sections(word))
    for section in MODULES:
        for word in form_of(section).words.registry:
            yield keyword_page(PRODUCT, "section line", word, (section,))
    for word in BIND.registry:
        yield keyword_page(PRODUCT, "bind option", word, ("bind",))
    for word in SERVER.registry:
        places = ("server", "server-template", "default-server")
        yield keyword_page(PRODUCT, "server option", word, places)


def _sections(word: Keyword) -> list[str]:
    """The proxies in which a keyword may stand; rules need a defaults section with a name."""
    places = [kind for kind in ANY if kind in word.contexts]
    return ["defaults (named)" if word.facts.get("named_defaults") and p == "defaults" else p for p in places]


def _standing(word: Declaration) -> Standing:
    return Standing.PLANNED if word.planned else Standing.EXECUTED


def _arguments(word: Word) -> Iterator[tuple[str, str]]:
    for argument in word.arguments[:4] if len(word.arguments) == 12 else word.arguments:
        yield f"<{argument.name}>", argument.kind.value + ("" if argument.needed else ", may be left out")


def _actions() -> Iterator[Page]:
    for word in ACTIONS:
        final = (("evaluation", "ends the ruleset"),) if word.final else ()
        good = tuple(f"{word.rulesets[0]} {example}" for example in word.ok)
        bad = tuple(f"{word.rulesets[0]} {example}" for example in word.bad)
        yield Page(
            PRODUCT, "action", word.name, word.signature, word.doc, _standing(word), word.rulesets, final,
            good, bad,
        )  # fmt: skip


def _fetches() -> Iterator[Page]:
    for word in FETCHES:
        facts = (("gives", word.out.value), ("source", describe_source(word.source)), *_arguments(word))
        yield Page(
            PRODUCT, "sample fetch", word.name, word.signature, word.doc, _standing(word), _places(word),
            facts, word.ok, word.bad,
        )  # fmt: skip


def _places(word: Fetch) -> tuple[str, ...]:
    if word.places == EVERYWHERE:
        return ("anywhere",)
    return tuple(PLACES[place] for place in Place if word.places & place.bit)


def _converters() -> Iterator[Page]:
    for word in CONVERTERS:
        facts = (("takes", word.takes.value), ("gives", _given(word)), *_arguments(word))
        good, bad = (tuple(f"<sample>,{example}" for example in side) for side in (word.ok, word.bad))
        yield Page(
            PRODUCT, "converter", word.name, word.signature, word.doc, _standing(word),
            ("after a fetch or a converter",), facts, good, bad,
        )  # fmt: skip


def _given(word: Converter) -> str:
    return "what the value says" if word.dynamic else word.out.value


def _acls() -> Iterator[Page]:
    for name, (fetch, method) in SUFFIXED.items():
        doc = f"Matches '{fetch}' by the method '{method.value}'."
        signature = FETCHES[fetch].signature.replace(fetch, name, 1)
        facts = (("the same as", f"{fetch} -m {method.value}"),)
        yield Page(
            PRODUCT, "ACL word", name, f"{signature} [<flag>*] <value>*", doc, _standing(FETCHES[fetch]),
            ("acl", "conditions"), facts,
        )  # fmt: skip


def _aliases() -> Iterator[Page]:
    for alias in ALIASES.values():
        facts = (("mode", "http"),) if alias.http else ()
        yield Page(
            PRODUCT, "log format alias", f"%{alias.name}", f"%{alias.name}", alias.doc, Standing.EXECUTED,
            ("log formats",), facts,
        )  # fmt: skip


def _commands() -> Iterator[Page]:
    for word in RUNTIME:
        facts = (("level", word.level.name.lower()),)
        doc = f"{word.doc[:1].upper()}{word.doc[1:].rstrip('.')}."
        yield Page(
            PRODUCT, "runtime command", word.name, word.signature, doc, _standing(word), ("runtime API",),
            facts, word.ok, word.bad,
        )  # fmt: skip
