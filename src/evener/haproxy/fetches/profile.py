"""Fetches of what serving costs: calls of the stream, their time, the load of the workers (section 7.3.2).

Times are measured while ``profiling.tasks`` is on (``set profiling tasks on``), and are 0 else. The load is
measured always: it is the share of the last half second that a worker was computing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.sample import Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_INTERNAL: Final = Source.INTERNAL


@fetch("cpu_calls", Type.SINT, _INTERNAL)
def cpu_calls() -> Run:
    """How often something was to be done for the stream."""
    return lambda txn: txn.calls


@fetch("cpu_ns_tot", Type.SINT, _INTERNAL)
def cpu_ns_tot() -> Run:
    """Nanoseconds spent on the stream; 0 unless ``profiling.tasks`` is on."""
    return lambda txn: txn.cpu_ns


@fetch("cpu_ns_avg", Type.SINT, _INTERNAL)
def cpu_ns_avg() -> Run:
    """The same for each call."""
    return lambda txn: txn.cpu_ns // max(1, txn.calls)


@fetch("lat_ns_tot", Type.SINT, _INTERNAL)
def lat_ns_tot() -> Run:
    """Nanoseconds the stream was kept waiting by others; 0 unless ``profiling.tasks`` is on."""
    return lambda txn: txn.lat_ns


@fetch("lat_ns_avg", Type.SINT, _INTERNAL)
def lat_ns_avg() -> Run:
    """The same for each call."""
    return lambda txn: txn.lat_ns // max(1, txn.calls)


@fetch("cpu_usage_thr", Type.SINT, _INTERNAL)
def cpu_usage_thr() -> Run:
    """How busy this worker is, in percent."""
    return lambda txn: txn.worker_load


def _all_workers(env: CompileEnv) -> Run:
    count = env.count
    return lambda txn: count(PROCESS_ROW, Column.BUSY) // max(1, count(PROCESS_ROW, Column.WORKERS))


@fetch("cpu_usage_grp", Type.SINT, _INTERNAL)
def cpu_usage_grp(*, env: CompileEnv) -> Run:
    """How busy the workers of the group are on average, in percent; all are of one group here."""
    return _all_workers(env)


@fetch("cpu_usage_proc", Type.SINT, _INTERNAL)
def cpu_usage_proc(*, env: CompileEnv) -> Run:
    """How busy the workers are on average, in percent."""
    return _all_workers(env)
