"""The command line of haproxy: what its words mean. Does nothing, opens nothing.

Options with a value take the next word, whatever it looks like. ``-sf`` and ``-st`` take all words up to
the next option. After ``--`` everything is a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from evener.text.record import dataclass

if TYPE_CHECKING:
    from evener.haproxy.environment import Environment


class Show(Enum):
    """What the ``-v`` family prints."""

    VERSION = "-v"
    BUILD = "-vv"
    NUMBER = "-vq"
    BRANCH = "-vqs"


class UsageError(Exception):
    """The command line makes no sense; ``message`` is said before the usage, if there is one."""

    def __init__(self, message: str = "", *, usage: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Everything the command line said."""

    paths: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()  #: the words themselves, for starting again
    show: Show | None = None
    condition: str | None = None  #: ``-cc``
    check: bool = False
    debug: bool = False  #: ``-d``
    foreground: bool = False  #: ``-db``
    daemon: bool = False
    verbose: bool = False
    quiet: bool = False
    master_worker: bool = False
    notify: bool = False  #: ``-Ws``: tell systemd when ready
    diagnostic: bool = False  #: ``-dD``
    zero_warning: bool = False  #: ``-dW``
    ignore_resolution: bool = False  #: ``-dr``
    verify_none: bool = False  #: ``-dV``
    ipv4_only: bool = False
    insecure_fork: bool = False
    off: frozenset[str] = frozenset()  #: EPOLL POLL SPLICE GETADDRINFO REUSEPORT FAST-FORWARD ZERO-COPY KTLS
    pidfile: str | None = None
    directory: str | None = None  #: ``-C``
    local_peer: str | None = None
    maxconn: int = 0  #: ``-n``, 0 = not given
    proxy_maxconn: int = 0  #: ``-N``
    memory_mb: int = 0  #: ``-m``
    finish: tuple[int, ...] = ()  #: ``-sf``: sent SIGUSR1 when we are ready
    terminate: tuple[int, ...] = ()  #: ``-st``: sent SIGTERM when we are ready
    sockets_from: str | None = None  #: ``-x``
    master_sockets: tuple[str, ...] = ()  #: ``-S``
    dump_keywords: str | None = None  #: ``-dK``
    dump_lines: str | None = None  #: ``-dC``
    memory_help: bool = False  #: ``-dMhelp``
    dump_objects: bool = False  #: ``-dL``
    environment: Environment | None = field(default=None, compare=False)  #: as the configuration left it
    reported: str = field(default="", compare=False)  #: what was said about the configuration
    warnings: int = field(default=0, compare=False)  #: how many of it were warnings

    @property
    def speaks(self) -> bool:
        return self.verbose or not self.quiet


_SWITCHES: Final = {
    "-c": "check",
    "-d": "debug",
    "-db": "foreground",
    "-dD": "diagnostic",
    "-dW": "zero_warning",
    "-dr": "ignore_resolution",
    "-dV": "verify_none",
    "-dI": "insecure_fork",
    "-dL": "dump_objects",
    "-4": "ipv4_only",
    "-D": "daemon",
    "-V": "verbose",
    "-q": "quiet",
    "-W": "master_worker",
}
_OFF: Final = {
    "-de": "EPOLL",
    "-dp": "POLL",
    "-dk": "KQUEUE",
    "-dv": "EVPORTS",
    "-dS": "SPLICE",
    "-dG": "GETADDRINFO",
    "-dR": "REUSEPORT",
    "-dF": "FAST-FORWARD",
    "-dZ": "ZERO-COPY",
    "-dT": "KTLS",
}
_VALUES: Final = {"-p": "pidfile", "-C": "directory", "-L": "local_peer", "-x": "sockets_from"}
_NUMBERS: Final = {"-n": "maxconn", "-N": "proxy_maxconn", "-m": "memory_mb"}
_SHOWS: Final = {show.value: show for show in Show} | {"-vqb": Show.BRANCH}
# Development aids of the original that change nothing here: memory poisoning, archives, CPU lists.
_NOTHING = re.compile(r"-d(M.*|A.*|c)", re.DOTALL)


