"""The pages of haproxy.cfg: every registry of its vocabulary, and the runtime API's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from evener.desk.pages import Page, Standing, keyword_page
from evener.desk.pages_language import language_pages
from evener.haproxy.acl_words import acl_words
from evener.haproxy.action import ACTIONS
from evener.haproxy.aliases import ALIASES
from evener.haproxy.filters.names import FILTERS
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
from evener.haproxy.sections.cache import WORDS as CACHE
from evener.haproxy.sections.certificate_words import WORDS as CERTIFICATE
from evener.haproxy.sections.crt_list import words as crt_list_words
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL
from evener.haproxy.sections.healthcheck import WORDS as HEALTHCHECK
from evener.haproxy.sections.listed import LISTED
from evener.haproxy.sections.log_sections import BLOCKS
from evener.haproxy.sections.other import MAIN, SECTIONS
from evener.haproxy.sections.proxy import VOCABULARY as PROXY
from evener.haproxy.sections.server import OPTIONS as SERVER
from evener.haproxy.sections.sides import ANY, ANY_PROXY
from evener.haproxy.sections.spoe_words import FORMS as SPOE
from evener.haproxy.services.names import SERVICES
from evener.haproxy.vocabulary import load_vocabulary
from evener.vocab.blocks import Keyword, vocabulary
from evener.vocab.registry import Declaration

PRODUCT = "haproxy"
#: Families in the order of the manual page, with the heading and the introduction of each.
FAMILIES = {
    "section": "What opens a section. Everything up to the next such line belongs to it.",
    "global keyword": "Statements of the section 'global'.",
    "proxy keyword": "Statements of 'defaults', 'frontend', 'listen' and 'backend'.",
    "section line": "Lines of the sections that are not proxies.",
    "SPOE line": "Lines of the file that 'filter spoe' names.",
    "certificate word": "What may follow a certificate on a 'load' line, or between brackets in a crt-list.",
    "crt-list option": "TLS options of 'bind' that may differ from certificate to certificate.",
    "bind option": "What may follow the address of a 'bind' line.",
    "server option": "What may follow the address of a 'server' or 'server-template', or 'default-server'.",
    "filter": "What sees the traffic of a proxy, and may change, slow or copy it.",
    "service": "What 'use-service' lets answer instead of a server.",
    "action": "What rules do. A rule is a ruleset, an action, and perhaps a condition ('if', 'unless').",
    "sample fetch": "Where information comes from. A fetch may be followed by converters.",
    "converter": "What makes one sample out of another.",
    "ACL word": "A fetch and a method of matching in one word.",
    "log format alias": "Items of log formats.",
    "runtime command": "What the statistics socket understands.",
    "directive": "Lines that begin with a dot; they are about reading the file.",
    "predicate": "What the conditions of '.if' ask; '!', '&&', '||' and parentheses join them.",
    "quoting mark": "Characters that mean something else than themselves.",
    "variable": "Variables that are set for the file, beside those of the environment.",
    "condition word": "How a rule says when it is applied.",
    "ACL flag": "What may stand between the sample of an ACL and its patterns.",
    "matching method": "What may follow '-m'.",
    "predefined ACL": "Names of ACLs that need not be declared.",
    "check step": "Steps of health checks.",
    "stick rule": "How clients keep to servers with the help of a table.",
}


def haproxy_pages() -> list[Page]:
    """Every page, family by family, by name within a family."""
    load_vocabulary()
    load_commands()
    made = [
        *_blocks(),
        *_small(),
        *_files(),
        *_plugged(),
        *_actions(),
        *_fetches(),
        *_converters(),
        *_acls(),
        *_aliases(),
        *_commands(),
        *language_pages(),
    ]
    order = list(FAMILIES)
    return sorted(made, key=lambda page: (order.index(page.family), page.name, page.contexts))


def _blocks() -> Iterator[Page]:
    for word in (*MAIN, *SECTIONS):
        yield keyword_page(PRODUCT, "section", word, ("anywhere",))
    for word in GLOBAL.registry:
        yield keyword_page(PRODUCT, "global keyword", word, ("global",))
    for word in PROXY.registry:
        yield keyword_page(PRODUCT, "proxy keyword", word, _sections(word))
    for word in BIND.registry:
        yield keyword_page(PRODUCT, "bind option", word, ("bind",))
    for word in SERVER.registry:
        places = ("server", "server-template", "default-server")
        yield keyword_page(PRODUCT, "server option", word, places)


def _small() -> Iterator[Page]:
    """Sections that are neither proxies nor ``global``."""
    blocks = LISTED | {section: vocabulary(block).registry for section, block in BLOCKS.items()}
    for section, words in blocks.items():
        for word in words:
            yield keyword_page(PRODUCT, "section line", word, (section,))
    for section, declared in (("cache", CACHE), ("healthcheck", HEALTHCHECK)):
        for line in declared:
            yield declared_page("section line", line, (section,))
    errorfile = PROXY.registry["errorfile"]
    yield keyword_page(PRODUCT, "section line", errorfile, ("http-errors",))


def _files() -> Iterator[Page]:
    """What stands in files of their own."""
    for section, form in SPOE.items():
        for word in form.words.registry:
            yield keyword_page(PRODUCT, "SPOE line", word, (section,))
    for declared in CERTIFICATE:
        yield declared_page("certificate word", declared, ("crt-store load", "crt-list"))
    for word in crt_list_words():
        page = keyword_page(PRODUCT, "crt-list option", word, ("crt-list",))
        good, bad = (tuple(f"a.pem [{example}]" for example in side) for side in (page.good, page.bad))
        yield replace(page, good=good, bad=bad)


def _plugged() -> Iterator[Page]:
    for word in FILTERS:
        yield declared_page("filter", word, ANY_PROXY, (("family", str(word.facts["family"])),))
    for word in SERVICES:
        yield declared_page("service", word, word.facts["rulesets"])


def declared_page(
    family: str, word: Declaration, contexts: Sequence[str], facts: tuple[tuple[str, str], ...] = ()
) -> Page:
    """The page of a word that is no keyword of a block."""
    return Page(
        PRODUCT, family, word.name, word.signature, word.doc, _standing(word), tuple(contexts), facts,
        word.ok, word.bad,
    )  # fmt: skip


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
    for word in acl_words():
        facts = (("the same as", str(word.facts["same"])),)
        yield declared_page("ACL word", word, ("acl", "conditions"), facts)


def _aliases() -> Iterator[Page]:
    for alias in ALIASES.values():
        facts = (("mode", "http"),) if alias.http else ()
        yield Page(
            PRODUCT, "log format alias", f"%{alias.name}", f"%{alias.name}", alias.doc, Standing.EXECUTED,
            ("log formats",), facts, alias.ok, alias.bad,
        )  # fmt: skip


def _commands() -> Iterator[Page]:
    for word in RUNTIME:
        facts = (("level", word.level.name.lower()),)
        doc = f"{word.doc[:1].upper()}{word.doc[1:].rstrip('.')}."
        yield Page(
            PRODUCT, "runtime command", word.name, word.signature, doc, _standing(word), ("runtime API",),
            facts, word.ok, word.bad,
        )  # fmt: skip
