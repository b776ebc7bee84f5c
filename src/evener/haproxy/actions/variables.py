"""Actions on variables: set-var, set-var-fmt, unset-var."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import HTTP, TCP, Words, action, wrong
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.logformat import Format, compile_raw
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE
from evener.haproxy.variables import (
    VariableError,
    check_conditions,
    check_name,
    guard,
    in_transaction,
    limited,
    remover,
    setter,
)

Run = Callable[[Any], int]
_EXPECTS: Final = "Expects 'set-var(<var-name>)', 'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'"


def _name(words: Words) -> tuple[str, tuple[str, ...]]:
    """The variable in the action's parentheses, and the conditions after it."""
    if words.inside is None:
        if "(" in words.action:
            wrong(f"incomplete argument after action '{words.action}'. {_EXPECTS}")
        wrong(f"invalid or incomplete action '{words.action}'. {_EXPECTS}")
    name, *conditions = words.inside.split(",")
    try:
        check_conditions(conditions)
        check_name(name)
    except VariableError as error:
        wrong(str(error))
    return name, tuple(conditions)


def _read_expression(words: Words) -> Sequence[Any]:
    return (*_name(words), words.expression())


def _read_format(words: Words) -> Sequence[Any]:
    name, conditions = _name(words)
    fmt = words.read_format("") if words.rest_is_condition() else words.format("")
    return name, conditions, fmt


def _read_name(words: Words) -> Sequence[Any]:
    return (_name(words)[0],)


@action(
    "set-var",
    (*HTTP, *TCP),
    parser=_read_expression,
    parenthesised=True,
    signature="set-var(<var-name>[,<cond>...]) <expr>",
    ok=["set-var(txn.name) str(x),length", "set-var(sess.seen,ifnotexists) bool(true)"],
    bad=["set-var(name) path", "set-var(txn.x)", "set-var path"],
)
def set_var(name: str, conditions: tuple[str, ...], expr: Expr, *, env: CompileEnv) -> Run:
    """Store the result of an expression in a variable, of whatever type it is.

    Nothing is stored when the expression gives nothing, or a condition does not hold.
    """
    value, store, allowed = compile_expression(expr, env, Type.ANY), setter(name), guard(name, conditions)
    if allowed is None and in_transaction(name) and not limited():

        def run(txn: Any) -> int:
            sample = value(txn)
            if sample is not None:
                txn.vars[name] = sample
            return CONTINUE

        return run if env.fold is None else env.fold.store(run, name, value)

    def run_checked(txn: Any) -> int:
        sample = value(txn)
        if sample is not None and (allowed is None or allowed(txn, sample)):
            store(txn, sample)
        return CONTINUE

    return run_checked


@action(
    "set-var-fmt",
    (*HTTP, *TCP),
    parser=_read_format,
    parenthesised=True,
    signature="set-var-fmt(<var-name>[,<cond>...]) <fmt>",
    ok=["set-var-fmt(txn.from) %[src]:%[src_port]"],
    bad=["set-var-fmt(x) a", "set-var-fmt(txn.x) %[nope]"],
)
def set_var_fmt(name: str, conditions: tuple[str, ...], fmt: Format, *, env: CompileEnv) -> Run:
    """Store the text of a format in a variable."""
    write, store, allowed = compile_raw(fmt, env), setter(name), guard(name, conditions)

    def run(txn: Any) -> int:
        sample = Sample(Type.STR, write(txn))
        if allowed is None or allowed(txn, sample):
            store(txn, sample)
        return CONTINUE

    return run


@action(
    "unset-var",
    (*HTTP, *TCP),
    parser=_read_name,
    parenthesised=True,
    signature="unset-var(<var-name>)",
    ok=["unset-var(txn.name)"],
    bad=["unset-var(name)"],
)
def unset_var(name: str) -> Run:
    """Forget a variable."""
    forget = remover(name)

    def run(txn: Any) -> int:
        forget(txn)
        return CONTINUE

    return run