def parse(argv: Sequence[str]) -> CommandLine:
    """The command line as values; raises UsageError."""
    return _Parser(argv).parse()


class _Parser:
    def __init__(self, argv: Sequence[str]) -> None:
        self.words = list(argv)
        self.at = 0
        self.said: dict[str, Any] = {}
        self.paths: list[str] = []
        self.off: set[str] = set()

    def parse(self) -> CommandLine:
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if word == "--":
                self.paths += self.words[self.at :]
                break
            if not word.startswith("-"):
                raise UsageError
            self.option(word)
        known = {f.name for f in fields(CommandLine)}
        assert self.said.keys() <= known
        return CommandLine(
            paths=tuple(self.paths), argv=tuple(self.words), off=frozenset(self.off), **self.said
        )

    def option(self, word: str) -> None:
        if word in _SWITCHES:
            self.said[_SWITCHES[word]] = True
        elif word in _OFF:
            self.off.add(_OFF[word])
        elif word in _VALUES:
            self.said[_VALUES[word]] = self.value(word)
        elif word in _NUMBERS:
            self.said[_NUMBERS[word]] = leading_number(self.value(word))
        elif word in _SPECIAL:
            _SPECIAL[word](self)
        elif word.startswith("-v"):
            self.said.setdefault("show", _SHOWS.get(word, Show.VERSION))
        elif word.startswith("-dK"):
            self.said["dump_keywords"] = word[3:]
        elif word.startswith("-dC"):
            self.said["dump_lines"] = word[3:]
        elif word == "-dMhelp":
            self.said["memory_help"] = True
        elif not _NOTHING.fullmatch(word):
            raise UsageError

    def value(self, option: str) -> str:
        if self.at >= len(self.words):
            raise UsageError("Unix socket path expected with the -x flag" if option == "-x" else "")
        self.at += 1
        return self.words[self.at - 1]

    def file(self) -> None:
        self.paths.append(self.value("-f"))

    def condition(self) -> None:
        self.said["condition"] = self.value("-cc")

    def notify(self) -> None:
        self.said["master_worker"] = self.said["notify"] = True

    def master_socket(self) -> None:
        self.said["master_sockets"] = (*self.said.get("master_sockets", ()), self.value("-S"))

    def trace(self) -> None:
        """``-dt`` may be followed by a list of traces; there are none here to activate."""
        if self.at < len(self.words) and not self.words[self.at].startswith("-"):
            self.at += 1

    def finish(self) -> None:
        self.said["finish"] = self.pids("-sf")

    def terminate(self) -> None:
        self.said["terminate"] = self.pids("-st")

    def pids(self, option: str) -> tuple[int, ...]:
        pids: list[int] = []
        while self.at < len(self.words) and not self.words[self.at].startswith("-"):
            word = self.words[self.at]
            rest = word.lstrip("0123456789")
            if rest or not word:
                what = f"{option} option: some bytes unconsumed in PID list {{{rest}}}"
                raise UsageError(what, usage=False)
            pids.append(int(word[:10]))
            self.at += 1
        return tuple(pids)


_SPECIAL: Final[dict[str, Callable[[_Parser], None]]] = {
    "-f": _Parser.file,
    "-cc": _Parser.condition,
    "-Ws": _Parser.notify,
    "-S": _Parser.master_socket,
    "-dt": _Parser.trace,
    "-sf": _Parser.finish,
    "-st": _Parser.terminate,
}


def leading_number(text: str) -> int:
    """The number a text begins with, 0 if there is none, as C reads numbers."""
    match = re.match(r"[ \t]*\+?([0-9]{1,18})", text)
    return int(match[1]) if match else 0
