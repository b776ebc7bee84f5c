"""``http-check`` and ``tcp-check``: the steps of a health check, kept as words.

What the words mean is read by ``haproxy.checks``: here once to find what is wrong with them, and again
when the whole configuration is known and expressions can be compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.checks.parse import read_step
from evener.haproxy.checks.words import CheckSyntax, NotExecuted
from evener.haproxy.line import Line
from evener.haproxy.sections.reading import where_of
from evener.haproxy.sections.sides import BACK
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Text
from evener.vocab.blocks import Repeat, block, keyword, spans

HTTP_STEPS: Final = ("disable-on-404", "send-state", "comment", "connect", "send", "expect")
TCP_STEPS: Final = ("comment", "connect", "send", "send-lf", "send-binary", "send-binary-lf", "expect")
VARIABLES: Final = ("set-var-fmt", "set-var", "unset-var")


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One step; ``words`` begins with what it does (``send``, ``expect``...)."""

    words: tuple[str, ...]
    span: Span | None = field(default=None, compare=False)


class CheckArgument(Argument[CheckRule]):
    usage = "<step> [arguments]"

    def __init__(self, steps: tuple[str, ...]) -> None:
        self.steps = steps
        self.http = steps is HTTP_STEPS
        shown = [f"'{step}'" for step in steps if not step.endswith("-lf")]
        self.listed = ", ".join([*shown, *(f"'{word}(*)'" for word in VARIABLES)])

    def read(self, cursor: Cursor) -> CheckRule:
        step = cursor.peek() or ""
        cursor.index += 1
        if step not in self.steps and step.partition("(")[0] not in VARIABLES:
            message = f"'{cursor.name}' only supports {self.listed}. but got '{step}'"
            raise cursor.bad("unknown-check-step", message, whole=True)
        words = (step, *cursor.rest())
        self.check(words, cursor)
        line: Line = cursor.line  # type: ignore[assignment]
        return CheckRule(words, where_of(line))

    def check(self, words: tuple[str, ...], cursor: Cursor) -> None:
        """What the words are to the check that runs."""
        try:
            read_step(words, self.http)
        except NotExecuted as missing:
            cursor.context.not_executed(f"{cursor.name} {missing}", cursor.span())
        except CheckSyntax as error:
            message = f"'{cursor.name} {words[0]}' : {error}."
            raise cursor.bad("bad-check-rule", message, whole=True) from None

    def words(self, value: CheckRule) -> list[str]:
        return list(value.words)


@block("check rule")
@dataclass(frozen=True, slots=True)
class CheckRules:
    http_check: tuple[CheckRule, ...] = keyword(
        CheckArgument(HTTP_STEPS), "A step of an HTTP check.",
        ok=("http-check send meth GET uri / hdr Host x", "http-check expect status 200"),
        bad=("http-check", "http-check sing", "http-check send method GET", "http-check expect"),
        contexts=BACK, repeat=Repeat.COLLECT, needs="option httpchk",
    )  # fmt: skip
    tcp_check: tuple[CheckRule, ...] = keyword(
        CheckArgument(TCP_STEPS), "A step of a TCP check.",
        ok=("tcp-check connect port 80", "tcp-check send hello", "tcp-check expect string hi"),
        bad=("tcp-check", "tcp-check sing", "tcp-check connect door 80", "tcp-check send"),
        contexts=BACK, repeat=Repeat.COLLECT, needs="option tcp-check",
    )  # fmt: skip
    external_check_command: str | None = keyword(
        Text("<command>"), "The command of an external check.", name="external-check command",
        ok=("external-check command /bin/true",), bad=("external-check command",), contexts=BACK,
        missing="missing argument after 'command'.",
    )  # fmt: skip
    external_check_path: str | None = keyword(
        Text("<path>"), "PATH of the external check's command.", name="external-check path",
        ok=("external-check path /usr/bin:/bin",), bad=("external-check path",), contexts=BACK,
        missing="missing argument after 'path'.",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
