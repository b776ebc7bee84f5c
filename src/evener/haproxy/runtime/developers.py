"""Commands that show what a running process looks like inside: descriptors, workers, what streams cost.

What is asked is what the original's developers ask for, in its form as far as the same things exist here:
there are no memory pools, and a worker is a process of its own, so several have descriptors of one number.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.connection_errors import number_of
from evener.haproxy.runtime.anonymity import hidden
from evener.haproxy.runtime.streams import when_answered
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command

READABLE, WRITABLE, HALF, ENDED, BROKEN, SHUT = 1, 2, 4, 8, 16, 32
_FAMILIES: Final = {
    int(socket.AF_INET): "ipv4",
    int(socket.AF_INET6): "ipv6",
    int(socket.AF_UNIX): "unix",
}
_KINDS: Final = {"p": {"pipe"}, "l": {"listener"}, "c": {"front", "back"}, "f": {"front"}, "b": {"back"}}
_EVERY: Final = frozenset({"pipe", "listener", "front", "back"})
_NUMBER: Final = re.compile(r"(?:[0-9]{0,9}/)?([0-9]{0,9})\Z", re.ASCII)


@command(
    "show fd",
    "show fd [-!plcfbs]* [num]",
    level=Level.OPERATOR,
    ok=("show fd", "show fd -p", "show fd l", "show fd c!f", "show fd 0/3", "show fd 3"),
    bad=("user;show fd", "show fd x"),
)
def show_fd(session: Session, words: Sequence[str]) -> Answer:
    """dump list of file descriptors in use or a specific one"""
    kinds: set[str] | None = None
    wanted: int | None = None
    for word in words:
        number = _NUMBER.match(word)
        if number is not None:
            wanted = int(number[1]) if number[1] else None
            continue
        kinds = selected(word, kinds)
        if kinds is None:
            return Told("Invalid FD type")

    def tell(found: list[Any]) -> str:
        rows = sorted(found, key=lambda row: (row[0], row[2][0]))
        return "".join(
            _descriptor(session, row)
            for row in rows
            if (kinds is None or row[1] in kinds) and wanted in (None, row[2][0])
        )

    return when_answered(session.control.inquire("descriptors"), tell)


def selected(word: str, before: set[str] | None) -> set[str] | None:
    """The kinds that a word of letters leaves or adds; None: it has a letter without meaning."""
    found = set() if before is None else set(before)
    inverted = False
    for letter in word:
        if letter in "-!":
            if not inverted and before is None and not found:
                found = set(_EVERY)
            inverted = True
        elif (kinds := _KINDS.get("b" if letter == "s" else letter)) is not None:
            found = found - kinds if inverted else found | kinds
        else:
            return None
    return found


def _descriptor(session: Session, row: Sequence[Any]) -> str:
    worker, kind, facts, front, server, family, ours, theirs, requests = row
    descriptor, generation, flags, fault, held, unsent = facts
    state = "I" if flags & READABLE else "i"
    state = ("H" if flags & HALF else "h") + ("E" if flags & BROKEN else "e") + (
        "O" if flags & WRITABLE else "o"
    ) + "p" + state  # fmt: skip
    writing = f"W:s{'R' if flags & WRITABLE else 'r'}{'A' if unsent else 'a'}"
    ready = f"{writing} R:s{'R' if flags & READABLE else 'r'}A"
    line = (
        f"{descriptor:7d} : st={flags:#08x}(cl {state} {ready}) ref=0 gid=1 tmask={1 << worker:#x} umask=0x0 "
        f"prmsk={1 << worker:#x} pwmsk=0x0 gen={generation} tkov=0 iocb=0x0({_HANDLERS[kind]})"
    )
    named = f"fe={hidden(session, front)}" if front else f"sv={hidden(session, server)}"
    fam = _FAMILIES.get(family, "?")
    if kind == "listener":
        line += f" l.st=RDY {named} fam={fam}"
    elif kind != "pipe":
        line += (
            f" back={int(kind == 'back')} cerr={number_of(fault)} fam={fam} lport={ours} rport={theirs}"
            f" {named} req={requests} .ibuf={held} .obuf={unsent} xprt=RAW"
        )
    return line + "\n"


_HANDLERS: Final = {
    "listener": "sock_accept_iocb", "front": "sock_conn_iocb", "back": "sock_conn_iocb",
    "pipe": "poller_pipe_io_handler",
}  # fmt: skip


@command(
    "show threads", "show threads", ok=("show threads",), bad=("show thread",),
)  # fmt: skip
def show_threads(session: Session, _words: Sequence[str]) -> Answer:
    """show some threads debugging information"""
    profiling = session.control.cells.get(PROCESS_ROW, Column.PROFILING)

    def tell(found: list[Any]) -> str:
        return "".join(
            f"  Thread {worker + 1:<2}: id={pid:#x} act={int(clients > 0)} glob=0 wq=1 rq=0 tl=0 tlsz=0"
            " rqsz=0\n"
            f"      1/{worker + 1:<5}stuck=0 prof={profiling} harmless=1 isolated=0 locks=0\n"
            f"             cpu_ns: now={used} clients={clients}\n"
            for worker, pid, clients, used in sorted(found)
        )

    return when_answered(session.control.inquire("threads"), tell)


@command(
    "show tasks", "show tasks", ok=("show tasks",), bad=("show task",),
)  # fmt: skip
def show_tasks(session: Session, _words: Sequence[str]) -> Answer:
    """show running tasks"""
    return (
        f"Running tasks: 0 ({session.control.facts.workers} threads)\n"
        "  function                     places     %    lat_tot   lat_avg  calls_tot  calls_avg calls%\n"
    )


_POOL_WORDS: Final = frozenset({"byname", "bysize", "byusage", "detailed"})
_POOLS: Final = (
    "Expects either 'byname', 'bysize', 'byusage', 'match <pfx>', 'detailed', "
    "or a max number of output lines."
)


@command(
    "show pools",
    "show pools [by*] [match <pfx>] [nb]",
    ok=("show pools", "show pools byname 3", "show pools match buf"),
    bad=("show pools x",),
)
def show_pools(_session: Session, words: Sequence[str]) -> Answer:
    """report information about the memory pools usage"""
    limit, rest = 0, list(words)
    while rest:
        word = rest.pop(0)
        if word == "match" and rest:
            rest.pop(0)
        elif word.isascii() and word.isdigit() and int(word[:9]):
            limit = int(word[:9])
        elif word not in _POOL_WORDS:
            return Told(_POOLS)
    limited = f" (limited to the first {limit} entries)" if limit else ""
    return (
        f"Dumping pools usage{limited}. Use SIGQUIT to flush them.\n"
        "Total: 0 pools, 0 bytes allocated, 0 used (~0 by thread caches).\n"
    )


# -- profiling --------------------------------------------------------------------------------------------

_SWITCHES: Final = {"on": 1, "auto": 0, "off": 0}
_TASKS: Final = (
    "Expects a combination of either 'on', 'auto', 'off', 'lock', 'no-lock', 'memory' or 'no-memory'."
)
_WHAT: Final = frozenset({"all", "status", "tasks", "memory"})
_ORDERS: Final = frozenset({"byaddr", "bytime", "byctx", "aggr"})


@command(
    "set profiling",
    "set profiling <what> {auto|on|off}",
    level=Level.ADMIN,
    ok=("set profiling tasks on", "set profiling tasks auto", "set profiling tasks on lock"),
    bad=("set profiling", "set profiling tasks", "set profiling tasks x", "set profiling memory on"),
)
def set_profiling(session: Session, words: Sequence[str]) -> Answer:
    """enable/disable resource profiling (tasks,memory)"""
    if words[:1] == ["memory"]:
        return Told("Memory profiling not compiled in.")
    if words[:1] != ["tasks"]:
        return Told("Expects either 'tasks' or 'memory'.")
    if len(words) == 1:
        return Told(_TASKS)
    for word in words[1:]:
        if word in _SWITCHES:
            profile(session.control.cells.set, word)
            session.control.profiling = word
        elif word not in ("lock", "no-lock", "memory", "no-memory"):
            return Told(_TASKS)
    return None


def profile(set_cell: Callable[[int, int, int], None], word: str) -> None:
    """Begin or end to measure; what was measured before is forgotten when it begins. ``auto`` measures
    nothing: the original does then only while it is overloaded."""
    if _SWITCHES[word]:
        for column in (Column.PROF_CALLS, Column.PROF_CPU, Column.PROF_LAT):
            set_cell(PROCESS_ROW, column, 0)
    set_cell(PROCESS_ROW, Column.PROFILING, _SWITCHES[word])


@command(
    "show profiling",
    "show profiling [<what>|<#lines>|<opts>]*",
    level=Level.ADMIN,
    ok=("show profiling", "show profiling tasks byaddr 5", "show profiling status"),
    bad=("operator;show profiling", "show profiling x"),
)
def show_profiling(session: Session, words: Sequence[str]) -> Answer:
    """show profiling state (all,status,tasks,memory)"""
    what = "all"
    for word in words:
        if word in _WHAT:
            what = word
        elif word not in _ORDERS and not (word.isascii() and word.isdigit()):
            return Told(
                "Expects either 'all', 'status', 'tasks', 'memory', 'byaddr', 'bytime', 'byctx', 'aggr' "
                "or a max number of output lines."
            )
    text = ""
    if what in ("all", "status"):
        mode = "auto-off" if session.control.profiling == "auto" else session.control.profiling
        text += f"Per-task CPU profiling              : {mode:<14}# set profiling tasks {{on|auto|off}}\n"
        text += f"Memory usage profiling              : {'off':<14}# set profiling memory {{on|off}}\n"
    if what in ("all", "tasks"):
        text += _activity(session)
    return text


def _activity(session: Session) -> str:
    get = session.control.cells.get
    calls, cpu, lat = (get(PROCESS_ROW, c) for c in (Column.PROF_CALLS, Column.PROF_CPU, Column.PROF_LAT))
    text = (
        "Tasks activity over 0.000 sec till 0.000 sec ago:\n"
        "  function                      calls   cpu_tot   cpu_avg   lkw_avg   lkd_avg   mem_avg   lat_avg\n"
    )
    if calls:
        none = short_time(0)
        text += (
            f"  {'process_stream':<22}{calls:>13}   {short_time(cpu)}   {short_time(cpu // calls)}"
            f"   {none}   {none}   {none}   {short_time(lat // calls)}\n"
        )
    return text


def short_time(ns: float) -> str:
    """Four digits and a unit: ``1.588us``."""
    if ns <= 0:
        return "   -   "
    unit = "ns"
    for following, factor in _UNITS:
        if ns < factor:
            break
        unit, ns = following, ns / factor
    return f"{ns:.3f}{unit}" if ns < 10 else f"{ns:.2f}{unit}" if ns < 100 else f"{ns:.1f}{unit}"


_UNITS: Final = (("us", 1000), ("ms", 1000), ("s ", 1000), ("m ", 60), ("h ", 60), ("d ", 24), ("yr", 365))


# -- the machine ------------------------------------------------------------------------------------------


@command(
    "show dev", "show dev", ok=("show dev",), bad=("show devs",),
)  # fmt: skip
def show_dev(session: Session, _words: Sequence[str]) -> Answer:
    """show debug info for developers"""
    import resource

    machine = os.uname()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    facts = session.control.facts
    return (
        f"HAProxy version {facts.version}\n"
        "Platform info:\n"
        f"  OS name: {machine.sysname}\n  OS release: {machine.release}\n  OS version: {machine.version}\n"
        f"  OS architecture: {machine.machine}\n  node name: {hidden(session, machine.nodename)}\n"
        "Process info:\n"
        f"  pid: {facts.pid}\n  workers: {facts.workers}\n  uid: {os.getuid()}\n  gid: {os.getgid()}\n"
        f"  fd limit (soft): {soft}\n  fd limit (hard): {hard}\n"
    )
