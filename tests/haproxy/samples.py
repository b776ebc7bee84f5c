"""Short ways to read and run expressions, conditions, formats and rules in tests."""

import shlex
from typing import Any

from evener.haproxy.condition import compile_condition, parse_condition
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.line import Line
from evener.haproxy.logformat import Format, compile_log_line, compile_logformat, compile_raw, read_format
from evener.haproxy.rule import Rule, compile_rule, parse_rule
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, Failure, Scope
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.vocabulary import load_vocabulary
from evener.text.diagnostic import Diagnostics
from evener.text.span import Source

load_vocabulary()

REQUEST = """GET /a/b?x=1&y=2 HTTP/1.1
Host: Example.com:8080
X: a,b, c
X: d
Cookie: k=v; j=w
Content-Length: 5

hello"""
RESPONSE = """HTTP/1.1 200 OK
Server: s
Set-Cookie: id=7; path=/

body"""


def line(text: str) -> Line:
    words = shlex.split(text)
    return Line(Source("t.cfg", (text,)), 1, words)


def scope(section: str = "frontend") -> Scope:
    return Scope(Diagnostics(), section, "f")


def messages(of: Scope) -> list[str]:
    return [diagnostic.message for diagnostic in of.diagnostics]


def txn(request: str = REQUEST, response: str | None = None) -> TextTxn:
    return TextTxn.from_text(request, response)


def expr(text: str) -> Expr:
    result = read_expression(text)
    assert isinstance(result, Expr), result
    return result


def failure(text: str) -> str:
    result = read_expression(text)
    assert isinstance(result, Failure), result
    return result.message


def value(text: str, on: Any = None, env: CompileEnv | None = None, want: Type | None = None) -> Any:
    return compile_expression(expr(text), env or CompileEnv(), want)(on or txn())


def text(
    text_: str, on: Any = None, *, log: bool = False, raw: bool = False, env: CompileEnv | None = None
) -> bytes:
    fmt = read_format(text_)
    assert isinstance(fmt, Format), fmt
    compile_ = compile_log_line if log else compile_raw if raw else compile_logformat
    return compile_(fmt, env or CompileEnv())(on or txn())


def holds(condition: str, on: Any = None, acls: Scope | None = None, env: CompileEnv | None = None) -> Any:
    where = acls or scope()
    parsed = parse_condition(line(f"if {condition}"), 0, where)
    assert parsed is not None, messages(where)
    return compile_condition(parsed, env or CompileEnv(acls=where.acls))(on or txn())


def read_rule(ruleset: str, text_: str, where: Scope) -> Rule | None:
    return parse_rule(ruleset, line(f"{ruleset} {text_}"), len(ruleset.split()), where)


def rule(ruleset: str, text_: str, where: Scope | None = None) -> Rule:
    where = where or scope()
    parsed = read_rule(ruleset, text_, where)
    assert parsed is not None, messages(where)
    return parsed


def run(ruleset: str, text_: str, on: Any, env: CompileEnv | None = None) -> int:
    return compile_rule(rule(ruleset, text_), env or CompileEnv(proxy="f"))(on)
