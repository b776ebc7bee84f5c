"""``http-check`` and ``tcp-check``: the steps of a health check, kept as words.

What the words mean to the check that runs is read by ``haproxy.checks``; here each step is known by its
first word, so that a misspelt one is found when the configuration is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.reading import where_of
from evener.haproxy.sections.sides import BACK
from evener.haproxy.sections.tables import planned
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Text
from evener.vocab.blocks import Repeat, block, keyword, spans

HTTP_STEPS: Final = ("disable-on-404", "send-state", "comment", "connect", "send", "expect")
TCP_STEPS: Final = ("comment", "connect", "send", "send-lf", "send-binary", "send-binary-lf", "expect")
VARIABLES: Final = ("set-var-fmt", "set-var", "unset-var")
_SEND: Final = {"comment": 1, "meth": 1, "uri": 1, "uri-lf": 1, "ver": 1, "hdr": 2, "body": 1, "body-lf": 1}
_CONNECT: Final = {
    "comment": 1, "port": 1, "addr": 1, "send-proxy": 0, "ssl": 0, "sni": 1, "alpn": 1, "via-socks4": 0,
    "linger": 0, "default": 0, "proto": 1,
}  # fmt: skip
_CONNECT_WORDS = (
    "'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger', 'default'"
)
_SEND_WORDS = "'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf'"


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One step; ``words`` begins with what it does (``send``, ``expect``...)."""

    words: tuple[str, ...]
    span: Span | None = field(default=None, compare=False)


class CheckArgument(Argument[CheckRule]):
    usage = "<step> [arguments]"

    def __init__(self, steps: tuple[str, ...]) -> None:
        self.steps = steps
        shown = [f"'{step}'" for step in steps if not step.endswith("-lf")]
        self.listed = ", ".join([*shown, *(f"'{word}(*)'" for word in VARIABLES)])

    def read(self, cursor: Cursor) -> CheckRule:
        step = cursor.peek() or ""
        cursor.index += 1
        if step not in self.steps and step.partition("(")[0] not in VARIABLES:
            message = f"'{cursor.name}' only supports {self.listed}. but got '{step}'"
            raise cursor.bad("unknown-check-step", message, whole=True)
        words = (step, *cursor.rest())
        name = f"'{cursor.name} {step}'"
        self.check(words, name, cursor)
        line: Line = cursor.line  # type: ignore[assignment]
        return CheckRule(words, where_of(line))

    def check(self, words: tuple[str, ...], name: str, cursor: Cursor) -> None:
        """The shape of a step's arguments."""
        if words[0] == "connect":
            self.parameters(words, _CONNECT, _CONNECT_WORDS, name, cursor)
        elif words[0] == "send" and cursor.name == "http-check":
            self.parameters(words, _SEND, _SEND_WORDS, name, cursor)
        elif words[0] == "expect" and len(words) < 2:
            message = f"{name} : expects at least a matching pattern as arguments."
            raise cursor.bad("missing-argument", message, whole=True)
        elif len(words) < 2 and words[0] == "comment":
            raise cursor.bad("missing-argument", f"{name} : expects a string as argument.", whole=True)
        elif len(words) < 2 and (words[0].startswith("send-b") or words[0] == "send"):
            raise cursor.bad("missing-argument", f"{name} : 'string' expects a send as argument.", whole=True)

    def parameters(
        self, words: tuple[str, ...], known: Mapping[str, int], listed: str, name: str, cursor: Cursor
    ) -> None:
        index = 1
        while index < len(words):
            word = words[index]
            if word not in known:
                message = f"{name} : expects {listed} but got '{word}' as argument.."
                raise cursor.bad("unknown-parameter", message, whole=True)
            index += 1 + known[word]
        if index > len(words):
            message = f"{name} : missing argument after '{words[-1]}'."
            raise cursor.bad("missing-argument", message, whole=True)

    def words(self, value: CheckRule) -> list[str]:
        return list(value.words)


_EXTERNAL = planned("external-check path 1 | PATH of the external check's command.", BACK)


@block("check rule", _EXTERNAL)
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
    spans: Mapping[str, Span] = spans()
