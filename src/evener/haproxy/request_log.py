"""The log line of a transaction: which format, at what level, to whom, and when there is none.

The engine calls the policy made here at the end of each transaction. Where lines go is not known here:
an ``Outlet`` stands for the targets of one proxy until the worker hangs its sender on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.logformat import (
    HTTP_CLF_LOG,
    HTTP_LOG,
    HTTPS_LOG,
    TCP_CLF_LOG,
    TCP_LOG,
    Format,
    compile_log_line,
    read_format,
)
from evener.haproxy.notes import peek
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.logs import Logging
from evener.haproxy.sections.options import Options
from evener.haproxy.txn import CONTINUE, Txn

Policy = Callable[[Txn], int]
Write = Callable[[Any], bytes]

ERR: Final = 3
INFO: Final = 6

#: What is logged without any log option: only who connected to whom.
DEFAULT_LOG: Final = "Connect from %ci:%cp to %fi:%fp (%f/%[fe_name])"


class Outlet:
    """The targets of one proxy; ``send`` (level, message) is set when the process knows its sockets."""

    __slots__ = ("logs", "send", "tag")

    def __init__(self, logs: Sequence[Any], tag: str | None) -> None:
        self.logs = tuple(logs)
        self.tag = tag
        self.send: Callable[[int, bytes], None] = lambda level, message: None


def format_of(logging: Logging, options: Options, http: bool) -> Format:
    """The format in force: ``log-format``, else what ``option httplog`` or ``tcplog`` stand for."""
    if logging.log_format is not None:
        return logging.log_format
    if options.httpslog and http:
        return known(HTTPS_LOG)
    if options.httplog is not None and http:
        return known(HTTP_CLF_LOG if options.httplog == "clf" else HTTP_LOG)
    if options.tcplog is not None or options.httplog is not None:
        return known(TCP_CLF_LOG if options.tcplog == "clf" else TCP_LOG)
    return known(DEFAULT_LOG)


def known(text: str) -> Format:
    made = read_format(text)
    assert isinstance(made, Format), made
    return made


def failed(txn: Txn) -> bool:
    """Whether the transaction counts as an error for ``dontlog-normal`` and ``log-separate-errors``."""
    response = txn.res
    return txn.termination[:1] != b"-" or (response is not None and response.status >= 500) or txn.retries > 0


def policy(outlet: Outlet, logging: Logging, options: Options, http: bool, env: CompileEnv) -> Policy | None:
    """What is called at the end of each transaction of a frontend; None when nobody listens."""
    if not outlet.logs:
        return None
    chosen = format_of(logging, options, http)
    write = compile_log_line(chosen, env)
    on_error = compile_log_line(logging.error_log_format, env) if logging.error_log_format else write
    separate, only_errors = bool(options.log_separate_errors), bool(options.dontlog_normal)

    def run(txn: Txn) -> int:
        level = INFO
        if separate or only_errors:
            bad = failed(txn)
            if only_errors and not bad:
                return CONTINUE
            level = ERR if separate and bad else INFO
        notes = peek(txn)
        if notes is not None and notes.log_level is not None:
            if notes.log_level < 0:
                return CONTINUE
            level = notes.log_level
        early = txn.backend is None and txn.termination[1:2] == b"R"
        outlet.send(level, (on_error if early else write)(txn))
        return CONTINUE

    return run
