"""From lines to the IR: which section a line belongs to, and what each section makes of it.

``load`` reads all files, collects every diagnostic, and returns the configuration as far as it could be
read; whether there were errors is for the diagnostics to say. What concerns several sections at once
(names that must exist, modes that must agree) is checked by ``crosscheck`` when nothing was wrong before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from evener.haproxy import reader, token_certificates
from evener.haproxy.addresses import Names, Resolve, resolve_name
from evener.haproxy.crosscheck import check
from evener.haproxy.experiments import Experiments
from evener.haproxy.ir import Configuration
from evener.haproxy.line import Line
from evener.haproxy.patterns_file import now_at
from evener.haproxy.proxy_reader import ProxyNames, open_proxy
from evener.haproxy.reader import ReadOptions
from evener.haproxy.scripts import Scripts
from evener.haproxy.section_reader import BlockSection
from evener.haproxy.sections.cache import CacheReader
from evener.haproxy.sections.forms import MODULES
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL_WORDS
from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.global_twice import first_time
from evener.haproxy.sections.healthcheck import HealthcheckReader
from evener.haproxy.sections.log_sections import BLOCKS, UNKNOWN, LogSection
from evener.haproxy.sections.other import SECTIONS, HttpErrors, OtherSection
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import BAD_NAME, MISSING, TIGHT, Place, read_value, where_of
from evener.haproxy.statements import read_statement
from evener.text.collector import collector_paused
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
from evener.text.span import Source, Span
from evener.vocab.blocks import Builder, Keyword, Slot, vocabulary
from evener.vocab.registry import load_package

PROXIES: Final = frozenset({"defaults", "frontend", "backend", "listen"})
_EARLY: Final = (
    "'nbthread' not allowed if a non-global section was previously defined. "
    "This parameter must be declared in the first global section"
)


_NO_EXPERIMENTS: Final = (
    "Option 'expose-experimental-directives' is set in the global section but is no longer used. It is "
    "strongly recommended to remove it in order to avoid using an experimental directive by accident in the "
    "future."
)


@functools.cache
def load_vocabulary() -> None:
    """Import every declaration of the words that rules and expressions are made of."""
    for package in ("fetches", "converters", "actions"):
        load_package(f"evener.haproxy.{package}")


def load(
    paths: Sequence[str], diagnostics: Diagnostics, options: ReadOptions, resolve: Resolve = resolve_name
) -> Configuration:
    """Read configuration files and directories. Raises FatalConfiguration only as the reader does."""
    load_vocabulary()
    resolve = Names(options.environment.get, resolve)
    with collector_paused():
        lines = reader.read(paths, options, diagnostics, functools.partial(early_errors, diagnostics))
        experiments = Experiments()
        configuration = resolve_lines(lines, diagnostics, resolve, experiments)
        if not diagnostics.has_errors:
            unverified = "SERVER-SSL-VERIFY-NONE" in options.enabled
            check(configuration, diagnostics, resolve, options.ignore_resolution, unverified)
            if experiments.allowed and not experiments.used and not diagnostics.has_errors:
                diagnostics.warning("needless-permission", _NO_EXPERIMENTS, lead="")
    return configuration


def early_errors(diagnostics: Diagnostics, line: Line) -> None:
    """What is wrong with a line of the first pass; the second pass says the rest."""
    found = Diagnostics()
    GlobalSection(Resolver(found, resolve_name)).line(line)
    for diagnostic in found:
        if diagnostic.severity is Severity.ALERT:
            diagnostics.add(diagnostic)


def resolve_lines(
    lines: Iterable[Line],
    diagnostics: Diagnostics,
    resolve: Resolve = resolve_name,
    experiments: Experiments | None = None,
) -> Configuration:
    """The configuration that the lines stand for; what only all of it can tell is not checked."""
    made = Resolver(diagnostics, resolve, experiments)
    for line in lines:
        made.line(line)
    return made.finish()


class Section(Protocol):
    """One open section: takes its lines, and hands over what it made at its end."""

    def line(self, line: Line) -> None: ...

    def close(self) -> None: ...


class Resolver:
    """The sections read so far."""

    def __init__(
        self, diagnostics: Diagnostics, resolve: Resolve, experiments: Experiments | None = None
    ) -> None:
        self.diagnostics = diagnostics
        self.resolve = resolve
        self.experiments = experiments or Experiments()
        token_certificates.forget()
        self.scripts = Scripts()
        self.global_ = GlobalSection(self)
        self.names = ProxyNames(diagnostics)
        self.http_errors: list[HttpErrors] = []
        self.other: list[OtherSection] = []
        self.log_sections: list[LogSection] = []
        self.files: list[str] = []
        self.source: Source | None = None
        self.section: Section | None = None
        self.any_section = False  #: a section other than global was opened
        self.bases: dict[str, str] = {}  #: what global has said, by its first words, and
        self.counted = 0  #: of how many statements

    def line(self, line: Line) -> None:
        now_at(line)
        if line.source is not self.source:
            self.source = line.source
            self.files.append(line.source.name)
            self.close()
        opening = OPENINGS.get(line.words[0])
        if opening is not None:
            self.close()
            self.section = opening(self, line)
        elif self.section is not None:
            self.section.line(line)
        else:
            message = f"unknown keyword '{line.words[0]}' out of section."
            self.diagnostics.alert("out-of-section", message, line.span(0), lead=TIGHT)

    def close(self) -> None:
        if self.section is not None:
            self.section.close()
            self.section = None

    def place(self, kind: str, name: str = "") -> Place:
        known = self.global_.builder.known
        if len(known) != self.counted:
            self.counted = len(known)
            self.bases = {entry.words[0]: entry.words[-1] for entry in known}
        stored = [section for section in self.other if section.kind == "crt-store"]
        return Place(
            kind, name, self.diagnostics, resolve=self.resolve,
            experiments=self.experiments,
            stick_counters=self.global_.builder.get(("tune_stick_counters",)),
            scripts=self.scripts,
            settings=known, stored=self.names_of(stored) if stored else frozenset(),
            described=self.global_.builder.get(("description",)) is not None,
            authorities=self.bases.get("ca-base", ""), global_logs=len(self.global_.builder.get(("log",))),
        )  # fmt: skip

    @staticmethod
    def names_of(stores: list[OtherSection]) -> frozenset[str]:
        from evener.haproxy.sections.crt_store import stored_names

        return stored_names(stores)

    def finish(self) -> Configuration:
        self.close()
        return Configuration(
            self.global_.builder.finish(),
            tuple(self.names.defaults),
            tuple(self.names.proxies),
            tuple(self.http_errors),
            tuple(self.other),
            tuple(self.files),
            self.global_.span,
            tuple(self.log_sections),
        )


_LUA: Final = ("lua-load", "lua-load-per-thread")
_BOOLEANS: Final = "tune.lua.bool-sample-conversion"


class GlobalSection:
    """All ``global`` sections together: they are one."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.builder: Builder[Global] = Builder(Global)
        self.place = Place("global", "", resolver.diagnostics, resolve=resolver.resolve)
        self.place.experiments = resolver.experiments
        self.place.settings = self.builder.known
        self.place.scripts = resolver.scripts
        self.span: Span | None = None

    def line(self, line: Line) -> None:
        read_statement(self.builder, GLOBAL_WORDS, line, self.place, self.accepts)

    def accepts(self, word: Keyword, line: Line, place: Place) -> bool:
        if word.name == "expose-experimental-directives":
            place.experiments.allowed = True
        most = word.argument.at_most if word.argument is not None else None
        first = len(word.name.split()) + (most or 0)
        if most is not None and len(line.words) > first:
            message = f"'{word.name}' cannot handle unexpected argument '{line.words[first]}'."
            place.alert("unexpected-argument", message, line.span(first))
            return False
        if not first_time(word.name, line, place):
            return False
        if word.name in _LUA and len(line.words) > 1 and _BOOLEANS not in place.told:
            self.booleans(line)
        if word.facts.get("early") and self.resolver.any_section:
            place.alert("too-late", _EARLY, line.span(0))
            return False
        if word.facts.get("no_bare") and len(line.words) == 1:
            message = (
                f"support for '{word.name}' was removed in version 3.5. "
                "Use -W or -Ws in the startup script instead.\n"
            )
            place.alert("removed-keyword", message, line.span(0))
            return False
        return True

    def booleans(self, line: Line) -> None:
        """Lua must know how booleans are to be passed before it loads anything; said once."""
        self.place.told.add(_BOOLEANS)
        if not any(known.words[0] == _BOOLEANS for known in self.builder.known):
            message = (
                f'hlua: please set "{_BOOLEANS}" tunable to either "normal" or "pre-3.1-bug" explicitly '
                'to avoid ambiguities. This must be set before any "lua-load" or "lua-load-per-thread" '
                'directive. Defaulting to "pre-3.1-bug".'
            )
            self.place.diagnostics.warning("lua-booleans", message, lead="config : ")

    def close(self) -> None:
        """Another global section may follow."""


