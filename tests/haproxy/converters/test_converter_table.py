"""The converters are those of the original: names, types and arguments, compared both ways."""

from pathlib import Path

import pytest

from evener.haproxy.cast import castable
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.sample import CONVERTERS, Converter, Type
from evener.haproxy.scope import Failure
from evener.haproxy.vocabulary import load_vocabulary

load_vocabulary()
TABLE = Path(__file__).parents[3] / "fixtures" / "haproxy" / "converters.txt"

#: Needs stick tables or ciphers.
PLANNED = 44

SPECIMEN = {
    Type.BOOL: "bool(true)", Type.SINT: "int(1)", Type.ADDR: "src", Type.STR: "str(a)", Type.BIN: "bin(41)",
    Type.ANY: "str(a)",
}  # fmt: skip


def expected() -> dict[str, tuple[str, str, str]]:
    rows = [line.split("\t") for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    return {name: (takes, gives, kinds) for name, takes, gives, kinds in rows}


def test_same_words_same_types_same_arguments() -> None:
    declared = {
        word.name: (word.takes.value, word.out.value, word.shape.removeprefix("(").removesuffix(")"))
        for word in CONVERTERS
    }
    assert declared == expected()
    assert len(declared) == 208


def test_planned_only_shrinks() -> None:
    planned = [word.name for word in CONVERTERS if word.planned]
    assert len(planned) <= PLANNED, planned
    assert all((word.factory is None) == word.planned for word in CONVERTERS)


@pytest.mark.parametrize("word", CONVERTERS, ids=lambda word: word.name)
def test_examples(word: Converter) -> None:
    for example in word.ok:
        read = read_expression(f"{SPECIMEN[word.takes]},{example}")
        assert isinstance(read, Expr), (example, read)
        again = read_expression(str(read))
        assert isinstance(again, Expr)
        assert again == read
    for example in word.bad:
        assert isinstance(read_expression(f"{SPECIMEN[word.takes]},{example}"), Failure), example


def test_what_cannot_be_cast_is_refused() -> None:
    for word in CONVERTERS:
        for given, specimen in SPECIMEN.items():
            if castable(given, word.takes) or given is Type.ANY:
                continue
            read = read_expression(f"{specimen},{word.ok[0]}")
            assert isinstance(read, Failure)
            assert read.message == f"converter '{word.name}' cannot be applied"
