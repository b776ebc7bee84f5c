"""Commands that make, publish and delete backends.

What they mean to the other processes is told at the head of ``evener.haproxy.new_backends``.
"""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy import new_backends
from evener.haproxy.columns import Column
from evener.haproxy.commands import AddBackend, DropBackend, PublishBackend
from evener.haproxy.ir import Configuration
from evener.haproxy.newcomers import Refusal, refuse_backend
from evener.haproxy.runtime_api import INFO, Answer, Level, Session, Told, command
from evener.haproxy.sections.proxy import Kind, Proxy
from evener.haproxy.server_state import Farm


@command(
    "add backend",
    "add backend <backend>",
    level=Level.ADMIN,
    ok=("add backend n from d", "add backend n from d mode tcp guid x"),
    bad=(
        "add backend",
        "add backend n",
        "add backend n from x",
        "add backend b from d",
        "add backend n from d x",
    ),
)
def add_backend(session: Session, words: Sequence[str]) -> Answer:
    """add a new backend"""
    control = session.control
    plan = control.plan
    try:
        proxy = new_backends.read_backend(plan, list(words))
        if control.spare is None:
            raise Refusal("no spare proxy ID available")
        row = control.spare.take()
    except Refusal as refusal:
        return Told(refusal.told)
    place, number = new_backends.free_place(plan), new_backends.free_number(plan)
    made = new_backends.settle(plan, proxy, place, number, row)
    control.fleet.open(control.now(), made, control.farm_settings(made))
    control.perform([AddBackend(place, number, row, tuple(words))])
    told = "New backend registered"
    try:
        refuse_backend(made)
    except Refusal as refusal:
        why = refusal.told.partition(" : ")[2].removesuffix(".")
        told += f" (no support for dynamic servers: {why})"
    control.say("NOTICE", f"CLI : {told}.")
    return Told(f"{told}.", INFO)


def _is_disabled(configuration: Configuration | None, name: str) -> bool:
    """Whether a backend of that name is only in the configuration: it was never started."""
    return configuration is not None and any(p.disabled and p.name == name for p in configuration.backends)


def _publish(session: Session, words: Sequence[str], published: bool) -> Answer:
    farm = session.control.fleet.farm(words[0]) if words else None
    if farm is None:
        disabled = words and _is_disabled(session.control.plan.configuration, words[0])
        return Told("No effect on a disabled backend." if disabled else "No such backend.")
    control = session.control
    if (farm.plan.name in control.plan.names) is not published:
        new_backends.publish(control.plan, farm.plan.index, published)
        control.perform([PublishBackend(farm.plan.index, published)])
    told = "Backend published." if published else "Backend unpublished."
    control.say("NOTICE", f"CLI : {told}")
    return Told(told, INFO)


@command(
    "publish backend",
    "publish backend <backend>",
    level=Level.ADMIN,
    ok=("publish backend b",),
    bad=("publish backend", "publish backend x"),
)
def publish_backend(session: Session, words: Sequence[str]) -> Answer:
    """mark backend as ready for traffic"""
    return _publish(session, words, True)


@command(
    "unpublish backend",
    "unpublish backend <backend>",
    level=Level.ADMIN,
    ok=("unpublish backend b",),
    bad=("unpublish backend", "unpublish backend x"),
)
def unpublish_backend(session: Session, words: Sequence[str]) -> Answer:
    """remove backend for traffic processing"""
    return _publish(session, words, False)


def why_not(session: Session, farm: Farm) -> tuple[bool, str]:
    """(whether that may change, why the backend cannot be deleted now); nothing: it can."""
    plan, backend = session.control.plan, farm.plan
    proxy: Proxy = backend.ir
    named = any(True for _ in new_backends.leading_to(plan, backend.name))
    for told, holds in (
        ("Cannot delete a listen section.", proxy.kind is Kind.LISTEN),
        ("Cannot remove a backend with stick-table.", proxy.persistence.stick_table is not None),
        (
            "This proxy cannot be removed at runtime due to other configuration elements pointing to it.",
            named or any(name == backend.name for name, _ in plan.named),
        ),
        ("Only TCP or HTTP proxies can be removed at runtime.", proxy.mode not in ("tcp", "http")),
        ("Backend must be unpublished prior to its deletion.", backend.name in plan.names),
        ("Only a backend without server can be deleted.", bool(farm.servers)),
    ):
        if holds:
            return False, told
    if session.control.cells.get(backend.row, Column.CUR):
        return True, "Backend still has attached streams on it."
    return False, ""


@command(
    "del backend",
    "del backend <backend>",
    level=Level.ADMIN,
    ok=("unpublish backend e; del backend e",),
    bad=("del backend", "del backend x", "del backend b", "unpublish backend b; del backend b"),
)
def del_backend(session: Session, words: Sequence[str]) -> Answer:
    """delete a backend"""
    control = session.control
    farm = control.fleet.farm(words[0]) if words else None
    if farm is None:
        return Told("No such backend.")
    _, why = why_not(session, farm)
    if why:
        return Told(why)
    control.fleet.close(farm)
    if control.spare is not None:
        row = farm.plan.row
        control.perform([DropBackend(farm.plan.index, control.spare.nowhere)])
        new_backends.remove(control.plan, farm.plan.index, control.spare.nowhere)
        control.spare.give_back(row)
    control.say("NOTICE", "CLI : Backend deleted.")
    return Told("Backend deleted.", INFO)


@command("show defaults", "show defaults", ok=("show defaults",), bad=("show default",))
def show_defaults(session: Session, _words: Sequence[str]) -> Answer:
    """list all proxies defaults sections"""
    configuration = session.control.plan.configuration
    return "".join(f"{section.name}\n" for section in configuration.defaults if section.name)
