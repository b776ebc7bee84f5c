"""``server``, ``server-template`` and ``default-server``: names and addresses around the options."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final, NoReturn

from evener.haproxy.addresses import SERVER, Address, BadAddress, parse_address
from evener.haproxy.line import Line
from evener.haproxy.sections.bind import option_words
from evener.haproxy.sections.reading import SERVER_LEAD, Place, allowed_forms, where_of
from evener.haproxy.sections.rule_words import Reported
from evener.haproxy.sections.server import OPTIONS, ServerOptions
from evener.haproxy.sections.tokens import read_options
from evener.haproxy.sections.values import loose_number
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor
from evener.vocab.blocks import Builder, Slot, statements

NO_OPTIONS: Final = ServerOptions()
_EMPTY_LABEL: Final = re.compile(r"^\.|^[^_].*\.\.")
_NAME: Final = re.compile(r"[^A-Za-z0-9_.:\-]")
_SERVER: Final = "'server' expects <name> and <addr>[:<port>] as arguments."
_NAMELESS: Final = "(null)"
"""What the original calls servers that have no name yet."""
_TEMPLATE: Final = "'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments."


@dataclass(frozen=True, slots=True)
class Server:
    """One server. ``base`` are the options of default-server that it started from."""

    name: str
    address: Address
    options: ServerOptions
    base: ServerOptions = field(default_factory=ServerOptions, compare=False)
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ServerTemplate:
    """``low`` to ``high`` servers, named by ``prefix`` and number."""

    prefix: str
    low: int
    high: int
    ranged: bool
    address: Address
    options: ServerOptions
    base: ServerOptions = field(default_factory=ServerOptions, compare=False)
    span: Span | None = field(default=None, compare=False)


class ServerArgument(Argument[Server]):
    usage = "<name> <address>[:[port]] [from <origin>] [param*]"

    def read(self, cursor: Cursor) -> Server:
        place: Place = cursor.context
        line: Line = cursor.line  # type: ignore[assignment]
        if len(line.words) < cursor.index + 2:
            raise cursor.bad("missing-argument", _SERVER, whole=True)
        name = server_name(cursor, "server name")
        where = f"'server {place.name}/{name}'"
        address = server_address(cursor, where)
        base, index = origin(line, cursor.index, place, where)
        options = read_server_options(line, index, place, base, where)
        cursor.index = len(line.words)
        if options is None:
            raise Reported
        agent_port(options, name, where, line, place)
        place.servers[name] = options
        return Server(name, address, options, base, where_of(line))

    def words(self, value: Server) -> list[str]:
        return [value.name, value.address.text, *difference(value.options, value.base)]


def agent_port(options: ServerOptions, name: str, where: str, line: Line, place: Place) -> None:
    """An agent is asked at a port of its own."""
    if options.agent_check and not options.agent_port:
        message = f"{where} : server {name} does not have agent port. Agent check has been disabled."
        place.diagnostics.alert("no-agent-port", message, where_of(line), lead=SERVER_LEAD)


class TemplateArgument(Argument[ServerTemplate]):
    usage = "<prefix> <num | range> <address>[:<port>] [param*]"

    def read(self, cursor: Cursor) -> ServerTemplate:
        place: Place = cursor.context
        line: Line = cursor.line  # type: ignore[assignment]
        if len(line.words) < cursor.index + 3:
            raise cursor.bad("missing-argument", _TEMPLATE, whole=True)
        prefix = server_name(cursor, "server-template prefix")
        place.item = _NAMELESS
        text = cursor.take()
        said = text.lstrip()
        _, dash, last = said.partition("-")
        low, high = (loose_number(said), loose_number(last)) if dash else (1, loose_number(said))
        if low < 0 or high < low:
            message = f"Wrong server-template number or range arg '{text}'."
            raise cursor.bad("bad-range", message, whole=True)
        where = f"'server-template {place.name}/{prefix}'"
        address = server_address(cursor, where)
        base, index = origin(line, cursor.index, place, where)
        options = read_server_options(line, index, place, base, where)
        cursor.rest()
        if options is None:
            raise Reported
        agent_port(options, _NAMELESS, where, line, place)
        return ServerTemplate(prefix, low, high, bool(dash), address, options, base, where_of(line))

    def words(self, value: ServerTemplate) -> list[str]:
        count = f"{value.low}-{value.high}" if value.ranged else str(value.high)
        return [value.prefix, count, value.address.text, *difference(value.options, value.base)]


class DefaultServerArgument(Argument[ServerOptions]):
    """Options for the servers that follow; each such line adds to what was said before.

    With ``name`` it is a set of options that only ``from srv:<name>`` uses: a place to copy from, which
    begins with nothing and is no part of what is printed.
    """

    usage = "[name <name>] [from <origin>] [param*]"

    def read(self, cursor: Cursor) -> ServerOptions:
        place: Place = cursor.context
        line: Line = cursor.line  # type: ignore[assignment]
        index, name = cursor.index, ""
        place.item = "(null)"
        if line.words[index : index + 1] == ["name"] and len(line.words) > index + 1:
            index, name = index + 2, line.words[index + 1]
        known = place.servers.get(name, ServerOptions()) if name else None
        base, index = origin(line, index, place, "", known)
        options = read_server_options(line, index, place, base, "")
        cursor.rest()
        if options is None:
            raise Reported
        if name:
            place.servers[name] = place.named[name] = options
            raise Reported
        return options

    def words(self, value: ServerOptions) -> list[str]:
        return option_words(value)


def origin(
    line: Line, index: int, place: Place, where: str, known: ServerOptions | None = None
) -> tuple[ServerOptions, int]:
    """The options a server starts from, as ``from`` says, and the index after it."""
    base = known if known is not None else place_base(place)
    if len(line.words) <= index or line.words[index] != "from":
        return base, index
    at = f"{where} : " if where else ""
    if len(line.words) == index + 1:
        said(f"{at}from: missing value", line, index, place)
    wanted = line.words[index + 1]
    if wanted == "none":
        return ServerOptions(), index + 2
    if wanted == "be:":
        return place.proxy_base or place_base(place), index + 2
    found = place.servers.get(wanted.removeprefix("srv:")) if wanted.startswith("srv:") else None
    if not wanted.startswith("srv:"):
        said(f"{at}invalid '{wanted}' value for 'from' keyword", line, index + 1, place)
    if found is None:
        said(f"{at}'from' : unable to find '{wanted}'", line, index + 1, place)
    return found or base, index + 2


def said(message: str, line: Line, index: int, place: Place) -> NoReturn:
    """What is wrong with an origin ends the line."""
    place.diagnostics.alert("unknown-origin", f"{message}.", line.span(index), lead=SERVER_LEAD)
    raise Reported


def place_base(place: Place) -> ServerOptions:
    return place.base if place.base is not None else NO_OPTIONS


def server_name(cursor: Cursor, what: str) -> str:
    name = cursor.take()
    cursor.context.item = name
    wrong = _NAME.search(name)
    if wrong:
        message = f"character '{wrong[0]}' is not permitted in {what} '{name}'."
        raise cursor.bad("bad-name", message, whole=True)
    return name


def server_address(cursor: Cursor, where: str) -> Address:
    place: Place = cursor.context
    try:
        text = cursor.take()
        address = parse_address(text, allowed_forms(text, SERVER, place), place.resolve)
    except BadAddress as error:
        raise cursor.bad("bad-address", f"{where} : {error}", whole=True) from None
    if not address.resolved and _EMPTY_LABEL.search(address.host):
        message = f"{where} : Can't create DNS resolution for server '{place.item}'"
        raise cursor.bad("bad-name", message, whole=True)
    return address


def read_server_options(
    line: Line, index: int, place: Place, base: ServerOptions, where: str
) -> ServerOptions | None:
    """The options from ``index`` on, starting from ``base``; None after a complaint.

    Most servers say what others said before them: options that make the same again are not read again.
    """
    key = id(base), tuple(line.words[index:])
    if key in _remembered:
        return _remembered[key][1]
    found = len(place.diagnostics)
    made = _read_server_options(line, index, place, base, where)
    if made is not None and len(place.diagnostics) == found and plain_options(line.words, index):
        _remembered[key] = base, made  # the base is kept: nothing else may get its id
    return made


_remembered: dict[tuple[int, tuple[str, ...]], tuple[ServerOptions, ServerOptions]] = {}


def plain_options(words: list[str], index: int) -> bool:
    """Whether these options depend on nothing but their words."""
    while index < len(words):
        slot = OPTIONS.words.get(words[index])
        if not isinstance(slot, Slot) or not slot.path or slot.keyword.planned:
            return False
        taken = slot.keyword.argument.taken if slot.keyword.argument is not None else None
        if taken is None:
            return False
        index += 1 + taken
    return True


def _read_server_options(
    line: Line, index: int, place: Place, base: ServerOptions, where: str
) -> ServerOptions | None:
    builder = Builder(ServerOptions, base)
    before = place.where, place.lead, place.tail
    place.where, place.lead, place.tail = (f"{where} : " if where else ""), SERVER_LEAD, "."
    on = line.words[0]
    ok = read_options(builder, OPTIONS, line, index, place, on, place.where)
    place.where, place.lead, place.tail = before
    return builder.finish() if ok else None


def difference(options: ServerOptions, base: ServerOptions) -> list[str]:
    return [word for statement in statements(options, base) for word in statement]
