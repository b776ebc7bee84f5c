"""The ``evener`` command: check, compile and run, for both products at once.

What the two daemons' own command lines do is in ``cli.haproxy`` and ``cli.keepalived``; this one is for
the operator who looks at both files together. ``run`` is a supervisor: it starts the two drop-ins as
its children, passes signals on to them, and ends both when one of them ends.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from evener import __version__
from evener.cli.lvs import add_arguments as add_lvs
from evener.cli.lvs import lvs
from evener.cli.simulate import add_arguments as add_simulate
from evener.cli.simulate import simulate
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="evener", description="haproxy.cfg and keepalived.conf, executed")
    made.add_argument("--version", action="version", version=f"evener {__version__}")
    commands = made.add_subparsers(dest="command", required=True)
    for name, what in (
        ("check", "read the files and explain what is wrong with them; exit 1 on any error"),
        ("compile", "show the typed configuration and the plan"),
        ("run", "run both daemons under one supervisor"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        named_files(command)
        if name != "run":
            command.add_argument("--json", action="store_true", help="for programs")
        engine_choice(command)
    what = "lay the files out in one way, keeping comments and meaning"
    command = commands.add_parser("fmt", help=what, description=what)
    named_files(command)
    command.add_argument("--check", action="store_true", help="change nothing; exit 1 if something would")
    command.add_argument("--diff", action="store_true", help="change nothing, show what would change")
    what = "show what a word of either language means: its page of the manual"
    command = commands.add_parser("explain", help=what, description=what)
    command.add_argument(
        "words", nargs="*", metavar="WORD", help="the word, as 'option forwardfor' or 'req.hdr'"
    )
    command.add_argument("--product", choices=("haproxy", "keepalived"), help="only words of that language")
    command.add_argument("--in", dest="place", metavar="PLACE", help="only words of that family or section")
    command.add_argument("--json", action="store_true", help="for programs")
    add_simulate(commands)
    add_lvs(commands)
    what = "write the manual pages, which are made from the vocabulary"
    command = commands.add_parser("man", help=what, description=what)
    command.add_argument("directory", metavar="DIRECTORY", type=Path, help="where they go")
    command.add_argument("--check", action="store_true", help="only name the stale ones; exit 1 if there are")
    return made


def named_files(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-f", "--haproxy", action="append", default=[], metavar="FILE", help="haproxy.cfg (repeatable)"
    )
    command.add_argument("-k", "--keepalived", metavar="FILE", help="keepalived.conf")
    command.set_defaults(parser=command)


def engine_choice(command: argparse.ArgumentParser) -> None:
    what = "what balances virtual servers (auto: IPVS where the kernel has it, or nftables)"
    command.add_argument("--lvs-engine", choices=("auto", "ipvs", "nft"), default="auto", help=what)
    what = "where nftables lacks a scheduler, the nearest one is used"
    command.add_argument("--lvs-approximate", action="store_true", help=what)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    options = parser().parse_args(argv)
    if "haproxy" in options and not options.haproxy and not options.keepalived:
        options.parser.error("name at least one file with -f or -k")
    return options


def read_haproxy(paths: list[str], found: Diagnostics, checking: bool = False) -> Any:
    from evener.haproxy.reader import ReadOptions
    from evener.haproxy.resolve import load

    return load(paths, found, ReadOptions(checking=checking))


def read_keepalived(options: argparse.Namespace, found: Diagnostics) -> Any:
    from evener.keepalived.resolve import LoadOptions, load

    configuration = load(options.keepalived, found, LoadOptions())
    if options.lvs_engine == "nft":
        from evener.keepalived.check_lvs import check_lvs

        check_lvs(configuration, lvs_options(options), found)
    return configuration


def lvs_options(options: argparse.Namespace) -> Any:
    from evener.cli.lvs_options import engine_options

    return engine_options(options.lvs_engine, options.lvs_approximate)


def read(options: argparse.Namespace, checking: bool = False) -> tuple[dict[str, Any], Diagnostics]:
    """The configurations that could be read, by product, and everything found on the way."""
    found = Diagnostics()
    read_by: dict[str, Callable[[], Any]] = {}
    if options.haproxy:
        read_by["haproxy"] = lambda: read_haproxy(options.haproxy, found, checking)
    if options.keepalived:
        read_by["keepalived"] = lambda: read_keepalived(options, found)
    configurations: dict[str, Any] = {}
    for product, reader in read_by.items():
        try:
            configurations[product] = reader()
        except FatalConfiguration:
            configurations[product] = None
    return configurations, found


def report(found: Diagnostics, as_json: bool) -> int:
    """Shows the findings; returns the exit code: 1 when there is an error."""
    from evener.text import render

    if as_json:
        print(render.as_json(found))
    else:
        render.rich(found)
    return 1 if found.has_errors else 0


def check(options: argparse.Namespace) -> int:
    _, found = read(options, checking=True)
    code = report(found, options.json)
    if not options.json:
        warnings = found.count(Severity.WARNING)
        print(f"{found.count(Severity.ALERT)} errors, {warnings} warnings")
    return code


def compile_(options: argparse.Namespace) -> int:
    from evener.vocab.describe import plain

    configurations, found = read(options)
    if found.has_errors:
        return report(found, as_json=False)
    picture: dict[str, Any] = {}
    for product, configuration in configurations.items():
        if product == "haproxy":
            from evener.haproxy.compile import compile_plan as haproxy_plan

            plan: Any = haproxy_plan(configuration, found)
        else:
            from evener.keepalived.compile import compile_plan as keepalived_plan

            plan = keepalived_plan(configuration, found)
        picture[product] = {
            "ir": plain(configuration),
            "plan": plain(plan, skip=frozenset({"ir", "configuration"})),
        }
        if product == "keepalived" and configuration.bfd_instance:
            from evener.keepalived.compile_bfd import bfd_plan

            picture[product]["bfd"] = plain(bfd_plan(configuration))
        if product == "keepalived" and configuration.virtual_server:
            picture[product]["lvs"] = plain(lvs_picture(configuration, options))
    if options.json:
        print(json.dumps(picture, indent=2))
    else:
        from rich import print_json

        print_json(json.dumps(picture))
    return 0


def lvs_picture(configuration: Any, options: argparse.Namespace) -> list[Any]:
    """Which engine runs which virtual server, and why."""
    from evener.cli.lvs_options import kernel_has_ipvs
    from evener.keepalived.compile_lvs import compile_lvs
    from evener.keepalived.lvs.choice import served

    here = kernel_has_ipvs()
    plan = compile_lvs(configuration)
    given = lvs_options(options)
    chosen = replace(plan.options, engine=given.engine, approximate=given.approximate)
    return [served(virtual, chosen, here) for virtual in plan.virtual_servers]


def run(options: argparse.Namespace) -> int:
    """Start the daemons in the foreground; the first one to end ends the other. Its exit code is ours."""
    here = Path(sys.executable).parent
    commands = []
    if options.haproxy:
        files = [word for path in options.haproxy for word in ("-f", path)]
        commands.append([str(here / "haproxy"), "-db", *files])
    if options.keepalived:
        words = ["--lvs-approximate"] if options.lvs_approximate else []
        words.append(f"--lvs-engine={options.lvs_engine}")
        commands.append([str(here / "keepalived"), "-n", "-l", "-f", options.keepalived, *words])
    children = [subprocess.Popen(command) for command in commands]

    def forward(number: int, frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    for number in FORWARDED:
        signal.signal(number, forward)
    return supervise(children)


def supervise(children: list[subprocess.Popen[bytes]]) -> int:
    pid, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    for child in children:
        if child.pid == pid:
            child.returncode = code
            continue
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return code if code >= 0 else 128 - code


def fmt(options: argparse.Namespace) -> int:
    from evener.cli.layout import format_files

    return format_files(options)


def explain(options: argparse.Namespace) -> int:
    """Exit code 1 when there is no such word, and what may have been meant is said."""
    from evener.desk.explain import all_pages, as_json, show, within
    from evener.desk.pages import closest, find

    name = " ".join(options.words)
    pages = within(all_pages(options.product), options.place)
    found = find(pages, name) if name else pages
    if not found:
        meant = closest(pages, name)
        hint = f"; did you mean {', '.join(meant)}?" if meant else ""
        print(f"evener: no word called '{name}'{hint}", file=sys.stderr)
        return 1
    if options.json:
        print(as_json(found))
    else:
        show(found)
    return 0


def man(options: argparse.Namespace) -> int:
    from evener.cli.manuals import write_manuals

    return write_manuals(options.directory, options.check)


def main(argv: Sequence[str] | None = None) -> int:
    if argv is None:  # the process is ours: ``evener compile | head`` ends quietly
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    options = arguments(argv)
    commands = {
        "check": check,
        "compile": compile_,
        "run": run,
        "fmt": fmt,
        "explain": explain,
        "man": man,
        "simulate": simulate,
        "lvs": lvs,
    }
    return commands[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
