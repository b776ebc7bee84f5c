"""Diagnostics are values: what is wrong, where, how badly, and what to do about it.

Readers collect them and go on; nothing ever decides on the text of a message. ``code`` is the stable
name of the defect (kebab-case); ``message`` is the sentence the operator of the original daemon knows.
How the pieces are laid out on a terminal is ``render``'s affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from evener.text.record import dataclass
from evener.text.span import Span


class Severity(IntEnum):
    """Ordered from the least to the most severe."""

    DIAG = 0
    NOTICE = 1
    WARNING = 2
    ALERT = 3


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    ``lead`` is how the original opens this message where that is not its usual way; ``{place}`` in it
    stands for file and line (``"config : [{place}] : "``, or ``""`` for no opening at all). None: the
    renderer's usual opening. Only renderers that imitate the original look at it.

    ``message`` may have several lines and ``details`` are more of them: continued below the first one.
    An alert that is not ``fatal`` is printed as one, and the configuration is used all the same.
    ``excerpt`` follows verbatim (a piece of the line and a caret). ``hint`` says what to write instead.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    hint: str | None = None
    details: tuple[str, ...] = ()
    lead: str | None = None
    excerpt: tuple[str, ...] = ()
    fatal: bool = True


class FatalConfiguration(Exception):
    """Reading cannot go on past this point; the diagnostic has already been collected."""


class Diagnostics:
    """The findings of one run, in the order in which they were made."""

    __slots__ = ("_counts", "_deferred", "_errors", "_found", "aborted", "alerts")

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._counts = [0] * len(Severity)
        self._errors = 0
        self.alerts = 0  #: how many there are so far, fatal or not
        self._deferred: list[tuple[tuple[str, str], Diagnostic]] = []
        self.aborted = False  #: whether ``abort`` was called

    def add(self, diagnostic: Diagnostic) -> None:
        self._found.append(diagnostic)
        self._counts[diagnostic.severity] += 1
        if diagnostic.severity is Severity.ALERT:
            self.alerts += 1
            self._errors += diagnostic.fatal

    def defer(self, diagnostic: Diagnostic, about: tuple[str, str]) -> None:
        """Keep a finding about a section (kind and name) that is only made when all could be read."""
        self._deferred.append((about, diagnostic))

    def release(self, about: tuple[str, str]) -> None:
        """Make the deferred findings about a section."""
        if self._deferred:
            for _, diagnostic in (kept for kept in self._deferred if kept[0] == about):
                self.add(diagnostic)
            self._deferred = [kept for kept in self._deferred if kept[0] != about]

    def alert(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        hint: str | None = None,
        lead: str | None = None,
    ) -> None:
        self.add(Diagnostic(code, Severity.ALERT, message, span, hint, lead=lead))

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        hint: str | None = None,
        lead: str | None = None,
    ) -> None:
        self.add(Diagnostic(code, Severity.WARNING, message, span, hint, lead=lead))

    def notice(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        hint: str | None = None,
        lead: str | None = None,
    ) -> None:
        self.add(Diagnostic(code, Severity.NOTICE, message, span, hint, lead=lead))

    def abort(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        hint: str | None = None,
        lead: str | None = None,
    ) -> FatalConfiguration:
        """Collect an alert after which nothing more can be read; raise the returned exception."""
        self.alert(code, message, span, hint=hint, lead=lead)
        self.aborted = True
        return FatalConfiguration(message)

    def count(self, severity: Severity) -> int:
        return self._counts[severity]

    @property
    def has_errors(self) -> bool:
        """Whether there is a fatal alert."""
        return self._errors > 0

    @property
    def errors(self) -> int:
        """How many fatal alerts there are."""
        return self._errors

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
