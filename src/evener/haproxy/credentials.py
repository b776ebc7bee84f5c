"""HTTP authentication: what a request says about its user, and the answer that asks for it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from evener.haproxy.cast import to_bytes
from evener.haproxy.replies import plain_page, terminated
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], int]


def credentials(txn: Any) -> tuple[bytes, bytes, bytes] | None:
    """``Basic`` with user and password, or ``Bearer`` with the token; None for anything else. From
    proxy-authorization for requests to a proxy (``option http-use-proxy-header``)."""
    proxied = not txn.req.uri.startswith((b"/", b"*")) and txn.frontend.plan.ir.option.http_use_proxy_header
    value = txn.req.get(b"proxy-authorization" if proxied else b"authorization")
    if value is None:
        return None
    scheme, _, rest = value.partition(b" ")
    rest = rest.strip(b" ")
    if scheme.lower() == b"bearer":
        return (b"Bearer", rest, b"") if rest else None
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(rest, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (b"Basic", user, password) if colon else None


def challenge(realm: str, env: CompileEnv) -> Run:
    """Ask for a user name and password: 401, or 407 to a proxy's client (option http-use-proxy-header)."""
    basic = b'Basic realm="%b"' % to_bytes(realm)
    own = {status: env.error_reply(status) for status in (401, 407)}
    pages = {status: page if isinstance(page, tuple) else plain_page(status) for status, page in own.items()}

    def run(txn: Any) -> int:
        proxied = env.proxied and not txn.req.uri.startswith((b"/", b"*"))
        status, name = (407, b"proxy-authenticate") if proxied else (401, b"www-authenticate")
        _, reason, headers, body = pages[status]
        kept = [line for line in headers if line[0] != name]
        txn.count_error()
        return txn.reply(status, reason, [*kept, (name, basic)], body)  # type: ignore[no-any-return]

    return terminated(run, b"LR")
