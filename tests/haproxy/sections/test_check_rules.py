"""Rules of checks that the original refuses when it reads them: the same sentences, at the same lines."""

from pathlib import Path

import pytest
from config_text import read

from evener.text.diagnostic import Severity

DEFAULTS = "defaults\n mode http\n timeout connect 1s\n timeout server 1s\n"


@pytest.mark.parametrize(
    ("rules", "line", "message"),
    [
        (
            ["http-check connect", "http-check expect status 200"],
            8,
            "'http-check expect' : unable to add http-check expect rule at step 2 (missing send rule)..",
        ),
        (
            ["http-check send", "http-check send"],
            8,
            "'http-check send' : unable to add http-check send rule at step 2 (missing connect rule)..",
        ),
        (
            ["http-check set-var(check.x) int(1)", "http-check connect", "http-check connect"],
            9,
            "'http-check connect' : unable to add http-check connect rule at step 3 (missing expect rule)..",
        ),
        (
            ["tcp-check send x", "tcp-check connect"],
            8,
            "'tcp-check connect' : first step MUST also be a 'connect', optionally preceded by a 'set-var', "
            "an 'unset-var' or a 'comment', when there is a 'connect' step in the tcp-check ruleset.",
        ),
        (["tcp-check expect"], 7, "'tcp-check expect' : expects at least a matching pattern as arguments."),
        (
            ["http-check expect status 300-200"],
            7,
            "'http-check expect' : invalid range of status codes '300-200'.",
        ),
        (["tcp-check expect binary 1"], 7, None),
        (["http-check expect hdr value x"], 7, None),
        (["http-check set-var(check.x) nope"], 7, None),
        (["tcp-check send-lf %[nope]"], 7, None),
        (["tcp-check connect port nope"], 7, None),
        (
            ["http-check connect proto none"],
            7,
            "'http-check connect' : 'proto' : invalid MUX protocol 'none' for http-check.",
        ),
        (
            ["external-check command x"],
            5,
            "Proxy 'b': 'external-check command' does not have a leading '/' "
            "and 'external-check path' is not set.",
        ),
    ],
)
def test_refused(rules: list[str], line: int, message: str | None, tmp_path: Path) -> None:
    lines = "".join(f" {rule}\n" for rule in rules)
    text = f"{DEFAULTS}backend b\n option httpchk\n{lines}"
    found = [entry for entry in read(text, tmp_path)[1] if entry.severity is Severity.ALERT]
    assert len(found) == 1
    assert found[0].span is not None and found[0].span.line == line
    assert message is None or found[0].message == message


def test_what_tls_needs_is_known_and_said(tmp_path: Path) -> None:
    text = f"{DEFAULTS}backend b\n option httpchk\n http-check connect ssl sni x alpn h2\n"
    _, found = read(text, tmp_path)
    assert not found.has_errors
    assert [e.message for e in found if "http-check connect" in e.message] == [
        "evener: 'http-check connect alpn' is not executed yet."
    ]
