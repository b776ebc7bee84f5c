"""The values of ``show info``: what the process knows about itself.

Counters of the data path are in the process's row of the shared segment. What this program has not
(TLS, compression, pipes kept in a pool, memory pools) is told as zero, because scripts look for every
line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.info_fields import FIELDS
from evener.haproxy.stats import Cells
from evener.text.record import dataclass


class Fraction(float):
    """Seconds that are shown with microseconds."""

    def __str__(self) -> str:
        return f"{self:.6f}"


@dataclass(slots=True)
class ProcessFacts:
    """What does not change while the process runs, and a few numbers that others keep."""

    version: str
    release_date: str
    pid: int
    node: str
    workers: int
    maxconn: int
    descriptors: int
    started: float  #: wall clock
    boot_ms: int
    hard_maxconn: int = 0
    memory_max: int = 0
    description: str = ""
    stopping: bool = False
    listeners: int = 0
    pipes: int = 0
    warnings: Callable[[], int] = lambda: 0
    checks: int = 0


def info_values(
    facts: ProcessFacts, cells: Cells, wall: Callable[[], float], fractions: bool = False
) -> dict[str, Any]:
    """By field name, for every field of ``info_fields``; seconds with ``fractions`` where they are known."""
    elapsed = max(0.0, wall() - facts.started)
    uptime = int(elapsed)
    values: dict[str, Any] = {field.name: 0 for field in FIELDS if field.type != "str"}
    values |= {
        "Name": "HAProxy", "Version": facts.version, "Release_date": facts.release_date,
        "Nbthread": facts.workers, "Nbproc": 1, "Process_num": 1, "Pid": facts.pid,
        "Uptime": uptime_text(uptime), "Uptime_sec": uptime, "Memmax_MB": facts.memory_max,
        "Memmax_bytes": facts.memory_max << 20, "Ulimit-n": facts.descriptors,
        "Maxsock": facts.descriptors, "Maxconn": facts.maxconn, "Hard_maxconn": facts.hard_maxconn,
        "Idle_pct": 100 - cells.get(PROCESS_ROW, Column.BUSY) // max(1, facts.workers),
        "node": facts.node, "Stopping": int(facts.stopping),
        "Jobs": facts.listeners + cells.get(PROCESS_ROW, Column.CUR), "Listeners": facts.listeners,
        "Maxpipes": facts.pipes,
        "Build info": facts.version,
        "Start_time_sec": int(facts.started), "TotalWarnings": facts.warnings(),
        "BootTime_ms": facts.boot_ms, "NbThreadGroups": 1, "Tainted": "0",
        "Tasks": facts.checks + facts.listeners,
    }  # fmt: skip
    for name, column in _COUNTERS.items():
        values[name] = cells.get(PROCESS_ROW, column)
    for name, column in _RATES.items():
        values[name] = cells.rate(PROCESS_ROW, column)
    if fractions:
        values |= {
            "Uptime_sec": Fraction(round(elapsed, 6)),
            "Start_time_sec": Fraction(round(facts.started, 6)),
        }
    if facts.description:
        values["description"] = facts.description
    return values


_COUNTERS = {
    "CurrConns": Column.CUR, "CumConns": Column.TOTAL, "CumReq": Column.REQUESTS,
    "MaxConnRate": Column.CONN_RATE_MAX, "MaxSessRate": Column.SESS_RATE_MAX,
    "TotalBytesOut": Column.BYTES_OUT, "ConnRateLimit": Column.CONN_RATE_LIMIT,
    "SessRateLimit": Column.SESS_RATE_LIMIT, "SslRateLimit": Column.SSL_RATE_LIMIT,
    "CompressBpsRateLim": Column.COMP_RATE_LIMIT, "DroppedLogs": Column.LOGS_DROPPED,
    "CumRecvLogs": Column.LOGS_RECEIVED,
    "TotalSplicedBytesOut": Column.SPLICED_OUT, "CurrStreams": Column.CUR, "CumStreams": Column.REQUESTS,
}  # fmt: skip
_RATES = {"ConnRate": Column.CONN_RATE, "SessRate": Column.SESS_RATE}


def uptime_text(seconds: int) -> str:
    """``0d 0h00m25s``."""
    days, rest = divmod(seconds, 86400)
    return f"{days}d {rest // 3600}h{rest % 3600 // 60:02d}m{rest % 60:02d}s"
