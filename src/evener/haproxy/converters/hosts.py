"""Converters of the value of a Host header (RFC 9110 section 7.2) into its two halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]


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
        number = 0
        for byte in value[_port_at(value) + 1 :]:
            number = (number * 10 + byte - 0x30) & 0xFFFFFFFF  # not checked, as in the original
        return number

    return run
