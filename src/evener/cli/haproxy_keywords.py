"""``-dK``: the words of our own vocabulary, in the format of the original.

Every word that is known is listed, executed or not. The original's lists leave out the keywords that are
older than its registries; these do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from evener.vocab.arguments import Flag
from evener.vocab.blocks import Keyword, Slot, Vocabulary

_HELP: Final = {
    "acl": "ACL keywords",
    "cfg": "configuration keywords",
    "cli": "CLI keywords",
    "cnv": "sample converter keywords",
    "flt": "filter names",
    "smp": "sample fetch functions",
    "svc": "service names",
}
_TITLES: Final = {
    "acl": "ACL keywords",
    "cfg": "configuration keywords",
    "cli": "CLI keywords",
    "cnv": "sample converter functions",
    "flt": "filter names",
    "smp": "sample fetch functions",
    "svc": "service names",
}


def dump_keywords(classes: str) -> str:
    """The lists of the classes named between commas; ``all``, or ``help`` for the names of the classes."""
    wanted = classes.split(",")
    if "help" in wanted:
        lines = ["# List of supported keyword classes:", "all: list all keywords"]
        return "\n".join([*lines, *(f"{name}: {what}" for name, what in _HELP.items())]) + "\n"
    names = list(_LISTS) if "all" in wanted else [name for name in wanted if name in _LISTS]
    out: list[str] = []
    for name in names:
        out.append(f"# List of registered {_TITLES[name]}:")
        out += _LISTS[name]()
    return "".join(line + "\n" for line in out)


def _acls() -> Iterator[str]:
    from evener.haproxy.acl import SUFFIXED

    for word, (fetch, method) in sorted(SUFFIXED.items()):
        yield f"{word} = {fetch} -m {method.value}"


def _converters() -> Iterator[str]:
    from evener.haproxy.sample import CONVERTERS
    from evener.haproxy.vocabulary import load_vocabulary

    load_vocabulary()
    return (converter.dump() for converter in sorted(CONVERTERS, key=lambda word: word.name))


def _fetches() -> Iterator[str]:
    from evener.haproxy.sample import FETCHES, PLACES
    from evener.haproxy.vocabulary import load_vocabulary

    load_vocabulary()
    yield from _legend(PLACES)
    yield from (fetch.dump() for fetch in sorted(FETCHES, key=lambda word: word.name))


def _legend(places: tuple[str, ...]) -> Iterator[str]:
    """The staircase that says what each column stands for."""
    last = len(places) - 1
    for index, place in enumerate(places):
        stairs = "/ " * index
        yield f"#{' ' * (last - index + 2)}{stairs}_.{'-' * (last - index + 1)} {place}"
    yield "# " + "/ " * len(places) + " "
    yield "# " + "| " * len(places)


def _commands() -> Iterator[str]:
    from evener.haproxy.runtime_api import RUNTIME, load_commands

    load_commands()
    return (f"{name} [WORKER] " for name in sorted(RUNTIME.names()))


def _none() -> Iterator[str]:
    return iter(())


def _configuration() -> Iterator[str]:
    from evener.haproxy.sections.global_ import Global
    from evener.haproxy.sections.other import SECTIONS
    from evener.haproxy.sections.proxy import Proxy
    from evener.vocab.blocks import vocabulary

    for section, block in (("global", Global), ("listen", Proxy)):
        yield section
        yield from ("\t" + word for word in _words(vocabulary(block)))
    yield from _lines_of_a_proxy()
    yield from sorted(SECTIONS.names())


def _lines_of_a_proxy() -> Iterator[str]:
    """Options of bind and server lines, and the actions of each ruleset."""
    from evener.haproxy.rule import ACTIONS, RULESETS
    from evener.haproxy.sections.bind import BindOptions
    from evener.haproxy.sections.server import ServerOptions
    from evener.haproxy.vocabulary import load_vocabulary
    from evener.vocab.blocks import vocabulary

    load_vocabulary()
    for words, lead in ((BindOptions, "bind <addr>"), (ServerOptions, "server <name> <addr>")):
        yield from (f"\t{lead} {word}" for word in _words(vocabulary(words)))
    for ruleset in RULESETS:
        known = sorted(action.name for action in ACTIONS if ruleset in action.rulesets)
        yield from (f"\t{ruleset} {name}" for name in known)


def _words(vocabulary: Vocabulary) -> Iterable[str]:
    """The words of a block, each with ``+n`` when it takes at least n arguments."""
    return sorted(_word(slot) for slot in vocabulary)


def _word(slot: Slot) -> str:
    least = _least(slot.keyword)
    return f"{slot.keyword.name} +{least}" if least else slot.keyword.name


def _least(keyword: Keyword) -> int:
    if keyword.argument is None:
        return keyword.least
    return 0 if isinstance(keyword.argument, Flag) else 1


_LISTS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "acl": _acls,
    "cfg": _configuration,
    "cli": _commands,
    "cnv": _converters,
    "flt": _none,
    "smp": _fetches,
    "svc": _none,
}
