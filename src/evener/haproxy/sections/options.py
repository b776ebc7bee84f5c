"""``option``: the switches of a proxy.

A switch is True, False (``no option``) or None (not said, or ``default option``). Options that exclude
each other name the others in ``clears``: the last one said is the one that holds, also over an inherited
one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from evener.haproxy.sections.option_values import (
    Clf,
    Forwarded,
    ForwardedArgument,
    ForwardFor,
    ForwardForArgument,
    HttpCheck,
    Redispatch,
    Restrict,
    SmallBuffers,
    User,
)
from evener.haproxy.sections.sides import ANY, BACK, FRONT
from evener.haproxy.sections.tables import refused
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Flag, Words
from evener.vocab.blocks import Harmless, block, keyword, spans

CHECKS: Final = tuple(
    f"option {name}"
    for name in (
        "httpchk", "tcp-check", "smtpchk", "mysql-check", "pgsql-check", "redis-check", "ldap-check",
        "ssl-hello-chk", "spop-check", "external-check",
    )
)  # fmt: skip
"""At most one kind of check at a time."""
LOGS: Final = (
    "option httplog", "option tcplog", "option httpslog", "log-format",
)  # fmt: skip
MODES: Final = ("option http-keep-alive", "option http-server-close", "option httpclose")

_UNKNOWN: Final = "unknown option '{first}'; did you mean '{first}' maybe ?"


def switch(contexts: Sequence[str], doc: str, *, clears: Sequence[str] = (), **facts: Any) -> Any:
    """An option without arguments that ``no`` and ``default`` may stand before."""
    return keyword(
        Flag(), doc, ok=("{}",), bad=("{} x",), contexts=contexts, negatable=True, clears=clears,
        fatal_side=True, extra="'{name}' cannot handle unexpected argument '{got}'.", **facts,
    )  # fmt: skip


def idle(contexts: Sequence[str], doc: str) -> Any:
    """A switch that has nothing to change here."""
    return keyword(
        Harmless(Flag()), doc, ok=("{}",), bad=("{} x",), contexts=contexts, negatable=True, fatal_side=True,
        extra="'{name}' cannot handle unexpected argument '{got}'.",
    )  # fmt: skip


def check(argument: Any, doc: str, *, ok: Sequence[str], bad: Sequence[str], **facts: Any) -> Any:
    contexts = facts.pop("contexts", BACK)
    return keyword(
        argument, doc, ok=ok, bad=bad, contexts=contexts, clears=CHECKS, read_where_ignored=True, **facts
    )


def log(argument: Any, doc: str, **facts: Any) -> Any:
    return keyword(
        argument, doc, contexts=ANY, clears=LOGS, overrides=LOGS,
        in_backend="backend '{name}' : '{word}' directive is ignored in backends.", **facts,
    )  # fmt: skip


TABLE = (
    *refused(
        """
