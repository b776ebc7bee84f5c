"""Process variables outside of rules: ``set-var`` of the global section, and what the runtime API says.

An expression is evaluated once, without any traffic: only what needs none is accepted where it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evener.haproxy.cast import cast
from evener.haproxy.expression import Expr, read_expression_words, unavailable
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.logformat import Format, Item, compile_raw, read_format
from evener.haproxy.sample import Place, Sample, Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.global_values import SetVariable
from evener.haproxy.text_txn import TextRequest, TextTxn
from evener.haproxy.variables import PROCESS, set_process


def set_configured(global_: Global) -> None:
    """Carry out the ``set-var`` and ``set-var-fmt`` lines, in their order."""
    for line in sorted((*global_.set_var, *global_.set_var_fmt), key=_line):
        sample = _evaluate(line.expression) if line.expression is not None else _text(line.written)
        if sample is not None:
            set_process(line.name, sample)


def _line(variable: SetVariable) -> tuple[str, int]:
    span = variable.span
    return ("", 0) if span is None else (span.source.name, span.line)


def _evaluate(expr: Expr) -> Sample | None:
    sample: Sample | None = compile_expression(expr, CompileEnv(), Type.ANY)(_nothing())
    return sample


def _text(words: Sequence[str]) -> Sample | None:
    read = read_format(words[0]) if words else Failure("", "")
    return (
        None if isinstance(read, Failure) else Sample(Type.STR, compile_raw(read, CompileEnv())(_nothing()))
    )


def _nothing() -> Any:
    return TextTxn(TextRequest(b"", b"", []))


def read_order(words: Sequence[str], action: str) -> Sample | Failure | None:
    """The value that ``set var`` of the runtime API is to store: words after the variable's name."""
    if words[:1] == ["fmt"] and len(words) > 1:
        read = read_format(words[1])
        missing = None if isinstance(read, Failure) else _missing(read)
        if isinstance(read, Failure) or missing is not None:
            return read if isinstance(read, Failure) else Failure("unavailable", str(missing))
        return Sample(Type.STR, compile_raw(read, CompileEnv())(_nothing()))
    given = list(words[1:] if words[:1] == ["expr"] and len(words) > 1 else words)
    found = read_expression_words(given, 0)
    if isinstance(found, Failure):
        return found
    what = unavailable(found[0], Place.CLI.bit)
    if what is not None:
        told = f"fetch method '{action}' extracts information from '{what}', none of which is available here"
        return Failure("unavailable", told)
    return _evaluate(found[0])


def _missing(read: Format) -> str | None:
    for item in read.items:
        if isinstance(item, Item) and item.expr is not None:
            what = unavailable(item.expr, Place.CLI.bit)
            if what is not None:
                return (
                    f"sample fetch <{item.expr.fetch.name}> may not be reliably used here because it needs "
                    f"'{what}' which is not available here"
                )
    return None


def shown(name: str) -> str | None:
    """``<name>: type=<type> value=<value>``; None when there is no such variable."""
    sample = PROCESS.get(name)
    if sample is None:
        return None
    convert = cast(sample.type, Type.STR)
    text = b"" if convert is None or sample.type is Type.BIN else convert(sample.value) or b""
    if sample.type is Type.BOOL:
        text = b"%d" % sample.value
    return f"{name}: type={sample.type.value} value=<{text.decode('utf-8', 'surrogateescape')}>"
