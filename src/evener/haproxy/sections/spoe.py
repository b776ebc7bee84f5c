"""A SPOE engine's file: which of its lines are the engine's, and what the whole of them lacks.

Lines of a scope (``[name]``) belong to the engine of that name; those before the first scope to one without
a name. The sections' words are ``spoe_words``'.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

from evener.haproxy import faults, tokens
from evener.haproxy.files import read_source
from evener.haproxy.line import Line
from evener.haproxy.sample import PLACES, describe_source
from evener.haproxy.section_reader import BlockSection
from evener.haproxy.sections.other import OtherSection
from evener.haproxy.sections.reading import TIGHT, Place
from evener.haproxy.sections.spoe_words import EVENTS, FORMS, SpoeAgent, SpoeGroup, SpoeMessage
from evener.text.diagnostic import FatalConfiguration, Severity
from evener.text.record import dataclass
from evener.text.span import Source


@dataclass(frozen=True, slots=True)
class Engine:
    """``name`` is what ``send-spoe-group`` calls it: the scope's, or the agent's."""

    name: str
    agent: SpoeAgent
    messages: tuple[SpoeMessage, ...] = ()
    groups: tuple[SpoeGroup, ...] = ()


class BadEngine(Exception):
    """What the line that names the file is refused with."""


def read_engine(path: str, engine: str | None, place: Place) -> Engine:
    """The engine in the file; raises BadEngine. ``place`` is the proxy with the filter."""
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        message = f"stat() failed for configuration file {path} : {reason}"
        place.diagnostics.alert("unreadable-file", message, lead="config : ")
        raise BadEngine("error encountered while processing 'spoe'") from None
    errors = place.diagnostics.count(Severity.ALERT)
    source = read_source(path, place.diagnostics)
    file = EngineFile(source, engine, place) if source is not None else None
    if file is not None:
        file.read()
    if file is None or place.diagnostics.count(Severity.ALERT) > errors:
        raise BadEngine(f"Error(s) found in configuration file {path}")
    return checked(file, path, engine, place)


class EngineFile:
    """The sections of one file, while it is read."""

    def __init__(self, source: Source, engine: str | None, place: Place) -> None:
        self.source = source
        self.engine = engine
        self.outer = place
        self.other: list[OtherSection] = []
        self.scope: str | None = None
        self.section: BlockSection | None = None
        self.inside = False  #: a section was opened, ours or not

    def place(self, kind: str, name: str = "") -> Place:
        made = replace(
            self.outer, kind=kind, name=name, scope=None, told=set(), seen={}, servers={}, named={}
        )
        made.planned = True
        return made

    def read(self) -> None:
        diagnostics = self.outer.diagnostics
        aborted = diagnostics.aborted
        try:
            for line in self.lines():
                self.line(line)
        except FatalConfiguration:
            diagnostics.aborted = aborted  # only this file is given up
            return
        if self.section is not None:
            self.section.close()

    def lines(self) -> Iterator[Line]:
        variable = getattr(self.outer.resolve, "variable", None) or (lambda name: None)
        usable, complete = faults.usable_lines(self.source)
        for number, raw in enumerate(usable, 1):
            try:
                words = tokens.tokenize(raw, variable)
            except tokens.BrokenLine as error:
                self.outer.diagnostics.add(faults.broken_line(self.source, number, raw, error))
                continue
            if words and words[0]:
                yield Line(self.source, number, words, find=tokens.columns)
        if not complete:
            self.outer.diagnostics.add(faults.incomplete(self.source, len(usable) + 1))

    def line(self, line: Line) -> None:
        word = line.words[0]
        if word.startswith("["):
            self.enter(line)
        elif word in FORMS:
            self.open(line)
        elif not self.inside:
            message = f"unknown keyword '{word}' out of section."
            self.outer.diagnostics.alert("out-of-section", message, line.span(0), lead=TIGHT)
        elif self.section is not None:
            self.section.line(line)

    def enter(self, line: Line) -> None:
        problem = faults.scope_problem(self.source.line(line.number))
        if problem:
            raise self.outer.diagnostics.abort("bad-scope", problem, line.whole)
        self.scope = line.words[0].strip("[]")

    def open(self, line: Line) -> None:
        if self.section is not None:
            self.section.close()
            self.section = None
        self.inside = True
        if self.scope == self.engine:
            self.section = BlockSection(self, line, FORMS[line.words[0]])


def checked(file: EngineFile, path: str, engine: str | None, place: Place) -> Engine:
    """The engine, if what it refers to is there."""
    blocks = [other.block for other in file.other]
    agent = next((block for block in blocks if isinstance(block, SpoeAgent)), None)
    if agent is None:
        raise BadEngine(f"No SPOE agent found in file {path}")
    messages = {block.name: block for block in blocks if isinstance(block, SpoeMessage)}
    groups = {block.name: block for block in blocks if isinstance(block, SpoeGroup)}
    declared = f"'{agent.name}' declared at {agent.span}"
    if agent.use_backend is None:
        raise BadEngine(f"No backend declared for SPOE agent {declared}")
    if agent.timeout_processing is None:
        untimed(agent, place)
    if agent.var_prefix is None and re.search(r"[^A-Za-z0-9_.]", agent.name):
        raise BadEngine(
            f"Invalid variable prefix '{agent.name}' for SPOE agent {declared}. "
            "Use 'option var-prefix' to set it. Only [a-zA-Z0-9_.] chars are supported.\n"
        )
    registered(agent)
    sent = [name for line in agent.messages for name in line]
    used = [name for line in agent.groups for name in line]
    if not sent and not used:
        message = f"Proxy '{place.name}': No message/group used by SPOE agent {declared}."
        place.diagnostics.warning("idle-agent", message, agent.span, lead="config : ")
    names_exist(agent, sent, messages, used, groups)
    for name in sent:
        sendable(messages[name], place)
    name = engine if engine is not None else agent.name
    return Engine(name, agent, tuple(messages.values()), tuple(groups.values()))


def registered(agent: SpoeAgent) -> None:
    """Names of variables are names."""
    for name in (name for line in agent.register_var_names for name in line):
        bad = re.search(r"[^A-Za-z0-9_.]", name)
        if bad is not None:
            raise BadEngine(
                f"SPOE agent '{agent.name}': failed to register variable "
                f"{agent.var_prefix or agent.name}.{name} (invalid syntax at char '{bad[0]}')"
            )


def untimed(agent: SpoeAgent, place: Place) -> None:
    place.diagnostics.warning(
        "missing-timeout",
        f"Proxy '{place.name}': missing 'processing' timeout for SPOE agent '{agent.name}' declare at "
        f"{agent.span}.\n"
        "   | While not properly invalid, you will certainly encounter various problems\n"
        "   | with such a configuration. To fix this, please ensure it is set to a non-zero value.",
        agent.span,
        lead="config : ",
    )


def names_exist(
    agent: SpoeAgent,
    sent: list[str],
    messages: dict[str, SpoeMessage],
    used: list[str],
    groups: dict[str, SpoeGroup],
) -> None:
    at, trying = agent.span, "try to use undefined SPOE"
    for name in sent:
        if name not in messages:
            raise BadEngine(f"SPOE agent '{agent.name}' {trying} message '{name}' at {at}")
    for name in used:
        if name not in groups:
            raise BadEngine(f"SPOE agent '{agent.name}' {trying} group '{name}' at {at}")
        for line in groups[name].messages:
            for message in line:
                if message not in messages:
                    raise BadEngine(f"SPOE group '{name}' {trying} message '{message}' at {at}")


def sendable(message: SpoeMessage, place: Place) -> None:
    """A message needs an event that happens here, and values that are known then."""
    who, at, diagnostics = f"Proxy '{place.name}'", message.span, place.diagnostics
    if message.event is None:
        text = f"{who}: Ignore SPOE message '{message.name}' without event at {at}."
        diagnostics.warning("no-event", text, at, lead="config : ")
        return
    front = message.event.name in ("on-client-session", "on-frontend-tcp-request", "on-frontend-http-request")
    if front and place.kind == "backend":
        text = f"{who}: frontend event used on a backend proxy at {at}."
        diagnostics.warning("wrong-side", text, at, lead="config : ")
        return
    bits = sum(where.bit for where in EVENTS[message.event.name])
    for argument in (argument for line in message.args for argument in line):
        if not argument.expr.places & bits:
            raise BadEngine(
                f"Ignore SPOE message '{message.name}' at {at}: some args extract information from "
                f"'{describe_source(argument.expr.source)}', none of which is available here "
                f"('{PLACES[EVENTS[message.event.name][0]]}')"
            )
