"""Makes parse tables of Lark grammars: ``python -m evener.text.lalr_tables`` writes them beside the grammars.

A file ``tables.json`` in a folder of grammars names the grammars it holds and their first rule; this
brings the tables up to date. Run after a change to a grammar; a test says when that was forgotten.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

GRAMMARS = Path(__file__).parent.parent / "grammars"


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
            name: order[to] if action is Shift else -1 - rules.index(to)
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
        "terminals": {t.name: t.pattern.to_regexp() for t in ([] if given else lark.terminals)},
        "expected": [[t.name for t in lexers[n].scanner.terminals] if n in lexers else [] for n in order],
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
            raise NotImplementedError

    return NoLexer


def _rule(rule: Any) -> list[Any]:
    """Name, number of symbols, and those kept: index, and whether their children take their place."""
    kept = [
        [index, int(not symbol.is_term and symbol.name.startswith("_"))]
        for index, symbol in enumerate(rule.expansion)
        if not (symbol.is_term and symbol.filter_out)
    ]
    if rule.alias or rule.options.expand1 or rule.options.keep_all_tokens:
        raise NotImplementedError(f"{rule}: aliases, '?' and '!' are not handled")
    return [rule.origin.name, len(rule.expansion), kept]


def tables(folder: Path) -> str:
    """The text of a folder's ``tables.json``, made anew."""
    held = json.loads((folder / "tables.json").read_text("utf-8"))
    fresh = {}
    for name in sorted(held):
        grammar = (folder / f"{name}.lark").read_text("utf-8")
        fresh[name] = {"first": held[name]["first"], **made(grammar, held[name]["first"])}
    rows = (
        f"{json.dumps(name)}: {json.dumps(table, separators=(',', ':'))}" for name, table in fresh.items()
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main() -> int:
    for path in sorted(GRAMMARS.glob("*/tables.json")):
        path.write_text(tables(path.parent), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
