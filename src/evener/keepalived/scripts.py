"""Scripts and users as arguments: ``notify_master "/path/prog arg 'a b'" user group``.

Decides how the words of a script come about: they are split again from the raw line, where ``'`` and
``"`` both quote and a backslash escapes as in a shell string (``\\n``, ``\\x20``, ``\\cC``...). Whether
the program exists is not known here.
"""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import Value
from evener.keepalived.line import BLANKS, Statement, quoted
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor

ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
OCTAL = "01234567"
HEX = "0123456789abcdefABCDEF"


@dataclass(frozen=True, slots=True)
class User:
    """Who a script runs as. ``group`` None: the user's own; ``supplementary``: with all the user's groups."""

    name: str
    group: str | None = None
    supplementary: bool = False

    def words(self) -> list[str]:
        group = ":" * self.supplementary + (self.group or "")
        return [quoted(self.name), *([quoted(group)] if group else [])]


@dataclass(frozen=True, slots=True)
class ScriptCommand:
    """A command line: its words, and how the user wrote it (for printing)."""

    argv: tuple[str, ...]
    text: str
    user: User | None = None


NO_COMMAND = ScriptCommand((), "")
"""The keyword stood there without a script."""

NOBODY = User("")
"""Instead of a user that does not exist."""


def shown_command(command: ScriptCommand | None) -> str:
    """A command as messages show it, every word in quotes, but not a redirection instead of a command."""
    words = command.argv if command is not None else ()
    return " ".join(
        word if not place and word[:1] in ("<", ">") else f"'{word}'" for place, word in enumerate(words)
    )


def first_word(text: str) -> str:
    """The first word of a raw command line as it is split everywhere else."""
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    return (text.split(None, 1) or [""])[0].partition('"')[0]


def known_user(message: str, script: str) -> Any:
    """The check of who runs a script: ``message`` says that there is no such user. ``script`` names the
    keyword of what is run."""

    def check(reading: Any, builder: Any, value: User, span: Any) -> User:
        exists = reading.surroundings.user_exists
        if exists is None or exists(value.name, value.group):
            return value
        text = message.format(script=shown_command(builder.get((script,))))
        reading.alert("unknown-user", text, span)
        return NOBODY

    return check


class Script(Value):
    """``SCRIPT [user [[:]group]]``; ``with_user`` False where no user may follow."""

    good: tuple[str, ...] = ("/bin/true", "\"/bin/prog -a 'b c'\" root root")
    bad: tuple[str, ...] = ("",)

    def __init__(self, with_user: bool = True, optional: bool = False) -> None:
        self.usage = "<SCRIPT> [<USER> [[:]<GROUP>]]" if with_user else "<SCRIPT>"
        self.with_user = with_user
        self.optional = optional
        if not with_user:
            self.good = self.good[:1]
        if optional:
            self.bad = ()

    def read(self, cursor: Cursor) -> ScriptCommand:
        if not cursor.more and self.optional:
            return NO_COMMAND
        cursor.take()
        line = cursor.line
        assert isinstance(line, Statement)
        raw = raw_words(line.line.text)
        text = raw[cursor.index - 1] if cursor.index - 1 < len(raw) else ""
        if cursor.more and not self.with_user:
            message = "words after the script are not part of it; put the whole command in quotes"
            cursor.context.notice("words-after-script", message, line.span(cursor.index))
        rest = [unescape(word)[0] if unescape(word) else "" for word in raw[cursor.index :]]
        cursor.rest()
        user = user_of(rest) if self.with_user and rest else None
        if self.with_user and user is None:
            cursor.context.lacks_default_user(line.span(0))
        argv = tuple(unescape(text[1:-1] if text[:1] in ('"', "'") and text[-1:] == text[:1] else text))
        if not argv:
            raise cursor.bad("empty-script", "")
        return ScriptCommand(argv, text, user)

    def words(self, value: ScriptCommand) -> list[str]:
        if not value.argv:
            return []
        return [value.text, *(value.user.words() if value.user else [])]


class UserArgument(Value):
    """``USER [[:]GROUP]``."""

    usage = "<USER> [[:]<GROUP>]"
    good: tuple[str, ...] = ("root", "root :root")
    bad: tuple[str, ...] = ("",)

    def read(self, cursor: Cursor) -> User:
        name = cursor.take()
        return user_of([name, *cursor.rest()])

    def words(self, value: User) -> list[str]:
        return value.words()


def user_of(words: list[str]) -> User:
    group = words[1] if len(words) > 1 else ""
    return User(words[0], group.removeprefix(":") or None, group.startswith(":"))


def raw_words(text: str) -> list[str]:
    """The words of a raw line with quotes and escapes still in them."""
    words: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in BLANKS:
            at += 1
            continue
        end = _end_of_word(text, at)
        words.append(text[at:end])
        at = end
    return words


def _end_of_word(text: str, at: int) -> int:
    quote = ""
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in BLANKS:
            break
        at += 1
    return min(at, len(text))


def unescape(text: str) -> list[str]:
    """The words of ``text`` with quotes removed and escapes replaced."""
    words: list[str] = []
    for raw in raw_words(text):
        word: list[str] = []
        quote, at = "", 0
        while at < len(raw):
            character = raw[at]
            if character == "\\" and at + 1 < len(raw):
                escaped, at = _escape(raw, at + 1)
                word.append(escaped)
                continue
            if character in "\"'" and quote in ("", character):
                quote = "" if quote else character
            else:
                word.append(character)
            at += 1
        words.append("".join(word))
    return words


def _escape(raw: str, at: int) -> tuple[str, int]:
    """The character that the escape at ``at`` (after the backslash) stands for, and where it ends."""
    kind = raw[at]
    if kind in ESCAPES:
        return ESCAPES[kind], at + 1
    if kind == "c" and at + 1 < len(raw):
        return chr(ord(raw[at + 1]) & 0x1F), at + 2
    digits, most, base, start = (HEX, 2, 16, at + 1) if kind == "x" else (OCTAL, 3, 8, at)
    end = start
    while end < len(raw) and end - start < most and raw[end] in digits:
        end += 1
    if end > start:
        return chr(int(raw[start:end], base) & 0xFF), end
    return kind, at + 1
