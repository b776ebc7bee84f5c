"""What filters remember about a transaction, beside its notes: made when the first of them has something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evener.haproxy.notes import notes, peek

if TYPE_CHECKING:
    from evener.haproxy.compression import Algorithm
    from evener.haproxy.filters.flow import Stage


class FilterState:
    __slots__ = ("algorithm", "compressed", "hit", "limits", "looked_up", "store")

    def __init__(self) -> None:
        self.algorithm: Algorithm | None = None  #: what the request asked for
        self.compressed: Algorithm | None = None  #: what the response is compressed with
        self.hit = ""  #: name of the cache that answered
        self.looked_up: dict[str, Any] = {}  #: cache name -> what ``cache-use`` found out about the request
        self.store: tuple[str, Stage] | None = None  #: set by ``cache-store`` for the cache's filter
        self.limits: dict[str, tuple[int | None, int | None]] = {}  #: set-bandwidth-limit: limit, period


def filter_state(txn: Any) -> FilterState:
    """The state, made on first use."""
    found = notes(txn)
    if found.filters is None:
        found.filters = FilterState()
    return found.filters


def known_state(txn: Any) -> FilterState | None:
    found = peek(txn)
    return None if found is None else found.filters
