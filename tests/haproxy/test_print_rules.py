"""Rules and samples: what is printed of every example is read as the same again."""

from pathlib import Path

import pytest
from sections.config_text import read

from evener.haproxy.action import ACTIONS
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.logformat import Format, read_format
from evener.haproxy.print import print_configuration, write
from evener.haproxy.sample import FETCHES
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()
BATCH = 30
RULESETS = (
    "acl",
    "http_request", "http_response", "http_after_response", "tcp_request_connection", "tcp_request_session",
    "tcp_request_content", "tcp_response_content",
)  # fmt: skip
LISTEN = (
    "global\n  expose-experimental-directives\n  lua-load /dev/null\n"
    "listen l\n  mode http\n  bind :8080\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n"
    "  stick-table type string size 10 store gpc0,gpc1,gpt0\n{}"
)


def unchanged(lines: list[str], where: Path) -> int:
    """How many of the lines could be read; what was is the same after printing."""
    kept = 0
    for first in range(0, len(lines), BATCH):
        batch = lines[first : first + BATCH]
        made, _ = read(LISTEN.replace("{}", "".join(f"  {line}\n" for line in batch)), where)
        if not made.proxies and BATCH > 1 < len(batch):  # one of them ends the reading
            kept += sum(unchanged([line], where) for line in batch)
            continue
        again, _ = read(print_configuration(made), where)
        assert again.proxies == made.proxies, batch
        kept += sum(len(getattr(made.proxies[0].rules, name)) for name in RULESETS if made.proxies)
    return kept


def test_rules(tmp_path: Path) -> None:
    examples = [(action.rulesets[0], example) for action in ACTIONS for example in action.ok]
    assert unchanged([f"{ruleset} {example}" for ruleset, example in examples], tmp_path) >= len(examples) - 2
    bare = [entry for entry in examples if not {"if", "unless"} & set(entry[1].split())]
    tail = "if { path /a } !{ src 127.0.0.1 } or { method POST }"
    assert unchanged([f"{ruleset} {example} {tail}" for ruleset, example in bare], tmp_path) >= len(bare) - 2


@pytest.mark.parametrize("ruleset", ["http-request", "http-response", "tcp-request content"])
def test_samples(ruleset: str, tmp_path: Path) -> None:
    """As an argument of a rule, and in an ACL."""
    lines = []
    for fetch in FETCHES:
        for example in fetch.ok:
            expr = read_expression(example)
            assert isinstance(expr, Expr)
            lines.append(write([*ruleset.split(), "set-var(txn.x)", str(expr)]))
            lines.append(write(["acl", "x", str(expr), "-m", "found"]))
    assert unchanged(lines, tmp_path) >= 750


def test_log_formats(tmp_path: Path) -> None:
    for fetch in FETCHES:
        for example in fetch.ok[:1]:
            text = f"%{{+Q}}[{read_expression(example)}] %ci %(name:str)HM %%"
            expected = read_format(text)
            if not isinstance(expected, Format):
                continue
            assert read_format(str(expected)) == expected
