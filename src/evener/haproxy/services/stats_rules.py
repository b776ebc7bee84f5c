"""``stats`` of a proxy as policy: which requests are for the page, who may see it, and asking for it.

What the page shows is decided where the counters are: ``stats_page``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from evener.haproxy import phases
from evener.haproxy.cast import to_bytes
from evener.haproxy.condition import compile_condition
from evener.haproxy.credentials import challenge, credentials
from evener.haproxy.messages import path_and_query
from evener.haproxy.rule import compile_rule
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.stats import Stats, in_force
from evener.haproxy.services.enquiry import NAMES, consult
from evener.haproxy.txn import CONTINUE, REPLIED, Txn

Policy = Callable[[Txn], int]

URI: Final = "/haproxy?stats"
REALM: Final = "HAProxy Statistics"
_BODY_TIME: Final = 10_000  #: ms that an action may take to arrive where no timeout says so


def prefix_of(stats: Stats) -> bytes:
    return to_bytes(stats.uri or URI)


class Page:
    """The two policies of one proxy's page; redirections stand between them in the original."""

    def __init__(self, proxy: Proxy, stats: Stats, env: CompileEnv) -> None:
        self.proxy = proxy
        self.stats = stats
        self.env = env
        prefix = prefix_of(stats)

        def asked(txn: Txn) -> bool:
            request = txn.req
            target = request.uri
            if prefix[:1] == b"/" and target[:1] != b"/":
                target = path_and_query(target)
            return target.startswith(prefix) and request.method in (b"GET", b"HEAD", b"POST")

        self.asked = asked

    def admission(self) -> Policy | None:
        """``stats auth`` or ``stats http-request``: CONTINUE lets the request see the page."""
        rules = self.accounts() if self.stats.auth else self.rules()
        asked = self.asked
        if rules is None:
            return None

        def run(txn: Txn) -> int:
            verdict = rules(txn) if asked(txn) else CONTINUE
            if verdict == REPLIED:
                txn.blame(NAMES["stats"], 400)
            return verdict

        return run

    def accounts(self) -> Policy:
        known = [to_bytes(account).partition(b":")[::2] for account in self.stats.auth]
        realm = self.stats.realm or REALM
        ask = challenge(realm, self.env)

        def run(txn: Txn) -> int:
            found = credentials(txn)
            if found is not None and found[0] == b"Basic":
                for user, password in known:
                    if user == found[1] and hmac.compare_digest(password, found[2]):
                        return CONTINUE
            return ask(txn)

        return run

    def rules(self) -> Policy | None:
        """The page's own rules. ``auth`` without a realm asks for that of the page."""
        if not self.stats.http_request:
            return None
        realm = self.stats.realm or REALM
        env = replace(self.env, proxy=realm)
        made = [compile_rule(rule, env) for rule in self.stats.http_request]
        return phases.ruleset(made, may_wait=True)

    def reply(self) -> Policy:
        """Ask for the page, once the body of an action has come."""
        asked, enquiries, name = self.asked, self.env.enquiries, self.proxy.name
        admins = [self.condition(line) for line in self.stats.admin]
        timeout = self.proxy.timeout.http_request or self.proxy.timeout.client or _BODY_TIME

        def admin(txn: Txn) -> bool:
            return any(check is None or check(txn) for check in admins)

        def question(txn: Txn) -> list[Any]:
            request = txn.req
            body = txn.body() if request.method == b"POST" else b""
            words: Sequence[bytes] = (request.uri, request.method, body)
            return [name, *(word.decode("latin-1") for word in words), admin(txn), txn.frontend.plan.name]

        def run(txn: Txn) -> int:
            if not asked(txn):
                return CONTINUE
            if txn.req.method == b"POST" and not txn.body_complete():
                return txn.wait(timeout)
            return consult(txn, enquiries, "stats", lambda: question(txn))

        return run

    def condition(self, line: Any) -> Callable[[Txn], bool] | None:
        return None if line.condition is None else compile_condition(line.condition, self.env)


def page(proxy: Proxy, env: CompileEnv) -> Page | None:
    """The page of a proxy, if it has one."""
    stats = in_force(proxy) if proxy.http else None
    return None if stats is None else Page(proxy, stats, env)
