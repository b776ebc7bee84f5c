"""What the tuning words of ``global`` say that are kept as they stand: values, for those who carry them out.

The words were looked at when they were read; what is no number counts as 0 here, as it does for the original.
Limits are in bytes or milliseconds; 0 and None are "not said".
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.values import read_size, read_time
from evener.text.record import dataclass
from evener.vocab.arguments import signed

SocketOption = tuple[int, int, int]
TCP_NOTSENT_LOWAT: Final = 25
PAYLOAD: Final = 128 << 10
#: Scopes of variables that have a limit of their own.
SCOPES: Final = ("global", "proc", "sess", "txn", "reqres", "check")


@dataclass(frozen=True, slots=True)
class Tuning:
    """``client``, ``server``, ``frontend`` and ``backend``: options of the sockets of clients, of connections
    to servers, and of those that datagrams (logs) come in by and leave by.
    ``cpus``: by worker, those it may run on."""

    client: tuple[SocketOption, ...] = ()
    server: tuple[SocketOption, ...] = ()
    frontend: tuple[SocketOption, ...] = ()
    backend: tuple[SocketOption, ...] = ()
    variables: Mapping[str, int] | None = None  #: by scope; None: no scope has a limit
    payload: int = PAYLOAD
    restless: bool = False
    share_ports: bool = True
    spread: int = 0  #: ms over which connections are closed in a soft stop, -1: only by their timeouts
    never_local: bool = False  #: checks do not announce themselves as LOCAL in PROXY headers
    set_uid_programs: bool = False
    unprivileged_clients: bool = False
    key_algorithms: str | None = None  #: of encrypted web tokens, and how their contents may be enciphered
    content_encryptions: str | None = None
    profiling: str = "auto"
    most_workers: int | None = None
    patience: int = 0  #: ms that a worker may be busy with one thing before it is told, 0: for ever
    client_glitches: int = 0  #: after which a connection is killed, 0: never
    server_glitches: int = 0
    glitch_load: int = 0  #: percent from which on it is
    nice: int | None = None  #: of the process once it serves
    nice_at_start: int | None = None
    cpus: tuple[tuple[str, tuple[str, ...]], ...] = ()


def tuning(global_: Global) -> Tuning:
    """What the words of a configuration mean; the last of two that are the same counts."""
    said: dict[str, tuple[str, ...]] = {}
    off: set[str] = set()
    maps: list[tuple[str, tuple[str, ...]]] = []
    for known in global_.known:
        negated = known.words[0] == "no"
        name, *values = known.words[negated:]
        said[name] = tuple(values)
        (off.add if negated else off.discard)(name)
        if name == "cpu-map" and not negated:
            maps.append((values[0], tuple(values[1:])))

    def number(name: str) -> int:
        words = said.get(name, ())
        return (read_size(words[0])[0] or 0) if words else 0

    def priority(name: str) -> int | None:
        words = said.get(name, ())
        return signed(words[0]) if words else None

    def text(name: str) -> str | None:
        words = said.get(name, ())
        return words[0] if words else None

    limits = {scope: number(f"tune.vars.{scope}-max-size") for scope in SCOPES}
    return Tuning(
        client=socket_options(number("tune.rcvbuf.client"), number("tune.sndbuf.client"))
        + lowat(number("tune.notsent-lowat.client")),
        server=socket_options(number("tune.rcvbuf.server"), number("tune.sndbuf.server"))
        + lowat(number("tune.notsent-lowat.server")),
        frontend=socket_options(number("tune.rcvbuf.frontend"), number("tune.sndbuf.frontend")),
        backend=socket_options(number("tune.rcvbuf.backend"), number("tune.sndbuf.backend")),
        variables={scope: most for scope, most in limits.items() if most} or None,
        payload=number("tune.cli.max-payload-size") or PAYLOAD,
        restless="busy-polling" in said and "busy-polling" not in off,
        share_ports="noreuseport" not in said,
        spread=-1 if text("close-spread-time") == "infinite" else milliseconds(text("close-spread-time")),
        never_local="pp2-never-send-local" in said,
        set_uid_programs="insecure-setuid-wanted" in said,
        unprivileged_clients=said.get("harden.reject-privileged-ports.tcp") == ("on",),
        key_algorithms=text("jwt.decrypt_alg_list"),
        content_encryptions=text("jwt.decrypt_enc_list"),
        profiling=profiling(said.get("profiling.tasks", ())),
        patience=milliseconds(text("warn-blocked-traffic-after")),
        client_glitches=number("tune.h1.fe.glitches-threshold"),
        server_glitches=number("tune.h1.be.glitches-threshold"),
        glitch_load=number("tune.glitches.kill.cpu-usage"),
        most_workers=priority("thread-hard-limit") or None,
        nice=priority("tune.renice.runtime"),
        nice_at_start=priority("tune.renice.startup"),
        cpus=tuple(maps),
    )


def milliseconds(text: str | None) -> int:
    return read_time(text).milliseconds if text else 0


def profiling(words: Sequence[str]) -> str:
    """``on``, ``off`` or ``auto``, out of a list with commas."""
    switches = [word for word in (words[0].split(",") if words else ()) if word in ("on", "off", "auto")]
    return switches[-1] if switches else "auto"


def socket_options(receive: int, send: int) -> tuple[SocketOption, ...]:
    rows = ((socket.SO_RCVBUF, receive), (socket.SO_SNDBUF, send))
    return tuple((socket.SOL_SOCKET, option, size) for option, size in rows if size)


def lowat(size: int) -> tuple[SocketOption, ...]:
    return ((socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, size),) if size else ()


# -- cpu-map ----------------------------------------------------------------------------------------------


def numbers_of(text: str, last: int) -> list[int]:
    """The numbers of ``1-4``, ``3-``, ``5``, ``all``, ``odd``, ``even``, up to ``last``."""
    every = range(1, last + 1)
    if text in ("all", "odd", "even"):
        return [n for n in every if text == "all" or n % 2 == (text == "odd")]
    low, dash, high = text.partition("-")
    top = int(high) if high else last if dash else int(low)
    return [n for n in range(int(low), top + 1) if n in every]


def cpus_of(ranges: Iterable[str]) -> list[int]:
    """The processors of ``0-3 8,10``, in order and each once."""
    found: set[int] = set()
    for part in ",".join(ranges).split(","):
        low, _, high = part.partition("-")
        found.update(range(int(low), int(high or low) + 1))
    return sorted(found)


def placement(maps: Sequence[tuple[str, Sequence[str]]], workers: int) -> list[set[int]]:
    """The processors of each worker by ``cpu-map [auto:]<group>[/<threads>] <cpus>``; empty: nothing is said.

    All workers are of group 1. With ``auto:`` each gets one of the processors, in order.
    """
    found: list[set[int]] = [set() for _ in range(workers)]
    for where, ranges in maps:
        group, slash, threads = where.removeprefix("auto:").partition("/")
        if 1 not in numbers_of(group, 64):
            continue
        chosen, cpus = numbers_of(threads if slash else "all", workers), cpus_of(ranges)
        for order, worker in enumerate(chosen):
            found[worker - 1] = {cpus[order % len(cpus)]} if where.startswith("auto:") else set(cpus)
    return found
