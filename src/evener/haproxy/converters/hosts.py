"""Converters of the value of a Host header (RFC 9110 section 7.2) into its two halves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")


def _port_at(value: bytes) -> int:
    """Where the colon of the port is, the length when there is none; colons in brackets do not count."""
    colon = value.rfind(b":")
    return colon if colon > value.rfind(b"]") else len(value)


@converter("host_only", Type.STR, Type.STR)
def host_only() -> Run:
    """The value of a Host header without its port, in lower case."""
    return lambda value: value[: _port_at(value)].lower()


@converter("port_only", Type.STR, Type.SINT)
def port_only() -> Run:
    """The port in the value of a Host header, 0 when it has none."""

    def run(value: bytes) -> int:
        digits = _DIGITS.match(value, _port_at(value) + 1)
        return 0 if digits is None else int(digits[0])

    return run
