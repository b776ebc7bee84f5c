"""Any text becomes an IR or diagnostics, and nothing else."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kadtext import read

from evener.keepalived.compile import compile_plan
from evener.keepalived.declare import declarations
from evener.keepalived.ir import Configuration
from evener.keepalived.print import text
from evener.text.render_keepalived import render_all

WORDS = sorted(
    {word.name for _, word in declarations(Configuration)}
    | {example for _, word in declarations(Configuration) for example in word.ok + word.bad}
    | {
        "{",
        "}",
        '"',
        "'",
        "\\",
        "#",
        "@node",
        "@^x",
        "$A",
        "${A}",
        "$A=$B",
        "$B=${A} x",
        "$A= \\",
        "~SEQ(A,1,3)",
    }
    | {
        "~LST({A,B},{1,2})",
        "include k.conf",
        "-1",
        "1_0",
        "٣",
        "1e9",
        "fe80::1%lo",
        "10.0.0.1/24",
        "\x00",
        "\ufeff",
    }
)

lines = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=5).map(" ".join)
texts = st.lists(lines, max_size=25).map("\n".join)

quickly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def survive(content: bytes) -> None:
    configuration, found = read(content)
    render_all(found)
    if configuration is None:
        assert found.has_errors
        return
    compile_plan(configuration)
    again, _ = read(text(configuration))
    assert again == configuration


@quickly
@given(texts)
def test_texts_of_keywords(content: str) -> None:
    survive(content.encode("utf-8", "surrogatepass"))


@quickly
@given(st.binary(max_size=300))
def test_bytes(content: bytes) -> None:
    survive(content)


@quickly
@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_inside_an_instance(words: list[str]) -> None:
    body = "\n".join(words)
    survive(f"vrrp_instance A {{\ninterface e\nvirtual_router_id 9\n{body}\n}}\n".encode())
