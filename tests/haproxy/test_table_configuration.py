# ruff: noqa: E501
"""What is said about wrong tables, and about names of tables that lead nowhere, as HAProxy 3.5-dev5 says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables import HEAD, configuration

from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("frontend f\n bind :1\n http-request track-sc0 src", "Proxy 'f': unable to find table 'f' referenced by track-sc0."),
        ("frontend f\n bind :1\n tcp-request content track-sc1 src table x", "Proxy 'f': unable to find table 'x' referenced by track-sc1."),
        ("backend b\n stick on src\n server s :80", "Proxy 'b': unable to find stick-table 'b'."),
        ("backend b\n stick-table type ipv6 size 5\n stick on bool(1)", "Proxy 'b': type of fetch not usable with type of stick-table 'b'."),
        ("listen b\n bind :1\n stick-table type ipv6 size 5\n http-request track-sc0 bool(1)", "Proxy 'b': stick-table 'b' uses a type incompatible with the 'track-sc0' rule."),
        ("backend b\n stick-table type ip size 5 peers nope", "Proxy 'b': unable to find sync peers 'nope'."),
        ("backend b\n stick-table type ip size 5 write-to nope", "Proxy 'b': failed to initialize stick-table: write-to: table 'nope' doesn't exist."),
        ("frontend f\n bind :1\n http-request deny if { sc0_get_gpc0(x) gt 0 }", "unable to find table 'x' referenced in arg 1 of ACL keyword 'sc0_get_gpc0' in proxy 'f'."),
        ("frontend f\n bind :1\n acl a src,table_gpc0(x) gt 0", "unable to find table 'x' referenced in arg 1 of conversion keyword 'table_gpc0' for ACL keyword 'src' in proxy 'f'."),
        ("frontend f\n bind :1\n http-request set-header x %[table_cnt]", "unable to find table 'f' referenced in arg 1 of sample fetch keyword 'table_cnt' in http-request expression in proxy 'f'."),
        ("defaults d\n mode http\n http-request set-header x %[table_cnt]", "table name must be set in arg 1 of sample fetch keyword 'table_cnt' in http-request expression in proxy 'd'."),
    ],
)  # fmt: skip
def test_names_that_lead_nowhere(text: str, told: str, tmp_path: Path) -> None:
    _, found = configuration(text + "\n", tmp_path)
    assert told in [one.message for one in found if one.severity >= Severity.ALERT]


def test_several_at_once(tmp_path: Path) -> None:
    text = "frontend f\n bind :1\n http-request set-header x %[table_cnt(x)]%[table_cnt(y)]\n"
    _, found = configuration(text, tmp_path)
    (one,) = [one for one in found if one.severity >= Severity.ALERT]
    assert one.message.startswith("multiple argument resolution errors:\n        parsing [")
    assert one.message.count("\n") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("type ip", "missing size."), ("size 5", "missing type."), ("type ip size 0", "missing size."),
        ("type foo size 5", "unknown type 'foo'."), ("type ip len 5 size 5", "unknown argument 'len'."),
        ("type ip size 10g", "unexpected character 'g' in argument of 'size'."),
        ("type ip size 5 store foo", "unknown store option 'foo'."),
        ("type ip size 5 store conn_rate", "missing argument to store option 'conn_rate'."),
        ("type ip size 5 store conn_rate()", "error when processing store option 'conn_rate'."),
        ("type ip size 5 store conn_rate(30d)", "error when processing store option 'conn_rate'."),
        ("type ip size 5 store conn_rate(1s", "missing closing parenthesis after store option 'conn_rate'."),
        ("type ip size 5 store gpc0(3)", "unexpected argument to store option 'gpc0'."),
        ("type ip size 5 store gpt(0)", "array size is out of allowed range (1-100) for store option 'gpt'."),
        ("type ip size 5 store gpc_rate(2)", "missing argument to store option 'gpc_rate'."),
        ("type ip size 5 store gpt(2),gpt0", "simultaneous usage of 'gpt' and 'gpt0' in a same table is not permitted as 'gpt' overrides 'gpt0'."),
        ("type ip size 5 brates-factor 0", "argument 'brates-factor' must be greater than 0 and lower or equal than 1024."),
    ],
)  # fmt: skip
def test_wrong_declarations(words: str, told: str, tmp_path: Path) -> None:
    for opening in ("backend b\n stick-table", "peers p\n table t"):
        _, found = configuration(f"{opening} {words}\n", tmp_path)
        assert f"{opening.split()[2]}: {told}" in [one.message for one in found]


def test_counters_that_may_be_tracked(tmp_path: Path) -> None:
    path = tmp_path / "G"
    text = HEAD + "frontend f\n bind :1\n stick-table type ip size 5\n http-request track-sc4 src\n"
    path.write_text(text)
    found = Diagnostics()
    with pytest.raises(FatalConfiguration):
        load([str(path)], found, ReadOptions())
    assert any("4 track-sc number exceeding 2 (tune.stick-counters-1) value" in one.message for one in found)
    path.write_text("global\n tune.stick-counters 5\n" + text)
    again = Diagnostics()
    load([str(path)], again, ReadOptions())
    assert not again.has_errors
