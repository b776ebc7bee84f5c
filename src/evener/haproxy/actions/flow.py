"""Actions that end a ruleset, a transaction or a connection without an answer of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.haproxy.action import HTTP, TCP, Words, action, wrong
from evener.haproxy.txn import ACCEPTED, CLOSED, CONTINUE

Run = Callable[[Any], int]


@action("allow", HTTP, final=True, ok=["allow", "allow if TRUE"], bad=["allow if nosuchacl"])
def allow() -> Run:
    """Stop evaluating this ruleset in this section and let the message pass."""
    return lambda txn: ACCEPTED


@action("accept", TCP, final=True, ok=["accept if { src 127.0.0.1 }"], bad=["accept if nosuchacl"])
def accept() -> Run:
    """Stop evaluating this ruleset in this section and let the connection pass."""
    return lambda txn: ACCEPTED


@action(
    "reject",
    (*TCP, "http-request"),
    final=True,
    ok=["reject", "reject unless TRUE"],
    bad=["reject if nosuchacl"],
)
def reject() -> Run:
    """Close the connection without a response."""
    return lambda txn: CLOSED


@action("close", ("tcp-response content",), final=True, ok=["close"], bad=["close if nosuchacl"])
def close() -> Run:
    """Close the connection with the server, and with it the client's."""
    return lambda txn: CLOSED


def _read_silent_drop(words: Words) -> Sequence[Any]:
    if not words.take("rst-ttl"):
        return ("",)
    text = words.word("missing rst-ttl value\n")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 256):
        wrong("invalid rst-ttl value\n")
    return (text,)


@action(
    "silent-drop",
    (*TCP[:3], *TCP[3:], "http-request", "http-response"),
    parser=_read_silent_drop,
    signature="silent-drop [ rst-ttl <ttl> ]",
    final=True,
    ok=["silent-drop", "silent-drop if TRUE"],
    bad=["silent-drop rst-ttl"],
)
def silent_drop(rst_ttl: str) -> Run:
    """Forget the connection: it is closed here, and the client is not told.

    That takes a privilege (TCP_REPAIR). Without it, or with ``rst-ttl``, a reset is sent that lives for so
    many hops only (1).
    """
    ttl = int(rst_ttl or 0)

    def run(txn: Any) -> int:
        txn.vanish(ttl)
        return CLOSED

    return run


def _read_layer4(words: Words) -> Sequence[Any]:
    if words.peek() != "layer4":
        whose = f"{words.scope.whose} (got '{words.peek()}')"
        wrong(f"'{words.ruleset.name} {words.action}' only supports 'layer4' in {whose}")
    words.take("layer4")
    return ()


@action(
    "expect-proxy",
    ("tcp-request connection",),
    parser=_read_layer4,
    signature="expect-proxy layer4",
    ok=["expect-proxy layer4", "expect-proxy layer4 if { src 127.0.0.1 }"],
    bad=["expect-proxy", "expect-proxy layer5"],
)
def expect_proxy() -> Run:
    """The connection must begin with a PROXY protocol header, as on a bind line with ``accept-proxy``."""

    def run(txn: Any) -> int:
        txn.expect_header(0)
        return CONTINUE

    return run


@action(
    "expect-netscaler-cip",
    ("tcp-request connection",),
    parser=_read_layer4,
    signature="expect-netscaler-cip layer4",
    ok=["expect-netscaler-cip layer4"],
    bad=["expect-netscaler-cip", "expect-netscaler-cip layer5"],
)
def expect_netscaler_cip() -> Run:
    """The connection must begin with a NetScaler client IP header with the magic of the bind line."""

    def run(txn: Any) -> int:
        txn.expect_header(getattr(txn.listener, "netscaler", 0) or -1)
        return CONTINUE

    return run


def _read_mode(words: Words) -> Sequence[Any]:
    where = f"'{words.ruleset.name} switch-mode'"
    mode = words.word(f"{where} expects a mode as argument.")
    if mode != "http":
        wrong(f"{where} expects a valid mode (got '{mode}').")
    if words.take("proto"):
        name = words.word(f"{where}: 'proto' expects a protocol as argument.")
        if name not in ("h1", "h2"):
            wrong(f"{where}: 'proto' expects a valid MUX protocol, if specified (got '{name}')")
    return ()


@action(
    "switch-mode",
    ("tcp-request content",),
    parser=_read_mode,
    signature="switch-mode http [ proto <name> ]",
    final=True,
    ok=["switch-mode http", "switch-mode http if HTTP"],
    bad=["switch-mode", "switch-mode tcp"],
)
def switch_mode() -> Run:
    """Go on as HTTP: what was received is the first request. Without effect on what is HTTP already."""

    def run(txn: Any) -> int:
        txn.switch_mode()
        return ACCEPTED

    return run
