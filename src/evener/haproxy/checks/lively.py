"""Checks whose words depend on the moment: log formats and variables inside ``http-check`` and ``tcp-check``.

The expressions are those of the rules; what they are evaluated on is a transaction of text that lasts
one check, with the backend, the server, the ``check.*`` variables and, once there is one, the response.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from evener.haproxy.checks.answer import Answer
from evener.haproxy.checks.steps import Act, Scene, Value, value_of
from evener.haproxy.checks.words import CheckSyntax
from evener.haproxy.expression import compile_expression, read_expression_words
from evener.haproxy.logformat import compile_raw, read_format
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.text_txn import Named, TextRequest, TextResponse, TextTxn
from evener.haproxy.variables import VariableError, check_conditions, check_name, guard, remover, setter

_ACT: Final = re.compile(r"(set-var|set-var-fmt|unset-var)(?:\((.*)\))?\Z", re.DOTALL)
_ENV: Final = CompileEnv(response=True)


def stage(backend: str, server: str) -> TextTxn:
    """What one check is evaluated on."""
    txn = TextTxn(TextRequest(b"GET", b"/", []))
    txn.backend = Named(backend.encode("utf-8", "surrogateescape"))
    txn.server = Named(server.encode("utf-8", "surrogateescape"))
    return txn


def show_answer(txn: Any, answer: Answer) -> None:
    """Make the response visible to ``res.*``."""
    txn.res = TextResponse(answer.status, answer.reason.encode("latin-1"), list(answer.headers))
    txn.response_body = answer.body


def compile_format(text: str) -> Value:
    """A log format as a value; a plain text stays one. Raises CheckSyntax."""
    if "%" not in text:
        return text.encode("utf-8", "surrogateescape")
    found = read_format(text)
    if isinstance(found, Failure):
        raise CheckSyntax(found.message)
    write = compile_raw(found, _ENV)
    return lambda scene: write(scene.txn)


def is_act(step: str) -> bool:
    return _ACT.match(step) is not None


def compile_act(rule: Sequence[str]) -> Act:
    """``set-var(check.x[,cond]) <expr>``, ``set-var-fmt(check.x[,cond]) <fmt>``, ``unset-var(check.x)``."""
    match = _ACT.match(rule[0])
    assert match is not None
    kind, (name, *conditions) = match[1], (match[2] or "").split(",")
    try:
        check_name(name)
        check_conditions(conditions)
    except VariableError as error:
        raise CheckSyntax(f"'{kind}': {error}") from None
    if kind == "unset-var":
        forget = remover(name)
        return Act(lambda scene: forget(scene.txn))
    sample = _formatted(rule) if kind == "set-var-fmt" else _evaluated(rule)
    store, allowed = setter(name), guard(name, conditions)

    def run(scene: Scene) -> None:
        found = sample(scene)
        if found is not None and (allowed is None or allowed(scene.txn, found)):
            store(scene.txn, found)

    return Act(run)


def _formatted(rule: Sequence[str]) -> Any:
    if len(rule) < 2:
        raise CheckSyntax(f"'{rule[0]}' expects a format as argument.")
    made = compile_format(rule[1])
    return lambda scene: Sample(Type.STR, value_of(made, scene))


def _evaluated(rule: Sequence[str]) -> Any:
    found = read_expression_words(rule, 1)
    if isinstance(found, Failure):
        raise CheckSyntax(found.message)
    value = compile_expression(found[0], _ENV, Type.ANY)
    return lambda scene: value(scene.txn)
