"""The text of scenarios: what it means, and what is said of one that means nothing."""

import pytest

from evener.desk.simulate.scenario import Action, Scenario, ScenarioError, parse

NODES = ("a", "b")


def test_actions_come_in_order_of_time() -> None:
    text = "duration 12.5\n\n5 cut a b # a comment\n0.25 script b chk fail\n1 clock a 1.05\n"
    assert parse(text, NODES) == Scenario(
        12_500_000,
        (
            Action(250_000, "script", "b", ("chk", "fail")),
            Action(1_000_000, "clock", "a", ("1.05",)),
            Action(5_000_000, "cut", "a", ("b",)),
        ),
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("soon crash a", "'soon' is no time in seconds"),
        ("1_0 crash a", "'1_0' is no time in seconds"),
        ("\u0663 crash a", "is no time in seconds"),
        ("1 explode a", "expected SECONDS ACTION NODE"),
        ("1 crash", "expected SECONDS ACTION NODE"),
        ("1 crash c", "there is no node 'c' (there are a, b)"),
        ("1 cut a c", "there is no node 'c'"),
        ("1 script a chk maybe", "expected script NODE NAME ok|fail"),
        ("1 file a f 1.5", "expected file NODE NAME NUMBER"),
        ("1 clock a 0", "expected clock NODE RATE"),
        ("duration", "duration needs a number of seconds"),
        ("99999999 crash a", "is no time in seconds"),
    ],
)
def test_nonsense_is_named_with_its_line(line: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(f"# first\n{line}\n", NODES)
    assert caught.value.problems[0].startswith("line 2: ")
    assert problem in caught.value.problems[0]
