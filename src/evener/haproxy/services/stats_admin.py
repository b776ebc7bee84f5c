"""Actions of the statistics page: what a form that was sent does to servers.

Each is a command of the runtime API, carried out for each checked server (``s``) of a backend (``b``, a name
or ``#<id>``). The answer is the word the page then explains: ``DONE``, ``NONE`` there was
nothing to do, ``ERRP`` the form makes no sense, ``EXCD`` it is too long, ``DENY`` the page is only looked at.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final
from urllib.parse import unquote_to_bytes

from evener.haproxy.control import Control
from evener.haproxy.runtime_api import Level, Session, Told, find
from evener.haproxy.server_state import Server

ACTIONS: Final = {
    "ready": ("Set state to READY", "set server {} state ready"),
    "drain": ("Set state to DRAIN", "set server {} state drain"),
    "maint": ("Set state to MAINT", "set server {} state maint"),
    "dhlth": ("Health: disable checks", "disable health {}"),
    "ehlth": ("Health: enable checks", "enable health {}"),
    "hrunn": ("Health: force UP", "set server {} health up"),
    "hnolb": ("Health: force NOLB", "set server {} health stopping"),
    "hdown": ("Health: force DOWN", "set server {} health down"),
    "dagent": ("Agent: disable checks", "disable agent {}"),
    "eagent": ("Agent: enable checks", "enable agent {}"),
    "arunn": ("Agent: force UP", "set server {} agent up"),
    "adown": ("Agent: force DOWN", "set server {} agent down"),
    "shutdown": ("Kill Sessions", "shutdown sessions server {}"),
}
#: Older words for the same, which scripts may still send.
ALIASES: Final = {"disable": "maint", "enable": "ready", "stop": "drain", "start": "ready"}

LONGEST: Final = 16384
MOST: Final = 2048  #: fields of a form


def act(control: Control, shown: Set[str], form: str) -> str:
    """Carry out what the body of the request asks for, in the proxies that are shown."""
    if len(form) > LONGEST or form.count("&") > MOST:
        return "EXCD"
    pairs = [_field(part) for part in form.split("&")]
    backend = next((value for name, value in pairs if name == "b"), "")
    action = next((value for name, value in pairs if name == "action"), "")
    names = [value for name, value in pairs if name == "s"]
    if not names or not action:
        return "NONE"
    farm = control.fleet.farm(backend)
    known = ACTIONS.get(ALIASES.get(action, action))
    if farm is None or known is None or farm.plan.name not in shown:
        return "ERRP"
    applied = False
    for name in names:
        server = control.fleet.find(farm.plan.name, name)
        if server is None:
            return "ERRP"
        applied |= _order(control, server, known[1])
    return "DONE" if applied else "NONE"


def _field(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    value = unquote_to_bytes(value.replace("+", " ")).decode("utf-8", "surrogateescape")
    return name, value


def _order(control: Control, server: Server, order: str) -> bool:
    """Whether there was something to do: not about checks that are not there, nor what is refused."""
    backend, number = server.farm.plan.id, server.plan.id
    words = order.format(f"#{backend}/#{number}").split()
    found = find(words)
    assert found is not None and found.handler is not None, order
    answer = found.handler(Session(control, Level.ADMIN), words[len(found.words) :])
    about = {"health": server.health, "agent": server.agent}.get(words[1], server)
    return about is not None and not isinstance(answer, Told)
