"""The forms of ``show stat`` and ``show info``: CSV, plain, typed, JSON, each with or without words.

Rows and values come from ``stats`` and ``info``; here they become text, byte for byte as the original
prints them (management guide, chapters 9.1 and 9.2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from evener.haproxy.info_fields import FIELDS as INFO
from evener.haproxy.info_fields import InfoField
from evener.haproxy.stat_fields import EXTRA, FIELDS, StatField
from evener.haproxy.stats import Row

_SPLIT = next(field.position for field in FIELDS if field.name == EXTRA)

HEADER = (
    "# "
    + ",".join(field.name for field in FIELDS[:_SPLIT])
    + ",-,"
    + ",".join(field.name for field in FIELDS[_SPLIT:])
    + ",\n"
)

_ORIGINS = {"M": "Metric", "S": "Status", "K": "Key", "C": "Config", "P": "Product"}
_NATURES = {
    "A": "Age", "a": "Avg", "C": "Counter", "D": "Duration", "G": "Gauge", "L": "Limit", "m": "Min",
    "M": "Max", "N": "Name", "O": "Output", "R": "Rate", "T": "Time",
}  # fmt: skip
_SCOPES = {"C": "Cluster", "S": "Service", "P": "Process", "s": "System"}
_KINDS = {"F": "Frontend", "B": "Backend", "S": "Server", "L": "Listener"}


def _cell(value: Any) -> str:
    """Quoted only where the CSV needs it."""
    text = str(value)
    if any(c in text for c in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def stat_csv(rows: Iterable[Row]) -> str:
    lines = [HEADER]
    for row in rows:
        cells = [_cell(row.values.get(field.name, "")) for field in FIELDS]
        lines.append(",".join((*cells[:_SPLIT], "-", *cells[_SPLIT:])) + ",\n")
    return "".join(lines)


def stat_typed(rows: Iterable[Row], described: bool = False) -> str:
    """``S.3.1.17.status.1:SGPV:str:UP`` for each value."""
    lines: list[str] = []
    for row in rows:
        for field in _present(row):
            tags = field.tags_for(row.kind)
            words = f':"{field.doc}"' if described else ""
            lines.append(
                f"{row.kind}.{row.proxy}.{row.id}.{field.position}.{field.name}.1:{tags}:{field.type}:"
                f"{row.values[field.name]}{words}\n"
            )
    return "".join(lines)


def _present(row: Row) -> Sequence[StatField]:
    return [field for field in FIELDS if field.name in row.values]


def stat_json(rows: Iterable[Row], described: bool = False) -> str:
    lists = []
    for row in rows:
        lists.append(
            [
                {"objType": _KINDS[row.kind], "proxyId": row.proxy, "id": row.id}
                | _json_field(
                    field.position,
                    field.name,
                    field.tags_for(row.kind),
                    field.type,
                    row.values[field.name],
                    field.doc if described else None,
                )
                for field in _present(row)
            ]
        )
    return _compact(lists)


def _json_field(
    position: int, name: str, tags: str, kind: str, value: Any, doc: str | None
) -> dict[str, Any]:
    entry: dict[str, Any] = {"field": {"pos": position, "name": name}, "processNum": 1}
    entry["tags"] = {"origin": _ORIGINS[tags[0]], "nature": _NATURES[tags[1]], "scope": _SCOPES[tags[2]]}
    entry["value"] = {"type": kind, "value": value}
    if doc is not None:
        entry["desc"] = doc
    return entry


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def _kind(field: InfoField, values: dict[str, Any]) -> str:
    return "flt" if isinstance(values[field.name], float) else field.type


def info_plain(values: dict[str, Any], described: bool = False) -> str:
    """``Name: HAProxy``, one line each."""
    return "".join(
        f"{field.name}: {values[field.name]}" + (f':"{field.doc}"' if described else "") + "\n"
        for field in INFO
        if field.name in values
    )


def info_typed(values: dict[str, Any], described: bool = False) -> str:
    return "".join(
        f"{field.position}.{field.name}.1:{field.tags}:{_kind(field, values)}:{values[field.name]}"
        + (f':"{field.doc}"' if described else "")
        + "\n"
        for field in INFO
        if field.name in values
    )


def info_json(values: dict[str, Any], described: bool = False) -> str:
    return _compact(
        [
            _json_field(
                field.position,
                field.name,
                field.tags,
                _kind(field, values),
                values[field.name],
                field.doc if described else None,
            )
            for field in INFO
            if field.name in values
        ]
    )
