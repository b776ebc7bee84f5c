"""The layout of a keepalived.conf: what stands between braces is indented, words are one blank apart.

Words are kept as they are; where a quote or a backslash could give blanks a meaning, so are the blanks
between them. Lines within a quoted text that goes over several lines are left alone.
"""

from __future__ import annotations

from evener.desk.fmt import Layout, Unformattable, tidy
from evener.keepalived.comments import uncomment
from evener.keepalived.line import BLANKS


def format_keepalived(text: str) -> str:
    layout = Layout()
    depth = 0
    held = False  # the line goes on in the next one: a quote is open, or a backslash ended it
    lines = text.split("\n")
    for number, raw in enumerate(lines, 1):
        if "\0" in raw:
            raise Unformattable(number, "there is a NUL in it")
        kept = uncomment(raw)
        if held or kept.open_quote or raw.endswith("\\"):
            layout.lines.append(raw.rstrip("\r"))
            held = held ^ kept.open_quote if not raw.endswith("\\") else True
            depth = max(0, depth + balance(kept.text))
            continue
        if not raw.strip(BLANKS):
            layout.blank()
            continue
        code, comment = raw[: kept.end].strip(BLANKS), tidy(raw[kept.end :].strip(BLANKS))
        if code.endswith("\\") and not comment:
            raise Unformattable(
                number, "without the blank after its backslash it would go on in the next line"
            )
        if code and not set(code) & set("\"'\\"):
            code = " ".join(code.split())
        change = balance(code)
        before = depth - closing(code)
        layout.add(max(0, before), code, comment)
        depth = max(0, depth + change)
    made = layout.text()
    if meaning(made) != meaning(text):
        raise Unformattable(1, "formatting would change what the file says")
    return made


def balance(code: str) -> int:
    """How many braces a line opens more than it closes, outside of quotes."""
    bare = "".join(code.split('"')[::2])
    return bare.count("{") - bare.count("}")


def closing(code: str) -> int:
    """How many braces a line begins with closing."""
    compact = code.replace(" ", "").replace("\t", "")
    return len(compact) - len(compact.lstrip("}"))


def meaning(text: str) -> list[list[str]]:
    return [words for raw in text.split("\n") if (words := uncomment(raw).text.split())]
