"""The manual pages of the three commands, and ``evener man``, which writes all manual pages.

Everything comes from the tables that the commands themselves read their options from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from evener.cli import keepalived_args
from evener.cli.haproxy_texts import OPTIONS as HAPROXY_OPTIONS
from evener.desk import manuals, roff

Parts = Iterator[tuple[str, Sequence[str]]]


def evener_manual() -> str:
    from evener.cli.evener import parser

    made = parser()

    def parts() -> Parts:
        yield "synopsis", [roff.bold("evener"), "<command> [<option>...]"]
        yield "description", roff.prose(_EVENER)
        yield "commands", [line for command in _commands(made) for line in _command(*command)]
        yield "see also", ["haproxy(1), keepalived(8), evener\\-haproxy.cfg(5), evener\\-keepalived.conf(5)"]

    return roff.page("evener", 1, made.description or "", parts())


_EVENER = """\
evener reads haproxy.cfg and keepalived.conf, explains what is wrong with them, shows what would be
executed, and runs them. The commands ``haproxy`` and ``keepalived`` of the same package are the drop-ins
for the daemons of these names."""


def _commands(made: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in made._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _command(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    yield f".SS {roff.escape(name)}"
    yield from roff.prose(command.description or "")
    for action in command._actions:
        if not isinstance(action, argparse._HelpAction):
            yield from roff.item(_invocation(action), roff.prose(action.help or ""))


def _invocation(action: argparse.Action) -> str:
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    value = action.metavar or action.dest.upper()
    if action.choices is not None:
        value = "{" + ",".join(action.choices) + "}"
    value = str(value) + ("..." if action.nargs in ("+", "*") else "")
    return f"{names} {value}".strip()


def haproxy_manual() -> str:
    def parts() -> Parts:
        yield "synopsis", [roff.bold("haproxy"), "[<option>...] [-- <file>...]"]
        yield "description", roff.prose(_HAPROXY)
        yield (
            "options",
            [line for option, what in (_FILE, *HAPROXY_OPTIONS) for line in _option(option, what)],
        )
        yield "signals", [line for name, what in _SIGNALS for line in roff.item(name, roff.prose(what))]
        yield "see also", ["evener(1), evener\\-haproxy.cfg(5)"]

    return roff.page("haproxy", 1, "a TCP and HTTP proxy, executed by evener", parts())


_HAPROXY = """\
This haproxy is evener's: it reads the same files, takes the same options and says the same things as the
proxy of that name. Files and directories given by ``-f`` are read in that order; of a directory, the
``.cfg`` files. It exits with 1 when they cannot be used."""

_FILE = ("-f <cfgfile|cfgdir>", "reads that file, or the files of that directory; may be said again")
_SIGNALS = (
    ("SIGUSR1", "Stop listening, serve what was begun, then leave."),
    ("SIGTERM, SIGINT", "Leave at once."),
    ("SIGUSR2, SIGHUP", "To a master (``-W``): read the files again and start new workers."),
)


def keepalived_manual() -> str:
    def parts() -> Parts:
        yield "synopsis", [roff.bold("keepalived"), "[<option>...]"]
        yield "description", roff.prose(_KEEPALIVED)
        yield "options", [line for option in keepalived_args.OPTIONS for line in _keepalived_option(option)]
        yield "files", roff.item(keepalived_args.DEFAULT_FILE, ["The file that is read without \\-f."])
        yield "see also", ["evener(1), evener\\-keepalived.conf(5)"]

    return roff.page("keepalived", 8, "virtual addresses that move between nodes, by evener", parts())


_KEEPALIVED = """\
This keepalived is evener's: it reads the same file, takes the same options and speaks the same protocol as
the daemon of that name, so that the other nodes need not know."""


def _option(option: str, what: str) -> list[str]:
    return roff.item(option, roff.prose(f"{what[:1].upper()}{what[1:]}".rstrip(".") + "."))


def _keepalived_option(option: keepalived_args.Option) -> list[str]:
    takes = keepalived_args.Takes
    value = {takes.NOTHING: "", takes.VALUE: "=VALUE", takes.MAYBE: "[=VALUE]"}[option.takes]
    names = f"-{option.short}, " if option.short else ""
    note = "" if option.works else ". Accepted, without effect yet"
    return _option(f"{names}--{option.long}{value}", option.help.rstrip(".") + note)


#: File -> what makes its text.
PAGES: Final[dict[str, Callable[[], str]]] = {
    "evener.1": evener_manual,
    "haproxy.1": haproxy_manual,
    "keepalived.8": keepalived_manual,
    "evener-haproxy.cfg.5": manuals.haproxy_manual,
    "evener-keepalived.conf.5": manuals.keepalived_manual,
}


def write_manuals(directory: Path, check: bool) -> int:
    """Write the pages that differ from those in ``directory``; with ``check`` only name them, and exit 1."""
    stale = 0
    for name, make in PAGES.items():
        path, text = directory / name, make()
        if path.is_file() and path.read_text(encoding="ascii", errors="replace") == text:
            continue
        stale += 1
        if check:
            print(f"{path} is stale", file=sys.stderr)
        else:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
            print(path)
    return 1 if check and stale else 0
