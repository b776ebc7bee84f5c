"""``do-log``: a log line in the middle of a ruleset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.haproxy.action import HTTP, TCP, Ruleset, Words, action
from evener.haproxy.log_steps import RULE_STEPS
from evener.haproxy.txn import CONTINUE

Run = Callable[[Any], int]


def _read(words: Words) -> Sequence[Any]:
    return (words.word("'profile' expects a name.") if words.take("profile") else "",)


@action(
    "do-log",
    (*HTTP, *TCP),
    parser=_read,
    signature="do-log [profile <log_profile>]",
    ok=["do-log", "do-log profile p if TRUE"],
    bad=["do-log profile", "do-log now"],
)
def do_log(profile: str, *, ruleset: Ruleset) -> Run:
    """Write a log line now, to the targets of the frontend, as a log profile says for this ruleset."""
    step = RULE_STEPS[ruleset.name]
    made: dict[int, Run] = {}

    def run(txn: Any) -> int:
        front = txn.frontend.plan
        log = made.get(front.index)
        if log is None:
            if front.request_log is None:
                return CONTINUE
            log = made[front.index] = front.request_log.do_log(step, profile or None)
        return log(txn)

    return run