class Lines:
    """A section whose lines are kept and not looked at."""

    def __init__(self, resolver: Resolver, line: Line) -> None:
        self.resolver = resolver
        self.words = tuple(line.words)
        self.span = where_of(line)
        self.lines: list[tuple[str, ...]] = []
        if SECTIONS[line.words[0]].planned:
            resolver.place("", "").not_executed(f"section {line.words[0]}", line.span(0))

    def line(self, line: Line) -> None:
        self.lines.append(tuple(line.words))

    def close(self) -> None:
        self.resolver.other.append(OtherSection(self.words, tuple(self.lines), span=self.span))


class ReadLines(Lines):
    """``healthcheck`` and ``cache``: kept as lines too, but every one of them is looked at."""

    READERS: Final = {"healthcheck": HealthcheckReader, "cache": CacheReader}

    def __init__(self, resolver: Resolver, line: Line) -> None:
        super().__init__(resolver, line)
        kind, name = line.words[0], line.words[1] if len(line.words) > 1 else ""
        self.reader: HealthcheckReader | CacheReader = self.READERS[kind](resolver.place(kind, name))
        others = (other for other in resolver.other if (other.kind, other.name) == (kind, name))
        self.reader.open(line, next(others, None))

    def line(self, line: Line) -> None:
        super().line(line)
        self.reader.line(line)

    def close(self) -> None:
        super().close()
        self.reader.close(self.resolver.other[-1])


