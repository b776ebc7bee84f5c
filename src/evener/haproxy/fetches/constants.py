"""Fetches of constants, variables, dates and the process itself (manual section 7.3.2)."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError, IPv4, IPv6
from evener.haproxy.cast import address_to_text, int_to_text, to_bytes
from evener.haproxy.condition import compile_acl
from evener.haproxy.identity import IDENTITY
from evener.haproxy.notes import peek
from evener.haproxy.pattern import PatternError, read_hex
from evener.haproxy.sample import Incomplete, Sample, Source, Type, fetch
from evener.haproxy.scope import CompileEnv
from evener.haproxy.variables import PROCESS, VariableError, check_name, getter

Run = Callable[[Any], Any]
_ALL: Final = Source.CONSTANT
_INTERNAL: Final = Source.INTERNAL
_STARTED: Final = time.time()


def constantly(value: Any) -> Run:
    return lambda txn: value


@fetch("always_true", Type.BOOL, _ALL, constant=True)
def always_true() -> Run:
    """True."""
    return constantly(True)


@fetch("always_false", Type.BOOL, _ALL, constant=True)
def always_false() -> Run:
    """False."""
    return constantly(False)


@fetch("str", Type.STR, _ALL, ok=["str(a)", "str"], constant=True)
def str_(string: str) -> Run:
    """The text itself."""
    return constantly(to_bytes(string))


@fetch("int", Type.SINT, _ALL, ok=["int(5)"], bad=["int(x)", "int"], constant=True)
def int_(integer: int) -> Run:
    """The integer itself."""
    return constantly(integer)


def _check_bool(bool_: str) -> None:
    if bool_ not in ("true", "false", "0", "1"):
        raise ArgumentError("Expects 'true', 'false', '0' or '1'")


@fetch("bool", Type.BOOL, _ALL, ok=["bool(true)"], bad=["bool(x)", "bool"], check=_check_bool, constant=True)
def bool_(bool_: str) -> Run:
    """``true`` or ``1``, ``false`` or ``0``."""
    return constantly(bool_ in ("true", "1"))


@fetch("ipv4", Type.IPV4, _ALL, ok=["ipv4(192.0.2.1)"], bad=["ipv4(x)", "ipv4"], constant=True)
def ipv4(ipv4: IPv4) -> Run:
    """The IPv4 address itself."""
    return constantly(ipv4)


@fetch("ipv6", Type.IPV6, _ALL, ok=["ipv6(2001:db8::1)"], bad=["ipv6(x)", "ipv6"], constant=True)
def ipv6(ipv6: IPv6) -> Run:
    """The IPv6 address itself."""
    return constantly(ipv6)


def _check_hex(hex_: str) -> None:
    try:
        read_hex(hex_)
    except PatternError as error:
        raise ArgumentError(str(error)) from error


@fetch("bin", Type.BIN, _ALL, ok=["bin(4142)"], bad=["bin(4)", "bin(zz)"], check=_check_hex, constant=True)
def bin_(hex_: str) -> Run:
    """The bytes given as hexadecimal digits."""
    return constantly(read_hex(hex_))


@fetch("meth", Type.METH, _ALL, ok=["meth(GET)"], bad=["meth(a,b)"], constant=True)
def meth(method: str) -> Run:
    """The method itself."""
    return constantly(to_bytes(method))


@fetch("env", Type.STR, _ALL, ok=["env(HOME)"], bad=["env(a,b)"])
def env_(name: str) -> Run:
    """The value of an environment variable as it was when the process started."""
    value = os.environ.get(name)
    return constantly(None if value is None else to_bytes(value))


@fetch("hostname", Type.STR, _ALL, constant=True)
def hostname() -> Run:
    """The name of this host."""
    return constantly(to_bytes(socket.gethostname()))


def _check_variable(name: str, default: str | None = None) -> None:
    try:
        check_name(name)
    except VariableError as error:
        raise ArgumentError(str(error)) from error


@fetch(
    "var",
    Type.ANY,
    _ALL,
    ok=["var(txn.a)", "var(sess.b,none)"],
    bad=["var(x)", "var(foo.x)", "var"],
    check=_check_variable,
)
def var(var_name: str, default: str | None = None, *, env: CompileEnv) -> Run:
    """What a variable holds, of whatever type; without one nothing, or the default as text."""
    read = getter(var_name)
    if var_name.startswith("req.") and (env.log_after or env.response):
        read = until_response(read)
    if default is None:
        return read
    otherwise = Sample(Type.STR, to_bytes(default))
    return lambda txn: read(txn) or otherwise


def until_response(read: Run) -> Run:
    """Variables of a request end where its response begins."""
    return lambda txn: read(txn) if txn.res is None else None


_DUMPED: Final = ("sess", "txn", "req", "res", "proc")
_ESCAPES: Final = {0x22: b'\\"', 0x5C: b"\\\\", 0x0D: b"\\r", 0x0A: b"\\n", 0x08: b"\\b", 0: b"\\0"}


def _check_dump(scope: str = "", prefix: str = "", delimiter: str = "") -> None:
    if scope and scope not in _DUMPED:
        raise ArgumentError(f"invalid scope '{scope}', must be one of: sess, txn, req, res, proc")


def _dumped(sample: Sample) -> bytes:
    kind: Type = sample.type
    value: Any = sample.value
    if kind in (Type.STR, Type.METH):
        return b'"' + b"".join(_ESCAPES.get(byte) or bytes((byte,)) for byte in value) + b'"'
    if kind is Type.BIN:
        return b"x%b" % value.hex().encode()
    if kind is Type.BOOL:
        return b"true" if value else b"false"
    if kind is Type.SINT:
        return int_to_text(value)
    return address_to_text(value) or b""


@fetch(
    "dump_all_vars",
    Type.STR,
    _ALL,
    ok=["dump_all_vars(txn)", "dump_all_vars(txn,a)"],
    bad=["dump_all_vars(foo)"],
    check=_check_dump,
)
def dump_all_vars(scope: str = "", prefix: str = "", delimiter: str = ", ") -> Run:
    """All variables of a scope (of all scopes) whose names begin like that, as ``name=value``."""
    between, scopes = to_bytes(delimiter or ", "), (scope,) if scope else _DUMPED

    def run(txn: Any) -> bytes:
        parts: list[bytes] = []
        for one in scopes:
            held = PROCESS if one == "proc" else txn.session.vars if one == "sess" else txn.vars
            start = f"{one}.{prefix}"
            parts += [
                to_bytes(name) + b"=" + _dumped(s) for name, s in held.items() if name.startswith(start)
            ]
        return between.join(parts)

    return run


_SCALES: Final = {"s": 1, "ms": 1000, "us": 1_000_000}


def check_unit(unit: str) -> None:
    if unit and unit not in _SCALES:
        raise ArgumentError(f"expects 's', 'ms' or 'us', got '{unit}'")


def _check_date(offset: int = 0, unit: str = "s") -> None:
    check_unit(unit)


@fetch(
    "date",
    Type.SINT,
    _ALL,
    ok=["date", "date(-10)", "date(0,ms)"],
    bad=["date(x)", "date(0,x)"],
    check=_check_date,
)
def date(offset: int = 0, unit: str = "s") -> Run:
    """Now, since the epoch in seconds (or the unit given), plus an offset."""
    scale, now = _SCALES[unit or "s"], time.time
    return lambda txn: int(now() * scale) + offset


@fetch("date_us", Type.SINT, _ALL)
def date_us() -> Run:
    """The microseconds of the current second."""
    return lambda txn: int(time.time() * 1_000_000) % 1_000_000


def _moment(unit: str, read: Callable[[Any], float]) -> Run:
    scale = _SCALES[unit or "s"]
    return lambda txn: int(read(txn) * scale)


def _check_unit(unit: str = "s") -> None:
    check_unit(unit)


@fetch(
    "accept_date",
    Type.SINT,
    Source.CLIENT_ADDRESS,
    ok=["accept_date(ms)"],
    bad=["accept_date(x)"],
    check=_check_unit,
)
def accept_date(unit: str = "s") -> Run:
    """When the connection was accepted."""
    return _moment(unit, lambda txn: txn.session.accepted)


@fetch(
    "request_date",
    Type.SINT,
    Source.REQUEST,
    ok=["request_date(ms)"],
    bad=["request_date(x)"],
    check=_check_unit,
)
def request_date(unit: str = "s") -> Run:
    """When the first byte of the request arrived."""
    return _moment(unit, lambda txn: txn.started)


@fetch("rand", Type.SINT, _ALL, ok=["rand", "rand(100)"], bad=["rand(x)"])
def rand(range_: int = 1 << 32) -> Run:
    """A random integer from 0 up to, without, the range (2^32); not for secrets."""
    draw, limit = random.random, range_ if range_ > 0 else 1
    return lambda txn: int(draw() * limit)


def _check_uuid(version: int = 4) -> None:
    if version not in (4, 7):
        raise ArgumentError(f"Unsupported UUID version: '{version}'")


@fetch("uuid", Type.STR, _ALL, ok=["uuid", "uuid(7)"], bad=["uuid(5)"], check=_check_uuid)
def uuid(version: int = 4) -> Run:
    """A random identifier by RFC 9562, of version 4, or of version 7 which begins with the time."""

    def run(txn: Any) -> bytes:
        number = int.from_bytes(os.urandom(16), "big")
        if version == 7:
            number = (number & ((1 << 80) - 1)) | (int(time.time() * 1000) & ((1 << 48) - 1)) << 80
        number = number & ~(0xF << 76) | version << 76
        number = number & ~(0x3 << 62) | 0x2 << 62
        digits = f"{number:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])).encode()

    return run


@fetch("pid", Type.SINT, _ALL)
def pid() -> Run:
    """The number of the process that was started, which its workers serve for."""
    return lambda txn: IDENTITY.pid


@fetch("proc", Type.SINT, _ALL, constant=True)
def proc() -> Run:
    """Always 1."""
    return constantly(1)


@fetch("nbproc", Type.SINT, _ALL, constant=True)
def nbproc() -> Run:
    """Always 1."""
    return constantly(1)


@fetch("thread", Type.SINT, _ALL)
def thread() -> Run:
    """The number of the worker, from 0."""
    return lambda txn: IDENTITY.worker


@fetch("tgroup", Type.SINT, _ALL, constant=True)
def tgroup() -> Run:
    """The number of the group of workers: there is one, 0."""
    return constantly(0)


@fetch("uptime", Type.SINT, _ALL)
def uptime() -> Run:
    """Seconds since this process started."""
    return lambda txn: int(time.time() - _STARTED)


@fetch("quic_enabled", Type.BOOL, _ALL, constant=True)
def quic_enabled() -> Run:
    """Whether QUIC is served: it is not."""
    return constantly(False)


@fetch("stopping", Type.BOOL, _INTERNAL)
def stopping(*, env: CompileEnv) -> Run:
    """Whether the process is about to stop."""
    ask = env.stopping
    return lambda txn: ask()


@fetch("acl", Type.BOOL, _ALL, ok=["acl(TRUE)", "acl(!FALSE,TRUE)"], bad=["acl(a,b,c,d,e,f,g,h,i,j,k,l,m)"])
def acl(*names: str, env: CompileEnv) -> Run:
    """Whether all the named ACLs match (with a leading ``!``, do not)."""
    checks = [(name.startswith("!"), compile_acl(name.lstrip("!"), env)) for name in names if name]

    def run(txn: Any) -> bool:
        return all(bool(check(txn)) is not negated for negated, check in checks)

    return run


@fetch("wait_end", Type.BOOL, _INTERNAL, partial=True)
def wait_end(*, env: CompileEnv) -> Run:
    """True once the inspection period of content rules is over; until then the rules wait."""
    if not env.waits:
        return constantly(True)

    def run(txn: Any) -> bool:
        notes = peek(txn)
        if notes is None or not notes.final:
            raise Incomplete
        return True

    return run


@fetch("last_rule_file", Type.STR, _INTERNAL)
def last_rule_file() -> Run:
    """The file of the rule that last ended a ruleset."""

    def run(txn: Any) -> bytes | None:
        notes = peek(txn)
        return None if notes is None or notes.last_rule is None else to_bytes(notes.last_rule[0])

    return run


@fetch("last_rule_line", Type.SINT, _INTERNAL)
def last_rule_line() -> Run:
    """The line of the rule that last ended a ruleset."""

    def run(txn: Any) -> int | None:
        notes = peek(txn)
        return None if notes is None or notes.last_rule is None else notes.last_rule[1]

    return run


@fetch("last_entity", Type.STR, _INTERNAL)
def last_entity() -> Run:
    """The rule that last ended a ruleset, as ``file:line``."""

    def run(txn: Any) -> bytes | None:
        notes = peek(txn)
        return (
            None
            if notes is None or notes.last_rule is None
            else to_bytes(":".join(map(str, notes.last_rule)))
        )

    return run


@fetch("waiting_entity", Type.STR, _INTERNAL)
def waiting_entity() -> Run:
    """What was waited for when an error or a timeout ended the stream: ``file:line`` of a rule, or
    ``http-buffer-request``."""

    def run(txn: Any) -> bytes | None:
        notes = peek(txn)
        return None if notes is None or notes.waited_for is None else to_bytes(notes.waited_for)

    return run


@fetch("txn.id32", Type.SINT, _INTERNAL)
def txn_id32() -> Run:
    """The number of the transaction, in 32 bits."""
    return lambda txn: txn.id & 0xFFFFFFFF


@fetch("txn.sess_term_state", Type.STR, _INTERNAL)
def txn_sess_term_state() -> Run:
    """The termination state as it is logged (manual section 8.5); ``--`` before something ends it."""
    return lambda txn: txn.termination
