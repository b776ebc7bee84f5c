"""Arguments of converters that may be a constant or the name of a variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError, clamp
from evener.haproxy.cast import cast, to_bytes
from evener.haproxy.sample import Type
from evener.haproxy.variables import getter, is_name

_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")


def check_integer(text: str) -> None:
    """Raise ArgumentError unless the text is an integer (empty counts as 0) or names a variable."""
    if text and not _INTEGER.match(text) and (not is_name(text) or text.endswith(".")):
        raise ArgumentError("expects an integer or a variable name")


def check_variable(name: str) -> None:
    if not is_name(name):
        raise ArgumentError(f"failed to register variable name '{name}'")


def _typed(name: str, kind: Type) -> Callable[[Any], Any]:
    read = getter(name)
    convert = cast(Type.ANY, kind)
    assert convert is not None

    def run(txn: Any) -> Any:
        sample = read(txn)
        return None if sample is None else convert(sample)

    return run


def integer_or_variable(text: str) -> Callable[[Any], int | None]:
    """The integer, or what the variable holds as one."""
    value = constant_integer(text)
    if value is not None:
        return lambda txn: value
    return _typed(text, Type.SINT)


def constant_integer(text: str) -> int | None:
    """The integer a text is (0 for none at all), None when it names a variable."""
    return clamp(int(text or "0")) if not text or _INTEGER.match(text) else None


def variable_text(name: str) -> Callable[[Any], bytes | None]:
    """What the variable holds as text."""
    return _typed(name, Type.STR)


def variable_bytes(name: str) -> Callable[[Any], bytes | None]:
    """What the variable holds as bytes: a text would end at the first NUL."""
    return _typed(name, Type.BIN)


def text_or_variable(text: str) -> Callable[[Any], bytes | None]:
    """What the variable of that name holds, the text itself when it is no variable's name."""
    if is_name(text):
        return variable_text(text)
    value = to_bytes(text)
    return lambda txn: value
