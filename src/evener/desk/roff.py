"""Manual pages in the man(7) format of groff: text in, escaped lines out. Knows nothing of any keyword."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from evener import __version__

_SPECIAL = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    '"': "\\(dq",
}
_MARKED = re.compile(r"``(.+?)``", re.DOTALL)


def escape(text: str) -> str:
    """``text`` as groff shows it unchanged, whatever it contains; one line."""
    made = "".join(_SPECIAL.get(c) or (c if " " <= c <= "~" else f"\\[u{ord(c):04X}]") for c in text)
    return f"\\&{made}" if made.startswith((".", "'")) else made


def bold(text: str) -> str:
    return f"\\fB{escape(text)}\\fR"


def italic(text: str) -> str:
    return f"\\fI{escape(text)}\\fR"


def prose(text: str, between: str = ".PP") -> list[str]:
    """Paragraphs of documentation: ``words`` between double backquotes are bold."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        if lines:
            lines.append(between)
        pieces = _MARKED.split(" ".join(paragraph.split()))
        made = "".join(bold(piece) if n % 2 else escape(piece) for n, piece in enumerate(pieces))
        lines.append(f"\\&{made}" if made.startswith((".", "'")) else made)
    return lines


def item(tag: str, body: Iterable[str]) -> list[str]:
    """A tagged paragraph."""
    return [".TP", bold(tag), *body]


def example(lines: Sequence[str]) -> list[str]:
    """Lines shown as they are."""
    return [".RS 4", ".nf", *map(escape, lines), ".fi", ".RE"]


def page(name: str, section: int, what: str, parts: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A whole page: its name, its section, one line of what it is, and its headings with their lines.

    No date: the text changes when what it describes does.
    """
    lines = [
        '.\\" Generated from the vocabulary by "evener man"; do not edit.',
        f'.TH {name.upper()} {section} "" "evener {__version__}" "evener"',
        ".SH NAME",
        f"{escape(name)} \\- {escape(what)}",
    ]
    for heading, body in parts:
        lines += [f".SH {escape(heading.upper())}", *body]
    return "\n".join(lines) + "\n"