class LogLines(Lines):
    """``ring``, ``log-forward`` and ``log-profile``: kept as lines too, and read into blocks."""

    def __init__(self, resolver: Resolver, line: Line) -> None:
        super().__init__(resolver, line)
        self.kind = line.words[0]
        self.name = line.words[1] if len(line.words) > 1 else ""
        self.place = resolver.place(self.kind, self.name)
        self.block = BLOCKS[self.kind]
        self.builder: Builder[Any] = Builder(self.block, self.block(name=self.name, span=self.span))
        self.open(line)

    def open(self, line: Line) -> None:
        what = "sink" if self.kind == "ring" else f"{self.kind} section"
        known = next(
            (s for s in self.resolver.log_sections if type(s) is self.block and s.name == self.name), None
        )
        if not self.name:
            message = "missing ring name." if self.kind == "ring" else f"missing name for {what}."
            self.place.alert("missing-name", message, line.span(0))
        elif len(line.words) > 2 and self.kind != "ring":
            message = f"'{self.kind}' cannot handle unexpected argument '{line.words[2]}'."
            self.place.alert("unexpected-argument", message, line.span(2))
        elif (bad := BAD_NAME.search(self.name)) is not None:
            message = f"character '{bad[0]}' is not permitted in '{self.kind}' name '{self.name}'."
            self.place.alert("bad-name", message, line.span(1))
        elif known is not None and self.kind == "ring":
            self.place.alert("duplicate-section", f"sink named '{self.name}' already exists.", line.span(1))
        elif known is not None:
            message = f"{what} '{self.name}' has the same name as another {what} declared at {known.span}."
            lead = "config : Parsing [{place}]: "
            self.place.diagnostics.alert("duplicate-section", message, line.span(1), lead=lead)

    def line(self, line: Line) -> None:
        super().line(line)
        entry, _ = vocabulary(self.block).find(line.words)
        if isinstance(entry, Slot):
            read_statement(self.builder, vocabulary(self.block), line, self.place, lambda *_facts: True)
        elif self.kind != "ring" or line.words[0] != "timeout":  # other timeouts of a ring mean nothing
            self.unknown(line)

    def unknown(self, line: Line) -> None:
        got = line.words[1] if len(line.words) > 1 else ""
        message = UNKNOWN[self.kind].replace("{got}", line.words[0])
        if line.words[0] == "timeout":
            message = UNKNOWN[self.kind].replace("{got}", f"timeout {got}")
        elif line.words[0] == "option" and self.kind == "log-forward":
            message = f"unknown option '{got}' in log-forward section."
            if not got:
                missing = "'option' expects an option name."
                self.place.diagnostics.alert("missing-argument", missing, line.span(0), lead=TIGHT)
                return
        self.place.alert("unknown-keyword", message, line.span(0))
        if self.kind != "ring":  # there it is the last thing that is read
            self.place.diagnostics.aborted = True
            raise FatalConfiguration(line.words[0])

    def close(self) -> None:
        super().close()
        self.resolver.log_sections.append(self.builder.finish())