forceclose  | option 'forceclose' is not supported any more since HAProxy 2.0, please just remove it, or use 'option httpclose' if absolutely needed.
http-tunnel | option 'http-tunnel' is not supported any more since HAProxy 2.1, please just remove it, it shouldn't be needed.
http_proxy  | option 'http_proxy' is not supported any more since HAProxy 2.5. This option stopped working in HAProxy 1.9 and usually had nasty side effects. It can be more reliably implemented with combinations of 'http-request set-dst' and 'http-request set-uri', and even 'http-request do-resolve' if DNS resolution is desired.
transparent | support for option 'transparent' was removed in version 3.5.
""",  # noqa: E501
        lead="config : parsing [{place}]: ",
    ),
)


@block("option", TABLE)
@dataclass(frozen=True, slots=True)
class Options:
    # -- what the kernel and the engine decide by themselves
    disable_h2_upgrade: bool | None = idle(FRONT, "Do not switch to HTTP/2 on a clear connection.")
    independent_streams: bool | None = idle(ANY, "Directions are timed apart; the engine always does.")
    socket_stats: bool | None = idle(FRONT, "Statistics per listening socket.")
    contstats: bool | None = idle(FRONT, "Count bytes while they flow; they always are.")
    # -- packets saved
    tcp_smart_accept: bool | None = switch(
        FRONT, "Acknowledge a request together with its response; the default in HTTP mode."
    )
    tcp_smart_connect: bool | None = switch(
        BACK, "Acknowledge the server's side of a handshake together with the first data."
    )
    # -- logging
    dontlognull: bool | None = switch(FRONT, "Do not log connections on which nothing was sent.")
    dontlog_normal: bool | None = switch(FRONT, "Do not log what went well.")
    log_separate_errors: bool | None = switch(FRONT, "Log failures at level err.")
    logasap: bool | None = switch(FRONT, "Log before the end of the transfer.")
    log_health_checks: bool | None = switch(BACK, "Log every change of a check's result.")
    httplog: str | None = log(
        Clf(), "Log HTTP requests in the usual format.", ok=("{}", "{} clf"), bad=("{} x",)
    )
    tcplog: str | None = log(
        Clf(), "Log connections in the usual format.", ok=("{}", "{} clf"), bad=("{} x",)
    )
    httpslog: bool | None = log(
        Flag(), "httplog with what is known of TLS.", ok=("{}",), bad=("no {}",), loose=True
    )
    # -- HTTP connections
    http_keep_alive: bool | None = switch(
        ANY, "Keep connections open on both sides.", clears=MODES, no_default=True
    )
    http_server_close: bool | None = switch(
        ANY, "Close the server side after each response.", clears=MODES, no_default=True
    )
    httpclose: bool | None = keyword(
        Flag(), "Close both sides after each response.", ok=("{}",), bad=("{} x",), contexts=ANY,
        clears=MODES, negatable=True, no_default=True,
    )  # fmt: skip
    http_pretend_keepalive: bool | None = switch(BACK, "Announce keep-alive to servers that will be closed.")
    http_buffer_request: bool | None = switch(ANY, "Wait for the body before request rules run.")
    http_no_delay: bool | None = idle(ANY, "Forward small segments at once; the engine always does.")
    http_ignore_probes: bool | None = switch(
        FRONT, "Do not log or answer connections closed before a request."
    )
    http_use_proxy_header: bool | None = switch(FRONT, "Use Proxy-Connection towards proxies.")
    idle_close_on_response: bool | None = switch(FRONT, "Close idle connections after a response at stop.")
    http_drop_request_trailers: bool | None = switch(BACK, "Do not forward request trailers.")
    http_drop_response_trailers: bool | None = switch(FRONT, "Do not forward response trailers.")
    http_restrict_req_hdr_names: str | None = keyword(
        Restrict(), "What becomes of request header names with unusual characters.",
        ok=("{} delete",), bad=("{}", "{} x"), contexts=ANY, counted=1, counted_as="option",
    )  # fmt: skip
    accept_unsafe_violations_in_http_request: bool | None = switch(FRONT, "Tolerate malformed requests.")
    accept_unsafe_violations_in_http_response: bool | None = switch(BACK, "Tolerate malformed responses.")
    accept_invalid_http_request: bool | None = keyword(
        Flag(), "Former name of accept-unsafe-violations-in-http-request.",
        ok=("{}",), bad=("{} x",), contexts=FRONT,
        same_as="option accept-unsafe-violations-in-http-request",
    )  # fmt: skip
    accept_invalid_http_response: bool | None = keyword(
        Flag(), "Former name of accept-unsafe-violations-in-http-response.",
        ok=("{}",), bad=("{} x",), contexts=BACK,
        same_as="option accept-unsafe-violations-in-http-response",
    )  # fmt: skip
    h1_case_adjust_bogus_client: bool | None = switch(FRONT, "Restore the case of header names for clients.")
    h1_case_adjust_bogus_server: bool | None = switch(BACK, "Restore the case of header names for servers.")
    # -- what servers are told
    forwardfor: ForwardFor | None = keyword(
        ForwardForArgument(True), "Add the client's address in a header (X-Forwarded-For).",
        ok=("{}", "{} except 127.0.0.0/8 header X-Client if-none"), bad=("{} x", "{} except x"), contexts=ANY,
    )  # fmt: skip
    originalto: ForwardFor | None = keyword(
        ForwardForArgument(False), "Add the address the client connected to in a header (X-Original-To).",
        ok=("{}", "{} header X-To"), bad=("{} if-none",), contexts=ANY,
    )  # fmt: skip
    forwarded: Forwarded | None = keyword(
        ForwardedArgument(), "Add a Forwarded header (RFC 7239).", ok=("{}", "{} proto for"), bad=("{} x",),
        contexts=BACK, negatable=True, no_default=True,
        ignored_unread="'{word}' ignored because {kind} '{name}' has no {capability} capability.",
    )  # fmt: skip
    # -- balancing and connections
    redispatch: int | None = keyword(
        Redispatch(), "Retries may go to another server: the last one, or every so many.",
        ok=("{}", "{} 3"), bad=("no {} x",), contexts=BACK, negatable=True, negated=0, loose=True,
    )  # fmt: skip
    abortonclose: bool | None = switch(
        ANY,
        "Give up requests not yet sent whose client has closed. Off unless said, as in 2.6 and not in "
        "HAProxy 3.5, so that who closes only his sending side gets his answer.",
    )  # fmt: skip
    allbackups: bool | None = switch(BACK, "Use all backup servers at once.")
    persist: bool | None = switch(BACK, "Keep to the cookie's server even when it is down.")
    prefer_last_server: bool | None = switch(BACK, "Go where the client has a connection of its own.")
    checkcache: bool | None = switch(BACK, "Block cacheable responses that set a cookie.")
    nolinger: bool | None = switch(ANY, "Close with a reset instead of waiting.")
    clitcpka: bool | None = switch(FRONT, "TCP keep-alive towards clients.")
    srvtcpka: bool | None = switch(BACK, "TCP keep-alive towards servers.")
    tcpka: bool | None = keyword(
        Flag(), "TCP keep-alive on both sides.", ok=("{}",), bad=("{} x",), contexts=ANY
    )
    splice_auto: bool | None = idle(ANY, "Splice when it seems worth it; the engine decides.")
    splice_request: bool | None = idle(ANY, "Splice requests; long bodies always are.")
    splice_response: bool | None = idle(ANY, "Splice responses; long bodies always are.")
    use_small_buffers: tuple[str, ...] | None = keyword(
        Harmless(SmallBuffers()), "Use small buffers; buffers grow with need here.",
        ok=("{}", "{} queue"), bad=("{} x",), contexts=BACK, negatable=True,
    )  # fmt: skip
    # -- health checks
    httpchk: tuple[str, ...] | None = check(
        HttpCheck(), "Check with an HTTP request.",
        ok=("{}", "{} GET /health HTTP/1.1"), bad=("no {}", r"{} GET / HTTP/1.1\r\nHost:\ www"),
    )  # fmt: skip
    tcp_check: bool | None = check(Flag(), "Check with the tcp-check rules.", ok=("{}",), bad=("{} x",))
    smtpchk: tuple[str, ...] | None = check(
        Words(), "Check with an SMTP greeting.", ok=("{}", "{} EHLO x"), bad=("no {}",), counted=2
    )
    mysql_check: tuple[str, ...] | None = check(
        User(versions=("post-41", "pre-41", "post-80")),
        "Check with a MySQL handshake.",
        ok=("{}", "{} user x", "{} user x pre-41"),
        bad=("{} x", "{} user", "{} user x post-9"),
    )
    pgsql_check: tuple[str, ...] | None = check(
        User(True), "Check with a PostgreSQL handshake.", ok=("{} user x",), bad=("{}",), counted=2
    )
    redis_check: bool | None = check(Flag(), "Check with a Redis PING.", ok=("{}",), bad=("{} x",))
    ldap_check: bool | None = check(Flag(), "Check with an LDAP bind.", ok=("{}",), bad=("{} x",))
    ssl_hello_chk: bool | None = check(Flag(), "Check with a TLS hello.", ok=("{}",), bad=("{} x",))
    spop_check: bool | None = check(Flag(), "Check with a SPOP hello.", ok=("{}",), bad=("{} x",))
    external_check: bool | None = check(
        Flag(),
        "Check with a command.",
        ok=("{}",),
        bad=("{} x",),
        needs="global external-check",
        contexts=ANY,
    )
    spans: Mapping[str, Span] = spans()
