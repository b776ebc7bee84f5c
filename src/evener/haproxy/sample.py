"""Sample types, and the declarations of what produces and transforms samples.

A sample expression is a *fetch* (``req.hdr(host)``) followed by *converters* (``,lower``). Each is
declared once, by decorating a factory: the factory's annotations give the arguments, its docstring is
the manual text, and what it returns is the closure that runs: ``run(txn)`` for a fetch, ``run(value)``
for a converter. ``None`` means "no sample".

Values at run time, by static type: bool -> ``bool``; sint -> ``int`` in signed 64 bits; ipv4, ipv6 and
addr -> packed ``bytes`` of 4 or 16; str, bin and meth -> ``bytes``. Types are known when the expression
is compiled, so values travel bare. Only ``any`` (a variable, mostly) carries its type along, in a
``Sample``.

Where a fetch may be used is derived from where its information comes from (``Source``), as the table
at the head of chapter 7.3 of the manual does it: each source is available at some of 22 places.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from enum import Enum, Flag, IntEnum, auto
from typing import Any, Final, NamedTuple

from evener.haproxy.arguments import NOTHING, Argument, ArgumentKind
from evener.text.record import dataclass
from evener.vocab.registry import Declaration, Registry, Status


class Type(Enum):
    """What a sample is; the value is the manual's word."""

    ANY = "any"
    SAME = "same"  #: converters only: the type that came in
    BOOL = "bool"
    SINT = "sint"
    ADDR = "addr"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    STR = "str"
    BIN = "bin"
    METH = "meth"

    __hash__ = object.__hash__  # members are singletons; that of Enum is a Python call per look-up


class Sample(NamedTuple):
    """A value whose type is only known at run time."""

    type: Type
    value: Any


class Incomplete(Exception):
    """Raised by a fetch of buffered content when more bytes could change its answer."""


class Source(Flag):
    """Where the information of a fetch comes from."""

    CONSTANT = auto()
    INTERNAL = auto()
    LISTENER = auto()
    FRONTEND = auto()
    CLIENT_ADDRESS = auto()
    CLIENT_CONNECTION = auto()
    TRACKED = auto()
    REQUEST_BUFFER = auto()
    REQUEST_HEADERS = auto()
    REQUEST = auto()
    REQUEST_BODY = auto()
    BACKEND = auto()
    SERVER = auto()
    SERVER_ADDRESS = auto()
    SERVER_CONNECTION = auto()
    RESPONSE_BUFFER = auto()
    RESPONSE_HEADERS = auto()
    RESPONSE = auto()
    RESPONSE_BODY = auto()
    REQUEST_FINAL = auto()
    RESPONSE_FINAL = auto()
    TRANSACTION_FINAL = auto()
    SESSION_FINAL = auto()


class Place(IntEnum):
    """Where an expression is evaluated: one bit each, in the order of the manual's columns."""

    FE_CONNECTION = 0
    FE_SESSION = 1
    FE_CONTENT = 2
    FE_REQUEST = 3
    FE_REQUEST_BODY = 4
    FE_USE_BACKEND = 5
    BE_CONTENT = 6
    BE_REQUEST = 7
    BE_REQUEST_BODY = 8
    BE_SERVER = 9
    SERVER_SOURCE = 10
    BE_RESPONSE_CONTENT = 11
    BE_RESPONSE = 12
    BE_RESPONSE_BODY = 13
    BE_STORE = 14
    FE_RESPONSE_CONTENT = 15
    FE_RESPONSE = 16
    FE_RESPONSE_BODY = 17
    LOG = 18
    BE_CHECK = 19
    CONFIGURATION = 20
    CLI = 21

    @property
    def bit(self) -> int:
        return 1 << self


