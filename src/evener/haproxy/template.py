"""What the grammar says about one shape of line, turned into instructions for filling it in.

A shape is the text of a line in which each run of ordinary characters is ``:`` and each run of blanks
is one space; escapes, quotes and variables stand as they are. A *piece* of a word is the number of an
atom of the line (a run, whose text differs from line to line), a literal string, or a variable.
Offsets into the shape are kept as (atom, offset within the atom), so that they can be turned into
columns of any line of that shape.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Any

from evener.haproxy.shape import parser
from evener.text.lalr import Leaf
from evener.text.record import dataclass

Place = tuple[int, int]

FAULTS = {
    # terminal: (code, how far into the token the caret stands; None = just after it)
    "BAD_HEX": ("bad-hexadecimal", 0),
    "BAD_NAME": ("bad-variable-name", None),
    "BAD_BRACE": ("unmatched-brace", 1),
    "BAD_EXPANSION": ("bad-word-expansion", -1),
    "APOSTROPHE": ("unmatched-quote", 0),
}
PSEUDO_VARIABLES = frozenset({".FILE", ".LINE", ".SECTION"})
CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``, ``${name-default}``, ``${name[*]}`` (``words``: its value is a list of words)."""

    name: str
    default: str | None
    words: bool
    at: Place


Piece = int | str | Variable


@dataclass(frozen=True, slots=True)
class Template:
    """``words``: an atom's number, or pieces. ``bytes_made``: an escape may have made odd bytes."""

    words: tuple[int | tuple[Piece, ...], ...]
    places: tuple[tuple[Place, Place], ...]
    dynamic: bool
    bytes_made: bool
    fault: str | None = None
    fault_place: Place = (0, 0)

    def bounds(self, atoms: list[str], indent: int) -> tuple[list[int], list[int]]:
        offsets = [indent, *accumulate((len(a) for a in atoms), initial=indent)][1:]
        starts = [offsets[start[0]] + start[1] for start, _ in self.places]
        return starts, [offsets[end[0]] + end[1] for _, end in self.places]

    def fault_column(self, atoms: list[str], indent: int) -> int:
        return self.raw_column(self.fault_place, atoms, indent)

    @staticmethod
    def raw_column(place: Place, atoms: list[str], indent: int) -> int:
        return indent + sum(len(a) for a in atoms[: place[0]]) + place[1]


def compile_shape(shape: str, lengths: list[int]) -> Template:
    """The template of a shape whose atoms have these lengths in it."""
    return _Compiler(shape, lengths).compile()


class _Compiler:
    def __init__(self, shape: str, lengths: list[int]) -> None:
        self.shape = shape
        self.begins = [0, *accumulate(lengths)]
        self.lengths = lengths
        self.faults: list[tuple[int, str]] = []
        self.open_quote: int | None = None
        self.dynamic = False
        self.bytes_made = False

    def compile(self) -> Template:
        tree = parser("config").text(self.shape + "\n")
        nodes: list[Any] = [node for node in tree.children if getattr(node, "data", None) == "word"]
        words = tuple(self.word(node) for node in nodes)
        places = tuple((self.place(node.start), self.place(min(node.end, len(self.shape)))) for node in nodes)
        fault, at = None, 0
        if self.faults:
            at, fault = self.faults[0]
        elif self.open_quote is not None:
            at, fault = self.open_quote, "unmatched-quote"
        return Template(words, places, self.dynamic, self.bytes_made, fault, self.place(at))

    def place(self, offset: int) -> Place:
        atom = max(0, bisect_right(self.begins, offset) - 1)
        return atom, offset - self.begins[atom]

    def word(self, node: Any) -> int | tuple[Piece, ...]:
        pieces: list[Piece] = []
        self.collect(node, pieces)
        if len(pieces) == 1 and isinstance(pieces[0], int):
            return pieces[0]
        return tuple(pieces)

    def collect(self, node: Any, pieces: list[Piece]) -> None:
        for child in node.children:
            if isinstance(child, Leaf):
                self.piece(child, pieces)
                continue
            if child.data != "double":
                self.open_quote = child.start
            self.collect(child, pieces)

    def piece(self, token: Leaf, pieces: list[Piece]) -> None:
        kind, text, start, _ = token
        if kind in ("PLAIN", "TEXT", "BACKSLASH"):
            self.text(start, start + len(text), pieces)
        elif kind == "SINGLE":
            self.text(start + 1, start + len(text) - 1, pieces)
        elif kind in ("ESCAPED", "ESCAPED_DOLLAR"):
            pieces.append(text[1])
        elif kind == "CONTROL":
            pieces.append(CONTROLS[text[1]])
        elif kind == "HEX":
            self.bytes_made = True
            pieces.append(bytes((int(text[2:], 16),)).decode("utf-8", "surrogateescape"))
        elif kind in ("VARIABLE", "BRACED"):
            self.dynamic = True
            pieces.append(self.variable(text, start))
        elif kind in FAULTS and kind != "APOSTROPHE":
            code, inside = FAULTS[kind]
            shift = len(text) if inside is None else inside % len(text)
            self.faults.append((start + shift, code))

    def variable(self, text: str, start: int) -> Variable:
        braced = text.startswith("${")
        body = text[2:-1] if braced else text[1:]
        name, dash, default = body.partition("-")
        words = name.endswith("[*]")
        name = name.removesuffix("[*]")
        begin = start + (2 if braced else 1)
        if name.startswith(".") and name not in PSEUDO_VARIABLES:
            self.faults.append((begin, "bad-variable-name"))
        return Variable(name, default if dash else None, words, self.place(begin))

    def text(self, start: int, end: int, pieces: list[Piece]) -> None:
        """The atoms between two offsets: by number, or literally where the shape has their text."""
        while start < end:
            atom = self.place(start)[0]
            stop = min(end, self.begins[atom + 1])
            if self.shape[self.begins[atom]] in ": " and self.lengths[atom] == 1:
                pieces.append(atom)
            elif pieces and isinstance(pieces[-1], str):
                pieces[-1] += self.shape[start:stop]
            else:
                pieces.append(self.shape[start:stop])
            start = stop
