"""What an argument and a check may look at while a configuration is read, and how they speak.

``Surroundings`` are the facts of the machine that the original consults while it reads: which
interfaces exist, which users, which programs. Each may be unknown (None), and then nothing is said
about it: a configuration can be checked on a machine it is not meant for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from typing import Any

from evener.keepalived.include import Check
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.record import dataclass
from evener.text.render_keepalived import ParentDiagnostic
from evener.text.span import Span

FIRST_RULE_PREFERENCE = 16384


class Program(Enum):
    """What is known of a program that a script names."""

    FINE = "fine"
    MISSING = "not found/accessible"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine as far as reading asks for it; None: nothing is known, nothing is checked."""

    interfaces: frozenset[str] | None = None
    program: Callable[[tuple[str, ...]], Program] | None = None
    user_exists: Callable[[str, str | None], bool] | None = None
    directory_exists: Callable[[str], bool] | None = None
    iproute_names: Callable[..., Mapping[str, int]] | None = None
    """Of a kind; ``directories`` (a tuple) when they are not the usual ones."""
    """The names in a file of iproute2 (``rt_tables``...)."""
    vrf_table: Callable[[str], int | None] | None = None
    resolves: Callable[[str, str], bool] | None = None
    """Whether a host name and a service have an address."""

    def lacks(self, interface: str) -> bool:
        """Whether it is known that there is no such interface."""
        return self.interfaces is not None and interface not in self.interfaces


class Reading:
    """One configuration being read. ``name`` is the innermost block's; ``builders`` are the open ones."""

    def __init__(self, diagnostics: Diagnostics, surroundings: Surroundings) -> None:
        self.diagnostics = diagnostics
        self.surroundings = surroundings
        self.names: list[str] = []
        self.builders: list[Any] = []
        self.marks: list[dict[str, dict[Hashable, str]]] = [{}]  #: of each open block: what it holds, by kind
        self.parent = False  #: whether the lines being read belong to the parent process
        self.dynamic_interfaces = False
        self.missing_interfaces = False
        self.include_check = Check.NONE
        self.inside_planned = False  #: whether a block around was announced as not executed
        self.announced: set[str] = set()
        self.said: dict[str, set[str]] = {}  #: value blocks that stood in each instance, even empty ones

        self.vmac_names: dict[str, str] = {}  #: interfaces that instances make, and whose they are
        self.garp_grouped: set[str] = set()
        self._rule_preference: dict[int, int] = {}

    def next_rule_preference(self, family: int) -> int:
        """What a routing rule without a preference gets: counted down, for each family."""
        value = self._rule_preference.get(family, FIRST_RULE_PREFERENCE)
        self._rule_preference[family] = value - 1
        return value

    @property
    def name(self) -> str:
        return self.names[-1] if self.names else ""

    def mark(self, kind: str, key: Hashable, note: str = "") -> str | None:
        """Remember that the innermost block holds ``key``; the note of an earlier one, or None."""
        held = self.marks[-1].setdefault(kind, {})
        before = held.get(key)
        if before is None:
            held[key] = note
        return before

    def knows(self, kind: str, key: Hashable) -> bool:
        """Whether the configuration holds a block ``key`` of this kind so far."""
        return key in self.marks[0].get(kind, {})

    def say(self, severity: Severity, code: str, message: str, span: Span | None) -> None:
        kind = ParentDiagnostic if self.parent else Diagnostic
        self.diagnostics.add(kind(code, severity, message, span))

    def alert(self, code: str, message: str, span: Span | None = None) -> None:
        """Something is refused."""
        self.say(Severity.ALERT, code, message, span)

    def warn(self, code: str, message: str, span: Span | None = None) -> None:
        """Something is corrected or doubtful."""
        self.say(Severity.WARNING, code, message, span)

    def notice(self, code: str, message: str, span: Span | None = None) -> None:
        """Something the user should know; ``-t`` does not fail for it."""
        self.say(Severity.NOTICE, code, message, span)

    def misses(self, interface: str) -> bool:
        """Whether an interface does not exist and has to; the configuration will not run then."""
        if not self.surroundings.lacks(interface) or self.dynamic_interfaces:
            return False
        self.missing_interfaces = True
        return True

    def interface(self, name: str, message: str, span: Span | None) -> None:
        """Say ``message`` when the interface does not exist and has to."""
        if self.misses(name):
            self.warn("unknown-interface", message, span)
