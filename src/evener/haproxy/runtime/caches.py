"""Commands about caches (management manual, 9.3)."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.runtime_api import Answer, Level, Session, command


@command("show cache", "show cache", level=Level.ADMIN, ok=("show cache",), bad=("show caches",))
def show_cache(session: Session, _words: Sequence[str]) -> Answer:
    """show cache status"""
    caches = session.control.plan.caches.values()
    return "".join(line for cache in caches for line in cache.lines(id(cache.objects) & 0xFFFFFFFFF000))
