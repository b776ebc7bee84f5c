"""The converters that look a value up in a map file (manual section 7.3.1, ``map``).

There is one for each matching method and each kind of output; they differ in nothing else and are
declared by a loop. A file is read where its converter is (relative names depend on the directory the
configuration is in at that moment) and every line checked. The map itself is one of the ``Lists`` of the
configuration, and may change while the process runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError, ArgumentKind, read_argument
from evener.haproxy.cast import text_to_ipv4, text_to_ipv6, to_bytes
from evener.haproxy.map_lookup import read_key
from evener.haproxy.pattern import STRICT, Method, PatternError
from evener.haproxy.pattern_index import Captured, Text, index, lively
from evener.haproxy.pattern_list import Element
from evener.haproxy.patterns_file import Entry, Place, here, load, name_file
from evener.haproxy.sample import Type, converter
from evener.haproxy.scope import CompileEnv
from evener.haproxy.substitution import expand
from evener.text.record import dataclass

Run = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Map:
    """A map as read: equal when it has the same name, because that is what the configuration says."""

    name: str
    entries: Sequence[Entry] = field(compare=False, repr=False)
    place: Place = field(compare=False, repr=False)


def _read_text(text: str) -> bytes:
    return to_bytes(text)


def _read_integer(text: str) -> int:
    number: int = read_argument(ArgumentKind.INTEGER, text)
    return number


def _read_address(text: str) -> bytes:
    value = to_bytes(text)
    address = text_to_ipv4(value) or text_to_ipv6(value)
    if address is None:
        raise ValueError(text)
    return address


#: How the value of a line is read, by what the converter's name ends with.
_OUTPUTS: Final[dict[str, tuple[Type, Callable[[str], Any]]]] = {
    "": (Type.STR, _read_text),
    "int": (Type.SINT, _read_integer),
    "ip": (Type.ADDR, _read_address),
    "key": (Type.STR, _read_text),
}


def _read_map(name: str, method: Method, output: str) -> Map:
    """The file with every line understood; raises ArgumentError that says which one is not."""
    file = name_file(name)
    read_value = _OUTPUTS[output][1]
    try:
        entries = load(file, with_values=True)
    except PatternError as error:
        raise ArgumentError(str(error)) from error
    anything = read_value is _read_text and method not in STRICT
    for entry in () if anything else entries:
        where = f"at line {entry.line} of file '{file.name}'"
        try:
            read_key(method, entry.key)
            read_value(entry.value)
        except PatternError as error:
            raise ArgumentError(f"{error} {where}") from error
        except ValueError as error:
            raise ArgumentError(f"unable to parse '{entry.value}' {where}") from error
    return Map(file.name, entries, here())


def _checker(method: Method, output: str) -> Callable[..., tuple[Any, ...]]:
    def check(map_name: str, default_value: Any = None) -> tuple[Any, ...]:
        loaded = _read_map(map_name, method, output)
        if output == "key":
            return (loaded,)
        if output == "ip" and default_value is not None:
            try:
                return loaded, _read_address(default_value)
            except ValueError as error:
                raise ArgumentError(f"map: cannot parse default ip <{default_value}>.") from error
        return loaded, default_value

    return check


def _finder(method: Method, output: str, loaded: Map, default: Any, env: CompileEnv) -> Run:
    read_value = _OUTPUTS[output][1]

    def read(element: Element) -> Any:
        return read_value(element.value or "")

    result = Text(output == "key") if read_value is _read_text else read
    of = env.lists.open(loaded.name, loaded.entries, loaded.place, values=True)
    of.use("map", loaded.place)
    known = of.kinds.get((method, output))
    if known is None:
        known = of.kinds[method, output] = index(of, method, output=result)
    find = lively(known)
    if default is None:
        return find

    def run(value: Any) -> Any:
        found = find(value)
        return default if found is None else found

    return run


def _capturing(loaded: Map, default: Any, env: CompileEnv) -> Run:
    of = env.lists.open(loaded.name, loaded.entries, loaded.place, values=True)
    of.use("map", loaded.place)
    find = lively(Captured(of, Method.REG, False, Text(False)))

    def run(value: bytes) -> Any:
        found = find(value)
        return default if found is None else expand(found[1], found[0])

    return run


def _plain(default: Any) -> Any:
    return to_bytes(default) if isinstance(default, str) else default


def _factory(method: Method, output: str, references: bool) -> Callable[..., Run]:
    """The factory with the signature that fits the output: its default is a number, a text, or none."""

    def build(loaded: Any, default: Any, env: CompileEnv) -> Run:
        if references:
            return _capturing(loaded, _plain(default), env)
        return _finder(method, output, loaded, _plain(default), env)

    def with_text(map_name: str, default_value: str | None = None, *, env: CompileEnv) -> Run:
        return build(map_name, default_value, env)

    def with_integer(map_name: str, default_value: int | None = None, *, env: CompileEnv) -> Run:
        return build(map_name, default_value, env)

    def without(map_name: str, *, env: CompileEnv) -> Run:
        return build(map_name, None, env)

    return {"int": with_integer, "key": without}.get(output, with_text)


_MATCHES: Final = {
    Method.STR: "is a key", Method.BEG: "begins with a key (the longest)", Method.SUB: "contains a key",
    Method.DIR: "has a key between its slashes", Method.DOM: "has a key between its dots",
    Method.END: "ends with a key", Method.REG: "matches a key, a regular expression",
    Method.INT: "is a key or in its range", Method.IP: "is a key or in its network (the smallest)",
}  # fmt: skip
_GIVES: Final = {
    "": "the value behind it", "int": "the integer behind it", "ip": "the address behind it",
    "key": "the key itself, as the file has it",
}  # fmt: skip


def _documentation(method: Method, output: str, references: bool) -> str:
    text = f"If the input {_MATCHES[method]}, {_GIVES[output]}."
    if references:
        text += (
            "\n\n``\\1`` to ``\\9`` in the value stand for what the groups matched, ``\\0`` for the whole."
        )
    if output != "key":
        text += "\n\nThe default value, if there is one, when the input is not in the map."
    return text


def _declare(name: str, method: Method, output: str = "", references: bool = False) -> None:
    factory = _factory(method, output, references)
    factory.__doc__ = _documentation(method, output, references)
    default = {"int": ",7", "ip": ",192.0.2.1", "key": ""}.get(output, ",none")
    wrong: Sequence[str] = [f"{name}(no-such-file)"]
    wrong = [*wrong, f"{name}(virt@a,b)" if output == "key" else f"{name}(virt@a,1,2)"]
    converter(
        name, method.takes, _OUTPUTS[output][0], check=_checker(method, output),
        ok=[f"{name}(virt@a{default})", f"{name}(opt@no-such-file)"], bad=wrong,
    )(factory)  # fmt: skip


_declare("map", Method.STR)
_declare("map_regm", Method.REG, references=True)
for _method in _MATCHES:
    for _output in _OUTPUTS:
        _declare(f"map_{_method.value}" + (f"_{_output}" if _output else ""), _method, _output)
