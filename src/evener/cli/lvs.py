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


COLOURS = {"up": "green", "down": "red", "drain": "yellow", "disabled": "magenta"}


def table(found: list[dict[str, Any]], counted: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    made = Table("virtual server / real server", "scheduler", "state", "weight", "checks", "override")
    if counted:
        for column in ("connections", "active", "in", "out"):
            made.add_column(column, justify="right")
    for row in found:
        quorum = "quorum up" if row["quorum_up"] else "quorum down"
        if row["sorry_active"]:
            quorum += f", sorry {row['sorry_server']}"
        made.add_section()
        weight = f"{row['weight']}/{row['quorum']}"
        made.add_row(escape(row["name"]), row["scheduler"], quorum, weight, "", "", *_counts(row, counted))
        for real in row["real_servers"]:
            colour = COLOURS.get(real["state"], "white")
            state = f"[{colour}]{real['state']}[/]"
            checks = f"{real['checks'] - real['failed_checks']}/{real['checks']}"
            override = "" if real["override"] == "none" else real["override"]
            made.add_row(
                f"  {escape(real['name'])}", real["method"], state, str(real["weight"]), checks, override,
                *_counts(real, counted),
            )  # fmt: skip
    Console().print(made)


def _counts(row: dict[str, Any], counted: bool) -> list[str]:
    names = ("connections", "active", "bytes_in", "bytes_out")
    return [str(row[name]) for name in names] if counted else []
