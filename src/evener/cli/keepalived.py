"""The ``keepalived`` command: reads the command line and the configuration, tests or runs it.

Exit codes are the original's: 0 all is well; 1 the command line is wrong; 2 the configuration cannot be
run (a word is missing; or, when running, an interface does not exist or a VRID is used twice); 5
``-t`` found something, the daemon would run; 6 a file is missing, or ``-t`` has a remark on script security.
Deliberately different, but with --strict-compat: ``-t`` of a file that does not exist fails (the original
says 0), and each message is printed once (the original's processes repeat it up to four times).
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from evener.cli import keepalived_args as args
from evener.cli.keepalived_args import CommandLine, UsageError
from evener.text.collector import collector_paused

if TYPE_CHECKING:
    from evener.cli.keepalived_options import RunOptions
    from evener.keepalived.compile_lvs import Compiled
    from evener.keepalived.ir import Configuration
    from evener.keepalived.lvs.plan import CheckerOptions
    from evener.keepalived.plan import DaemonPlan
    from evener.keepalived.resolve import LoadOptions
    from evener.text.diagnostic import Diagnostics

EXIT_OK, EXIT_USAGE, EXIT_CONFIG, EXIT_TEST, EXIT_FILE = 0, 1, 2, 5, 6

GENHASH = ("-T", "--genhash")
SIGNALS = {"STOP": 15, "RELOAD": 1, "DATA": 10, "STATS": 12, "STATS_CLEAR": 63, "JSON": 36}

CANNOT_RUN = frozenset(
    {"missing-parameter", "parameter-loop", "include-loop", "too-many-lines", "too-many-findings"}
)
WILL_NOT_RUN = frozenset({"missing-interface", "duplicate-vrid", "no-interface"})
REMARKS = frozenset({"words-after-script", "delay-missing", "bad-regex"})
"""What ``evener check`` says in addition; the original says nothing of it, or to its log only."""

NO_FILE = frozenset({"config-file-missing", "include-missing", "include-refused", "script-security"})

Say = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these words (without the program's name); returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    hashing = next((at for at, word in enumerate(words) if word in GENHASH), None)
    if hashing is not None:
        return _genhash(words, hashing)
    try:
        options = args.parse(words)
    except UsageError as error:
        to_stderr(str(error))
        return EXIT_USAGE
    if "version" in options or "help" in options:
        from evener.cli.keepalived_texts import usage_text, version_text

        to_stderr(version_text() if "version" in options else usage_text("keepalived"))
        return EXIT_OK
    if "signum" in options:
        return _signum(options.value("signum") or "")
    if "lvs-engine" in options:
        try:
            lvs_options(options)
        except UsageError as error:
            to_stderr(str(error))
            return EXIT_USAGE
    for name in options.without_effect:
        to_stderr(f"evener accepts the option --{name}, but it has no effect yet")
    if "config-test" in options:
        return _test(options)
    if "dump-conf" in options:
        return _dump(options)
    return _run(options)


def _genhash(words: list[str], at: int) -> int:
    """Another command: what follows are its words."""
    from evener.cli import genhash

    if at:
        name = words[at].lstrip("-") if words[at].startswith("--") else words[at]
        to_stderr(f"Warning -- `{name}` not used as first option, previous options ignored")
    return genhash.main(words[at + 1 :], f"{sys.argv[0]} --genhash")


def to_stderr(text: str) -> None:
    os.write(2, (text + "\n").encode("utf-8", "backslashreplace"))


def _signum(name: str) -> int:
    if name not in SIGNALS:
        to_stderr(f"Unknown sigfunc {name}")
        return EXIT_USAGE
    os.write(1, f"{SIGNALS[name]}\n".encode())
    return EXIT_OK


def load_options(options: CommandLine) -> LoadOptions:
    from dataclasses import replace

    from evener.cli.keepalived_machine import surroundings
    from evener.keepalived import reader
    from evener.keepalived.include import ALL_CHECKS, Check
    from evener.keepalived.resolve import LoadOptions

    machine = reader.machine()
    checks = ALL_CHECKS if "all-config" in options else Check.NONE
    identity = options.value("config-id") or machine.config_id
    made = replace(machine, config_id=identity, check_includes=checks, passages="dump-conf" not in options)
    return LoadOptions(made, surroundings())


Outcome = tuple["Configuration | None", frozenset[str], bool]

_entered: list[str] = []
"""The network namespace this process is in, if it was told to enter one."""


def read(options: CommandLine, say: Say) -> Outcome:
    """The configuration (None: it cannot be used at all), the codes of what was found, and whether
    anything is wrong; everything found has been said. Enters its network namespace, once."""
    said: list[str] = []
    outcome = _read(options, said.append)
    wanted = options.value("namespace") or (outcome[0].net_namespace if outcome[0] else None)
    if wanted and not _entered:
        from evener.host.namespace import enter

        problem = enter(wanted)
        if problem is not None:
            say(problem)
            return None, frozenset(["no-namespace"]), True
        _entered.append(wanted)
        # What was found outside is about the wrong interfaces.
        said.clear()
        outcome = _read(options, said.append)
    elif wanted and _entered != [wanted]:
        said.append(f"net_namespace cannot be changed by a reload: staying in {_entered[0]}")
    for line in said:
        say(line)
    return outcome


def _read(options: CommandLine, say: Say) -> Outcome:
    from evener.keepalived.resolve import load
    from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity
    from evener.text.render_keepalived import render_all

    found: Diagnostics = Diagnostics()
    configuration: Configuration | None = None
    try:
        configuration = load(options.value("use-file") or args.DEFAULT_FILE, found, load_options(options))
        _check_lvs(options, configuration, found)
    except FatalConfiguration:
        pass
    if "strict-compat" in options and "config-test" in options:
        from evener.cli.keepalived_repeat import repeated

        lines = repeated(found)
    else:
        lines = render_all([d for d in found if d.code not in REMARKS])
    for line in lines:
        say(line)
    codes = frozenset(d.code for d in found)
    wrong = any(d.severity >= Severity.WARNING and d.code not in REMARKS for d in found)
    if "config-file-missing" in codes:
        configuration = None
    return configuration, codes, wrong


def _check_lvs(options: CommandLine, configuration: Configuration, found: Diagnostics) -> None:
    if "lvs-engine" in options:
        from evener.keepalived.check_lvs import check_lvs

        check_lvs(configuration, lvs_options(options), found)


def lvs_options(options: CommandLine) -> CheckerOptions:
    """Raises UsageError."""
    from evener.cli.lvs_options import engine_options

    approximate, ends = "lvs-approximate" in options, "lvs-end-connections" in options
    path = options.value("lvs-socket")
    socket = os.path.abspath(path) if path else None
    try:
        return engine_options(options.value("lvs-engine"), approximate, ends, socket)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _test(options: CommandLine) -> int:
    gc.disable()  # it ends soon
    log = options.value("config-test")
    if log is None:
        _, codes, wrong = read(options, to_stderr)
        if "strict-compat" in options and "config-file-missing" in codes:
            return EXIT_OK
        return test_code(codes, wrong)
    try:
        with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
            _, codes, wrong = read(options, lambda line: print(line, file=file))
    except OSError as error:
        to_stderr(f"Unable to open config-test log file {log}: {error.strerror}")
        return EXIT_USAGE
    return test_code(codes, wrong)


def test_code(codes: frozenset[str], wrong: bool) -> int:
    """The exit code of ``-t``."""
    if codes & CANNOT_RUN:
        return EXIT_CONFIG
    if codes & NO_FILE:
        return EXIT_FILE
    return EXIT_TEST if wrong else EXIT_OK


def _dump(options: CommandLine) -> int:
    from evener.keepalived.print import text

    configuration, codes, _ = read(options, to_stderr)
    if configuration is None:
        return EXIT_FILE if "config-file-missing" in codes else EXIT_CONFIG
    os.write(1, text(configuration).encode("utf-8", "surrogateescape"))
    return EXIT_OK


def runnable(
    options: CommandLine, say: Say, compiled: Compiled | None = None
) -> tuple[DaemonPlan | None, int]:
    """The plan to run, or None and the exit code. ``compiled`` is kept from one reading to the next."""
    from evener.keepalived.compile_daemon import compile_daemon

    with collector_paused():
        configuration, codes, _ = read(options, say)
        if configuration is None:
            return None, EXIT_FILE if "config-file-missing" in codes else EXIT_CONFIG
        if codes & WILL_NOT_RUN and not only_checks(options):
            return None, EXIT_CONFIG
        if "snmp" in options or "snmp-agent-socket" in options:
            from evener.keepalived.compile_snmp import with_snmp

            socket = options.value("snmp-agent-socket")
            configuration = with_snmp(configuration, everything="snmp" in options, socket=socket)
        plan = with_status(compile_daemon(configuration, compiled), options.value("status-socket"))
        return chosen(options, plan), EXIT_OK


def only_checks(options: CommandLine) -> bool:
    """-C: what is wrong with VRRP instances then is nobody's business."""
    names = _since_all(options)
    return "check" in names and "vrrp" not in names