PLACES: Final = (
    "frontend tcp-request connection rule",
    "frontend tcp-request session rule",
    "frontend tcp-request content rule",
    "frontend http-request header rule",
    "frontend http-request body rule",
    "frontend use-backend rule",
    "backend tcp-request content rule",
    "backend http-request header rule",
    "backend http-request body rule",
    "backend use-server, balance or stick-match rule",
    "server source selection",
    "backend tcp-response content rule",
    "backend http-response header rule",
    "backend http-response body rule",
    "backend stick-store rule",
    "frontend tcp-response content rule",
    "frontend http-response header rule",
    "frontend http-response body rule",
    "logs",
    "backend tcp-check rule",
    "configuration parser",
    "CLI parser",
)
EVERYWHERE: Final = (1 << len(PLACES)) - 1

_MATRIX: Final[dict[Source, tuple[str, str]]] = {
    Source.CONSTANT: ("constants", "YYYYYYYYYYYYYYYYYYYYYY"),
    Source.INTERNAL: ("internal state", "YYYYYYYYYYYYYYYYYYYY.Y"),
    Source.LISTENER: ("listener", "YYYYYYYYYYYYYYYYYYY..."),
    Source.FRONTEND: ("frontend", "YYYYYYYYYYYYYYYYYYY..."),
    Source.CLIENT_ADDRESS: ("client address", "YYYYYYYYYYYYYYYYYYYY.."),
    Source.CLIENT_CONNECTION: ("client-side connection", ".YYYYYYYYYYYYYYYYYY..."),
    Source.TRACKED: ("track counters", "YYYYYYYYYYYYYYYYYYY..."),
    Source.REQUEST_BUFFER: ("request buffer", "..YYYYYYYYY..........."),
    Source.REQUEST_HEADERS: ("HTTP request headers", "..YYYYYYYYY..........."),
    Source.REQUEST: ("HTTP request", "..YYYYYYYYYYYYYYYYY..."),
    Source.REQUEST_BODY: ("HTTP request body", "....YYYYYYY..........."),
    Source.BACKEND: ("backend", "......YYYYYYYYYYYYYY.."),
    Source.SERVER: ("server", "..........YYYYYYYYYY.."),
    Source.SERVER_ADDRESS: ("server address", "...........YYYYYYYYY.."),
    Source.SERVER_CONNECTION: ("server-side connection", "...........YYYYYYYYY.."),
    Source.RESPONSE_BUFFER: ("response buffer", "...........YYYYYYY.Y.."),
    Source.RESPONSE_HEADERS: ("HTTP response headers", "...........YYYYYYY.Y.."),
    Source.RESPONSE: ("HTTP response", "...........YYYYYYYYY.."),
    Source.RESPONSE_BODY: ("HTTP response body", ".............YYYYY.Y.."),
    Source.REQUEST_FINAL: ("request buffer statistics", "..YYYYYYYYYYYYYYYYY..."),
    Source.RESPONSE_FINAL: ("response buffer statistics", ".........YYYYYYYYYY..."),
    Source.TRANSACTION_FINAL: ("transaction statistics", "..YYYYYYYYYYYYYYYYY..."),
    Source.SESSION_FINAL: ("session statistics", "YYYYYYYYYYYYYYYYYYY..."),
}


def _bits(row: str) -> int:
    return sum(1 << column for column, mark in enumerate(row) if mark == "Y")


_AVAILABLE: Final = {source: _bits(row) for source, (_, row) in _MATRIX.items()}


def available(source: Source) -> int:
    """The places (a bit per ``Place``) where information of that source can be had."""
    places = _PLACES.get(source._value_)
    if places is None:
        places = 0
        for single in source:
            places |= _AVAILABLE[single]
        _PLACES[source._value_] = places
    return places


_PLACES: Final[dict[int, int]] = {}


def describe_source(source: Source) -> str:
    """The words diagnostics use, as in ``needs 'HTTP response headers'``."""
    return ",".join(_MATRIX[single][0] for single in source)


def describe_places(places: int) -> str:
    """The name of the first place in the mask, as warnings about unusable ACLs spell it."""
    for place in Place:
        if places & place.bit:
            return PLACES[place]
    return ""


