"""What the control plane's decisions ask to be done: values, carried out by whoever has the means.

Decisions (server states, checks, the runtime API) return lists of these; the control process writes
cells into the shared segment, sends messages, and tells the workers. Tests compare them.
"""

from __future__ import annotations

from evener.haproxy.columns import Column
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class SetCell:
    row: int
    column: Column
    value: int


@dataclass(frozen=True, slots=True)
class Bump:
    """Add one to a cell (epochs)."""

    row: int
    column: Column


@dataclass(frozen=True, slots=True)
class GoBehind:
    """Among equals of a ``leastconn`` backend a server stands behind all others from now on."""

    row: int
    backend: int  #: the row of its backend


@dataclass(frozen=True, slots=True)
class Say:
    """A state message. ``level`` is the syslog level; ``severity`` its standing on the terminal (empty:
    it is not shown there); ``backend`` or ``frontend`` the index of the proxy whose loggers get it. ``shown``
    is the terminal's sentence where it differs from the log's."""

    level: int
    text: str
    severity: str = "WARNING"
    shown: str = ""
    backend: int = -1
    frontend: int = -1
    mail: int = -1  #: the level of the mail about it; -1: nobody is told by mail


@dataclass(frozen=True, slots=True)
class MoveServer:
    """A server got another address; the workers must know it."""

    backend: int
    server: int


@dataclass(frozen=True, slots=True)
class RenameServer:
    """A server got another name; the workers' logs must know it."""

    backend: int
    server: int
    name: str


@dataclass(frozen=True, slots=True)
class PermitCertificate:
    """A certificate may, or may not, be used for web tokens any more."""

    name: str
    usable: bool


@dataclass(frozen=True, slots=True)
class AddServer:
    """A server was made at run time, from these words, on that row, in that place of its backend."""

    backend: int
    server: int
    row: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropServer:
    """The server in that place is no more; ``nowhere`` is the row that its place is left on."""

    backend: int
    server: int
    nowhere: int


@dataclass(frozen=True, slots=True)
class AddBackend:
    """A backend was made at run time, from these words, with that number, row and place."""

    place: int
    number: int
    row: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropBackend:
    place: int
    nowhere: int


@dataclass(frozen=True, slots=True)
class PublishBackend:
    place: int
    published: bool


@dataclass(frozen=True, slots=True)
class SetCookies:
    """What persistence cookies name servers of a backend, by their index."""

    backend: int
    values: tuple[tuple[int, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class PauseFrontend:
    """Stop or take up listening for one frontend."""

    frontend: int
    paused: bool
    final: bool = False


Command = (
    SetCell
    | Bump
    | GoBehind
    | Say
    | MoveServer
    | RenameServer
    | PermitCertificate
    | AddServer
    | DropServer
    | AddBackend
    | DropBackend
    | PublishBackend
    | SetCookies
    | PauseFrontend
)
