"""``-dK``: the words of our own vocabulary, in the format of the original.

Every word that is known is listed, executed or not. The original's lists leave out the keywords that are
older than its registries; these do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from evener.vocab.arguments import Flag
from evener.vocab.blocks import Keyword

if TYPE_CHECKING:
    from evener.haproxy.action import Action

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
    return (f"{name} {_marks(name)} " for name in sorted(RUNTIME.names()))


def _marks(name: str) -> str:
    """Where a command is understood, and under which conditions."""
    if name == "set var":
        return "[WORKER] [EXPERIM]"
    if name == "httpclient" or (name.startswith("debug dev ") and name != "debug dev hash"):
        return "[WORKER] [EXPERT]"
    return "[MASTER] [WORKER]" if name in _EVERYWHERE else "[WORKER]"


_EVERYWHERE: Final = frozenset(
    {"echo", "experimental-mode", "expert-mode", "help", "operator", "prompt", "quit", "show cli level"}
    | {"show cli sockets", "show env", "show startup-logs", "show version", "user"}
)


def _filters() -> Iterator[str]:
    from evener.haproxy.filters.names import NAMES

    return (f"{name} [{NAMES[name]}]" for name in sorted(NAMES))


def _services() -> Iterator[str]:
    from evener.haproxy.actions.services import SERVICES

    return iter(SERVICES)


def _configuration() -> Iterator[str]:
    from evener.haproxy.sections import crt_list
    from evener.haproxy.sections.global_ import Global
    from evener.haproxy.sections.listed import LISTED
    from evener.haproxy.sections.proxy import Proxy
    from evener.vocab.blocks import vocabulary

    yield "global"
    yield from _below(word.name.split()[0] for word in vocabulary(Global).registry)
    yield "listen"
    yield from _below(word.name.split()[0] for word in vocabulary(Proxy).registry)
    yield from _lines_of_a_proxy()
    yield "crt-list"
    yield from _below(_word(word) for word in crt_list.words())
    for section, words in LISTED.items():
        yield section
        yield from _below(word.name.split()[0] for word in words)


def _below(words: Iterable[str]) -> Iterator[str]:
    return ("\t" + word for word in sorted(set(words)))


def _lines_of_a_proxy() -> Iterator[str]:
    """Options of bind and server lines, switches, and the actions of each ruleset."""
    from evener.haproxy.rule import ACTIONS, RULESETS
    from evener.haproxy.sections.bind import BindOptions
    from evener.haproxy.sections.proxy import Proxy
    from evener.haproxy.sections.server import ServerOptions
    from evener.haproxy.vocabulary import load_vocabulary
    from evener.vocab.blocks import vocabulary

    load_vocabulary()
    yield from _below(f"bind <addr> {_scope(word)}{_word(word)}" for word in vocabulary(BindOptions).registry)
    yield from _below(f"server <name> <addr> {_word(word)}" for word in vocabulary(ServerOptions).registry)
    options = (word for word in vocabulary(Proxy).registry if word.name.startswith("option "))
    yield from _below(f"{word.name} [ {_sides(word)}]" for word in options)
    for ruleset in RULESETS:
        known = (action for action in ACTIONS if ruleset in action.rulesets)
        yield from _below(f"{ruleset} {action.name}{_prefix(action)}" for action in known)


def _prefix(action: Action) -> str:
    """A star after names that a parenthesis or a number follows."""
    return "*" if action.parenthesised or action.name == "track-sc" else ""


def _sides(option: Keyword) -> str:
    """``FE BE HTTP``, as far as it is true of a switch; of transparent the original's list says nothing."""
    from evener.haproxy.crosscheck_modes import HTTP_OPTIONS

    name = option.name.removeprefix("option ")
    true = [
        (name != "transparent" and "frontend" in option.contexts, "FE"),
        (name != "transparent" and "backend" in option.contexts, "BE"),
        (name in HTTP_OPTIONS, "HTTP"),
    ]
    return "".join(f"{side} " for holds, side in true if holds)


#: Words of bind lines that are not about TLS, of those that are not acted on.
_PLAIN: Final = frozenset({"expose-fd", "idle-ping", "namespace", "nbconn", "proto", "tcp-md5sig"})


def _scope(word: Keyword) -> str:
    """``ssl`` before words that the TLS library understands."""
    about_tls = word.planned and word.name not in _PLAIN
    return "ssl " if about_tls or word.name == "ktls" else ""


#: What the original's table says of some words does not follow from what they take.
_COUNTED: Final = {"source": -1, "set-proxy-v2-tlv-fmt": 0, "usesrc": 0, "process": 1}


def _word(word: Keyword) -> str:
    """A word with ``+n`` when it takes at least n arguments."""
    least = word.least if word.argument is None else int(not isinstance(word.argument, Flag))
    least = _COUNTED.get(word.name, least)
    return f"{word.name} +{least}" if least else word.name


_LISTS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "acl": _acls,
    "cfg": _configuration,
    "cli": _commands,
    "cnv": _converters,
    "flt": _filters,
    "smp": _fetches,
    "svc": _services,
}