@dataclass(frozen=True, slots=True)
class Word(Declaration):
    """What fetches and converters have in common: arguments, and a check run when they are read."""

    arguments: tuple[Argument, ...] = ()
    #: raises ArgumentError; may return a tuple of values to use instead of those that were read
    check: Callable[..., Any] | None = None
    wants: frozenset[str] = frozenset()  #: keyword-only parameters of the factory: env, txn ...

    @property
    def required(self) -> int:
        return sum(1 for argument in self.arguments if argument.required)

    @property
    def shape(self) -> str:
        """Arguments as ``-dK`` shows them: ``(integer,string[,integer])``."""
        must = ",".join(a.kind.value for a in self.arguments if a.required)
        may = ",".join(a.kind.value for a in self.arguments if not a.required)
        if not may:
            return f"({must})" if must else ""
        return f"({must}[,{may}])" if must else f"([{may}])"


@dataclass(frozen=True, slots=True)
class Fetch(Word):
    out: Type = Type.STR
    source: Source = Source.INTERNAL
    partial: bool = False  #: may raise Incomplete
    constant: bool = False  #: always the same value: computed when compiled
    early: tuple[Place, ...] = ()  #: places before its source knows: it has no value there, and may be asked

    @property
    def places(self) -> int:
        return available(self.source) | sum(place.bit for place in self.early)

    def dump(self) -> str:
        """The line of ``-dKsmp``."""
        marks = " ".join("Y" if self.places & place.bit else "." for place in Place)
        return f"[ {marks} ] {self.name}{self.shape}: {self.out.value}"


@dataclass(frozen=True, slots=True)
class Converter(Word):
    takes: Type = Type.STR
    out: Type = Type.STR
    dynamic: bool = False  #: gives ``Sample``s, because the type is not always ``out``

    @property
    def gives(self) -> Type:
        return Type.ANY if self.dynamic else self.out

    def dump(self) -> str:
        """The line of ``-dKcnv``."""
        return f"{self.name}{self.shape}: {self.out.value} => {self.takes.value}"


class Many(NamedTuple):
    """What a fetch of several values returns: ``run`` gives the one, ``each`` all of them (for ACLs)."""

    run: Callable[[Any], Any]
    each: Callable[[Any], Sequence[Any]]


FETCHES: Final[Registry[Fetch]] = Registry("sample fetch")
CONVERTERS: Final[Registry[Converter]] = Registry("converter")

_SCRIPTED: Final = tuple(Argument("arg", ArgumentKind.STRING, None) for _ in range(12))
#: Words that a Lua script would define: whatever they are called, known and not executed yet.
SCRIPT_PREFIX: Final = "lua."


def find_fetch(name: str) -> Fetch | None:
    """The declaration of a fetch, also of one that only a script could define."""
    word = FETCHES.get(name)
    if word is None and name.startswith(SCRIPT_PREFIX):
        return Fetch(
            name,
            name,
            "Defined by a Lua script.",
            (name,),
            (f"{name}(",),
            Status.PLANNED,
            arguments=_SCRIPTED,
            source=Source.CONSTANT,
        )
    return word


def find_converter(name: str) -> Converter | None:
    """The declaration of a converter, also of one that only a script could define."""
    word = CONVERTERS.get(name)
    if word is None and name.startswith(SCRIPT_PREFIX):
        doc = "Defined by a Lua script."
        return Converter(name, name, doc, (name,), (f"{name}(",), Status.PLANNED, arguments=_SCRIPTED)
    return word


def fetch_of(name: str) -> Fetch:
    """The declaration of a fetch that is known to exist."""
    word = find_fetch(name)
    assert word is not None, name
    return word


def converter_of(name: str) -> Converter:
    """The declaration of a converter that is known to exist."""
    word = find_converter(name)
    assert word is not None, name
    return word


Factory = typing.TypeVar("Factory", bound=Callable[..., Any])


