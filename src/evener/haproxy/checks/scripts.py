"""From the kind of a check to its script: what ``option <kind>`` and ``type <kind>`` have in common.

The words are those after the kind; the rules are those of ``http-check`` or ``tcp-check``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from evener.haproxy.checks.canned import redis_script, smtp_script
from evener.haproxy.checks.databases import ldap_script, mysql_script, pgsql_script
from evener.haproxy.checks.greetings import spop_script, ssl_hello_script
from evener.haproxy.checks.parse import http_script, tcp_script
from evener.haproxy.checks.steps import Script
from evener.haproxy.scope import CompileEnv

Rules = Sequence[Sequence[str]]
Make = Callable[[Sequence[str], Rules, CompileEnv | None], Script]

KINDS: Final[dict[str, Make]] = {
    "tcp-check": lambda words, rules, env: tcp_script(rules, env),
    "httpchk": http_script,
    "ssl-hello-chk": lambda words, rules, env: ssl_hello_script(),
    "smtpchk": lambda words, rules, env: smtp_script(words, env),
    "pgsql-check": lambda words, rules, env: pgsql_script(words),
    "redis-check": lambda words, rules, env: redis_script(env),
    "mysql-check": lambda words, rules, env: mysql_script(words),
    "ldap-check": lambda words, rules, env: ldap_script(),
    "spop-check": lambda words, rules, env: spop_script(),
}
"""By the word of the option, in the order in which messages list them."""

RULED: Final = {"tcp-check": "tcp-check", "httpchk": "http-check"}
"""The keyword of the rules that a kind of check has."""
