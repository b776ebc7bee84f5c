"""From configuration files to lines: the part of reading that knows no keyword but its own.

``read`` yields one ``Line`` after the other, in all files, and the caller says what each means. Reading
is lazy: what a line does to the environment (``setenv`` and its relatives in ``global``) is in force
when the next line is cut into words. Lines skipped by ``.if`` are not yielded, neither are broken ones:
those are reported to the diagnostics, and reading goes on at the next line.

As in the original there are two passes over all files. The first (``discover``) only cuts lines into
words, evaluates conditions and obeys the environment keywords; when it finds an error there is no second
pass. ``.notice`` and the like speak in the second. Words that do not depend on the environment are kept
from the first pass to the second.

What stays with the reader besides: the seven words that may follow ``no`` and ``default``, empty
arguments, scope lines (``[name]``), ``default-path``, and the limit of 50 erroneous lines in a file.
The lines of its own keywords are yielded all the same, for the caller's vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import Final

from evener.haproxy import faults, tokens
from evener.haproxy.build import ENABLED
from evener.haproxy.default_path import DefaultPath
from evener.haproxy.directives import Directives
from evener.haproxy.environment import CHANGES, Environment, Refused
from evener.haproxy.files import configuration_files, read_source
from evener.haproxy.line import Line
from evener.haproxy.predicates import World
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
from evener.text.record import dataclass
from evener.text.span import Source, Span

SECTIONS: Final = frozenset(
    {"acme", "backend", "cache", "crt-store", "defaults", "fcgi-app", "frontend", "global", "healthcheck"}
    | {"http-errors", "listen", "log-forward", "log-profile", "mailers", "namespace_list", "peers"}
    | {"resolvers", "ring", "traces", "userlist"}
)
"""The words that open a section wherever they stand first on a line."""

NEGATABLE: Final = frozenset(
    {"option", "log", "busy-polling", "set-dumpable", "strict-limits", "insecure-fork-wanted"}
    | {"numa-cpu-mapping"}
)
EARLY: Final = frozenset(
    {"daemon", "expose-deprecated-directives", "expose-experimental-directives", "master-worker"}
    | {"mworker-max-reloads", "noepoll", "noevports", "nokqueue", "noktls", "nopoll", "pidfile", "quiet"}
    | {"zero-warning"}
)
"""Words of ``global`` that the original obeys in its first pass: an error in one of them ends everything."""
MAX_ERRORS: Final = 50

_NEGATION = (
    "negation/default currently supported only for options, log, busy-polling, "
    "set-dumpable, strict-limits, insecure-fork-wanted and numa-cpu-mapping."
)
_NOTHING: Final[list[str]] = []
_NOTICED: Final = SECTIONS | frozenset(CHANGES) | EARLY | {"no", "default", "localpeer"}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read. ``environment`` is changed by what is read; give each reading its own."""

    environment: Environment = field(default_factory=Environment.of_process)
    local_peer: str | None = None  #: ``-L``: wins over ``localpeer`` in the files
    enabled: frozenset[str] = ENABLED  #: what the predicate ``enabled()`` answers to
    checking: bool = False  #: the files are only checked: see ``build.CHECKED``
    ignore_resolution: bool = False  #: ``-dr``: names of servers that do not resolve are no error


def read(
    paths: Sequence[str],
    options: ReadOptions,
    diagnostics: Diagnostics,
    early: Callable[[Line], None] = lambda line: None,
) -> Iterator[Line]:
    """The lines of the files and directories ``paths``.

    ``early`` is shown the lines of ``EARLY`` in the first pass, to say what is wrong with them.
    Raises FatalConfiguration after collecting an error that leaves no way to go on.
    """
    return _Reader(options, diagnostics, early).lines(paths)


@dataclass(slots=True)
class _File:
    """``words[i]`` are those of line ``i + 1``; None when they must be made anew in the second pass."""

    source: Source
    words: list[list[str] | None]


def noticed(word: str) -> bool:
    """Whether the reader itself has something to do with a line that begins with ``word``."""
    return word in _NOTICED or word[0] in ".["


