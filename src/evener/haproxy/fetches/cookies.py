"""Fetches of cookies (manual section 7.3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.cast import small_int, to_bytes
from evener.haproxy.messages import cookies, set_cookie
from evener.haproxy.sample import Many, Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
Pairs = Callable[[Any], list[tuple[bytes, bytes]]]
_BOTH: Final = Source.REQUEST_HEADERS | Source.RESPONSE_HEADERS


def _pairs(response: bool) -> Pairs:
    if response:
        return lambda txn: [set_cookie(line) for line in txn.res.all(b"set-cookie")]
    return lambda txn: [pair for line in txn.req.all(b"cookie") for pair in cookies(line)]


def _values(name: str, response: bool) -> Callable[[Any], list[bytes]]:
    """The values of cookies of that name, of all cookies for an empty one."""
    wanted, pairs = to_bytes(name), _pairs(response)
    if not wanted:
        return lambda txn: [value for _, value in pairs(txn)]
    return lambda txn: [value for key, value in pairs(txn) if key == wanted]


def _cookie(name: str, response: bool) -> Many:
    values, at = _values(name, response), -1 if name else 0

    def run(txn: Any) -> bytes | None:
        found = values(txn)
        return found[at] if found else None

    return Many(run, values)


def _number(name: str, response: bool) -> Many:
    values, at = _values(name, response), -1 if name else 0

    def run(txn: Any) -> int | None:
        found = values(txn)
        return small_int(found[at]) if found and found[at] else None

    return Many(run, lambda txn: [small_int(v) for v in values(txn) if v])


def _declare(prefix: str, short: str, source: Source, response: bool) -> None:
    @fetch(
        f"{prefix}cook",
        Type.STR,
        source,
        aliases=[short],
        ok=[f"{prefix}cook(id)"],
        bad=[f"{prefix}cook(a,b)"],
    )
    def cook(name: str = "") -> Many:
        """The value of the last cookie of that name; ACLs look at every one of that name."""
        return _cookie(name, response)

    @fetch(f"{prefix}cook_cnt", Type.SINT, source, aliases=[f"{short}_cnt"], ok=[f"{prefix}cook_cnt(id)"])
    def cook_cnt(name: str = "") -> Run:
        """How many cookies of that name there are; without a name attributes with a value count as well."""
        if response and not name:
            return lambda txn: sum(
                part.count(b"=") > 0 for line in txn.res.all(b"set-cookie") for part in line.split(b";")
            )
        values = _values(name, response)
        return lambda txn: len(values(txn))

    @fetch(f"{prefix}cook_val", Type.SINT, source, aliases=[f"{short}_val"], ok=[f"{prefix}cook_val(id)"])
    def cook_val(name: str = "") -> Many:
        """The value of the cookie of that name as an integer."""
        return _number(name, response)

    @fetch(f"{prefix}cook_names", Type.STR, source, ok=[f"{prefix}cook_names(;)"])
    def cook_names(delim: str = ",") -> Run:
        """The names of all cookies in order, separated by a delimiter (a comma)."""
        between, pairs = to_bytes(delim or ","), _pairs(response)
        return lambda txn: between.join(name for name, _ in pairs(txn)) or None


_declare("req.", "cook", Source.REQUEST_HEADERS, False)
_declare("res.", "scook", Source.RESPONSE_HEADERS, True)


@fetch("cookie", Type.STR, _BOTH, ok=["cookie(id)"], bad=["cookie(a,b)"])
def cookie(name: str = "", *, env: CompileEnv) -> Many:
    """A cookie of the message the rule is about, of the old ``appsession`` kind."""
    return _cookie(name, env.response)