def chosen(options: CommandLine, plan: DaemonPlan) -> DaemonPlan:
    """What the command line leaves of a plan: its subsystems, and what happens to IPVS at the end."""
    from dataclasses import replace

    from evener.cli.lvs_options import with_engine

    vrrp, checker = plan.vrrp, plan.checker
    if only_checks(options):
        vrrp = replace(vrrp, instances=(), lvs_sync=None)
    names = _since_all(options)
    if "vrrp" in names and "check" not in names:
        checker = replace(checker, virtual_servers=())
    stays, told = "dont-release-vrrp" in options, "address-monitoring" in options
    vrrp = replace(vrrp, options=replace(vrrp.options, leave_at_end=stays, report_addresses=told))
    if "dont-release-ipvs" in options:
        checker = replace(checker, options=replace(checker.options, release=False))
    return with_engine(replace(plan, vrrp=vrrp, checker=checker), lvs_options(options))


def with_status(plan: DaemonPlan, where: str | None) -> DaemonPlan:
    """The command line says where the VRRP process answers questions about itself."""
    from dataclasses import replace

    if where is None:
        return plan
    if where.startswith("."):
        where = os.path.abspath(where)
    return replace(plan, vrrp=replace(plan.vrrp, options=replace(plan.vrrp.options, status_socket=where)))


