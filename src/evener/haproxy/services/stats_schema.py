"""The JSON schema of the JSON forms of ``show info`` and ``show stat``, as ``show schema json`` prints it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

_TEXT = {"type": "string"}
_TAGS = {
    "origin": ["Metric", "Status", "Key", "Config", "Product"],
    "nature": ["Gauge", "Limit", "Min", "Max", "Rate", "Counter", "Duration", "Age", "Time", "Name",
               "Output", "Avg"],
    "scope": ["Cluster", "Process", "Service", "System"],
}  # fmt: skip


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _value(kind: str, lowest: int | None = None) -> dict[str, Any]:
    number: dict[str, Any] = _TEXT if lowest is None else {"type": "integer", "minimum": lowest}
    return _object({"type": {"type": "string", "enum": [kind]}, "value": number})


@cache
def schema() -> str:
    kinds = [("s32", -(2**31)), ("s64", 1 - 2**53), ("u32", 0), ("u64", 0)]
    value = {"oneOf": [*(_value(kind, low) for kind, low in kinds), _value("str")]}
    item = {
        "field": _object({"pos": {"type": "integer", "minimum": 0}, "name": _TEXT}),
        "processNum": {"type": "integer", "minimum": 1},
        "tags": _object({name: {"type": "string", "enum": words} for name, words in _TAGS.items()}),
        "value": value,
    }
    owner = {
        "objType": {"type": "string", "enum": ["Frontend", "Backend", "Listener", "Server"]},
        "proxyId": {"type": "integer", "minimum": 0},
        "id": {"type": "integer", "minimum": 0},
    }
    info = {"title": "Info", "type": "array", "items": _object(item)}
    stat = {"title": "Stat", "type": "array", "items": {"type": "array", "items": _object(owner | item)}}
    whole = {"$schema": "http://json-schema.org/draft-04/schema#", "oneOf": [info, stat]}
    return json.dumps(whole, separators=(",", ":")) + "\n"
