"""Actions that change how a transaction is treated: captures, log level, timeouts, addresses, waiting."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import HTTP, ActionError, Ruleset, Words, action, wrong
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.notes import notes
from evener.haproxy.replies import awaited_body, error_answer
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, slots_of
from evener.haproxy.txn import CONTINUE, PENDING

Run = Callable[[Any], int]
_CONTENT: Final = ("tcp-request content", "tcp-response content")
LEVELS: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")

TIME: Final = re.compile(r"([0-9]+)(us|ms|s|m|h|d)?\Z")
_SIZE: Final = re.compile(r"([0-9]+)([kKmMgG]?)\Z")
_UNITS: Final = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, None: 1}


def milliseconds(text: str) -> int | None:
    """A time of the configuration in milliseconds (a part of one counts as one); None for anything else."""
    match = TIME.match(text)
    if match is None or len(match[1]) > 12:
        return None
    exact = int(match[1]) * _UNITS[match[2]]
    return int(exact) if exact == int(exact) else int(exact) + 1


def _bad_character(text: str, good: re.Pattern[str]) -> str:
    """The first character at which a number with a unit goes wrong."""
    digits = re.match(r"[0-9]*", text)
    return text[digits.end() : digits.end() + 1] if digits and not good.match(text) else ""


# -- captures -----------------------------------------------------------------------------------------


def _read_capture(words: Words) -> Sequence[Any]:
    tcp = not words.ruleset.http
    expr = words.expression()
    expects = "expects <expression> [ 'len' <length> | id <idx> ]"
    if words.take("len"):
        text = words.word(f"'{words.ruleset.name} capture' : length must be > 0" if tcp else expects)
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31):
            wrong(f"'{words.ruleset.name} capture' : length must be > 0" if tcp else "length must be > 0")
        return expr, int(text), -1
    if words.take("id") and not tcp:
        text = words.word(expects)
        if not (text.isascii() and text.isdigit()):
            wrong(f"cannot parse id '{text}'")
        return expr, 0, int(text)
    mandatory = f"'{words.ruleset.name} capture' : a positive 'len' argument is mandatory"
    raise ActionError(mandatory if tcp else expects)


@action(
    "capture",
    (*HTTP, "tcp-request content"),
    parser=_read_capture,
    signature="capture <sample> [ len <length> | id <id> ]",
    ok=["capture str(x) len 10", "capture src len 5 if TRUE"],
    bad=["capture src", "capture src len 0", "capture nope len 5"],
)
def capture(expr: Expr, length: int, slot: int, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Keep a sample for the log and for ``capture.req.hdr``: in a new slot cut to ``len``, or in slot ``id``.

    Slots are numbered in the order of the lines that declare them (see ``captures``).
    """
    value = compile_expression(expr, env, Type.STR)
    answers = ruleset.request is False or ruleset.name == "http-after-response"
    side = "response_captures" if answers else "request_captures"
    slots = env.response_slots if answers else env.request_slots
    if slot < 0:
        slot = slots.rules.get(id(expr), -1)
    if slot < 0:
        return lambda txn: CONTINUE

    def run(txn: Any) -> int:
        lengths = slots_of(txn)[answers]
        found = value(txn) if slot < len(lengths) else None  # the id of no slot: nothing is done
        if found is not None:
            kept = getattr(notes(txn), side)
            kept.extend([None] * (slot + 1 - len(kept)))
            kept[slot] = found[: lengths[slot]].partition(b"\0")[0]
        return CONTINUE

    return run


# -- log level, marks, timeouts -----------------------------------------------------------------------


def _read_level(words: Words) -> Sequence[Any]:
    expects = "expects exactly 1 argument (log level name or 'silent')"
    word = words.word(expects)
    if word not in (*LEVELS, "silent"):
        wrong(expects)
    return (word,)


@action(
    "set-log-level",
    (*HTTP, *_CONTENT),
    parser=_read_level,
    signature="set-log-level <level>",
    ok=["set-log-level silent", "set-log-level err if TRUE"],
    bad=["set-log-level", "set-log-level foo"],
)
def set_log_level(level: str) -> Run:
    """Log this transaction with that level, or with ``silent`` not at all; the last one wins."""
    number = -1 if level == "silent" else LEVELS.index(level)

    def run(txn: Any) -> int:
        notes(txn).log_level = number
        return CONTINUE

    return run


def _read_nice(words: Words) -> Sequence[Any]:
    word = words.word("expects exactly 1 argument (integer value)")
    number = re.match(r"-?[0-9]+", word)
    return (max(-1024, min(1024, int(number[0]))) if number else 0,)


@action(
    "set-nice",
    ("http-request", "http-response", *_CONTENT),
    parser=_read_nice,
    signature="set-nice <nice>",
    ok=["set-nice 10"],
    bad=["set-nice"],
)
def set_nice(nice: int) -> Run:
    """The priority of this transaction's processing: remembered, as all transactions here are equal."""

    def run(txn: Any) -> int:
        notes(txn).marks["nice"] = nice
        return CONTINUE

    return run


def _read_strict(words: Words) -> Sequence[Any]:
    word = words.word("expects exactly 1 arguments")
    if word not in ("on", "off"):
        wrong(f"Unexpected value '{word}'. Only 'on' and 'off' are supported")
    return (word == "on",)