def _run(options: CommandLine) -> int:
    from evener.cli.keepalived_run import run
    from evener.host.vrrp_log import LogSink
    from evener.keepalived.compile_lvs import Compiled

    try:
        made = run_options(options)
    except UsageError as error:
        to_stderr(str(error))
        return EXIT_USAGE
    sink = LogSink(made.log, "Keepalived")
    compiled = Compiled()
    plan, code = runnable(options, sink, compiled)
    sink.close()
    if plan is None:
        return code
    made = placed(options, made, plan)

    again_options = absolute(options)

    def reread(log_file: str | None) -> DaemonPlan | None:
        again, said = LogSink(made.log, "Keepalived"), []

        def say(line: str) -> None:
            again(line)
            said.append(line)

        try:
            return runnable(again_options, say, compiled)[0]
        finally:
            again.close()
            if log_file is not None:
                keep(log_file, said)

    return run(plan, made, reread)


def keep(path: str, lines: list[str]) -> None:
    """What was found in a configuration, in a file of its own."""
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        to_stderr(f"Unable to open config-test log file {path}: {error.strerror}")


def absolute(options: CommandLine) -> CommandLine:
    """The same words for a daemon that has left its directory."""
    path = os.path.abspath(options.value("use-file") or args.DEFAULT_FILE)
    socket = options.value("lvs-socket")
    sockets = {"lvs-socket": os.path.abspath(socket)} if socket else {}
    return CommandLine({**options.given, "use-file": path, **sockets})


def run_options(options: CommandLine) -> RunOptions:
    """The command line as far as running is concerned. Raises UsageError."""
    from evener.cli.keepalived_options import EXCLUDES, PID_FILES, RunOptions
    from evener.host.vrrp_log import LogOptions

    if "umask" in options:
        os.umask(_umask(options.value("umask") or ""))
    log = LogOptions(
        console="log-console" in options,
        syslog="no-syslog" not in options,
        detail="log-detail" in options,
        facility=_facility(options.value("log-facility")),
        file=_log_file(options),
    )
    return RunOptions(
        foreground="dont-fork" in options,
        log=log,
        pid_file=os.path.abspath(options.value("pid") or "/run/keepalived.pid"),
        pid_files={
            key: os.path.abspath(options.value(f"{key}_pid") or path) for key, path in PID_FILES.items()
        },
        respawn="dont-respawn" not in options,
        umask_given="umask" in options,
        without=frozenset(EXCLUDES[name] for name in _since_all(options) if name in EXCLUDES),
        forced="all" in options,
        ignore_sigint="ignore-sigint" in options,
        core_dump="core-dump" in options,
        core_pattern=_core_pattern(options),
    )


def placed(options: CommandLine, made: RunOptions, plan: DaemonPlan) -> RunOptions:
    """Pid files where the configuration wants them, unless the command line says where."""
    from dataclasses import replace

    directory, instance = plan.vrrp.options.pid_directory, plan.vrrp.options.instance
    if directory is None:
        return made
    home, end = os.path.join("/run", directory), f"_{instance}.pid" if instance else ".pid"
    return replace(
        made,
        pid_file=made.pid_file if "pid" in options else f"{home}/keepalived{end}",
        pid_files={
            key: path if f"{key}_pid" in options else f"{home}/{key}{end}"
            for key, path in made.pid_files.items()
        },
    )


def _umask(text: str) -> int:
    if not text or len(text) > 4 or any(c not in "01234567" for c in text):
        raise UsageError(f"Invalid --umask option {text}")
    return int(text, 8) & 0o777


def _since_all(options: CommandLine) -> list[str]:
    """--all takes back what was excluded before it."""
    names = list(options.given)
    return names[names.index("all") :] if "all" in options else names


def _core_pattern(options: CommandLine) -> str | None:
    return (options.value("core-dump-pattern") or "core") if "core-dump-pattern" in options else None


def _log_file(options: CommandLine) -> str | None:
    if "log-file" not in options:
        return None
    directory = os.environ.get("TMPDIR", "/tmp")
    return os.path.join(directory, options.value("log-file") or "keepalived.log")


def _facility(text: str | None) -> int:
    """0-7 or local0-7, user, daemon; as syslog(3) numbers them."""
    if text is None or text == "daemon":
        return 3
    if text == "user":
        return 1
    digit = text.removeprefix("local")
    if len(digit) == 1 and digit in "01234567":
        return 16 + int(digit)
    raise UsageError(f"Invalid log facility '{text}'")


if __name__ == "__main__":
    sys.exit(main())
