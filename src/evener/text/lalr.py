"""Runs the parse tables that Lark made of a grammar, without Lark: importing it costs more than parsing.

A ``Parser`` is an LALR(1) automaton and, for grammars with terminals of their own, a contextual lexer:
each state knows which terminals may come next, so one character can mean different things in different
places. Trees are what Lark would have made: rules whose name begins with ``_`` are merged into their
parents, terminals of such names are left out. ``lalr_tables`` makes the tables, a test holds both to the
same trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

END: Final = "$END"


class Leaf(NamedTuple):
    """A terminal: its kind, its text, and where that begins and ends."""

    kind: str
    text: str
    start: int
    end: int


class Node:
    """A rule with what it matched. ``start`` and ``end`` are None for a rule that matched nothing."""

    __slots__ = ("children", "data", "end", "start")

    def __init__(self, data: str, children: list[Any], start: int | None, end: int | None) -> None:
        self.data = data
        self.children = children
        self.start = start
        self.end = end


class SyntaxFault(Exception):
    """The first thing that does not fit: the index of a terminal, or a position in the text."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Rule(NamedTuple):
    """``kept``: which of the ``size`` symbols become children, and whether they are merged."""

    name: str
    size: int
    kept: tuple[tuple[int, bool], ...]


class Parser:
    """One grammar. ``table`` is what ``lalr_tables`` wrote."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._start: int = table["start"]
        self._end: int = table["end"]
        self._states: list[dict[str, int]] = table["states"]
        self._rules = [
            Rule(n, size, tuple((i, bool(m)) for i, m in kept)) for n, size, kept in table["rules"]
        ]
        self._terminals: dict[str, str] = table["terminals"]
        self._expected: list[list[str]] = table["expected"]
        self._scanners: dict[int, re.Pattern[str]] = {}

    def kinds(self, kinds: Sequence[str]) -> Node:
        """The tree of a sequence of terminals; its leaves are indexes."""
        return self._run((kind, index, index, index + 1) for index, kind in enumerate(kinds))

    def text(self, text: str) -> Node:
        """The tree of a text; its leaves are ``Leaf``."""
        states = [self._start]
        return self._run(self._lex(text, states), states)

    def _lex(self, text: str, states: list[int]) -> Iterator[tuple[str, Leaf, int, int]]:
        at, end = 0, len(text)
        while at < end:
            match = self._scanner(states[-1]).match(text, at)
            if match is None or match.lastgroup is None or match.end() == at:
                raise SyntaxFault(at)
            yield match.lastgroup, Leaf(match.lastgroup, match[0], at, match.end()), at, match.end()
            at = match.end()

    def _scanner(self, state: int) -> re.Pattern[str]:
        scanner = self._scanners.get(state)
        if scanner is None:
            names = self._expected[state]
            pattern = "|".join(f"(?P<{name}>{self._terminals[name]})" for name in names)
            scanner = self._scanners[state] = re.compile(pattern or "(?!)")
        return scanner

    def _run(self, tokens: Iterable[tuple[str, Any, int, int]], states: list[int] | None = None) -> Node:
        """``states`` is shared with a lexer that looks at the last one."""
        states = [self._start] if states is None else states
        values: list[tuple[Any, int | None, int | None]] = []
        at = 0
        for kind, leaf, start, end in tokens:
            action = self._reduce(states, values, kind, start)
            states.append(action)
            values.append((leaf, start, end))
            at = end
        while states[-1] != self._end:
            action = self._states[states[-1]].get(END, 0)
            if action >= 0:
                raise SyntaxFault(at)
            self._apply(states, values, self._rules[-1 - action])
        made: Node = values[-1][0]
        return made

    def _reduce(self, states: list[int], values: list[Any], kind: str, at: int) -> int:
        """Apply the rules that are complete when ``kind`` comes next; the state after it."""
        while True:
            action = self._states[states[-1]].get(kind)
            if action is None:
                raise SyntaxFault(at)
            if action >= 0:
                return action
            self._apply(states, values, self._rules[-1 - action])

    def _apply(self, states: list[int], values: list[Any], rule: Rule) -> None:
        parts = values[len(values) - rule.size :]
        del values[len(values) - rule.size :], states[len(states) - rule.size :]
        children: list[Any] = []
        for index, merged in rule.kept:
            if merged and not children:
                # Nobody else has this node: a repetition grows one list, and does not copy it at each step.
                children = parts[index][0].children
            elif merged:
                children += parts[index][0].children
            else:
                children.append(parts[index][0])
        start = next((part[1] for part in parts if part[1] is not None), None)
        end = next((part[2] for part in reversed(parts) if part[2] is not None), None)
        values.append((Node(rule.name, children, start, end), start, end))
        states.append(self._states[states[-1]][rule.name])
