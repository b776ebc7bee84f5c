"""Backends that come and go at run time, and those that traffic may not choose.

Theory. As with servers (``newcomers``), every process makes a new backend for itself from what it is told:
its name, the defaults section, the mode, its number and its row. It has a *place*, the index that rules
and the engine know it by; places do not move, and one that was given back is used again.

Whether traffic may choose a backend is a matter of names: a backend that is not published is in
``plan.hidden`` instead of ``plan.names``, where no switching rule finds it. Rules that look for the name
that a request gives need nothing else. Rules that name it themselves were compiled with its place, so
their frontends' switching is compiled again without it (``switching_without``) and put back as it was
when all that they name are published. A configuration whose backends stay as they are pays for none of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from evener.haproxy.compile import BackendPolicies, Compiler, FrontendPolicies
from evener.haproxy.ir import Configuration
from evener.haproxy.newcomers import Refusal
from evener.haproxy.plan import BackendPlan, FrontendPlan, Plan, Policy
from evener.haproxy.sections.proxy import Kind, Proxy
from evener.vocab.blocks import changed

_BAD_NAME: Final = re.compile(r"[^A-Za-z0-9_.:\-]")
_MODES: Final = ("tcp", "http")
Switching = tuple[Policy | None, Policy | None, int]
"""What a frontend does to choose a backend: with content, with a request, and its default."""


def read_backend(plan: Plan, words: list[str]) -> Proxy:
    """``<name> from <defaults> [mode <mode>] [guid <guid>]``. Raises Refusal."""
    name = words[0] if words else ""
    if not name:
        raise Refusal("Require backend name.")
    bad = _BAD_NAME.search(name)
    if bad:
        raise Refusal(f"Invalid character '{bad[0]}' in backend name.")
    if len(words) < 3 or words[1] != "from":
        raise Refusal("Usage: add backend <name> from <defproxy>.")
    options = _options(words[3:])
    configuration: Configuration = plan.configuration
    defaults = next((section for section in configuration.defaults if section.name == words[2]), None)
    if defaults is None:
        raise Refusal(f"Cannot find default proxy '{words[2]}'.")
    _check_mode(defaults, options.get("mode"))
    _check_name(plan, name)
    facts = {
        "kind": Kind.BACKEND, "name": name, "origin": defaults, "origin_named": True, "span": None,
        "description": None, "spans": {}, "mode": options.get("mode", defaults.mode),
        "guid": options.get("guid"),
    }  # fmt: skip
    return changed(defaults, facts)


def _options(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at in range(0, len(words), 2):
        word = words[at]
        if word not in ("mode", "guid") or word in found or at + 1 == len(words):
            raise Refusal("Usage: add backend <name> from <defproxy> [mode <px_mode>] [guid <val>].")
        found[word] = words[at + 1]
    mode = found.get("mode")
    if mode is not None and mode not in (*_MODES, "log", "spop"):
        raise Refusal("Unknown proxy mode.")
    if mode is not None and mode not in _MODES:
        raise Refusal("Dynamic backends are compatible with only TCP or HTTP mode.")
    return found


def _check_mode(defaults: Proxy, mode: str | None) -> None:
    if mode is None and "mode" not in defaults.spans:
        raise Refusal(f"Mode is required as '{defaults.name}' default proxy does not explicitly defines it.")
    if defaults.mode not in _MODES:
        raise Refusal(
            f"Dynamic backends only support TCP or HTTP mode, whereas default proxy '{defaults.name}' "
            f"uses 'mode {defaults.mode}'."
        )


def _check_name(plan: Plan, name: str) -> None:
    configuration: Configuration = plan.configuration
    others = [*configuration.proxies, *configuration.defaults, *(back.ir for back in plan.backends)]
    gone = {back.ir.name for back in plan.backends if back.gone}
    alive = {back.name for back in plan.backends if not back.gone}
    for other in others:
        if other.name == name and (name in alive or name not in gone):
            raise Refusal(f"name is already used by other proxy '{other.word} {name}'.")


def free_place(plan: Plan) -> int:
    return next((back.index for back in plan.backends if back.gone), len(plan.backends))


def free_number(plan: Plan) -> int:
    taken = {back.id for back in plan.backends if not back.gone} | {front.id for front in plan.frontends}
    return next(number for number in range(2, len(taken) + 3) if number not in taken)


def settle(plan: Plan, proxy: Proxy, place: int, number: int, row: int) -> BackendPlan:
    """Make the backend's plan, compile what it inherited, and put it into its place, not published."""
    made = BackendPlan(place, number, proxy.name, row, proxy.http, proxy)
    if place < len(plan.backends):
        plan.backends[place] = made
    else:
        plan.backends.append(made)
    plan.hidden[proxy.name] = place
    BackendPolicies(Compiler(plan, plan.configuration), made).hang()
    return made


def remove(plan: Plan, place: int, nowhere: int) -> None:
    gone = plan.backends[place]
    plan.hidden.pop(gone.name, None)
    gone.name, gone.row, gone.gone = "", nowhere, True


def publish(plan: Plan, place: int, published: bool) -> None:
    """Let switching rules find the backend, or not."""
    name = plan.backends[place].name
    (plan.hidden if published else plan.names).pop(name, None)
    (plan.names if published else plan.hidden)[name] = place


def named_by(proxy: Proxy) -> set[str]:
    """The backends that rules of a frontend name themselves."""
    switching = proxy.switching
    named = {line.value for line in switching.use_backend if line.format is None}
    return named | ({switching.default_backend} if switching.default_backend is not None else set())


def leading_to(plan: Plan, name: str) -> Iterator[FrontendPlan]:
    return (front for front in plan.frontends if name in named_by(front.ir))


def switching_without(plan: Plan, front: FrontendPlan) -> Switching:
    """How the frontend chooses now, in Python: what is hidden is not found."""
    copy = replace(front)
    FrontendPolicies(Compiler(plan, plan.configuration), copy).hang()
    return copy.on_content, copy.on_request, copy.default_backend
