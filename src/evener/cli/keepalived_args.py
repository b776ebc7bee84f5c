"""The command line of ``keepalived``: what its words mean. Nothing is read or run here.

The original uses getopt_long(3): short options may be bundled, a value may be glued to its option, long
names may be cut to any unambiguous length, and words that are no options are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from evener.text.record import dataclass

DEFAULT_FILE = "/etc/keepalived/keepalived.conf"


class Takes(Enum):
    """Whether an option has a value."""

    NOTHING = 0
    VALUE = 1
    MAYBE = 2  #: only glued to it: ``-tLOG``, ``--config-test=LOG``


@dataclass(frozen=True, slots=True)
class Option:
    """One option; ``works`` False: accepted, and the user is told that it does nothing yet."""

    long: str
    short: str
    takes: Takes
    help: str
    works: bool = True


N, V, M = Takes.NOTHING, Takes.VALUE, Takes.MAYBE

OPTIONS = (
    Option("use-file", "f", V, "Use the specified configuration file"),
    Option("vrrp", "P", N, "Only run with VRRP subsystem"),
    Option("check", "C", N, "Only run with Health-checker subsystem"),
    Option("no_bfd", "B", N, "Don't run BFD subsystem"),
    Option("all", "", N, "Force all child processes to run, even if have no configuration"),
    Option("log-console", "l", N, "Log messages to local console"),
    Option("log-detail", "D", N, "Detailed log messages"),
    Option("log-facility", "S", V, "Set syslog facility to LOG_LOCAL[0-7], user or daemon"),
    Option("no-syslog", "G", N, "Don't log via syslog"),
    Option("umask", "u", V, "umask for file creation (in numeric form)"),
    Option("release-vips", "X", N, "Drop VIP on transition from signal (it is, in any case)."),
    Option("dont-release-vrrp", "V", N, "Don't remove VRRP VIPs and VROUTEs on daemon stop"),
    Option("dont-release-ipvs", "I", N, "Don't remove IPVS topology on daemon stop"),
    Option("dont-respawn", "R", N, "Don't respawn child processes"),
    Option("dont-fork", "n", N, "Don't fork the daemon process"),
    Option("dump-conf", "d", N, "Dump the configuration data"),
    Option("pid", "p", V, "Use specified pidfile for parent process"),
    Option("vrrp_pid", "r", V, "Use specified pidfile for VRRP child process"),
    Option("genhash", "T", N, "Enter into genhash utility mode (this should be the first option used)."),
    Option("checkers_pid", "c", V, "Use specified pidfile for checkers child process"),
    Option("address-monitoring", "a", N, "Report all address additions/deletions notified via netlink"),
    Option("bfd_pid", "b", V, "Use specified pidfile for BFD child process"),
    Option("namespace", "s", V, "Run in network namespace NAME (overrides config)"),
    Option("core-dump", "m", N, "Produce core dump if terminate abnormally"),
    Option("core-dump-pattern", "M", M, "Also set /proc/sys/kernel/core_pattern"),
    Option("all-config", "e", N, "Error if any configuration file missing (same as includea)"),
    Option("config-id", "i", V, "Skip any configuration lines beginning '@' that don't match id"),
    Option("ignore-sigint", "", N, "Ignore SIGINT"),
    Option("signum", "", V, "Return signal number for STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON"),
    Option("config-test", "t", M, "Check the configuration for obvious errors, output to stderr or LOG_FILE"),
    Option("version", "v", N, "Display the version number"),
    Option("help", "h", N, "Display this help message"),
    Option("snmp", "x", N, "Enable SNMP subsystem"),
    Option("snmp-agent-socket", "A", V, "Use the specified socket for master agent"),
    Option("log-file", "g", M, "Also log to FILE (default keepalived.log in TMPDIR)"),
    Option("flush-log-file", "", N, "Flush log file on write (it is, in any case)"),
    Option("debug", "", M, "Enable debug options", False),
    Option("perf", "", M, "Collect perf data", False),
    Option("lvs-engine", "", V, "What balances: auto (IPVS, or nftables without it), ipvs or nft"),
    Option("lvs-approximate", "", N, "Where nftables lacks a scheduler, use the nearest one"),
    Option("lvs-end-connections", "", N, "End the connections of a real server that is removed (nft)"),
    Option("lvs-socket", "", V, "Path of the control socket for evener lvs"),
    Option(
        "strict-compat",
        "",
        N,
        "Imitate known mistakes: -t of no file exits 0, and says things up to four times",
    ),
    Option("status-socket", "", V, "VRRP: answer GET /metrics and /status on /PATH or [HOST:]PORT"),
    Option("no-mem-check", "", N, "Disable malloc() etc mem-checks (there are none)"),
)

SHORT = {option.short: option for option in OPTIONS if option.short}
LONG = {option.long: option for option in OPTIONS}


class UsageError(Exception):
    """The command line makes no sense; the text is what the original says."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The options that were given, by long name; the value is None where there is none."""

    given: dict[str, str | None]

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def value(self, name: str) -> str | None:
        return self.given.get(name)

    @property
    def without_effect(self) -> tuple[str, ...]:
        return tuple(name for name in self.given if not LONG[name].works)


def parse(words: Sequence[str]) -> CommandLine:
    """Raises UsageError."""
    given: dict[str, str | None] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            _long(word, rest, given)
        elif word.startswith("-") and word != "-":
            _short(word, rest, given)
    return CommandLine(given)


def _long(word: str, rest: list[str], given: dict[str, str | None]) -> None:
    name, equals, value = word[2:].partition("=")
    found = [LONG[name]] if name in LONG else [option for option in OPTIONS if option.long.startswith(name)]
    if len(found) != 1 or (equals and found[0].takes is N):
        raise UsageError(f"Unknown option {word}")
    option = found[0]
    if option.takes is V and not equals:
        if not rest:
            raise UsageError(f"Missing parameter for option --{option.long}")
        value, equals = rest.pop(0), "="
    given[option.long] = value if equals else None


def _short(word: str, rest: list[str], given: dict[str, str | None]) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        option = SHORT.get(letter)
        if option is None:
            raise UsageError(f"Unknown option -{letter}")
        if option.takes is N:
            given[option.long] = None
            continue
        if option.takes is V and not letters and not rest:
            raise UsageError(f"Missing parameter for option -{letter}")
        value = letters or (rest.pop(0) if option.takes is V else None)
        given[option.long] = value
        return
