"""What converters give, compared with what HAProxy 3.5 gave to the same expressions.

The fixture has three columns: variables set before (``set-var(name) expression``, more than one separated
by ``;;``), the expression, and its text; no sample and an empty text look the same there. The original's
manual wins where its program differs from it, so such cases are not in the fixture.
"""

import re
from pathlib import Path

import pytest

from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.variables import setter
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()
FIXTURES = Path(__file__).parents[3] / "fixtures" / "haproxy"
SET_VAR = re.compile(r"set-var\(([^)]*)\) (.*)")


def rows(name: str) -> list[list[str]]:
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def families() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for line in (FIXTURES / "converter_values.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            family = found.setdefault(line[2:], [])
        elif line:
            family.append(line.split("\t"))
    return found


def evaluate(text: str, want: Type, txn: TextTxn) -> object:
    read = read_expression(text)
    assert isinstance(read, Expr), (text, read)
    return compile_expression(read, CompileEnv(), want)(txn)


@pytest.mark.parametrize("family", families())
def test_values(family: str) -> None:
    cases = families()[family]
    assert len(cases) > 10
    for before, expression, expected in cases:
        txn = TextTxn.from_text("GET / HTTP/1.1\n\n")
        for rule in filter(None, before.split(";;")):
            name, value = SET_VAR.findall(rule.strip())[0]
            sample = evaluate(value, Type.ANY, txn)
            if sample is not None:
                setter(name)(txn, sample)
        wanted = expected.encode("latin-1").decode("unicode_escape").encode("latin-1")
        assert (evaluate(expression, Type.STR, txn) or b"") == wanted, expression


def test_refusals() -> None:
    cases = rows("converter_refusals.txt")
    assert len(cases) > 50
    for expression, message in cases:
        read = read_expression(expression)
        assert isinstance(read, Failure), expression
        assert read.message.rstrip(".") == message.rstrip("."), expression
