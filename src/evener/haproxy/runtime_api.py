"""The runtime API ("CLI"): its commands' registry, one session's state, and how a line is answered.

A session reads lines. A line holds commands separated by ``;``, a backslash takes the meaning from the
next character, and a last word ``<<`` (or ``<<END``) announces a payload that ends with an empty line (or
``END``). Every answer ends with an empty line. Without ``prompt`` a session answers one line and ends.

Commands are declared in ``haproxy.runtime`` with ``@command``; a handler gets the session and the words
that follow its own, and returns what to print: text as it is, a ``Told`` with a severity, or a
``Delayed`` answer. Nothing here does input or output.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from enum import IntEnum

from evener.haproxy.control import Control
from evener.text.record import dataclass
from evener.vocab.registry import Declaration, Registry, Status, load_package


class Level(IntEnum):
    USER = 0
    OPERATOR = 1
    ADMIN = 2


ERR, WARNING, NOTICE, INFO = 3, 4, 5, 6
_SEVERITIES = {0: "emerg", 1: "alert", 2: "crit", 3: "err", 4: "warning", 5: "notice", 6: "info"}


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence with a severity, which ``set severity-output`` shows."""

    text: str
    severity: int = ERR


@dataclass(frozen=True, slots=True)
class Delayed:
    """Say ``answer`` after that time, or whatever ``again`` gives then; the session waits."""

    seconds: float
    answer: Told | str = ""
    again: Callable[[], Told | str | Delayed | None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Follow:
    """What ``more`` gives, asked again and again until the client sends something or leaves."""

    seconds: float
    more: Callable[[], str]


@dataclass(frozen=True, slots=True, eq=False)
class Long:
    """Text that is made while it is sent, because all of it at once would keep everybody waiting."""

    pieces: Iterator[str]


Answer = str | Told | Delayed | Long | Follow | None
Piece = str | Delayed | Long | Follow
Handler = Callable[["Session", Sequence[str]], Answer]


@dataclass(frozen=True, slots=True)
class RuntimeCommand(Declaration):
    """``signature`` is the form ``help`` shows; ``words`` are the literal words that call it."""

    words: tuple[str, ...] = ()
    level: Level = Level.USER
    handler: Handler | None = None
    mode: str = ""  #: "expert" or "experimental": where ``expert-mode`` or its sister must be on
    listed: bool = True  #: by ``help``

    def help_line(self) -> str:
        return f"  {self.signature:<40}: {self.doc}\n"


RUNTIME: Registry[RuntimeCommand] = Registry("runtime command")

_TAIL = (
    "  help [<command>]                        : list matching or all commands\n"
    "  prompt [help | n | i | p | timed ]*     : toggle interactive mode with prompt\n"
    "  quit                                    : disconnect\n"
)


def command(
    words: str,
    signature: str,
    *,
    level: Level = Level.USER,
    mode: str = "",
    listed: bool = True,
    ok: tuple[str, ...] = (),
    bad: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare a command: its words, the form shown by ``help``, the docstring's first line as its help.
    ``ok`` are lines that succeed on the tests' configuration, ``bad`` lines that are refused. A command with
    a ``mode`` needs ``expert-mode on`` or ``experimental-mode on`` before it, and is not listed otherwise."""

    def declare(handler: Handler) -> Handler:
        doc = (handler.__doc__ or "").strip().splitlines()
        told = doc[0].rstrip(".") if doc else ""
        called = tuple(words.split())
        RUNTIME.declare(
            RuntimeCommand(
                words, signature, told, ok, bad,
                words=called, level=level, handler=handler, mode=mode, listed=listed,
            )
        )  # fmt: skip
        return handler

    return declare


def planned(words: str, signature: str, doc: str) -> None:
    """Declare a command of the original that is not executed yet; using it says so."""
    RUNTIME.declare(
        RuntimeCommand(
            words, signature, doc, (words,), (f"{words[:-1]}?",), Status.PLANNED, words=tuple(words.split())
        )
    )


_loaded = False


def load_commands() -> None:
    """Import every module of commands, once."""
    global _loaded
    if not _loaded:
        load_package("evener.haproxy.runtime")
        RUNTIME.freeze()
        _loaded = True


class Prompt(IntEnum):
    ONCE = 0  #: one line, then the session ends
    INTERACTIVE = 1
    PROMPT = 2


@dataclass(slots=True)
class Session:
    """One connection. ``level`` is that of the socket until the user lowers it."""

    control: Control
    level: Level = Level.USER
    prompt: Prompt = Prompt.ONCE
    timed: bool = False  #: the prompt shows how long the process has been running
    severity: str = "none"
    timeout: float = 10.0
    anonymous: int = 0  #: the key that names are hidden with, 0: they are not
    expert: bool = False
    experimental: bool = False
    payload: str = ""
    ended: bool = False
    most_payload: int = 128 << 10  #: bytes
    most_line: int = 16384  #: characters of one command
    _size: int = 0  #: of the payload so far
    _lines: list[str] = field(default_factory=list)
    _until: str | None = None

    def feed(self, line: str) -> list[Piece] | None:
        """One received line, without its end. None while a payload is being read; otherwise what to
        send, in order; ``ended`` then says whether to close."""
        if self._until is not None:
            if line != self._until:
                self._lines.append(line)
                self._size += len(line) + 1
                return self._refuse(_LONG_PAYLOAD) if self._size > self.most_payload else None
            payload = "".join(f"{one}\n" for one in self._lines[1:])
            first = self._lines[0]
            self._lines, self._until = [], None
            return self._answer_line(first, payload)
        if len(line) >= self.most_line and max(map(len, line.split(";"))) >= self.most_line:
            return self._refuse(_LONG_LINE)
        match = _PAYLOAD.search(line)
        if match is not None:
            self._lines, self._until, self._size = [line[: match.start()]], match[1], len(line)
            return None
        return self._answer_line(line, "")

    def _refuse(self, told: str) -> list[Piece]:
        """What is too long ends the session: where the next command begins is not known."""
        self.ended, self._until, self._lines = True, None, []
        return [self._text(Told(told))]

    def _answer_line(self, line: str, payload: str) -> list[Piece]:
        out: list[Piece] = []
        commands = split_commands(line)
        self.payload = payload
        for words in commands:
            out += self._answer(words)
            if self.ended:
                break
        self.payload = ""
        if self.prompt is Prompt.ONCE:
            self.ended = True
        elif self.prompt is Prompt.PROMPT and not self.ended:
            out.append(self._prompt())
        return out

    def _prompt(self) -> str:
        if not self.timed:
            return "> "
        minutes, seconds = divmod(int(self.control.wall() - self.control.facts.started), 60)
        hours, minutes = divmod(minutes, 60)
        return f"[{hours // 24}:{hours % 24:02}:{minutes:02}:{seconds:02}]> "

    def _answer(self, words: list[str]) -> list[Piece]:
        if not words:
            return ["\n"]
        answer = self.run(words)
        if isinstance(answer, Long | Follow):
            return [answer, "\n"]
        if isinstance(answer, Delayed):
            return [self._delayed(answer), "\n"]
        return [] if self.ended else [self._text(answer) + "\n"]

    def _delayed(self, answer: Delayed) -> Delayed:
        """With texts as this session shows them."""
        asked = answer.again
        if asked is None:
            return Delayed(answer.seconds, self._text(answer.answer))

        def again() -> Told | str | Delayed | None:
            found = asked()
            return self._delayed(found) if isinstance(found, Delayed) else self._text(found)

        return Delayed(answer.seconds, again=again)

    def _text(self, answer: Told | str | None) -> str:
        if answer is None:
            return ""
        if isinstance(answer, str):
            return answer
        text = answer.text if answer.text.endswith("\n") else answer.text + "\n"
        if self.severity == "number":
            return f"[{answer.severity}]: {text}"
        if self.severity == "string":
            return f"[{_SEVERITIES[answer.severity]}]: {text}"
        return text

    def run(self, words: Sequence[str]) -> Answer:
        """The answer of one command."""
        found = find(words)
        if found is None:
            return Told(self.unknown(words))
        if not self.shows(found):
            return Told(f"This command is restricted to {found.mode} mode only.")
        if found.level > self.level:
            return Told("Permission denied")
        if found.planned or found.handler is None:
            return Told(f"'{found.name}' is known but not executed by this version.")
        return found.handler(self, words[len(found.words) :])

    def shows(self, found: RuntimeCommand) -> bool:
        """Whether the mode that it needs is on; whoever may not call it sees it all the same."""
        return {"": True, "expert": self.expert, "experimental": self.experimental}[found.mode]

    def unknown(self, words: Sequence[str]) -> str:
        listed = "".join(c.help_line() for c in likely(words) if self.shows(c))
        return (
            f"Unknown command: '{words[0]}', but maybe one of the following ones is a better match:\n"
            f"{listed}{_TAIL}"
        )

    def help(self, words: Sequence[str]) -> str:
        found = likely(words) if words else list(_sorted())
        listed = "".join(c.help_line() for c in found if self.shows(c))
        return f"The following commands are valid at this level:\n{listed}{_TAIL}"


_LONG_LINE = (
    "The command line is too big for the buffer size. "
    "Please change 'tune.bufsize' in the configuration to use a bigger command."
)
_LONG_PAYLOAD = (
    "The payload is too big. "
    "Please change 'tune.cli.max-payload-size' in the configuration to use a bigger payload."
)
_PAYLOAD = re.compile(r"(?:^|\s)<<(\S*)\s*$")


def split_commands(line: str) -> list[list[str]]:
    """The words of each command of a line. A last empty command after ``;`` counts as one."""
    commands: list[list[str]] = [[]]
    word = ""
    characters = iter(line.rstrip("\r"))
    for character in characters:
        if character == "\\":
            word += next(characters, "")
        elif character == ";":
            if word:
                commands[-1].append(word)
            word = ""
            commands.append([])
        elif character in " \t":
            if word:
                commands[-1].append(word)
            word = ""
        else:
            word += character
    if word:
        commands[-1].append(word)
    return commands


def _sorted() -> list[RuntimeCommand]:
    hidden = {"help", "prompt", "quit"}
    found = (c for c in RUNTIME if c.listed and not c.planned and c.name not in hidden)
    return sorted(found, key=lambda c: c.name)


def find(words: Sequence[str]) -> RuntimeCommand | None:
    """The command with the most words that ``words`` begins with."""
    for count in range(min(len(words), 4), 0, -1):
        found = RUNTIME.get(" ".join(words[:count]))
        if found is not None and found.words == tuple(words[:count]):
            return found
    return None


def likely(words: Sequence[str]) -> list[RuntimeCommand]:
    """Commands that begin like ``words``; failing that, the few that look most like them."""
    given = list(words)
    while given:
        found = [c for c in _sorted() if _begins(c.words, given)]
        if found:
            return found
        given = given[:-1]
    names = {c.name: c for c in _sorted()}
    return [names[n] for n in sorted(difflib.get_close_matches(" ".join(words), names, n=5, cutoff=0.35))]


def _begins(words: Sequence[str], given: Sequence[str]) -> bool:
    return all(w.startswith(g) for w, g in zip(words, given, strict=False)) and len(given) <= len(words)
