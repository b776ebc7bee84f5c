"""Rows of ``picture`` as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from evener.keepalived.lvs.picture import RealRow, Row

Labels = dict[str, str]
STATES = ("up", "down", "drain", "disabled")
TRAFFIC = (
    ("connections", "connections_total", "counter", "Connections that were given a server"),
    ("packets_in", "in_packets_total", "counter", "Packets from clients"),
    ("packets_out", "out_packets_total", "counter", "Packets to clients"),
    ("bytes_in", "in_bytes_total", "counter", "Bytes from clients"),
    ("bytes_out", "out_bytes_total", "counter", "Bytes to clients"),
    ("active", "active_connections", "gauge", "Established connections"),
    ("inactive", "inactive_connections", "gauge", "Other connections that are remembered"),
)
Sample = tuple[Labels, int]


def metrics(rows: list[Row]) -> str:
    return "".join(_lines(rows))


def _lines(rows: list[Row]) -> Iterator[str]:
    for name, kind, what, value in _of_virtual():
        samples = ((virtual_labels(row), value(row)) for row in rows)
        yield from family(f"keepalived_lvs_virtual_server_{name}", kind, what, samples)
    for name, kind, what, real_value in _of_real():
        found = ((_real_labels(row, real), real_value(real)) for row in rows for real in row.real_servers)
        yield from family(f"keepalived_lvs_real_server_{name}", kind, what, found)
    states = (
        ({**_real_labels(row, real), "state": state}, int(real.state == state))
        for row in rows
        for real in row.real_servers
        for state in STATES
    )
    yield from family("keepalived_lvs_real_server_state", "gauge", "1 for the state it is in", states)


def _of_virtual() -> Iterator[tuple[str, str, str, Callable[[Row], int]]]:
    yield "quorum_up", "gauge", "Whether the quorum is there", lambda row: int(row.quorum_up)
    yield "quorum", "gauge", "The weight that makes the quorum", lambda row: row.quorum
    yield "weight", "gauge", "Of all real servers that are alive", lambda row: row.weight
    yield "sorry", "gauge", "Whether the sorry server has taken over", lambda row: int(row.sorry_active)
    yield "services", "gauge", "Services of it in the engine", lambda row: row.loaded
    for field, name, kind, what in TRAFFIC:
        yield name, kind, what, lambda row, field=field: getattr(row.traffic, field)  # type: ignore[misc]


def _of_real() -> Iterator[tuple[str, str, str, Callable[[RealRow], int]]]:
    yield "weight", "gauge", "Its weight now", lambda real: real.weight
    yield "checks", "gauge", "Checks that are configured", lambda real: real.checks
    yield "checks_failed", "gauge", "Checks that count as failed", lambda real: real.failed_checks
    yield "transitions_total", "counter", "How often it went up or down", lambda real: real.transitions
    yield "overridden", "gauge", "Whether an operator changed it", lambda real: int(real.override != "none")
    for field, name, kind, what in TRAFFIC:
        yield name, kind, what, lambda real, field=field: getattr(real.traffic, field)  # type: ignore[misc]


def family(name: str, kind: str, what: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {what}.\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        inside = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{inside}}} {value}\n"


def virtual_labels(row: Row) -> Labels:
    return {"virtual_server": row.name, "engine": row.engine}


def _real_labels(row: Row, real: RealRow) -> Labels:
    return {"virtual_server": row.name, "real_server": real.name}


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
