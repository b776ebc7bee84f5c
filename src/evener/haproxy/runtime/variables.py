"""Commands about process variables."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.process_variables import read_order, shown
from evener.haproxy.runtime_api import INFO, Answer, Level, Session, Told, command
from evener.haproxy.scope import Failure
from evener.haproxy.variables import VariableError, check_name

_NO_NAME = "Missing process-wide variable identifier."


@command(
    "get var",
    "get var <name>",
    level=Level.OPERATOR,
    ok=("experimental-mode on;set var proc.x int(5);get var proc.x",),
    bad=("get var", "get var proc.none"),
)
def get_var(_session: Session, words: Sequence[str]) -> Answer:
    """retrieve contents of a process-wide variable"""
    if not words:
        return Told(_NO_NAME)
    found = shown(words[0]) if words[0].startswith("proc.") else None
    return Told("Variable not found.") if found is None else Told(found, INFO)


@command(
    "set var",
    "set var <name> {fmt <format>|expr <expr>}",
    level=Level.OPERATOR,
    mode="experimental",
    ok=("experimental-mode on;set var proc.x int(5)",),
    bad=("set var proc.x int(5)", "experimental-mode on;set var", "experimental-mode on;set var x int(1)"),
)
def set_var(session: Session, words: Sequence[str]) -> Answer:
    """set variable from an expression or a format"""
    if not words:
        return Told(_NO_NAME)
    name, *order = words
    try:
        check_name(name)
    except VariableError as error:
        return Told(str(error))
    if not name.startswith("proc."):
        return Told(f"'set var': cannot set variable '{name}', only scope 'proc' is permitted here.")
    if not order:
        return Told("Missing either 'expr', 'fmt' or expression.")
    sample = read_order(order, f"set-var({name})")
    if isinstance(sample, Failure):
        return Told(sample.message)
    if sample is not None:
        session.control.set_variable(name, sample)
    return None