class ErrorSection:
    """``http-errors``: a name and error files."""

    def __init__(self, resolver: Resolver, line: Line) -> None:
        self.resolver = resolver
        self.name = line.words[1] if len(line.words) > 1 else ""
        self.span = where_of(line)
        self.place = resolver.place("http-errors", self.name)
        self.files: list[Any] = []
        self.open(line)

    def open(self, line: Line) -> None:
        if not self.name:
            message = "missing name for http-errors section."
            raise self.place.diagnostics.abort("missing-name", message, line.span(1))
        if (bad := BAD_NAME.search(self.name)) is not None:
            message = f"character '{bad[0]}' is not permitted in 'http-errors' name '{self.name}'."
            self.place.alert("bad-name", message, line.span(1))
            return
        known = next((other for other in self.resolver.http_errors if other.name == self.name), None)
        if known is not None:
            message = f"http-errors section '{self.name}' already exists (declared at {known.span})."
            self.place.diagnostics.alert("duplicate-section", message, line.span(1), lead=TIGHT)

    def line(self, line: Line) -> None:
        slot, index = vocabulary(Proxy).find(line.words)
        if line.words[0] != "errorfile" or not isinstance(slot, Slot):
            message = f"unknown keyword '{line.words[0]}' in 'http-errors' section"
            self.place.alert("unknown-keyword", message, line.span(0))
            return
        value = read_value(slot, line, index, self.place)
        if value is not MISSING:
            self.files.append(value)

    def close(self) -> None:
        self.resolver.http_errors.append(HttpErrors(self.name, tuple(self.files), self.span))


Opening = Callable[[Resolver, Line], Section]


def open_global(resolver: Resolver, line: Line) -> Section:
    resolver.global_.span = resolver.global_.span or where_of(line)
    return resolver.global_


def open_any_proxy(resolver: Resolver, line: Line) -> Section:
    resolver.any_section = True
    return open_proxy(resolver.names, resolver.place(line.words[0]), line)


def open_read_lines(resolver: Resolver, line: Line) -> Section:
    resolver.any_section = True
    return ReadLines(resolver, line)


def open_log_lines(resolver: Resolver, line: Line) -> Section:
    resolver.any_section = True
    return LogLines(resolver, line)


def open_block(resolver: Resolver, line: Line) -> Section:
    resolver.any_section = True
    return BlockSection(resolver, line)


def open_errors(resolver: Resolver, line: Line) -> Section:
    resolver.any_section = True
    return ErrorSection(resolver, line)


OPENINGS: Final[dict[str, Opening]] = {
    "global": open_global,
    "http-errors": open_errors,
    **dict.fromkeys(PROXIES, open_any_proxy),
    **dict.fromkeys(ReadLines.READERS, open_read_lines),
    **dict.fromkeys(BLOCKS, open_log_lines),
    **dict.fromkeys(MODULES, open_block),
}
