"""From the text of one line to its words: separators, comments, quotes, escapes, variables.

Decides what the words are, and what is broken about a line that has none. Knows no keyword.

Most lines are plain: no quote, no backslash. They are split at blanks. The others go through the Lark
grammar ``config.lark``, but each *shape* only once: a line is cut into atoms, runs of ordinary
characters and runs of blanks are replaced by one placeholder each, and the short text that results is
what is parsed. Its tree becomes a ``Template``: for every word, which atoms it is made of. Lines of
a known shape are then filled in without parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from evener.haproxy.line import Columns
from evener.haproxy.template import Template, Variable, compile_shape

Lookup = Callable[[str], "str | None"]
"""The value of an environment variable or pseudo-variable; None when it is not set."""

MAX_WORDS: Final = 64

MESSAGES: Final = {
    "unmatched-quote": "unmatched quote",
    "unmatched-brace": "unmatched brace in environment variable name",
    "bad-variable-name": "forbidden first char in environment variable name",
    "bad-hexadecimal": "truncated or invalid hexadecimal sequence",
    "bad-word-expansion": "truncated or invalid word expansion sequence",
    "too-long": "line too long, cannot allocate memory",
}
MOST_GROWN: Final = 1 << 20
"""So many characters the variables of one line may put in: each may be many times the one before it."""

_BLANKS = " \t\v\f\r"
# What can be split at blanks without a second look: printable ASCII except the quotes, # and \.
PLAIN: Final = re.compile(r"[ !$-&(-\[\]-~\t]*")
_SPLIT = re.compile(r"[^ \t\r]+")
# The atoms. An escape, and everything that could be a variable, keeps its text in the shape.
_ATOMS = re.compile(
    r"""[^ \t\v\f\r\n"'\\#$]+
      | [ \t\v\f]+
      | \$\{?(?:[A-Za-z_.][A-Za-z0-9_]*(?:\[\*\]|\[)?(?:-[^}]*\}?)?\}?)?
      | \\(?:x.{0,2}|.)?
      | .""",
    re.VERBOSE | re.DOTALL,
)
_VERBATIM = frozenset("\"'\\#$\r\n")
_WORD = re.compile(r"""[ \t\v\f]*(?:[^ \t\v\f\r"'\\#]|\\.|'[^'\r]*'|"(?:[^"\\\r]|\\.)*")+""")
_LONG = 65_536
_MEMO_LIMIT = 20_000
_MEMO_LENGTH = 10_000

_templates: dict[str, Template] = {}


class BrokenLine(Exception):
    """A line that cannot be cut into words; ``code`` is a key of MESSAGES, ``column`` counts from 0."""

    def __init__(self, code: str, column: int) -> None:
        super().__init__(f"{MESSAGES[code]} at column {column}")
        self.code = code
        self.column = column


def tokenize(raw: str, lookup: Lookup) -> list[str]:
    """The words of a line (without its LF, without any NUL), variables replaced; raises BrokenLine."""
    head = plain_part(raw)
    if head is not None:
        return head.split()
    return _general(raw, lookup)


def plain_part(raw: str) -> str | None:
    """What remains of a plain line without its comment; None when the line is not plain."""
    match = PLAIN.match(raw)
    end = match.end() if match else 0
    if end == len(raw) or raw[end] == "#" or (raw[end] == "\r" and end + 1 == len(raw)):
        return raw[:end]
    return None


def is_dynamic(raw: str) -> bool:
    """Whether the words depend on the environment."""
    return '"' in raw and "$" in raw


def columns(raw: str) -> Columns:
    """Where each word of a line begins and ends, for a line without word expansion."""
    head = plain_part(raw)
    if head is not None:
        found = [m.span() for m in _SPLIT.finditer(head)]
        return [start for start, _ in found], [end for _, end in found]
    body, atoms = _cut(raw)
    template = _template(atoms)
    starts, ends = template.bounds(atoms, len(raw) - len(body))
    return starts, ends


def words_and_columns(raw: str, lookup: Lookup) -> tuple[list[str], Columns]:
    """Like ``tokenize``, with columns also right for words that come from the same ``${list[*]}``."""
    body, atoms = _cut(raw)
    template = _template(atoms)
    indent = len(raw) - len(body)
    if template.fault is not None:
        raise BrokenLine(template.fault, template.fault_column(atoms, indent))
    starts, ends = template.bounds(atoms, indent)
    words: list[str] = []
    origin: list[int] = []
    lookup = _bounded(lookup)
    for index in range(len(template.words)):
        made = _expand(template, index, atoms, lookup)
        words += made
        origin += [index] * len(made)
    return words, ([starts[i] for i in origin], [ends[i] for i in origin])


def first_unset(raw: str, lookup: Lookup) -> tuple[int, str] | None:
    """The first variable of a line that is not set and has no default: its column and name."""
    body, atoms = _cut(raw)
    template = _template(atoms)
    for pieces in template.words:
        for piece in () if isinstance(pieces, int) else pieces:
            if isinstance(piece, Variable) and piece.default is None and lookup(piece.name) is None:
                return template.raw_column(piece.at, atoms, len(raw) - len(body)), piece.name
    return None


def _bounded(lookup: Lookup) -> Lookup:
    """Values for one line; raises BrokenLine when they are too long together."""
    total = 0

    def look(name: str) -> str | None:
        nonlocal total
        value = lookup(name)
        total += len(value) if value else 0
        if total > MOST_GROWN:
            raise BrokenLine("too-long", 0)
        return value

    return look


def _general(raw: str, lookup: Lookup) -> list[str]:
    body, atoms = _cut(raw)
    template = _template(atoms)
    if template.fault is not None:
        raise BrokenLine(template.fault, template.fault_column(atoms, len(raw) - len(body)))
    if template.dynamic:
        lookup = _bounded(lookup)
        return [w for i in range(len(template.words)) for w in _expand(template, i, atoms, lookup)]
    words = [
        atoms[word] if type(word) is int else "".join([atoms[p] if type(p) is int else p for p in word])  # type: ignore[union-attr,misc]
        for word in template.words
    ]
    return [settle(word) for word in words] if template.bytes_made else words


def _cut(raw: str) -> tuple[str, list[str]]:
    body = raw.lstrip(_BLANKS)
    if len(body) > _LONG:
        body = _enough(body)
    return body, _ATOMS.findall(body)


def _enough(body: str) -> str:
    """A very long line up to the first word too many: what follows cannot make it right."""
    end = 0
    for _ in range(MAX_WORDS + 2):
        match = _WORD.match(body, end)
        if match is None:
            return body
        end = match.end()
    return body[:end]


def _template(atoms: list[str]) -> Template:
    shape = "".join([a if a[0] in _VERBATIM else " " if a[0] in " \t\v\f" else ":" for a in atoms])
    template = _templates.get(shape)
    if template is None:
        if len(_templates) >= _MEMO_LIMIT:
            _templates.clear()
        lengths = [len(a) if a[0] in _VERBATIM else 1 for a in atoms]
        template = compile_shape(shape, lengths)
        if len(shape) <= _MEMO_LENGTH:
            _templates[shape] = template
    return template


def _expand(template: Template, index: int, atoms: list[str], lookup: Lookup) -> list[str]:
    """The words that word ``index`` of the template becomes: one, or any number with ``[*]``."""
    pieces = template.words[index]
    if isinstance(pieces, int):
        return [atoms[pieces]]
    made: list[str] = []
    current = ""
    split = False
    for piece in pieces:
        if isinstance(piece, int):
            current += atoms[piece]
        elif isinstance(piece, str):
            current += piece
        else:
            value = _value(piece, lookup)
            if piece.words:
                split = True
                *whole, current = _joined(current, value)
                made += whole
            else:
                current += value
    if current or not split:
        made.append(current)
    return [settle(word) for word in made]


def _value(variable: Variable, lookup: Lookup) -> str:
    value = lookup(variable.name)
    return (variable.default or "") if value is None else value


def _joined(current: str, value: str) -> list[str]:
    """``current`` followed by a list of words; the last one may still grow."""
    parts = re.split(r"[ \t\n\v\f\r]+", value)
    words = [current + parts[0], *parts[1:]]
    return [word for word in words[:-1] if word] + [words[-1]]


def settle(word: str) -> str:
    r"""A word made with ``\xNN`` as the original keeps it: cut at NUL, and its bytes read as UTF-8."""
    word = word.partition("\0")[0]
    if word.isascii():
        return word
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
