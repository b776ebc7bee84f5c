"""Makes parse tables of Lark grammars: ``python -m evener.text.lalr_tables`` writes them as modules.

``MODULES`` names the grammars and where their tables go. Run after a change to a grammar; a test says when
that was forgotten.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parent.parent
#: Module -> folder of grammars, and the first rule of each grammar.
MODULES: Final = {
    "haproxy/grammar_tables.py": (
        "haproxy",
        {"acl": "condition", "config": "start", "expr": "expression", "logformat": "format"},
    ),
    "keepalived/grammar_tables.py": (
        "keepalived",
        {"config": "start", "network": "network", "range": "range"},
    ),
}


def made(grammar: str, start: str) -> dict[str, Any]:
    """The table of a grammar, as ``lalr.Parser`` wants it."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    # Grammars whose terminals are made elsewhere declare them; Lark wants no lexer for those.
    given = "%declare" in grammar
    lark = Lark(grammar, start=start, parser="lalr", lexer=_no_lexer() if given else "contextual")
    parser: Any = lark.parser
    table = parser.parser._parse_table
    order = _numbered(table.states, table.start_states[start], Shift)
    rules = sorted(
        {to for row in table.states.values() for action, to in row.values() if action is not Shift}, key=str
    )
    rows = [
        {
            str(name): order[to] if action is Shift else -1 - rules.index(to)
            for name, (action, to) in sorted(table.states[state].items())
        }
        for state in order
    ]
    lexers = {} if given else parser.lexer.lexers
    return {
        "start": order[table.start_states[start]],
        "end": order[table.end_states[start]],
        "states": rows,
        "rules": [_rule(rule) for rule in rules],
        "terminals": {str(t.name): t.pattern.to_regexp() for t in ([] if given else lark.terminals)},
        "expected": [
            [str(t.name) for t in lexers[n].scanner.terminals] if n in lexers else [] for n in order
        ],
    }


def _numbered(states: dict[int, dict[str, Any]], start: int, shift: Any) -> dict[int, int]:
    """New numbers for Lark's states, in the order in which they are reached: Lark's own differ each time."""
    order = {start: 0}
    for state in (waiting := [start]):
        for _, (action, to) in sorted(states[state].items(), key=lambda item: item[0]):
            if action is shift and to not in order:
                order[to] = len(order)
                waiting.append(to)
    return order


def _no_lexer() -> type[Any]:
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        def __init__(self, conf: Any) -> None:
            del conf

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            raise TypeError("only the tables are wanted: nothing is parsed")

    return NoLexer


def _rule(rule: Any) -> list[Any]:
    """Name, number of symbols, and those kept: index, and whether their children take their place."""
    kept = [
        [index, int(not symbol.is_term and symbol.name.startswith("_"))]
        for index, symbol in enumerate(rule.expansion)
        if not (symbol.is_term and symbol.filter_out)
    ]
    if rule.alias or rule.options.expand1 or rule.options.keep_all_tokens:
        raise ValueError(f"{rule}: aliases, '?' and '!' are not handled")
    return [str(rule.origin.name), len(rule.expansion), kept]


def tables(module: str) -> str:
    """The text of a module of tables."""
    folder, grammars = MODULES[module]
    rows = []
    for name, start in grammars.items():
        grammar = (ROOT / "grammars" / folder / f"{name}.lark").read_text("utf-8")
        rows.append(f"    {name!r}: {made(grammar, start)!r},\n")
    return _MODULE.replace("FOLDER", folder).replace("ROWS", "".join(rows))


_MODULE: Final = '''\
"""Parse tables of grammars/FOLDER, made by evener.text.lalr_tables: change the grammars, not this."""

# ruff: noqa: E501
# fmt: off
from typing import Any, Final

TABLES: Final[dict[str, dict[str, Any]]] = {
ROWS}
'''


def main() -> int:
    for module in MODULES:
        (ROOT / module).write_text(tables(module), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
