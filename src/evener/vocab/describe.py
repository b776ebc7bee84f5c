"""A plain picture of typed values: what ``compile --json`` shows of an IR or a plan.

Dataclasses become objects whose first member is their type, enums their value, addresses and spans
their usual notation, functions their name. The result consists of dict, list, str, int, float, bool
and None only.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping, Set
from enum import Enum
from typing import Any

from evener.text.span import Source, Span

Plain = dict[str, Any] | list[Any] | str | int | float | bool | None


def plain(
    value: Any, *, skip: frozenset[str] = frozenset({"span", "spans"}), _open: tuple[int, ...] = ()
) -> Plain:
    """The picture of ``value``; fields named in ``skip`` are left out, cycles are cut with ``"..."``."""
    if value is None or (isinstance(value, str | bool | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Span):
        return f"{value.source.name}:{value.line}:{value.start + 1}"
    if isinstance(value, Source):
        return value.name
    if isinstance(
        value, ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Network | ipaddress.IPv6Network
    ):
        return str(value)
    if id(value) in _open:
        return "..."
    inside = (*_open, id(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown: dict[str, Any] = {"type": type(value).__name__}
        for field in dataclasses.fields(value):
            if field.name not in skip:
                shown[field.name] = plain(getattr(value, field.name), skip=skip, _open=inside)
        return shown
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item, skip=skip, _open=inside) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item, skip=skip, _open=inside) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item, skip=skip, _open=inside) for item in value]
    return str(getattr(value, "__qualname__", type(value).__name__))
