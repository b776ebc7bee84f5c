"""The converter that lets its input pass under a condition, mostly for logs (manual, ``when``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.sample import Sample, Type, converter
from evener.haproxy.scope import CompileEnv

Run = Callable[..., Any]
Holds = Callable[[Any], Any]

#: In the order in which the diagnostic names them.
_WORDS: Final = ("stopping", "normal", "error", "forwarded", "toapplet", "processed", "acl")


def _check(condition: str, arg: str | None = None, arg2: str | None = None) -> None:
    word = condition.removeprefix("!")
    if word not in _WORDS:
        known = ",".join(_WORDS)
        raise ArgumentError(f"expects a supported keyword among {{{known}}} but got '{word}'")
    if word == "acl" and not arg:
        raise ArgumentError("'acl' selector requires an extra argument with the ACL name")


def _failed(txn: Any) -> bool:
    """As ``option dontlog-normal`` sees it."""
    if txn.termination[:1] != b"-" or txn.retries or txn.redispatched:
        return True
    return txn.res is not None and txn.res.status >= 500


def _forwarded(txn: Any) -> bool:
    return txn.server is not None and txn.t_connect >= 0


def _answered_here(txn: Any) -> bool:
    return txn.res is not None and txn.server is None


def _acl(name: str, env: CompileEnv) -> Holds:
    """The ACL of that name in the proxy; one that is not declared never holds."""
    from evener.haproxy.condition import PREDEFINED, compile_acl

    if name not in env.acls and name not in PREDEFINED:
        return lambda txn: False
    return compile_acl(name, env)


_HOLDS: Final[dict[str, Holds]] = {
    "error": _failed,
    "normal": lambda txn: not _failed(txn),
    "forwarded": _forwarded,
    "toapplet": _answered_here,
    "processed": lambda txn: _forwarded(txn) or _answered_here(txn),
}


def _holds(word: str, name: str, env: CompileEnv) -> Holds:
    if word == "acl":
        return _acl(name, env)
    if word == "stopping":
        return lambda txn: env.stopping()
    return _HOLDS[word]


@converter("when", Type.ANY, Type.ANY, check=_check, ok=["when(error)", "when(!normal)", "when(acl,TRUE)"],
           bad=["when", "when(nope)", "when(acl)"])  # fmt: skip
def when(condition: str, arg: str = "", arg2: str = "", *, env: CompileEnv, txn: None) -> Run:
    """Pass the input on when a condition holds, else give nothing; ``!`` in front negates it.

    ``error`` and ``normal`` tell whether something went wrong so far, ``forwarded`` whether a server was
    reached, ``toapplet`` whether the answer was made here, ``processed`` either of the two, ``stopping``
    whether the process is, ``acl`` whether the ACL named next matches.
    """
    word = condition.removeprefix("!")
    holds = _holds(word, arg, env)
    wanted = not condition.startswith("!")

    def run(sample: Sample, txn: Any) -> Sample | None:
        return sample if bool(holds(txn)) is wanted else None

    return run