class _Reader:
    def __init__(self, options: ReadOptions, diagnostics: Diagnostics, early: Callable[[Line], None]) -> None:
        self.options = options
        self.early = early
        self.diagnostics = diagnostics
        self.environment = options.environment
        self.world = World(self.lookup, options.enabled, options.checking, self.assumed)
        self.features: set[str] = set()
        self.source = Source("")
        self.number = 0
        self.section = ""
        self.section_name = ""
        self.advised = False

    def lookup(self, name: str) -> str | None:
        if name[:1] == ".":
            return {
                ".FILE": self.source.name,
                ".LINE": str(self.number),
                ".SECTION": self.section_name,
            }.get(name)
        return self.environment.variables.get(name)

    def assumed(self, feature: str) -> None:
        """Say once that a condition holds although what it asks for does not run."""
        if feature in self.features:
            return
        self.features.add(feature)
        meant = "which counts as present where a file is only checked"
        message = f"evener: feature {feature}, {meant}, is not executed yet."
        self.diagnostics.notice("not-executed-yet", message, Span(self.source, self.number))

    def lines(self, paths: Sequence[str]) -> Iterator[Line]:
        errors = self.diagnostics.count(Severity.ALERT)
        names = configuration_files(paths, self.diagnostics)
        files = [_File(source, []) for name in names if (source := read_source(name, self.diagnostics))]
        if self.diagnostics.count(Severity.ALERT) > errors:
            return
        for file in files:
            self.discover(file)
        if self.diagnostics.count(Severity.ALERT) > errors:
            return
        self.environment.prepare(names, self.options.local_peer)
        default_path = DefaultPath()
        try:
            for file in files:
                problem = default_path.enter(file.source.name)
                if problem:
                    self.diagnostics.alert("bad-default-path", problem, Span(file.source, 1))
                yield from self.read_file(file, default_path)
        finally:
            default_path.leave()

    def begin(self, file: _File) -> None:
        self.source = file.source
        self.number = 0
        self.section = self.section_name = ""

    # -- the first pass ---------------------------------------------------------------------------

    def discover(self, file: _File) -> None:
        self.begin(file)
        directives = Directives(self.world, self.diagnostics, speak=False)
        lines, complete = faults.usable_lines(file.source)
        keep = file.words.append
        counted, errors = self.diagnostics.alerts, 0
        is_plain = tokens.PLAIN.fullmatch
        for number, raw in enumerate(lines, 1):
            if errors == MAX_ERRORS:
                self.too_many(number)
                return
            if is_plain(raw):  # by far the most lines: nothing to see for this pass
                plain = raw.split()
                if not plain or (len(plain) <= tokens.MAX_WORDS and not noticed(plain[0])):
                    keep(plain)
                    continue
            self.number = number
            words = self.cut(raw)
            keep(None if words and tokens.is_dynamic(raw) else words or _NOTHING)
            if words:
                self.discover_line(words, directives)
                if directives.broken:
                    break
            if self.diagnostics.alerts > counted:
                counted = self.diagnostics.alerts
                errors += 1
        else:
            self.number = len(lines)
            if not complete:
                self.number += 1
                self.diagnostics.add(faults.incomplete(file.source, self.number))
        directives.close(file.source, max(1, self.number))

    def discover_line(self, words: list[str], directives: Directives) -> None:
        word = words[0]
        if word[:1] == ".":
            directives.obey(words, self.source, self.number)
        elif not directives.skipping:
            if word in SECTIONS:
                self.enter(words)
                if word == "global" and len(words) > 1:
                    message = f"'global' cannot handle unexpected argument '{words[1]}'."
                    self.diagnostics.alert("unexpected-argument", message, Span(self.source, self.number))
            elif word in ("no", "default"):
                self.negatable(words, Span(self.source, self.number))
            elif self.section == "global" and "" in words:
                # An empty argument ends the line here; the second pass says so.
                self.discover_line(words[: words.index("")], directives)
            elif self.section == "global" and (word in CHANGES or word == "localpeer"):
                self.change(words, Span(self.source, self.number))
            elif self.section == "global" and word in EARLY:
                self.early(Line(self.source, self.number, words, find=tokens.columns))

    # -- the second pass --------------------------------------------------------------------------

    def read_file(self, file: _File, default_path: DefaultPath) -> Iterator[Line]:
        self.begin(file)
        source = file.source
        directives = Directives(self.world, self.diagnostics, speak=True)
        diagnostics = self.diagnostics
        counted = diagnostics.alerts
        wrong = 0
        for number, words in enumerate(file.words, 1):
            if diagnostics.alerts > counted:
                counted = diagnostics.alerts
                wrong += 1
                if wrong == MAX_ERRORS:
                    self.too_many(number)
                    return
            if words is not None and not words:
                continue
            self.number = number
            line = Line(source, number, words, find=tokens.columns) if words else self.made(source, number)
            if line is None:
                continue
            word = line.words[0]
            special = noticed(word)
            if special and word[0] == ".":
                directives.obey(line.words, source, number)
            elif directives.skipping or ((special or "" in line.words) and not self.acceptable(line)):
                continue
            elif special and word in SECTIONS:
                self.enter(line.words)
                yield line
            elif self.section != "global" or self.obey(line, default_path):
                yield line
        directives.close(source, len(file.words) or 1)

    def made(self, source: Source, number: int) -> Line | None:
        """A line whose words depend on the environment as it is now; None when it has none."""
        raw = source.lines[number - 1]
        try:
            words, (starts, ends) = tokens.words_and_columns(raw, self.lookup)
        except tokens.BrokenLine as error:
            self.broken(raw, error)
            return None
        if not words or not words[0]:
            return None
        if len(words) > tokens.MAX_WORDS:
            self.too_many_words(words)
            return None
        return Line(source, number, words, starts, ends)

    def acceptable(self, line: Line) -> bool:
        """Whether the line can be given to the vocabulary; otherwise says why not."""
        words = line.words
        word = words[0]
        if word[0] == "[":
            self.scope(line)
            return False
        if word in ("no", "default") and not self.negatable(words, line.whole):
            return False
        if "" in words:
            self.empty(line, words.index(""))
            return False
        return True

    def obey(self, line: Line, default_path: DefaultPath) -> bool:
        """The reader's own keywords of ``global``; False when there was something wrong."""
        word = line.words[0]
        if word in CHANGES or word == "localpeer":
            return self.change(line.words, line.whole)
        if word == "default-path":
            problem = default_path.set(line.words, self.source.name)
            if problem:
                self.diagnostics.alert("bad-default-path", problem, line.whole)
                return False
        return True

    # -- both -------------------------------------------------------------------------------------

    def negatable(self, words: list[str], span: Span) -> bool:
        if len(words) > 1 and words[1] in NEGATABLE:
            return True
        self.diagnostics.alert("negation-unsupported", _NEGATION, span, lead=faults.TIGHT)
        return False

    def enter(self, words: list[str]) -> None:
        self.section = words[0]
        self.section_name = words[1] if len(words) > 1 else words[0]

    def change(self, words: list[str], span: Span) -> bool:
        if words[0] == "localpeer":
            if len(words) > 1 and self.options.local_peer is None:
                self.environment.set("HAPROXY_LOCALPEER", words[1])
            return True
        try:
            self.environment.change(words)
        except Refused as refused:
            self.diagnostics.alert("bad-environment", str(refused), span)
            return False
        return True

    def cut(self, raw: str) -> list[str] | None:
        """The words of a line, none for one without effect; None when it is broken, which is reported."""
        try:
            words = tokens.tokenize(raw, self.lookup)
        except tokens.BrokenLine as error:
            self.broken(raw, error)
            return None
        if not words or not words[0]:
            return _NOTHING
        if len(words) > tokens.MAX_WORDS:
            self.too_many_words(words)
            return None
        return words

    # -- complaints -------------------------------------------------------------------------------

    def broken(self, raw: str, error: tokens.BrokenLine) -> None:
        self.diagnostics.add(faults.broken_line(self.source, self.number, raw, error))

    def too_many_words(self, words: list[str]) -> None:
        self.diagnostics.add(faults.too_many_words(self.source, self.number, words))

    def too_many(self, number: int) -> None:
        what = f"too many fatal errors ({MAX_ERRORS}), stopping now."
        self.diagnostics.alert("too-many-errors", what, Span(self.source, number), lead=faults.TIGHT)

    def scope(self, line: Line) -> None:
        problem = faults.scope_problem(self.source.line(line.number))
        if problem:
            raise self.diagnostics.abort("bad-scope", problem, line.whole)

    def empty(self, line: Line, index: int) -> None:
        """The advice about empty arguments is given once."""
        fault, name = faults.empty_argument(line, index, self.lookup, advise=not self.advised)
        self.advised = True
        self.diagnostics.add(fault)
        meant = self.environment.closest(name) if name else None
        if meant:
            what = f"Hint: maybe you meant {meant} instead ?"
            self.diagnostics.notice("closest-variable", what, fault.span, lead="config : ")


__all__ = ["MAX_ERRORS", "NEGATABLE", "SECTIONS", "FatalConfiguration", "ReadOptions", "read"]
