"""Checks whose words depend on the moment: log formats and variables inside ``http-check`` and ``tcp-check``.

The expressions are those of the rules; what they are evaluated on is a transaction of text that lasts
one check, with the backend, the server, the ``check.*`` variables and, once there is one, the response.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from evener.haproxy.checks.answer import Answer
from evener.haproxy.checks.steps import Act, Number, Scene, Value, value_of
from evener.haproxy.checks.words import CheckSyntax
from evener.haproxy.expression import read_expression, read_expression_words, unavailable
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.logformat import compile_raw, read_format
from evener.haproxy.sample import Place, Sample, Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.text_txn import Named, TextRequest, TextResponse, TextTxn
from evener.haproxy.variables import VariableError, check_conditions, check_name, guard, remover, setter

_ACT: Final = re.compile(r"(set-var|set-var-fmt|unset-var)(?:\((.*)\))?\Z", re.DOTALL)

_CODE: Final = re.compile(rb"[0-9]{0,9}")


def stage(scene: Scene) -> TextTxn:
    """What one check is evaluated on."""
    txn = TextTxn(TextRequest(b"GET", b"/", []))
    plan = scene.plan
    backend = plan.backend if plan is not None else None
    txn.backend = Named(
        scene.backend.encode("utf-8", "surrogateescape"), backend, backend.row if backend else 0
    )
    txn.server = Named(scene.server.encode("utf-8", "surrogateescape"), plan, plan.row if plan else 0)
    return txn


def show_answer(txn: Any, answer: Answer) -> None:
    """Make the response visible to ``res.*``."""
    txn.res = TextResponse(
        answer.status, answer.reason.encode("utf-8", "surrogateescape"), list(answer.headers)
    )
    txn.response_body = answer.body


def compile_format(text: str, env: CompileEnv | None) -> Value:
    """A log format as a value; a plain text stays one. Raises CheckSyntax."""
    if "%" not in text:
        return text.encode("utf-8", "surrogateescape")
    found = read_format(text)
    if isinstance(found, Failure):
        raise CheckSyntax(f"'{text}' invalid log-format string ({found.message}).")
    if env is None:
        return lambda scene: b""
    write = compile_raw(found, env)
    return lambda scene: write(scene.txn)


def compile_number(text: str, what: str, env: CompileEnv | None) -> Number:
    """An expression that gives a number. Raises CheckSyntax."""
    found = read_expression(text)
    problem = found.message if isinstance(found, Failure) else unavailable(found, Place.BE_CHECK.bit)
    if isinstance(found, Failure) or problem:
        raise CheckSyntax(f"error detected while parsing {what} expression : {problem}")
    value = compile_expression(found, env or CompileEnv(), Type.SINT) if env is not None else None

    def run(scene: Scene) -> int | None:
        got = value(scene.txn) if value is not None else None
        return got if isinstance(got, int) else None

    return run


def compile_code(text: str, env: CompileEnv | None) -> Number:
    """``status-code <expr>``: the number that the text of it begins with, 0 without one."""
    found = read_expression(text)
    problem = found.message if isinstance(found, Failure) else unavailable(found, Place.BE_CHECK.bit)
    if isinstance(found, Failure) or problem:
        raise CheckSyntax(f"error detected while parsing status-code expression : {problem}")
    value = compile_expression(found, env or CompileEnv(), Type.STR) if env is not None else None

    def run(scene: Scene) -> int | None:
        got = value(scene.txn) if value is not None else None
        match = _CODE.match(got) if isinstance(got, bytes) else None
        return int(match[0] or 0) if match is not None else None

    return run


def is_act(step: str) -> bool:
    return _ACT.match(step) is not None


def compile_act(rule: Sequence[str], env: CompileEnv | None) -> Act:
    """``set-var(check.x[,cond]) <expr>``, ``set-var-fmt(check.x[,cond]) <fmt>``, ``unset-var(check.x)``."""
    match = _ACT.match(rule[0])
    assert match is not None
    kind, (name, *conditions) = match[1], (match[2] or "").split(",")
    try:
        check_name(name)
        check_conditions(conditions)
    except VariableError as error:
        raise CheckSyntax(f"'{kind}' : {error}") from None
    if kind == "unset-var":
        forget = remover(name)
        return Act(lambda scene: forget(scene.txn))
    sample = (_formatted if kind == "set-var-fmt" else _evaluated)(rule, env)
    store, allowed = setter(name), guard(name, conditions)

    def run(scene: Scene) -> None:
        found = sample(scene)
        if found is not None and (allowed is None or allowed(scene.txn, found)):
            store(scene.txn, found)

    return Act(run)


def _formatted(rule: Sequence[str], env: CompileEnv | None) -> Any:
    if len(rule) < 2:
        raise CheckSyntax(f"'{rule[0]}' : missing format")
    made = compile_format(rule[1], env)
    return lambda scene: Sample(Type.STR, value_of(made, scene))


def _evaluated(rule: Sequence[str], env: CompileEnv | None) -> Any:
    found = read_expression_words(rule, 1)
    if isinstance(found, Failure):
        raise CheckSyntax(f"'{rule[0]}' : {found.message}")
    problem = unavailable(found[0], Place.BE_CHECK.bit)
    if problem:
        raise CheckSyntax(f"'{rule[0]}' : {problem}")
    if env is None:
        return lambda scene: None
    value = compile_expression(found[0], env, Type.ANY)
    return lambda scene: value(scene.txn)
