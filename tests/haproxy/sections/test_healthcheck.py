"""``healthcheck`` sections: what they refuse, with the original's words, and what servers make of them."""

from pathlib import Path

import pytest
from config_text import read

from evener.haproxy.check_plan import CheckPlanner
from evener.haproxy.checks.steps import Script, SendHttp
from evener.haproxy.compile import compile_plan
from evener.text.diagnostic import Diagnostics, Severity

DEFAULTS = "defaults\n mode http\n timeout connect 1s\n timeout server 1s\n"


def alerts(text: str, tmp_path: Path) -> list[str]:
    return [entry.message for entry in read(text, tmp_path)[1] if entry.severity is Severity.ALERT]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("healthcheck\n", "missing name for healthcheck section."),
        ("healthcheck a/b\n", "character '/' is not permitted in 'healthcheck' name 'a/b'."),
        ("healthcheck a\n frob\n", "unknown keyword 'frob' in 'healthcheck' section"),
        ("healthcheck a\n type\n", "'type' expects a healthcheck type."),
        ("healthcheck a\n type redis-check\n type redis-check\n", "healthcheck type already defined."),
        (
            "healthcheck a\n type external-check\n",
            "unknown healthcheck type 'external-check' (expects 'tcp-check', 'httpchk', 'ssl-hello-chk', "
            "'smtpchk', 'pgsql-check', 'redis-check', 'mysql-check', 'ldap-check', 'spop-check').",
        ),
        ("healthcheck a\n type pgsql-check\n", "'option pgsql-check' expects 'user <username>' as argument."),
        (
            "healthcheck a\n type redis-check\n tcp-check connect\n",
            "unable to configure 'tcp-check' rule for 'redis-check' healthcheck",
        ),
        (
            "healthcheck a\n tcp-check connect\n http-check connect\n",
            "cannot mix 'tcp-check' and 'http-check' rules",
        ),
        (
            "healthcheck a\n tcp-check connect\n type httpchk\n",
            "cannot set 'httpchk' type with 'tcp-check' rules",
        ),
        (
            "healthcheck a\n type tcp-check\n tcp-check connect door\n",
            "'tcp-check connect' : expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or "
            "'via-socks4', 'linger', 'default' but got 'door' as argument..",
        ),
        (
            f"{DEFAULTS}backend b\n server s 127.0.0.1:80 check healthcheck none\n",
            "healthcheck section '*healthcheck-none' not found for server 's'.",
        ),
    ],
)
def test_refusals(text: str, message: str, tmp_path: Path) -> None:
    (said,) = alerts(text, tmp_path)
    assert said.endswith(message)


def test_a_name_is_used_once(tmp_path: Path) -> None:
    (found,) = alerts("healthcheck a\n type redis-check\nhealthcheck a\n", tmp_path)
    assert found.startswith("healthcheck section 'a' already defined at ")


def test_a_server_is_checked_as_its_section_says(tmp_path: Path) -> None:
    text = (
        "healthcheck probe\n http-check send meth GET uri /health\n type httpchk\n"
        f"{DEFAULTS}backend b\n option redis-check\n server s1 127.0.0.1:80 check\n"
        " server s2 127.0.0.1:80 check healthcheck probe\n"
    )
    configuration, found = read(text, tmp_path)
    assert not found.has_errors
    plan = compile_plan(configuration, Diagnostics())
    planner = CheckPlanner(plan, found)

    def script(index: int) -> Script:
        check = planner.server(plan.backends[0].servers[index]).check
        assert check is not None
        return check.script

    assert not script(0).http
    (send,) = (step for step in script(1).steps if isinstance(step, SendHttp))
    assert (send.method, send.uri) == (b"GET", b"/health")