def read_signature(factory: Callable[..., Any]) -> tuple[tuple[Argument, ...], frozenset[str]]:
    """Arguments (positional parameters) and wants (keyword-only parameters) of a factory.

    Read from the code object, because asking ``inspect`` and ``typing`` four hundred times would be half
    of the start-up. Annotations are the texts that ``from __future__ import annotations`` leaves.
    """
    code, hints = factory.__code__, factory.__annotations__
    names = code.co_varnames[: code.co_argcount]
    defaults = factory.__defaults__ or ()
    first = len(names) - len(defaults)
    arguments = [
        Argument(
            name.rstrip("_"),
            ArgumentKind.of(hints.get(name, "str")),
            defaults[position - first] if position >= first else NOTHING,
        )
        for position, name in enumerate(names)
    ]
    last = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        name = code.co_varnames[last]
        kind = ArgumentKind.of(hints.get(name, "str"))
        arguments += [Argument(name, kind, NOTHING if not n and not arguments else None) for n in range(12)]
    return tuple(arguments), frozenset(code.co_varnames[code.co_argcount : last])


def write_signature(name: str, arguments: Sequence[Argument]) -> str:
    """The form the manual shows: ``field(<index>,<delimiters>[,<count>])``."""
    if not arguments:
        return name
    text, closing = "", ""
    for position, argument in enumerate(arguments):
        comma = "," if position else ""
        if argument.needed:
            text += f"{comma}<{argument.name}>"
        else:
            text += f"[{comma}<{argument.name}>"
            closing += "]"
    return f"{name}({text}{closing})"


def _examples(
    name: str, arguments: Sequence[Argument], ok: Sequence[str], bad: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A word without mandatory arguments is its own good example; one argument too many a bad one."""
    if not ok and not any(argument.needed for argument in arguments):
        ok = (name,)
    if not bad:
        bad = (f"{name}({','.join('1' for _ in range(len(arguments) + 1))})",)
    return tuple(ok), tuple(bad)


def fetch(
    name: str,
    out: Type,
    source: Source,
    *,
    ok: Sequence[str] = (),
    bad: Sequence[str] = (),
    aliases: Sequence[str] = (),
    check: Callable[..., Any] | None = None,
    partial: bool = False,
    constant: bool = False,
    early: tuple[Place, ...] = (),
    status: Status = Status.WORKING,
) -> Callable[[Factory], Factory]:
    """Declare a sample fetch; the decorated factory returns ``run(txn)`` or a ``Many``.

    Examples are expressions; those of a word without mandatory arguments are derived.
    """

    def declare(factory: Factory) -> Factory:
        arguments, wants = read_signature(factory)
        for word in (name, *aliases):
            here_ok = ok if word == name else tuple(text.replace(name, word, 1) for text in ok)
            here_bad = bad if word == name else tuple(text.replace(name, word, 1) for text in bad)
            good, wrong = _examples(word, arguments, here_ok, here_bad)
            FETCHES.declare(
                Fetch(
                    word,
                    write_signature(word, arguments),
                    inspect.cleandoc(factory.__doc__ or ""),
                    good,
                    wrong,
                    status,
                    factory,
                    arguments=arguments,
                    check=check,
                    wants=wants,
                    out=out,
                    source=source,
                    partial=partial,
                    constant=constant,
                    early=early,
                )
            )
        return factory

    return declare


def converter(
    name: str,
    takes: Type,
    out: Type,
    *,
    ok: Sequence[str] = (),
    bad: Sequence[str] = (),
    check: Callable[..., Any] | None = None,
    status: Status = Status.WORKING,
    dynamic: bool = False,
) -> Callable[[Factory], Factory]:
    """Declare a converter; the decorated factory returns ``run(value)``, or ``run(value, txn)`` when it
    has a keyword-only parameter ``txn`` (which is only a mark and always None).

    Examples are what follows the fetch, as ``field(2,/)``.
    """

    def declare(factory: Factory) -> Factory:
        arguments, wants = read_signature(factory)
        good, wrong = _examples(name, arguments, ok, bad)
        CONVERTERS.declare(
            Converter(
                name,
                write_signature(name, arguments),
                inspect.cleandoc(factory.__doc__ or ""),
                good,
                wrong,
                status,
                factory,
                arguments=arguments,
                check=check,
                wants=wants,
                takes=takes,
                out=out,
                dynamic=dynamic,
            )
        )
        return factory

    return declare
