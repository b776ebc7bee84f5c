"""Actions that are known and not executed yet: whoever uses one is told so.

A row gives the name, the rulesets in which it is usable (req, res, after: http-request, http-response,
http-after-response; conn, sess, content, rescontent: the TCP rulesets; quic) and an example. What they are
said with is looked at all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from evener.haproxy.action import ActionError, Words, declare_planned_actions, wrong

_FORM: Final = (
    "Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. Available options are 'ipv4' and 'ipv6'"
)


def read_resolve(words: Words) -> Sequence[Any]:
    """``do-resolve(<var>,<resolvers>[,<options>]) <expr>``."""
    parts = (words.inside or "").split(",")
    if len(parts) < 2 or not set(parts[2:]) <= {"ipv4", "ipv6"}:
        wrong(f"Can't parse '{words.action}'. {_FORM}")
    said = words.peek()
    try:
        name = words.expression()
    except ActionError as error:
        raise ActionError(f"Can't parse '{said}': {error}. {_FORM}", error.failure.code) from None
    return parts[0], parts[1], tuple(parts[2:]), name


def read_group(words: Words) -> Sequence[Any]:
    """``send-spoe-group <engine> <group>``."""
    sentence = "expects 2 arguments: <engine-id> <group-id>"
    found = words.word(sentence), words.word(sentence)
    if not words.rest_is_condition():
        wrong(sentence)
    return found


def read_nothing(_words: Words) -> Sequence[Any]:
    return ()


declare_planned_actions(
    """
attach-srv sess: attach-srv be/srv | The connection becomes one to that server, for reverse HTTP.
dgram-drop quic: dgram-drop | Say nothing to the datagram that would begin a connection.
do-resolve(*) req,content: do-resolve(txn.ip,dns) hdr(host) | Keep the address of a name in a variable.
send-retry quic: send-retry | Let the client prove its address before anything is kept for it.
send-spoe-group req,res,content,rescontent: send-spoe-group engine group | Ask agents with that group.
wait-for-handshake req: wait-for-handshake | Wait for the TLS handshake to end when data came early.
""",
    "Known, and not executed yet.",
    {"do-resolve": read_resolve, "send-spoe-group": read_group, "wait-for-handshake": read_nothing},
)
