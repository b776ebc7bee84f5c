"""Fetches of what went wrong with a connection (manual, ``fc_err_str`` has the table)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.connection_errors import FAULTS, number_of
from evener.haproxy.notes import peek
from evener.haproxy.sample import Source, Type, fetch

Run = Callable[[Any], Any]
Number = Callable[[Any], "int | None"]
_CLIENT: Final = Source.CLIENT_ADDRESS
_SERVER: Final = Source.SERVER_ADDRESS


def _of_client(txn: Any) -> int:
    notes = peek(txn)
    if notes is not None and notes.refused:
        return notes.refused
    return number_of(txn.client_fault)


def _of_server(txn: Any) -> int | None:
    fault = txn.server_fault
    return None if fault is None else number_of(fault)


def _declare(prefix: str, whose: str, source: Source, find: Number) -> None:
    def number() -> Run:
        return find

    def name() -> Run:
        def run(txn: Any) -> bytes | None:
            found = FAULTS.get(find(txn) or 0)
            return None if found is None else found.name.encode()

        return run

    def sentence() -> Run:
        def run(txn: Any) -> bytes | None:
            found = find(txn)
            if not found:
                return None if found is None else b"Success"
            return FAULTS[found].sentence.encode()

        return run

    number.__doc__ = f"The number of the error of the {whose} connection, 0 for none."
    name.__doc__ = f"The name of the error of the {whose} connection; none where there is no error."
    sentence.__doc__ = f"A sentence about the error of the {whose} connection, ``Success`` for none."
    fetch(f"{prefix}_err", Type.SINT, source)(number)
    fetch(f"{prefix}_err_name", Type.STR, source)(name)
    fetch(f"{prefix}_err_str", Type.STR, source)(sentence)


_declare("fc", "client's", _CLIENT, _of_client)
_declare("bc", "server's", _SERVER, _of_server)
