"""In what order the rules of a transaction are tried: the policies that the engine calls.

A ruleset is a sequence of compiled rules (``rule(txn) -> verdict``, condition included) of one section.
Rules are tried in order until one gives a verdict other than CONTINUE; ACCEPTED ends this ruleset only,
every other verdict ends the phase. For a request the frontend's rules run, then the switching rules
choose a backend, then that backend's rules run; responses meet the backend's rules first (the engine
calls the two sides separately, in that order).

A rule that answers PENDING is called again, and the rules before it are not: their position is kept
under a name no variable can have. When it is the condition of a rule that needs more (UNDECIDED), all rules
are tried again. What this module does not know is what any rule does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

from evener.haproxy.fold import Fold
from evener.haproxy.txn import ACCEPTED, CLOSED, CONTINUE, PENDING, UNDECIDED, Txn

Policy = Callable[[Txn], int]
Condition = Callable[[Txn], bool]
NOBODY: Final = -2
"""A switching rule matched and names no backend there is: the default one serves, no other rule is tried."""
Switch = Callable[[Txn], int | None]
"""Gives the index of a backend, or None to try the next switching rule."""
Fixed = tuple[int, Condition | None]
"""A switching rule whose backend is known at start, and its condition."""

_numbers = count()


def ruleset(rules: Sequence[Policy], *, may_wait: bool = False, fold: Fold | None = None) -> Policy | None:
    """One policy out of the rules of one section; None when there are none, so that nothing is called."""
    if not rules:
        return None
    if may_wait:
        return resumable(tuple(rules))
    plain = single(rules[0]) if len(rules) == 1 else tried_in_order(tuple(rules))
    return plain if fold is None else fold.rules(plain, rules)


def tried_in_order(tried: tuple[Policy, ...]) -> Policy:
    def run(txn: Txn) -> int:
        for rule in tried:
            verdict = rule(txn)
            if verdict:
                return CONTINUE if verdict == ACCEPTED else verdict
        return CONTINUE

    return run


def single(rule: Policy) -> Policy:
    def run(txn: Txn) -> int:
        verdict = rule(txn)
        return CONTINUE if verdict == ACCEPTED else verdict

    return run


def resumable(rules: tuple[Policy, ...]) -> Policy:
    """As ``ruleset``, but a pending rule is where the next call begins."""
    place = f" ruleset {next(_numbers)}"

    def run(txn: Txn) -> int:
        for at in range(txn.vars.pop(place, 0), len(rules)):
            verdict = rules[at](txn)
            if verdict == PENDING:
                txn.vars[place] = at
                return PENDING
            if verdict == UNDECIDED:
                return PENDING
            if verdict:
                return CONTINUE if verdict == ACCEPTED else verdict
        return CONTINUE

    return run


def switching(rules: Sequence[Switch | Fixed], *, fold: Fold | None = None) -> Policy | None:
    """The first switching rule that names a backend wins; without one the default backend serves."""
    if not rules:
        return None
    plain = switched(tuple(switch_to(*rule) if isinstance(rule, tuple) else rule for rule in rules))
    return plain if fold is None else fold.switch(plain, rules)


def switched(tried: tuple[Switch, ...]) -> Policy:
    def run(txn: Txn) -> int:
        for rule in tried:
            index = rule(txn)
            if index is not None:
                if index != NOBODY:
                    txn.set_backend(index)
                return CONTINUE
        return CONTINUE

    return run


def switch_to(index: int, condition: Condition | None) -> Switch:
    """``use_backend NAME [if COND]`` with a name known at start."""
    if condition is None:
        return lambda txn: index
    return lambda txn: index if condition(txn) else None


def in_turn(
    first: Policy | None, second: Policy | None, *, may_wait: bool = False, fold: Fold | None = None
) -> Policy | None:
    """Two phases one after the other; a verdict of the first other than CONTINUE ends both.

    With ``may_wait`` the first is not run again when the second is called after having waited.
    """
    if first is None or second is None:
        return first or second
    if may_wait:
        return resumable((first, second))

    def run(txn: Txn) -> int:
        return first(txn) or second(txn)

    return run if fold is None else fold.sequence(run, first, second)


def unprivileged(txn: Txn) -> int:
    """``harden.reject-privileged-ports.tcp``: clients come from ports that anybody may use."""
    return CLOSED if 0 < txn.src_port < 1024 else CONTINUE


def on_own_side(index: int, policy: Policy | None) -> Policy | None:
    """For a frontend: what other backends do themselves. ``index``: of its own half, -1 without one."""
    if policy is None:
        return None

    def run(txn: Txn) -> int:
        return policy(txn) if txn.backend is None or txn.backend.index == index else CONTINUE

    return run


def unless_frontend(index: int, policy: Policy | None) -> Policy | None:
    """For a ``listen``: its rules ran on the frontend side already when its own clients come."""
    if policy is None:
        return None

    def run(txn: Txn) -> int:
        return CONTINUE if txn.frontend.index == index else policy(txn)

    return run
