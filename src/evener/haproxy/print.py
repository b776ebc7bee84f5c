"""The canonical haproxy.cfg of a configuration: what it says, once, in a fixed order.

Sections come as global, http-errors, other sections, defaults, proxies; statements in the order of their
declarations, so two files that mean the same print the same. What a proxy inherits is left out; it names
its defaults section by ``from`` (an unnamed one stands directly before the proxies that use it). Words
are quoted so that reading them gives the same words, whatever they contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from evener.haproxy.ir import Configuration
from evener.haproxy.line import word_bytes
from evener.haproxy.sections.forms import form_of
from evener.haproxy.sections.other import OtherSection
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.sections.servers import Server, ServerTemplate
from evener.vocab.blocks import statements

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@,=+*%?&;|<>~^!()\[\]{}-]+")
_ESCAPES: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def print_configuration(configuration: Configuration) -> str:
    """The text of the whole configuration, every line ended."""
    return "".join(f"{line}\n" for line in _lines(configuration))


def quote(word: str) -> str:
    """The word as it must be written to be read back as it is."""
    if _PLAIN.fullmatch(word):
        return word
    if "'" not in word and all(c.isprintable() for c in word):
        return f"'{word}'"
    return "".join(_escaped(c) for c in word)


def _escaped(character: str) -> str:
    """One character outside quotes. Anything unprintable is given by its bytes."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _PLAIN.fullmatch(character):
        return character
    if character in " #'\"\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in word_bytes(character))


def write(words: Sequence[str]) -> str:
    return " ".join(quote(word) for word in words)


def _lines(configuration: Configuration) -> Iterator[str]:
    said = list(statements(configuration.global_))
    logs = _Logs([write(words) for words in said if words[0] == "log"], configuration)
    early = iter(logs.take(logs.first))
    body = [write(words) if words[0] != "log" else next(early, "") for words in said]
    if any(body):
        yield from _section(["global"], [line for line in body if line])
    for errors in configuration.http_errors:
        files = [write(["errorfile", str(file.status), file.path]) for file in errors.files]
        yield from _section(["http-errors", errors.name], files)
    for other in configuration.other:
        yield from _section(other.words, [write(words) for words in section_lines(other)])
    yield from _proxies(configuration, logs)
    yield from logs.lines(len(logs.written))


class _Logs:
    """The log lines of the global section: ``log global`` means those that stand before it."""

    def __init__(self, written: list[str], configuration: Configuration) -> None:
        self.written = written
        self.done = 0
        sections = (*configuration.defaults, *configuration.proxies) if written else ()
        asked = [log.length for section in sections for log in section.logging.log if log.is_global]
        self.first = min(asked, default=len(written))

    def take(self, count: int) -> list[str]:
        taken = self.written[self.done : count]
        self.done = max(self.done, count)
        return taken

    def lines(self, count: int) -> Iterator[str]:
        """One more global section, where more lines have to stand before what follows."""
        if count > self.done:
            yield from _section(["global"], self.take(count))

    def before(self, proxy: Proxy) -> Iterator[str]:
        if self.done < len(self.written):
            yield from self.lines(max((log.length for log in proxy.logging.log if log.is_global), default=0))


def section_lines(other: OtherSection) -> Iterable[Sequence[str]]:
    """As they mean the same, where the order of the lines does not matter; else as they were."""
    if other.block is None or form_of(other.kind).ordered:
        return other.lines
    return statements(other.block)


def _section(words: Sequence[str], body: Sequence[str]) -> Iterator[str]:
    yield write(words)
    yield from (f"    {line}" for line in body)
    yield ""


def _proxies(configuration: Configuration, logs: _Logs) -> Iterator[str]:
    """Defaults and proxies; an unnamed defaults section is in force until the next defaults section."""
    in_force: Proxy | None = None
    used = {id(proxy.origin) for proxy in (*configuration.defaults, *configuration.proxies)}
    for section in configuration.defaults:
        if section.name or id(section) not in used:
            yield from logs.before(section)
            yield from _proxy(section)
            in_force = section
    for proxy in configuration.proxies:
        origin = proxy.origin
        if origin is not None and not origin.name and origin is not in_force:
            yield from logs.before(origin)
            yield from _proxy(origin)
            in_force = origin
        elif origin is None and in_force is not None:
            yield "defaults"
            yield ""
            in_force = None
        yield from logs.before(proxy)
        yield from _proxy(proxy)


def _proxy(proxy: Proxy) -> Iterator[str]:
    words = [proxy.kind.value, *([proxy.name] if proxy.name else [])]
    origin = proxy.origin
    if origin is not None and origin.name:
        words += ["from", origin.name]
    baseline = Proxy() if origin is None else origin
    yield from _section(words, [write(line) for line in proxy_statements(proxy, baseline)])


def proxy_statements(proxy: Proxy, baseline: Proxy) -> Iterator[list[str]]:
    """The statements of a proxy beyond its defaults; servers say what default-server does not."""
    given = proxy.default_server or ServerOptions()
    said = list(statements(proxy, baseline))
    yield from (words for words in said if words[0] == "acl")  # conditions may only name what was declared
    for words in said:
        if words[0] == "default-server":
            yield ["default-server", "from", "none", *words[1:]]
        elif words[0] not in ("acl", "server", "server-template"):
            yield words
    for server in proxy.server:
        yield _server(server, given)
    for template in proxy.server_template:
        yield _server(template, given)


def _server(server: Server | ServerTemplate, given: ServerOptions) -> list[str]:
    """One server line, written against the final default-server; a reset where that cannot be undone."""
    if isinstance(server, Server):
        words = ["server", server.name, server.address.text]
    else:
        count = f"{server.low}-{server.high}" if server.ranged else str(server.high)
        words = ["server-template", server.prefix, count, server.address.text]
    if server.base == given:
        return [*words, *_options(server.options, given)]
    return [*words, "from", "none", *_options(server.options, ServerOptions())]


def _options(options: ServerOptions, base: ServerOptions) -> list[str]:
    return [word for statement in statements(options, base) for word in statement]