@action(
    "strict-mode",
    HTTP,
    parser=_read_strict,
    signature="strict-mode { on | off }",
    ok=["strict-mode off"],
    bad=["strict-mode x"],
)
def strict_mode(on: bool) -> Run:
    """Whether a rewrite that does not fit is an error (500), which it is unless this says ``off``."""

    def run(txn: Any) -> int:
        notes(txn).strict = on
        return CONTINUE

    return run


# -- addresses ----------------------------------------------------------------------------------------


def _read_expression(words: Words) -> Sequence[Any]:
    return (words.expression(),)


_ADDRESS_SETS: Final = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "http-request",
)


def _address_setter(expr: Expr, env: CompileEnv, attribute: str, want: Type) -> Run:
    value = compile_expression(expr, env, want)

    def run(txn: Any) -> int:
        found = value(txn)
        if found is not None:
            setattr(txn, attribute, found)
        return CONTINUE

    return run


@action(
    "set-src",
    _ADDRESS_SETS,
    parser=_read_expression,
    signature="set-src <expr>",
    ok=["set-src src"],
    bad=["set-src nope"],
)
def set_src(expr: Expr, *, env: CompileEnv) -> Run:
    """Take the result of an expression for the client's address."""
    return _address_setter(expr, env, "src_ip", Type.ADDR)


@action(
    "set-src-port",
    _ADDRESS_SETS,
    parser=_read_expression,
    signature="set-src-port <expr>",
    ok=["set-src-port int(80)"],
    bad=["set-src-port nope"],
)
def set_src_port(expr: Expr, *, env: CompileEnv) -> Run:
    """Take the result of an expression for the client's port."""
    return _address_setter(expr, env, "src_port", Type.SINT)


@action(
    "set-dst",
    _ADDRESS_SETS,
    parser=_read_expression,
    signature="set-dst <expr>",
    ok=["set-dst dst"],
    bad=["set-dst nope"],
)
def set_dst(expr: Expr, *, env: CompileEnv) -> Run:
    """Take the result of an expression for the address the client connected to."""
    return _address_setter(expr, env, "dst_ip", Type.ADDR)


@action(
    "set-dst-port",
    _ADDRESS_SETS,
    parser=_read_expression,
    signature="set-dst-port <expr>",
    ok=["set-dst-port int(80)"],
    bad=["set-dst-port nope"],
)
def set_dst_port(expr: Expr, *, env: CompileEnv) -> Run:
    """Take the result of an expression for the port the client connected to."""
    return _address_setter(expr, env, "dst_port", Type.SINT)


# -- waiting ------------------------------------------------------------------------------------------


def _read_wait(words: Words) -> Sequence[Any]:
    if not words.take("time"):
        wrong("expects time <time> [ at-least <bytes> ]")
    text = words.word("missing argument for 'time'")
    delay = milliseconds(text)
    if delay is None:
        wrong(f"unexpected character '{_bad_character(text, TIME)}'")
    least = 0
    if words.take("at-least"):
        text = words.word("missing argument for 'at-least'")
        size = _SIZE.match(text)
        if size is None:
            wrong(f"unexpected character '{_bad_character(text, _SIZE)}'")
        least = int(size[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[size[2].lower()]
    words.take("use-large-buffer")
    return delay, least


@action(
    "wait-for-body",
    ("http-request", "http-response"),
    parser=_read_wait,
    signature="wait-for-body time <time> [ at-least <bytes> ]",
    ok=["wait-for-body time 1s", "wait-for-body time 1s at-least 1k if TRUE"],
    bad=["wait-for-body", "wait-for-body time x", "wait-for-body time 1s at-least x"],
)
def wait_for_body(time_: int, at_least: int, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Go on when the body is complete, or that much of it is here.

    When the time is over before, the answer is 408 to a slow client and 504 for a slow server.
    """
    if ruleset.request:
        return awaited_body(time_, at_least, error_answer(env, 408), b"cR")
    return awaited_body(time_, at_least, error_answer(env, 504), b"sH")


def _read_pause(words: Words) -> Sequence[Any]:
    text = words.peek()
    delay = milliseconds(text)
    if delay is not None:
        words.word("")
        return delay, None
    if not text or text[0].isdigit():
        wrong(f"unexpected character '{_bad_character(text, TIME)}' in rule 'pause'")
    return 0, words.expression()


@action(
    "pause",
    ("http-request", "http-response"),
    parser=_read_pause,
    signature="pause { <timeout> | <expr> }",
    ok=["pause 10ms", "pause int(5)"],
    bad=["pause", "pause 1x"],
)
def pause(delay: int, expr: Expr | None, *, env: CompileEnv) -> Run:
    """Do nothing for that time, then go on."""
    value = None if expr is None else compile_expression(expr, env, Type.SINT)

    def run(txn: Any) -> int:
        state = notes(txn)
        if state.paused:
            state.paused = False
            return CONTINUE
        wanted = delay if value is None else value(txn) or 0
        if wanted <= 0:
            return CONTINUE
        state.paused = True
        txn.wait(wanted)
        return PENDING

    return run
