"""Converters that look something up by a name: backends, servers and frontends, error codes of X.509."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.columns import Column
from evener.haproxy.converters.x509 import NAMES
from evener.haproxy.sample import Type, converter
from evener.haproxy.scope import CompileEnv

Run = Callable[..., Any]
STR: Final = Type.STR


def _name(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


@converter("fe_exists", STR, Type.BOOL)
def fe_exists(*, env: CompileEnv) -> Run:
    """Whether there is a frontend of that name."""
    return lambda value: bool(value) and env.frontend(_name(value)) is not None


@converter("nbsrv", STR, Type.SINT)
def nbsrv(*, env: CompileEnv) -> Run:
    """How many servers of the backend of that name can be used."""

    def run(value: bytes) -> int | None:
        plan = env.backend(_name(value)) if value else None
        if plan is None:
            return None
        usable = [server for server in plan.servers if env.count(server.row, Column.USABLE)]
        return len([server for server in usable if not server.backup] or usable)

    return run


def _server_cell(column: Column, env: CompileEnv) -> Callable[[bytes, Any], int | None]:
    """A counter of ``[backend/]server``; without a backend, of the one the transaction goes to."""

    def run(value: bytes, txn: Any) -> int | None:
        backend, slash, server = _name(value).rpartition("/")
        if slash:
            plan: Any = env.backend(backend) if backend else None
        else:
            plan = None if txn.backend is None else txn.backend.plan
        if plan is None:
            return None
        row = next((known.row for known in plan.servers if known.name == server), None)
        return None if row is None else env.count(row, column)

    return run


@converter("srv_is_up", STR, Type.BOOL)
def srv_is_up(*, env: CompileEnv, txn: None) -> Run:
    """Whether a server can be used, by its name or that of its backend, a slash and its name."""
    cell = _server_cell(Column.USABLE, env)

    def run(value: bytes, txn: Any) -> bool | None:
        usable = cell(value, txn)
        return None if usable is None else usable != 0

    return run


@converter("srv_queue", STR, Type.SINT)
def srv_queue(*, env: CompileEnv, txn: None) -> Run:
    """How many streams wait for a server, by its name or that of its backend, a slash and its name."""
    return _server_cell(Column.Q_CUR, env)


@converter("x509_v_err_str", Type.SINT, STR)
def x509_v_err_str() -> Run:
    """The name OpenSSL has for a certificate verification error, the number when it has none."""
    return lambda value: NAMES[value] if 0 <= value < len(NAMES) else b"%d" % value
