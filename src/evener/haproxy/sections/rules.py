"""ACLs and rule sets of a proxy, and the rules that choose a backend or a server.

Rules are kept in the order of their rule set. In ``defaults`` they are only allowed where the section
has a name, and a proxy that inherits them runs them before its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from evener.haproxy.acl import AclTest
from evener.haproxy.rule import Rule
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.rule_words import (
    AclArgument,
    Conditional,
    Guard,
    OnlyIf,
    RuleArgument,
    Switching,
)
from evener.haproxy.sections.sides import ANY, ANY_PROXY, BACK, BACK_PROXY, FRONT, FRONT_PROXY
from evener.haproxy.sections.timeouts import proxy_word
from evener.haproxy.sections.values import Time, read_time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Cursor, Flag, Text
from evener.vocab.blocks import Repeat, block, keyword, spans

_TCP_RESPONSE: Final = (
    "tcp-response content is only allowed in 'backend' sections or 'defaults' section with a name"
)


class InspectDelay(Time):
    """The time after ``inspect-delay``; its complaints name the proxy."""

    def read(self, cursor: Cursor) -> int:
        place: Place = cursor.context
        where = f"{proxy_word(place)} '{place.name}'"
        sentence = f"'{cursor.name}' expects a positive delay in milliseconds, in {where}"
        if not cursor.more:
            raise cursor.bad("missing-argument", sentence, whole=True)
        wrong = read_time(cursor.peek() or "").wrong
        if wrong:
            raise cursor.bad("bad-time", f"{sentence} (unexpected character '{wrong}')", whole=True)
        return super().read(cursor)


def ruleset(name: str, doc: str, contexts: Sequence[str], ok: str, **facts: Any) -> Any:
    return keyword(
        RuleArgument(name), doc, name=name, ok=(ok,), bad=("{} no-such-action",), contexts=contexts,
        repeat=Repeat.COLLECT, named_defaults=True, rules=name, **facts,
    )  # fmt: skip


def tcp_anonymous(name: str) -> str:
    return f"{name} is not allowed in anonymous 'defaults' sections"


def tcp_wrong(name: str) -> str:
    return f"{name} is not allowed because {{kind}} {{name}} is not a frontend"


def inspect_delay(name: str, contexts: Sequence[str], **facts: Any) -> Any:
    return keyword(
        InspectDelay(), "How long content rules wait for data.",
        name=name, ok=("{} 5s",), bad=("{} x", "{}"), contexts=contexts, named_defaults=True, **facts,
    )  # fmt: skip


@block("rule")
@dataclass(frozen=True, slots=True)
class Rules:
    acl: tuple[AclTest, ...] = keyword(
        AclArgument(), "Give a name to a test; several tests of one name are alternatives.",
        ok=("acl local src 127.0.0.0/8",), bad=("acl a/b path /", "acl or path /", "acl x no-such-fetch"),
        contexts=ANY, repeat=Repeat.COLLECT, named_defaults=True,
    )  # fmt: skip
    tcp_request_connection: tuple[Rule, ...] = ruleset(
        "tcp-request connection", "Rules for a connection that was just accepted.", FRONT,
        "tcp-request connection accept", wrong_side=tcp_wrong("tcp-request connection"),
        anonymous=tcp_anonymous("tcp-request connection"),
    )  # fmt: skip
    tcp_request_session: tuple[Rule, ...] = ruleset(
        "tcp-request session", "Rules for a connection after its handshakes.", FRONT,
        "tcp-request session accept", wrong_side=tcp_wrong("tcp-request session"),
        anonymous=tcp_anonymous("tcp-request session"),
    )  # fmt: skip
    tcp_request_content: tuple[Rule, ...] = ruleset(
        "tcp-request content", "Rules for what the client sent so far.", ANY, "tcp-request content accept",
        anonymous=tcp_anonymous("tcp-request content"),
    )  # fmt: skip
    tcp_response_content: tuple[Rule, ...] = ruleset(
        "tcp-response content", "Rules for what the server has sent so far.", BACK,
        "tcp-response content accept", wrong_side=_TCP_RESPONSE, anonymous=_TCP_RESPONSE,
    )  # fmt: skip
    http_request: tuple[Rule, ...] = ruleset(
        "http-request", "Rules for a request.", ANY, "http-request deny if { path_beg /private }"
    )
    http_response: tuple[Rule, ...] = ruleset(
        "http-response", "Rules for a response.", ANY, "http-response set-header x-by evener"
    )
    http_after_response: tuple[Rule, ...] = ruleset(
        "http-after-response", "Rules for every response, local ones included.", ANY,
        "http-after-response set-header x-by evener",
    )  # fmt: skip
    redirect: tuple[Rule, ...] = keyword(
        RuleArgument("http-request", 0), "Redirect a request; tried after the http-request rules.",
        ok=("redirect location /new if { path /old }",), bad=("redirect nowhere",), contexts=ANY_PROXY,
        repeat=Repeat.COLLECT, rules="redirect",
    )  # fmt: skip
    request_inspect_delay: int | None = inspect_delay("tcp-request inspect-delay", ANY)
    response_inspect_delay: int | None = inspect_delay("tcp-response inspect-delay", BACK)
    spans: Mapping[str, Span] = spans()

    def acls(self) -> dict[str, list[AclTest]]:
        """The ACLs by name, in order of declaration."""
        named: dict[str, list[AclTest]] = {}
        for test in self.acl:
            named.setdefault(test.name or "", []).append(test)
        return named


_SWITCH = Guard("error detected while parsing switching rule : {}.", Evaluated.FE_USE_BACKEND)
_USE_SERVER = Guard("error detected while parsing switching rule : {}.", Evaluated.BE_SERVER)


@block("switching rule")
@dataclass(frozen=True, slots=True)
class SwitchingRules:
    """Which backend takes a request, and which of its servers."""

    use_backend: tuple[Conditional, ...] = keyword(
        Switching(
            "'use_backend' expects a backend name.", _SWITCH,
            "unexpected keyword '{got}' after switching rule, only 'if' and 'unless' are allowed.", False,
        ),
        "Take that backend when the condition holds; the first rule that matches wins.",
        ok=("use_backend %[req.hdr(host),lower]", "use_backend l2 if { path /x }"),
        bad=("use_backend", "use_backend b foo"), name="use_backend",
        contexts=FRONT_PROXY, repeat=Repeat.COLLECT, rules="use_backend", needs="backend l2",
    )  # fmt: skip
    default_backend: str | None = keyword(
        Text("<backend>"), "The backend that is taken when no rule matches.", name="default_backend",
        ok=("default_backend l2",), bad=("default_backend", "default_backend a b"), contexts=FRONT,
        missing="'default_backend' expects a backend name.", needs="backend l2",
    )  # fmt: skip
    use_server: tuple[Conditional, ...] = keyword(
        Switching(
            "'use-server' expects a server name.", _USE_SERVER,
            "'use-server' requires either 'if' or 'unless' followed by a condition.", True,
        ),
        "Take that server when the condition holds, whatever balancing would say.",
        ok=("use-server s1 if { path /x }",), bad=("use-server", "use-server s1"), contexts=BACK_PROXY,
        repeat=Repeat.COLLECT, rules="use-server", needs="server s1",
    )  # fmt: skip
    force_be_switch: tuple[Conditional, ...] = keyword(
        OnlyIf(Evaluated.FE_USE_BACKEND), "Switch to a backend even when it is unpublished.",
        ok=("force-be-switch if { path /x }",), bad=("force-be-switch",), contexts=FRONT_PROXY,
        repeat=Repeat.COLLECT, wrong_side="'force-be-switch' only available in frontend or listen section.",
    )  # fmt: skip
    be_unpublished: bool = keyword(
        Flag(), "Switching rules pass over this backend.", ok=("be-unpublished",),
        bad=("no be-unpublished",), contexts=BACK_PROXY, default=False, loose=True,
        wrong_side="'be-unpublished' only available in backend or listen section.",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()
