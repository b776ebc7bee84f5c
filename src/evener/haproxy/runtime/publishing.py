"""Commands that take backends out of the choice of switching rules, and back."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.columns import Column
from evener.haproxy.commands import SetCell
from evener.haproxy.runtime_api import NOTICE, Answer, Level, Session, Told, command


def _publish(session: Session, words: Sequence[str], unpublished: bool) -> Answer:
    name = words[0] if words else ""
    farm = session.control.fleet.farm(name)
    if farm is None:
        configuration = session.control.plan.configuration
        disabled = configuration is not None and any(
            proxy.disabled and proxy.name == name for proxy in configuration.backends
        )
        return Told("No effect on a disabled backend." if disabled else "No such backend.")
    session.control.perform([SetCell(farm.plan.row, Column.STOPPED, int(unpublished))])
    return Told(f"Backend {'un' if unpublished else ''}published.", NOTICE)


@command(
    "publish backend", "publish backend <backend>", level=Level.ADMIN, ok=("publish backend b",),
    bad=("publish backend x",),
)  # fmt: skip
def publish_backend(session: Session, words: Sequence[str]) -> Answer:
    """mark backend as ready for traffic"""
    return _publish(session, words, unpublished=False)


@command(
    "unpublish backend", "unpublish backend <backend>", level=Level.ADMIN, ok=("unpublish backend b",),
    bad=("unpublish backend x",),
)  # fmt: skip
def unpublish_backend(session: Session, words: Sequence[str]) -> Answer:
    """remove backend for traffic processing"""
    return _publish(session, words, unpublished=True)
