"""At which step of a transaction what is written: a proxy's own formats, and those of a log profile.

Decides the text of a line for a step, and that there is none; not when steps happen (``request_log``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.haproxy.logformat import compile_log_line
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.log_sections import LogProfile, Step

Write = Callable[[Any], bytes]

#: How ``%OG`` calls a step.
EVENTS: Final = {
    "accept": "txn_accept",
    "request": "txn_request",
    "connect": "txn_connect",
    "response": "txn_response",
    "close": "txn_close",
    "error": "sess_error",
}
#: The step that ``do-log`` makes in each ruleset.
RULE_STEPS: Final = {
    "tcp-request connection": "tcp-req-conn",
    "tcp-request session": "tcp-req-sess",
    "tcp-request content": "tcp-req-cont",
    "tcp-response content": "tcp-res-cont",
    "http-request": "http-req",
    "http-response": "http-res",
    "http-after-response": "http-after-res",
}


class Line(NamedTuple):
    """The writers of a line and, where there are any, of its structured data."""

    text: Write
    data: Write | None


class Texts(NamedTuple):
    """What a proxy writes by itself."""

    text: Write
    error: Write
    data: Write | None

    def at(self, step: str) -> Line:
        return Line(self.error if step == "error" else self.text, self.data)


class CompiledProfile(NamedTuple):
    """A profile for one proxy: by step (drop, text, structured data)."""

    tag: str | None
    steps: dict[str, tuple[bool, Write | None, Write | None]]

    def line(self, step: str, own: Texts) -> Line | None:
        """None: nothing is written at that step."""
        usual = own.at(step)
        said = self.steps.get(step) or self.steps.get("any")
        if said is None:
            return usual
        drop, text, data = said
        return None if drop else Line(text or usual.text, data or usual.data)


def profile_of(profile: LogProfile, env: CompileEnv) -> CompiledProfile:
    """A profile compiled in the environment of a proxy."""

    def writers(step: Step) -> tuple[bool, Write | None, Write | None]:
        text = compile_log_line(step.format, env) if step.format is not None else None
        data = compile_log_line(step.sd, env) if step.sd is not None else None
        return step.drop, text, data

    return CompiledProfile(profile.log_tag, {step.name: writers(step) for step in profile.on})
