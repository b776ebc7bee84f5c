"""Commands about single streams, which live in the workers: these are asked, and answer within moments."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.captured import stamp
from evener.haproxy.inquiry import Inquiry
from evener.haproxy.runtime.anonymity import hidden
from evener.haproxy.runtime_api import Answer, Delayed, Level, Session, Told, command
from evener.text.record import dataclass

PAUSE: Final = 0.01  #: between looks at what has come
PATIENCE: Final = 100  #: looks
WORKER_BITS: Final = 40  #: a stream's number as shown: its worker, counted from 1, above its own number
_POINTER = re.compile(r"0x[0-9a-fA-F]{1,15}\Z", re.ASCII)
_AGE = re.compile(r"([0-9]{1,9})([smhd]?)\Z", re.ASCII)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def when_answered(inquiry: Inquiry, tell: Callable[[list[Any]], Told | str]) -> Answer:
    """What ``tell`` makes of all answers, or of those that came in time."""
    left = PATIENCE

    def again() -> Told | str | Delayed:
        nonlocal left
        left -= 1
        if inquiry.missing > 0 and left > 0:
            return Delayed(PAUSE, again=again)
        return tell(inquiry.found)

    return again()


_HELP: Final = """\
Usage: show sess [<id> | all | help] [<options>*]
Dumps active streams (formerly called 'sessions'). Available selectors:
   <id>         dump only this stream identifier (0x...)
   all          dump all matching streams in large format
   help         show this message
   susp         report streams considered suspicious
Available options:\x20
   show-uri     also display the transaction URI, if available
   older <age>  only display streams older than <age> seconds
   server <b/s> only show streams attached to this backend+server
   backend <b>  only show streams attached to this backend
   frontend <f> only show streams attached to this frontend
