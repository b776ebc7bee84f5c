"""The conditions of ``set-var``: what was stored before decides whether the new value is."""

import pytest

from evener.haproxy.sample import Sample, Type
from evener.haproxy.text_txn import TextRequest, TextTxn
from evener.haproxy.variables import guard

FIVE, SIX, TEXT, EMPTY = (
    Sample(Type.SINT, 5),
    Sample(Type.SINT, 6),
    Sample(Type.STR, b"t"),
    Sample(Type.STR, b""),
)


@pytest.mark.parametrize(
    ("condition", "old", "new", "stored"),
    [
        ("ifexists", None, FIVE, False),
        ("ifexists", TEXT, FIVE, True),
        ("ifnotexists", None, FIVE, True),
        ("ifnotexists", TEXT, FIVE, False),
        ("ifset", None, TEXT, False),
        ("ifnotset", None, TEXT, True),
        ("ifempty", TEXT, EMPTY, True),
        ("ifempty", TEXT, TEXT, False),
        ("ifnotempty", TEXT, TEXT, True),
        ("ifnotempty", TEXT, EMPTY, False),
        ("ifgt", SIX, FIVE, True),
        ("ifgt", FIVE, SIX, False),
        ("iflt", FIVE, SIX, True),
        ("iflt", TEXT, SIX, True),
    ],
)
def test_conditions(condition: str, old: Sample | None, new: Sample, stored: bool) -> None:
    txn = TextTxn(TextRequest(b"GET", b"/", []))
    if old is not None:
        txn.vars["txn.x"] = old
    allowed = guard("txn.x", [condition])
    assert allowed is not None and allowed(txn, new) is stored


def test_process_variables_exist_from_the_start() -> None:
    """Seen with HAProxy: naming one in the configuration makes it."""
    txn = TextTxn(TextRequest(b"GET", b"/", []))
    assert guard("proc.nowhere_else", ["ifexists"]) is None
    never = guard("proc.nowhere_else", ["ifnotexists"])
    assert never is not None and never(txn, FIVE) is False
