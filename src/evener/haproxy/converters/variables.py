"""Converters that store what passes through them: set-var, unset-var, capture-req, capture-res, debug.

What comes in goes out again, of whatever type it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import cast
from evener.haproxy.notes import notes
from evener.haproxy.sample import Sample, Type, converter
from evener.haproxy.scope import slots_of
from evener.haproxy.variables import VariableError, check_conditions, check_name, guard, remover, setter

Run = Callable[..., Any]
ANY: Final = Type.ANY
STR: Final = Type.STR


def _check_set(var: str, *conditions: str | None) -> None:
    try:
        check_name(var)
        check_conditions(condition for condition in conditions if condition)
    except VariableError as error:
        raise ArgumentError(str(error)) from error


@converter("set-var", ANY, ANY, check=_check_set, ok=["set-var(txn.a)", "set-var(sess.a,ifnotexists)"],
           bad=["set-var(a)", "set-var", "set-var(txn.a,ifnope)"])  # fmt: skip
def set_var(var: str, cond: str = "", cond2: str = "", cond3: str = "", cond4: str = "", *, txn: None) -> Run:
    """Store the input in a variable, with its type, and pass it on.

    When a condition does not hold nothing is stored and nothing passed on.
    """
    store, allowed = setter(var), guard(var, (cond, cond2, cond3, cond4))
    if allowed is None:

        def run(sample: Sample, txn: Any) -> Sample:
            store(txn, sample)
            return sample

        return run

    def run_guarded(sample: Sample, txn: Any) -> Sample | None:
        if not allowed(txn, sample):
            return None
        store(txn, sample)
        return sample

    return run_guarded


def _check_unset(var: str) -> None:
    _check_set(var)


@converter(
    "unset-var", ANY, ANY, check=_check_unset, ok=["unset-var(txn.a)"], bad=["unset-var(a)", "unset-var"]
)
def unset_var(var: str, *, txn: None) -> Run:
    """Forget a variable and pass the input on."""
    forget = remover(var)

    def run(sample: Sample, txn: Any) -> Sample:
        forget(txn)
        return sample

    return run


def _capture(index: int, response: bool) -> Run:
    side = "response_captures" if response else "request_captures"

    def run(value: bytes, txn: Any) -> bytes | None:
        lengths = slots_of(txn)[response]
        if not 0 <= index < len(lengths):
            return None
        slots: list[bytes | None] = getattr(notes(txn), side)
        slots.extend([None] * (index + 1 - len(slots)))
        slots[index] = value[: lengths[index]].partition(b"\0")[0]
        return value

    return run


@converter("capture-req", STR, STR, ok=["capture-req(0)"], bad=["capture-req", "capture-req(x)"])
def capture_req(id: int, *, txn: None) -> Run:
    """Put the text in a request capture slot and pass it on; nothing when there is no such slot."""
    return _capture(id, False)


@converter("capture-res", STR, STR, ok=["capture-res(0)"], bad=["capture-res", "capture-res(x)"])
def capture_res(id: int, *, txn: None) -> Run:
    """Put the text in a response capture slot and pass it on; nothing when there is no such slot."""
    return _capture(id, True)


def _printable(sample: Sample) -> str:
    """The value as text; binary, and what has no text, as hexadecimal digits."""
    if sample.type is Type.BIN:
        return sample.value.hex() if isinstance(sample.value, bytes) else str(sample.value)
    as_text = cast(sample.type, STR)
    text = as_text(sample.value) if as_text is not None else None
    return "" if text is None else text.decode("utf-8", "backslashreplace")


@converter("debug", ANY, Type.SAME, ok=["debug", "debug(here,stderr)"], bad=["debug(a,b,c)"])
def debug(prefix: str = "", destination: str = "") -> Run:
    """Write the input to standard output or error, and pass it on.

    Other destinations are rings, which nothing reads yet: what is sent there is not kept.
    """
    if destination not in ("stdout", "stderr"):
        return lambda sample: sample
    name = prefix or "debug"

    def run(sample: Sample) -> Sample:
        stream = sys.stdout if destination == "stdout" else sys.stderr
        try:
            print(f"[debug] {name}: type={sample.type.value} <{_printable(sample)}>", file=stream, flush=True)
        except (OSError, ValueError):  # closed: debugging must not end a request
            pass
        return sample

    return run