Without any argument, all streams are dumped in a shorter format.
"""


@dataclass(slots=True)
class Wanted:
    """Which streams ``show sess`` shows; names that are "" are any."""

    number: int | None = None
    least: int = 0  #: milliseconds
    frontend: str = ""
    backend: str = ""
    server: str = ""
    suspicious: bool = False

    @property
    def everything(self) -> bool:
        return self == Wanted()

    def holds(self, row: list[Any]) -> bool:
        return (
            not self.suspicious
            and row[6] >= self.least
            and self.number in (None, row[0])
            and all(
                name in ("", row[at])
                for at, name in ((3, self.frontend), (4, self.backend), (5, self.server))
            )
        )


def _wanted(session: Session, words: Sequence[str]) -> Wanted | Told:
    """The selector, if any, and the options: a sentence when they are wrong."""
    wanted, left = Wanted(), list(words)
    first = left[0] if left else ""
    if _POINTER.match(first):
        wanted.number = int(left.pop(0), 16)
    elif first in ("all", "susp"):
        wanted.suspicious = left.pop(0) == "susp"
    while left:
        option = left.pop(0)
        if option == "show-uri":
            continue
        if option not in _OPTIONS:
            return Told(f"Unsupported option '{option}', try 'help' for more info.")
        if not left:
            return Told(_OPTIONS[option])
        if failure := _narrow(session, wanted, option, left.pop(0)):
            return Told(failure)
    return wanted


_OPTIONS: Final = {
    "older": "Expects a minimum age (in seconds by default).",
    "server": "Missing server name (<backend>/<server>).",
    "backend": "Missing backend name.",
    "frontend": "Missing frontend name.",
}


def _narrow(session: Session, wanted: Wanted, option: str, said: str) -> str:
    """One option taken into account; what is wrong with it, or ""."""
    control = session.control
    if option == "older":
        age = _AGE.match(said)
        if age is None:
            return "Invalid age."
        wanted.least = int(age[1]) * _UNITS[age[2]] * 1000
        return ""
    if option == "frontend":
        wanted.frontend = said
        return "" if control.frontend(said) is not None else "No such frontend."
    wanted.backend, slash, wanted.server = said.partition("/") if option == "server" else (said, "", "")
    if option == "server" and not slash:
        return "Require 'backend/server'."
    farm = control.fleet.farm(wanted.backend)
    if option == "backend" and farm is None:
        return "No such backend."
    if option == "server" and (farm is None or all(s.plan.name != wanted.server for s in farm.servers)):
        return "No such server."
    return ""


@command(
    "show sess",
    "show sess [help|<id>|all] [opts...]",
    level=Level.OPERATOR,
    ok=(
        "show sess", "show sess all", "show sess 0x10000000001", "show sess older 5s", "show sess help",
        "show sess backend b", "show sess server b/s1 older 1m", "show sess frontend f show-uri",
        "show sess susp",
    ),
    bad=(
        "user;show sess", "show sess x", "show sess older x", "show sess older", "show sess backend none",
        "show sess server b", "show sess server b/none", "show sess frontend none",
    ),
)  # fmt: skip
def show_sess(session: Session, words: Sequence[str]) -> Answer:
    """report the list of current streams or dump this exact stream"""
    if words[:1] == ["help"]:
        return _HELP
    wanted = _wanted(session, words)
    if isinstance(wanted, Told):
        return wanted
    own = f"{id(session):#x}: proto=unix_stream src=unix:1 fe={hidden(session, 'GLOBAL')} be=<NONE> "

    def tell(found: list[Any]) -> str:
        shown = [row for row in found if wanted.holds(row)]
        if wanted.number is not None and not shown:
            return "Session not found.\n"
        lines = "".join(_line(session, row) for row in shown)
        return lines + own + "srv=<none> age=0s\n" if wanted.everything else lines

    return when_answered(session.control.inquire("streams"), tell)


def _line(session: Session, row: list[Any]) -> str:
    number, host, port, front, back, server, age = row[:7]
    names = [hidden(session, name) if name else other for name, other in (
        (front, "<NONE>"), (back, "<NONE>"), (server, "<none>"))]  # fmt: skip
    address = bytes.fromhex(host)
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(address))
    source = "unix:1" if family is None else f"{hidden(session, socket.inet_ntop(family, address))}:{port}"
    kind = {4: "tcpv4", 16: "tcpv6"}.get(len(address), "unix_stream")
    return (
        f"{number:#x}: proto={kind} src={source} fe={names[0]} be={names[1]} srv={names[2]} "
        f"age={age // 1000}s in={row[7]} out={row[8]}\n"
    )


@command(
    "shutdown session",
    "shutdown session [id]",
    level=Level.ADMIN,
    ok=("shutdown session 0x10000000001",),
    bad=("shutdown session", "shutdown session x", "shutdown session 0x20000000001"),
)
def shutdown_session(session: Session, words: Sequence[str]) -> Answer:
    """kill a specific session"""
    if not words or not _POINTER.match(words[0]):
        return Told("Session pointer expected (use 'show sess').")

    def tell(found: list[Any]) -> Told | str:
        return "" if any(found) else Told("No such session (use 'show sess').")

    return when_answered(session.control.inquire("end-stream", int(words[0], 16)), tell)


@command(
    "show errors",
    "show errors [<px>] [request|response]",
    level=Level.OPERATOR,
    ok=("show errors", "show errors b", "show errors b response", "show errors -1 request"),
    bad=("user;show errors", "show errors none"),
)
def show_errors(session: Session, words: Sequence[str]) -> Answer:
    """report last request and/or response errors for each proxy"""
    control = session.control
    kinds = {"request": (False,), "response": (True,)}.get(words[-1] if words else "", (False, True))
    name = words[0] if words and words[0] not in ("request", "response", "-1") else ""
    if name and control.frontend(name) is None and control.fleet.farm(name) is None:
        return Told("No such proxy.")
    head = f"Total events captured on [{stamp(control.wall())}] : {control.invalid.total}\n"
    return head + "".join(control.invalid.show(control.plan, name, kinds, control.buffer_size))
