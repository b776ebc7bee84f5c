"""Whether an expectation is met by what was received, and what to say when it is not.

Pure functions: bytes or a parsed answer in, True, False or None (more data could still change it) out.
"""

from __future__ import annotations

from evener.haproxy.checks.answer import Answer
from evener.haproxy.checks.outcome import CheckStatus
from evener.haproxy.checks.steps import Expect, HeaderPattern, Match, Scene, value_of


def judge(step: Expect, data: bytes, answer: Answer | None, complete: bool, scene: Scene) -> bool | None:
    """``complete``: nothing more will come."""
    if answer is not None:
        return _judge_answer(step, answer, complete, scene)
    if step.min_recv > len(data) and not complete:
        return None
    found = _found(step, data, scene)
    # With min-recv the absence of a match is conclusive; without, more could come (manual, tcp-check).
    if found or complete or (data and step.min_recv >= 0):
        return found is not step.negated
    return None


def _found(step: Expect, data: bytes, scene: Scene) -> bool:
    if step.match is Match.RBINARY:
        assert step.regex is not None
        return step.regex.search(data.hex().upper().encode()) is not None
    if step.regex is not None:
        return step.regex.search(data) is not None
    return value_of(step.pattern, scene) in data


def _judge_answer(step: Expect, answer: Answer, complete: bool, scene: Scene) -> bool | None:
    if step.match is Match.STATUS:
        met = any(low <= answer.status <= high for low, high in step.codes)
    elif step.match is Match.RSTATUS:
        assert step.regex is not None
        met = step.regex.search(b"%d" % answer.status) is not None
    elif step.match in (Match.HEADER, Match.FULL_HEADER):
        assert step.header is not None
        met = _header(step.header, answer, scene)
    else:
        met = _found(step, answer.body, scene)
        if not met and not complete:
            return None
    return met is not step.negated


def _header(pattern: HeaderPattern, answer: Answer, scene: Scene) -> bool:
    wanted = value_of(pattern.name, scene).lower()
    expected = None if pattern.value is None else value_of(pattern.value, scene)
    for name, value in answer.headers:
        if not _matches(pattern.name_method, wanted, name, True):
            continue
        if expected is None:
            return True
        values = [value] if pattern.full else [v.strip() for v in value.split(b",")]
        if any(_matches(pattern.value_method, expected, v) for v in values):
            return True
    return False


def _matches(method: str, pattern: bytes, text: bytes, fold: bool = False) -> bool:
    if method == "reg":
        import re

        return re.search(pattern, text, re.IGNORECASE if fold else 0) is not None
    if method == "beg":
        return text.startswith(pattern)
    if method == "end":
        return text.endswith(pattern)
    if method == "sub":
        return pattern in text
    return text == pattern


def unmet(step: Expect, answer: Answer | None, number: int) -> tuple[CheckStatus, int, str]:
    """(status, code, sentence) of an expectation that failed at step ``number``."""
    matched = "matched unwanted content" if step.negated else "did not match content"
    told = f"TCPCHK {matched}{_told(step)} at step {number}"
    if answer is None or answer.broken:
        return CheckStatus.L7RSP, 0, told
    return _unmet_answer(step, answer, told)


def _told(step: Expect) -> str:
    if step.match in (Match.STRING, Match.BODY):
        return step.quoted()
    return _TOLD.get(step.match, " (binary)")


_TOLD = {
    Match.RSTRING: " (regex)",
    Match.RBODY: " (regex)",
    Match.RSTATUS: " (regex)",
    Match.RBINARY: " (binary regex)",
    Match.STATUS: "(status codes)",
    Match.HEADER: " (header pattern)",
    Match.FULL_HEADER: " (header pattern)",
}


def _unmet_answer(step: Expect, answer: Answer, told: str) -> tuple[CheckStatus, int, str]:
    if step.match in (Match.STATUS, Match.RSTATUS, Match.HEADER, Match.FULL_HEADER):
        return CheckStatus.L7STS, answer.status, answer.reason or told
    if step.negated:
        return CheckStatus.L7RSP, answer.status, "HTTP check matched unwanted content"
    if not answer.body:
        return CheckStatus.L7RSP, answer.status, "HTTP content check could not find a response body"
    return CheckStatus.L7RSP, answer.status, "HTTP content check did not match"
