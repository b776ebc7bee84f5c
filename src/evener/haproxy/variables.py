"""Variables: their names, and where each scope is kept.

A variable is ``scope.name``. ``sess`` variables live in ``txn.session.vars``, ``proc`` ones in this
process (``shared_variables``: one value for all workers), all others in ``txn.vars``. Values are
``Sample``s, because a variable's type is what was stored last. The ``p`` scopes belong to a parent stream;
nothing here has one, so reading them finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from evener.haproxy.sample import Sample, Type
from evener.haproxy.shared_variables import ProcessVariables

SCOPES: Final = ("proc", "sess", "txn", "req", "res", "check")
_READABLE: Final = frozenset(SCOPES) | {"psess", "ptxn", "preq", "pres"}
_BAD_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_.]")

#: Variables of the process, by full name.
PROCESS: Final = ProcessVariables()


def _alone(_name: str, _sample: Sample | None) -> None:
    """Nobody else has these variables."""


#: Called when a rule stored a process variable that others do not know by that; set by ``sharing``.
changed: Callable[[str, Sample | None], None] = _alone

#: Conditions of ``set-var``, as the configuration names them.
CONDITIONS: Final = (
    "ifexists",
    "ifnotexists",
    "ifempty",
    "ifnotempty",
    "ifset",
    "ifnotset",
    "ifgt",
    "iflt",
)


class VariableError(Exception):
    """A name is no variable's; the message is what the user reads."""


def check_name(name: str) -> None:
    """Raise VariableError unless the text is the full name of a variable."""
    if not name:
        raise VariableError("Empty variable name cannot be accepted")
    scope, _, rest = name.partition(".")
    if not rest or scope not in _READABLE:
        raise VariableError(
            f"invalid variable name '{name}'. A variable name must start with its scope. "
            "The scope can be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'"
        )
    bad = _BAD_CHARACTER.search(rest)
    if bad:
        raise VariableError(f"invalid syntax at char '{bad[0]}'")


def is_name(text: str) -> bool:
    try:
        check_name(text)
    except VariableError:
        return False
    return True


def set_process(name: str, sample: Sample | None) -> None:
    if not PROCESS.store(name, sample):
        changed(name, sample)


def in_transaction(name: str) -> bool:
    """Whether the variable lives and ends with its transaction."""
    return name.partition(".")[0] in ("txn", "req", "res")


# -- how much there may be ------------------------------------------------------------------------------

#: What a variable takes up beside a text: as much as in the original.
OVERHEAD: Final = 88
_limits: dict[str, int] = {}
#: Whose limits a variable of a scope falls under: the coarser ones include the finer ones.
_UNDER: Final = {
    "proc": ("proc", "global"),
    "sess": ("sess", "proc", "global"),
    "txn": ("txn", "sess", "proc", "global"),
    "req": ("reqres", "txn", "sess", "proc", "global"),
    "res": ("reqres", "txn", "sess", "proc", "global"),
    "check": ("check", "proc", "global"),
}


def limit(limits: Mapping[str, int] | None) -> None:
    """``tune.vars.*-max-size``, before anything is compiled. Without limits nothing is ever reckoned."""
    _limits.clear()
    _limits.update(limits or {})


def limited() -> bool:
    return bool(_limits)


def size_of(sample: Sample) -> int:
    return OVERHEAD + (len(sample.value) if isinstance(sample.value, bytes | str) else 0)


def has_room(txn: Any, name: str, sample: Sample) -> bool:
    """Whether a variable may be stored: its scope, and each one around that, stays within its limit."""
    kept = {"txn": txn.vars, "sess": txn.session.vars}
    used = dict.fromkeys(("reqres", "txn", "sess", "proc"), 0)
    for place, values in kept.items():
        for other, value in values.items():
            if other != name and isinstance(value, Sample):
                scope = "reqres" if place == "txn" and other.startswith(("req.", "res.")) else place
                used[scope] += size_of(value)
    used["txn"] += used["reqres"]
    used["sess"] += used["txn"]
    others = (PROCESS.get(other) for other in PROCESS.named if other != name)
    used["proc"] += used["sess"] + sum(size_of(value) for value in others if value is not None)
    used["global"] = used["check"] = used["proc"]
    more = size_of(sample)
    scope = name.partition(".")[0]
    return all(used[each] + more <= _limits[each] for each in _UNDER[scope] if each in _limits)


