"""Tier 1: what the compiler can hand to the engine as data instead of as a Python closure.

Every check and rule is compiled to a closure first; that closure says what is meant. Where a closure is
one of the few shapes below, a ``Fold`` may give something in its place that answers the same when it is
called, and that the engine evaluates without Python when the transaction is its own stream. What a fold
does not take stays as it is, so a mixture of both is always right; the same tests run over either.

This module is the seam only: it knows no memory, and nothing in this package knows who folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final, Protocol

Check = Callable[[Any], Any]
Run = Callable[[Any], int]
Write = Callable[[Any], bytes]
Texts = Sequence[bytes]
Value = Callable[[Any], Any]
"""A sample: None when there is none."""
Step = tuple[Callable[..., Any], bool, Any]
"""A function of a value, whether it takes the transaction, too, and its ``cast.nature``."""
Item = tuple[str, bool, Write]
"""A log-format alias, whether it is quoted, and its closure. Its other flags are those of a log line."""


class Place(IntEnum):
    """Where in a message a text lies. A *value* is a comma-separated part of a line, a *line* is whole."""

    METHOD = 0
    URI = 1
    PATH = 2
    QUERY = 3
    REQUEST_VALUES = 4
    REQUEST_LINES = 5
    RESPONSE_VALUES = 6
    RESPONSE_LINES = 7


#: The places of the texts of certain fetches; of those about headers, for a name and no occurrence.
PLACES: Final = {
    "method": Place.METHOD,
    "url": Place.URI,
    "path": Place.PATH,
    "query": Place.QUERY,
    "req.hdr": Place.REQUEST_VALUES,
    "req.fhdr": Place.REQUEST_LINES,
    "res.hdr": Place.RESPONSE_VALUES,
    "res.fhdr": Place.RESPONSE_LINES,
}


class How(IntEnum):
    """How a pattern lies in a text."""

    EXACT = 0
    PREFIX = 1
    SUFFIX = 2
    FOUND = 3  #: there is a text at all; no patterns
    INSIDE = 4


class Change(IntEnum):
    SET = 0
    ADD = 1
    REMOVE = 2


class Fold(Protocol):
    """Each method gets the closure (``plain``) and what it was made of; it may return the closure itself."""

    def text(
        self,
        plain: Check,
        place: Place,
        name: bytes,
        how: How,
        exact: Sequence[bytes],
        lower: Sequence[bytes],
    ) -> Check:
        """Whether a text matches any pattern: those of ``exact`` as they are, those of ``lower`` - already
        in lower case - without regard to case. ``name`` is the header's, in lower case."""

    def test(self, plain: Check, place: Place, name: bytes, test: Callable[[bytes], Any]) -> Check:
        """Whether a test holds for a text."""

    def source_in(self, plain: Check, networks: Sequence[tuple[bytes, bytes]]) -> Check:
        """Whether the client's address is in any of the networks (address, mask; packed IPv4)."""

    def status_in(self, plain: Check, ranges: Sequence[tuple[int, int]]) -> Check:
        """Whether the status of the response is in any of the ranges, ends included."""

    def sample(self, plain: Value, place: Place, name: bytes) -> Value:
        """The text itself as a sample fetch gives it: of several values the last, None for nothing."""

    def source(self, plain: Value) -> Value:
        """The client's address."""

    def variable(self, plain: Value, name: str) -> Value:
        """The variable of the transaction (``txn``, ``req``, ``res``) of that name, with its scope."""

    def chain(self, plain: Value, first: Value, steps: Sequence[Step]) -> Value:
        """A sample, then functions of it; None ends it."""

    def written(
        self, plain: Write, value: Value, missing: bytes, encode: Callable[[bytes], bytes] | None
    ) -> Write:
        """A value as text, ``missing`` for nothing; ``encode`` is only called for control characters."""

    def joined(self, plain: Write, parts: Sequence[bytes | Write]) -> Write:
        """Texts one after another."""

    def holds(self, plain: Check, value: Value, test: Callable[[Any], Any]) -> Check:
        """Whether there is a value and a test holds for it."""

    def store(self, plain: Run, name: str, value: Value) -> Run:
        """Set that variable of the transaction, if there is a value."""

    def track(
        self,
        plain: Run,
        number: int,
        value: Value,
        pack: Value,
        track: Callable[[Any, bool], Any],
        request: bool,
    ) -> Run:
        """Track the entry of a key, packed, under a number of the transaction's, once."""

    def all(self, plain: Check, checks: Sequence[Check]) -> Check:
        """True when all are."""

    def any(self, plain: Check, checks: Sequence[Check]) -> Check:
        """True when one is."""

    def invert(self, plain: Check, check: Check) -> Check:
        """True when the check is not."""

    def header(self, plain: Run, change: Change, response: bool, name: bytes, value: bytes | Write) -> Run:
        """Change the lines of a name; a value may be written anew for each transaction."""

    def when(self, plain: Run, check: Check, run: Run) -> Run:
        """A rule with its condition: CONTINUE when that does not hold."""

    def rules(self, plain: Run, rules: Sequence[Run]) -> Run:
        """Rules in order up to the first verdict; ACCEPTED ends them and counts as CONTINUE."""

    def sequence(self, plain: Run, first: Run, second: Run) -> Run:
        """The second, unless the first has a verdict."""

    def switch(self, plain: Run, switches: Sequence[tuple[int, Check | None] | Check]) -> Run:
        """Choose the first backend whose condition holds (None: always). A closure gives an index or None."""

    def log(self, plain: Run, outlet: Any, level: int, line: Write) -> Run:
        """The end of a transaction that only writes a line to a ``request_log.Outlet``. It is the closure's
        to do when rules have noted anything, or there was never a backend."""

    def line(self, plain: Write, parts: Sequence[bytes | Write | Item]) -> Write:
        """A log line: constant text, aliases, and closures for everything else."""
