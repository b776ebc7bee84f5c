"""Actions that change limits and order for one stream: timeouts, retries, priorities, marks of sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import ActionError, Words, action, wrong
from evener.haproxy.actions.settings import TIME, milliseconds
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.notes import notes
from evener.haproxy.priority import with_class, with_offset
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE

Run = Callable[[Any], int]
Value = Callable[[Any], int | None]

_CONTENT: Final = "tcp-request content"
_MARKED: Final = (
    "tcp-request connection", "tcp-request session", _CONTENT, "tcp-response content", "http-request",
    "http-response",
)  # fmt: skip
LONGEST: Final = (1 << 31) - 1
SO_MARK: Final = 36  #: Linux; the socket module of older Pythons has no name for it


def _value(amount: int | Expr, env: CompileEnv) -> Value:
    if isinstance(amount, int):
        return lambda txn: amount
    run: Value = compile_expression(amount, env, Type.SINT)
    return run


# -- timeouts ---------------------------------------------------------------------------------------

_BACK: Final = ("connect", "queue", "server", "tunnel")
_KINDS: Final = ("client", *_BACK, "tarpit")


def _read_timeout(words: Words) -> Sequence[Any]:
    expects = "expects exactly 2 arguments"
    kind = words.word(expects)
    if kind not in _KINDS:
        listed = "/".join(f"'{one}'" for one in ("client", "connect", "queue", "server", "tarpit", "tunnel"))
        wrong(f"'set-timeout' rule supports {listed} (got '{kind}')")
    if words.peek() == "":
        wrong(expects)
    if kind in _BACK and not words.scope.is_backend:
        wrong(f"'{words.scope.proxy}' has no backend capability")
    if kind == "client" and not words.scope.is_frontend:
        wrong(f"'{words.scope.proxy}' has no frontend capability")
    return kind, _time_or_expression(words, f"set-timeout {kind}")


def _time_or_expression(words: Words, rule: str) -> int | Expr:
    text = words.peek()
    if not text[:1].isdigit():
        if not text[:1].isalpha() or ("(" not in text and "." not in text and "," not in text):
            bad = TIME.match(text)
            if bad is None and len(text) == 1:
                wrong(f"unexpected character '{text[0]}' in rule '{rule}'")
        return words.expression()
    words.word("")
    amount = milliseconds(text)
    if amount is None and not text.rstrip("usmhd").isdigit():
        digits = len(text) - len(text.lstrip("0123456789"))
        wrong(f"unexpected character '{text[digits]}' in rule '{rule}'")
    if amount is None or amount > LONGEST:
        wrong(
            f"timer overflow in argument '{text}' to rule '{rule}' "
            "(maximum value is 2147483647 ms or ~24.8 days)"
        )
    if not amount:
        wrong(f"null value is not valid for a '{rule}' rule")
    return amount


@action(
    "set-timeout",
    ("http-request", "http-response"),
    parser=_read_timeout,
    signature="set-timeout { client | connect | queue | server | tarpit | tunnel } { <timeout> | <expr> }",
    ok=["set-timeout server 5s", "set-timeout tunnel int(3000)", "set-timeout tarpit 1s if TRUE"],
    bad=["set-timeout", "set-timeout foo 1s", "set-timeout server", "set-timeout server 0"],
)
def set_timeout(kind: str, amount: int | Expr, *, env: CompileEnv) -> Run:
    """Use another timeout for this stream; an expression gives milliseconds."""
    value = _value(amount, env)

    def tarpit(txn: Any) -> int:
        found = value(txn)
        if found is not None and 0 < found <= LONGEST:
            notes(txn).timeouts["tarpit"] = found
        return CONTINUE

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None and 0 < found <= LONGEST:
            txn.set_timeout(kind, found)
        return CONTINUE

    return tarpit if kind == "tarpit" else run


# -- retries ----------------------------------------------------------------------------------------


def _read_retries(words: Words) -> Sequence[Any]:
    expects = "an expression or an integer between 1 and 100"
    text = words.peek()
    if text == "":
        wrong(f"expects exactly 1 argument ({expects})")
    if not words.scope.is_backend:
        wrong("'set-retries' only available in backend or listen section")
    if not text.lstrip("+-").isdecimal() or not text.isascii():
        try:
            return (words.expression(),)
        except ActionError as error:
            told = error.failure.message.replace(f"'{words.action}'", f"'{text}'")
            raise ActionError(told, error.failure.code, error.failure.hint) from None
    words.word("")
    if len(text) > 4 or not 0 <= int(text) <= 100:
        wrong(f"expects {expects}")
    return (int(text),)


@action(
    "set-retries",
    ("http-request", _CONTENT),
    parser=_read_retries,
    signature="set-retries <int> | <expr>",
    ok=["set-retries 2", "set-retries int(3)"],
    bad=["set-retries", "set-retries 300", "set-retries nope"],
)
def set_retries(amount: int | Expr, *, env: CompileEnv) -> Run:
    """Try that often again to reach a server, 0 to 100 times; anything else changes nothing."""
    value = _value(amount, env)

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None and 0 <= found <= 100:
            txn.max_retries = found
        return CONTINUE

    return run


@action(
    "disable-l7-retry", ("http-request",), ok=["disable-l7-retry if TRUE"], bad=["disable-l7-retry if nope"]
)
def disable_l7_retry() -> Run:
    """Do not send this request again, whatever ``retry-on`` says; connections are still retried."""

    def run(txn: Any) -> int:
        txn.no_retry = True
        return CONTINUE

    return run


# -- queues -----------------------------------------------------------------------------------------


def _read_priority(words: Words) -> Sequence[Any]:
    if words.peek() == "":
        wrong("missing fetch method")
    return (words.expression(),)


@action(
    "set-priority-class",
    ("http-request", _CONTENT),
    parser=_read_priority,
    signature="set-priority-class <expr>",
    ok=["set-priority-class int(1)"],
    bad=["set-priority-class", "set-priority-class 5"],
)
def set_priority_class(expr: Expr, *, env: CompileEnv) -> Run:
    """Wait in queues with requests of that class: the lowest, from -2047 to 2047, goes first."""
    value = _value(expr, env)

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None:
            txn.priority = with_class(txn.priority, found)
        return CONTINUE

    return run


@action(
    "set-priority-offset",
    ("http-request", _CONTENT),
    parser=_read_priority,
    signature="set-priority-offset <expr>",
    ok=["set-priority-offset int(-100)"],
    bad=["set-priority-offset", "set-priority-offset 5"],
)
def set_priority_offset(expr: Expr, *, env: CompileEnv) -> Run:
    """Wait in queues as if arrived so many milliseconds later, or earlier when negative."""
    value = _value(expr, env)

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None:
            txn.priority = with_offset(txn.priority, found)
        return CONTINUE

    return run


# -- sockets ----------------------------------------------------------------------------------------


def _read_number(words: Words) -> Sequence[Any]:
    text = words.peek()
    if text == "":
        wrong("expects an argument")
    try:
        number = int(text, 0) if text.isascii() and "_" not in text else None
    except ValueError:
        number = None
    if number is None:
        return (words.expression(),)
    words.word("")
    return (number & 0xFFFFFFFF,)


def _mark(amount: int | Expr, env: CompileEnv, server: bool) -> Run:
    value = _value(amount, env)

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None:
            txn.set_option(server, socket.SOL_SOCKET, SO_MARK, _signed(found))
        return CONTINUE

    return run


def _tos(amount: int | Expr, env: CompileEnv, server: bool) -> Run:
    value = _value(amount, env)

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None:
            txn.set_option(server, socket.IPPROTO_IP, socket.IP_TOS, found & 0xFF)
            txn.set_option(server, socket.IPPROTO_IPV6, socket.IPV6_TCLASS, found & 0xFF)
        return CONTINUE

    return run


def _signed(number: int) -> int:
    """The same 32 bits as the signed number that a C int is."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


_DOCS: Final = {
    "mark": "Mark the packets sent to {}, for the kernel's routing and filters; needs CAP_NET_ADMIN.",
    "tos": "Set the type of service, or DSCP, of packets sent to {}.",
}


def _declare(name: str, kind: str, server: bool) -> None:
    """One of the six; the kernel may refuse what it sets, which changes nothing."""

    def set_option(amount: int | Expr, *, env: CompileEnv) -> Run:
        return (_mark if kind == "mark" else _tos)(amount, env, server)

    set_option.__doc__ = _DOCS[kind].format("the server" if server else "the client")
    action(
        name,
        ("http-request", _CONTENT) if server else _MARKED,
        parser=_read_number,
        signature=f"{name} <{kind}>",
        ok=[f"{name} 0x10", f"{name} int(5)"],
        bad=[name, f"{name} nope"],
    )(set_option)


for _kind in ("mark", "tos"):
    _declare(f"set-fc-{_kind}", _kind, server=False)
    _declare(f"set-{_kind}", _kind, server=False)
    _declare(f"set-bc-{_kind}", _kind, server=True)
