"""``evener lvs``: speaks to the control socket of a running keepalived (``keepalived --lvs-socket PATH``).

Without a command it shows the virtual servers. In a terminal they are a table, elsewhere the plain answer;
``--json`` asks for JSON. Exit code 1: the daemon refused the command, 2: it could not be reached.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from typing import Any

DEFAULT_SOCKET = "/run/keepalived/lvs.sock"
TIMEOUT_S = 30.0
EXIT_OK, EXIT_REFUSED, EXIT_UNREACHABLE = 0, 1, 2
TABLES = ("services", "stats")


def add_arguments(commands: Any) -> None:
    what = "virtual servers of a running keepalived: show them, drain, disable, weigh, flush"
    command = commands.add_parser("lvs", help=what, description=what)
    command.add_argument(
        "--socket", default=os.environ.get("EVENER_LVS_SOCKET", DEFAULT_SOCKET), metavar="PATH",
        help=f"of the daemon (default: $EVENER_LVS_SOCKET or {DEFAULT_SOCKET})",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="for programs")
    command.add_argument(
        "words", nargs="*", metavar="COMMAND", default=["show", "services"],
        help="show services, show stats, drain VIRTUAL REAL...; 'help' lists them",
    )  # fmt: skip


def lvs(options: argparse.Namespace) -> int:
    words = list(options.words) or ["show", "services"]
    shown = words[0] == "show" and len(words) > 1 and words[1] in TABLES
    as_table = shown and not options.json and sys.stdout.isatty() and words[-1] != "json"
    if (as_table or options.json) and words[0] == "show" and words[-1] != "json":
        words.append("json")
    try:
        answer = ask(options.socket, shlex.join(words))
    except OSError as error:
        print(f"evener: {options.socket}: {error.strerror or error}", file=sys.stderr)
        return EXIT_UNREACHABLE
    if answer.startswith("error: "):
        print(f"evener: {answer.removeprefix('error: ').rstrip()}", file=sys.stderr)
        return EXIT_REFUSED
    if as_table:
        table(json.loads(answer), words[1] == "stats")
    else:
        sys.stdout.write(answer)
    return EXIT_OK


def ask(path: str, line: str) -> str:
    """One command and its answer. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(path)
        connection.sendall(line.replace("\n", " ").encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while data := connection.recv(65536):
            parts.append(data)
    return b"".join(parts).decode("utf-8", "replace").removesuffix("\n")


COLOURS = {
    "up": "green", "quorum up": "green", "down": "red", "quorum down": "red", "drain": "yellow",
    "disabled": "magenta", "active": "yellow",
}  # fmt: skip


def table(found: list[dict[str, Any]], counted: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table

    rows = [line for row in found for line in _lines(row, counted)]
    longest = max((len(line[0]) for line in rows), default=0)
    made = Table(
        Column("server", min_width=longest), "kind", "state", "weight", "checks", "override", box=box.SIMPLE
    )
    for column in ("conns", "active", "in", "out") if counted else ():
        made.add_column(column, justify="right")
    for name, *cells in rows:
        if not name.startswith(" "):
            made.add_section()
        made.add_row(*(_cell(text) for text in (name, *cells)))
    Console().print(made)


def _lines(row: dict[str, Any], counted: bool) -> Iterator[list[str]]:
    quorum, weight = "up" if row["quorum_up"] else "down", f"{row['weight']}/{row['quorum']}"
    yield [row["name"], row["scheduler"], f"quorum {quorum}", weight, "", "", *_counts(row, counted)]
    for real in row["real_servers"]:
        checks = f"{real['checks'] - real['failed_checks']}/{real['checks']}"
        override = "" if real["override"] == "none" else real["override"]
        cells = [real["method"], real["state"], str(real["weight"]), checks, override]
        yield [f"  {real['name']}", *cells, *_counts(real, counted)]
    if row["sorry_server"]:
        yield [f"  {row['sorry_server']}", "sorry", "active" if row["sorry_active"] else "standby"]


def _cell(text: str) -> Any:
    from rich.text import Text

    return Text(text, style=COLOURS.get(text, ""))


def _counts(row: dict[str, Any], counted: bool) -> list[str]:
    names = ("connections", "active", "bytes_in", "bytes_out")
    return [str(row[name]) for name in names] if counted else []