def getter(name: str) -> Callable[[Any], Sample | None]:
    """The closure that reads a variable of a transaction."""
    scope = name.partition(".")[0]
    if scope == "proc":
        PROCESS.named.add(name)
        read = PROCESS.get
        return lambda txn: read(name)
    if scope == "sess":
        return lambda txn: txn.session.vars.get(name)
    if scope == "req":  # until a server has answered
        return lambda txn: None if txn.res and not txn.own_reply else txn.vars.get(name)
    return lambda txn: txn.vars.get(name)


def setter(name: str) -> Callable[[Any, Sample], None]:
    """The closure that stores a variable of a transaction."""
    store = _setter(name)
    if not _limits:
        return store

    def limited(txn: Any, sample: Sample) -> None:
        if has_room(txn, name, sample):
            store(txn, sample)

    return limited


def _setter(name: str) -> Callable[[Any, Sample], None]:
    scope = name.partition(".")[0]
    if scope == "proc":
        PROCESS.named.add(name)
        return lambda txn, sample: set_process(name, sample)
    if scope == "sess":
        return lambda txn, sample: txn.session.vars.__setitem__(name, sample)
    return lambda txn, sample: txn.vars.__setitem__(name, sample)


def remover(name: str) -> Callable[[Any], Any]:
    """The closure that forgets a variable of a transaction."""
    scope = name.partition(".")[0]
    if scope == "proc":
        PROCESS.named.add(name)
        return lambda txn: set_process(name, None)
    if scope == "sess":
        return lambda txn: txn.session.vars.pop(name, None)
    return lambda txn: txn.vars.pop(name, None)


Guard = Callable[[Any, Sample], bool]


def guard(name: str, conditions: Iterable[str]) -> Guard | None:
    """Whether a new value may be stored, by the conditions of ``set-var``; None when there are none."""
    wanted = [condition for condition in conditions if condition]
    if name.startswith("proc."):  # exists from the moment the configuration names it
        if "ifnotexists" in wanted:
            return lambda txn, sample: False
        wanted = [condition for condition in wanted if condition != "ifexists"]
    checks = [_CHECKS[condition] for condition in wanted]
    if not checks:
        return None
    read = getter(name)

    def allowed(txn: Any, sample: Sample) -> bool:
        old = read(txn)
        return all(check(old, sample) for check in checks)

    return allowed


def _empty(sample: Sample) -> bool:
    return sample.type in (Type.STR, Type.BIN) and not sample.value


def _compared(old: Sample | None, new: Sample, sign: int) -> bool:
    """Only integers compare; anything else counts as true."""
    if old is None or old.type is not Type.SINT or new.type is not Type.SINT:
        return True
    return bool((old.value - new.value) * sign > 0)


_CHECKS: Final[dict[str, Callable[[Sample | None, Sample], bool]]] = {
    "ifexists": lambda old, new: old is not None,
    "ifnotexists": lambda old, new: old is None,
    "ifempty": lambda old, new: _empty(new),
    "ifnotempty": lambda old, new: not _empty(new),
    "ifset": lambda old, new: old is not None,
    "ifnotset": lambda old, new: old is None,
    "ifgt": lambda old, new: _compared(old, new, 1),
    "iflt": lambda old, new: _compared(old, new, -1),
}


def check_conditions(conditions: Iterable[str]) -> None:
    for condition in conditions:
        if condition and condition not in _CHECKS:
            raise VariableError(f'unknown condition "{condition}"')
