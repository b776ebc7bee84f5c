"""``global``: what concerns the whole process.

The environment keywords and ``default-path`` have taken effect when the line was read (see ``reader``);
they are kept here for printing. ``nbthread`` is the number of worker processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from evener.haproxy.sections.global_http1 import Http1
from evener.haproxy.sections.global_table import TABLE
from evener.haproxy.sections.global_values import (
    AnonymousKey,
    Capabilities,
    Counted,
    Dumpable,
    ExitOnFailure,
    Identity,
    IdentityArgument,
    NodeName,
    Optional,
    Preserved,
    SetVariable,
    SetVariableArgument,
    StatsSocket,
    StatsSocketArgument,
    Threads,
    UnixBind,
    UnixBindArgument,
)
from evener.haproxy.sections.log_values import Log, LogArgument
from evener.haproxy.sections.statuses import Counters, StatusRanges
from evener.haproxy.sections.tables import refused
from evener.haproxy.sections.values import Loose, OneOf, PositiveSize, Sentence, Size, Time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Flag, Text, Words
from evener.vocab.blocks import (
    Harmless,
    Known,
    Planned,
    Repeat,
    block,
    group,
    keyword,
    part,
    spans,
    vocabulary,
)

_TIGHT: Final = "config : parsing [{place}]: "


def environment(doc: str, ok: Sequence[str], bad: Sequence[str], least: int = 1) -> Any:
    return keyword(Words(least), doc, ok=ok, bad=bad, repeat=Repeat.COLLECT, environment=True)


_BIND_PROCESS = refused("bind-process | 'stats bind-process' is not supported anymore.")


@block("stats keyword of global", _BIND_PROCESS)
@dataclass(frozen=True, slots=True)
class GlobalStats:
    socket: tuple[StatsSocket, ...] = keyword(
        StatsSocketArgument(), "A socket of the runtime API.",
        ok=("{} /tmp/evener.sock mode 600 level admin",),
        bad=("{}", "{} x", "{} /tmp/x foo", "{} /tmp/x level root"), repeat=Repeat.COLLECT,
    )  # fmt: skip
    timeout: int | None = keyword(
        Time("'{name}' : unexpected character '{char}'"), "Longest inactivity on such a socket.",
        ok=("{} 30s",), bad=("{} x", "{}"),
    )  # fmt: skip
    maxconn: int | None = keyword(
        Loose(1), "Most connections of such sockets.", ok=("{} 5",), bad=("{} x", "{}"),
        wrong="'stats maxconn' expects a positive value",
    )  # fmt: skip
    calculate_max_counters: str | None = keyword(
        Harmless(OneOf("on", "off")), "Whether maxima are kept; they always are.", ok=("{} off",),
        bad=("{} x",),
        wrong="'stats calculate-max-counters' only accepts 'on' and 'off'.",
    )  # fmt: skip
    spans: Mapping[str, Span] = spans()


@block("global keyword", TABLE)
@dataclass(frozen=True, slots=True)
class Global:
    stats: GlobalStats = group("stats", GlobalStats)
    # -- the process
    daemon: bool = keyword(Flag(), "Go to the background.", ok=("{}",), bad=("{} x",), default=False)
    quiet: bool = keyword(Flag(), "Print nothing at start.", ok=("{}",), bad=("{} x",), default=False)
    zero_warning: bool = keyword(
        Flag(), "Refuse to start after any warning.", ok=("{}",), bad=("{} x",), default=False
    )
    pidfile: str | None = keyword(
        Text("<file>"), "File with the process number.", ok=("{} /tmp/x.pid",), bad=("{}", "{} a b"),
        missing="'pidfile' expects a file name as an argument.",
    )  # fmt: skip
    master_worker: str | None = keyword(
        Planned(ExitOnFailure()), "Removed: -W on the command line does this.",
        ok=("{} no-exit-on-failure",), bad=("{} a b", "{} x"), no_bare=True,
    )  # fmt: skip
    user: Identity | None = keyword(
        IdentityArgument(True, True), "Who to become.", ok=("{} root",), bad=("{} no-such-user-here", "{}")
    )
    group: Identity | None = keyword(
        IdentityArgument(False, True), "Which group to join.", ok=("{} root",), bad=("{} no-such-group-here",)
    )
    uid: Identity | None = keyword(
        IdentityArgument(True, False), "Who to become, by number.", ok=("{} 0",), bad=("{} 0 1",)
    )
    gid: Identity | None = keyword(
        IdentityArgument(False, False), "Which group to join, by number.", ok=("{} 0",), bad=("{} 0 1",)
    )
    chroot: str | None = keyword(
        Text("<dir>"), "Directory to shut the process in; `auto`: an empty one without a name.",
        ok=("{} /tmp", "{} auto"), bad=("{}", "{} a b"),
        missing="'chroot' expects a directory as an argument.\n",
    )  # fmt: skip
    nbthread: int | None = keyword(
        Threads(),
        "How many workers there are.",
        ok=("{} 2",),
        bad=("{}", "{} 0", "{} x", "{} 2000"),
        early=True,
    )
    ulimit_n: int | None = keyword(
        Loose(),
        "Most open files.",
        ok=("{} 100",),
        bad=("{}",),
        missing="'ulimit-n' expects an integer argument.",
    )
    hard_stop_after: int | None = keyword(
        Time("unexpected character '{char}' in argument to <hard-stop-after>.\n"),
        "Longest soft stop.", ok=("{} 30s",), bad=("{}", "{} x"),
        missing="'hard-stop-after' expects <time> as argument.\n", loose=True,
    )  # fmt: skip
    grace: int | None = keyword(
        Time("unexpected character '{char}' in argument to <grace>."),
        "Time between a soft stop and closing the listeners.", ok=("{} 3s",), bad=("{} x", "{}"),
        missing="'grace' expects <time> as argument.", loose=True,
    )  # fmt: skip
    set_dumpable: str | None = keyword(
        Dumpable(),
        "Allow core dumps.",
        ok=("{}", "{} libs"),
        bad=("{} x",),
        negatable=True,
        negated="off",
    )
    setcap: tuple[str, ...] | None = keyword(
        Capabilities(), "Capabilities that outlive the change of identity.",
        ok=("{} cap_net_raw,cap_net_admin",), bad=("{}", "{} cap_no_such", "{} cap_net_raw x"),
    )  # fmt: skip
    external_check: str | None = keyword(
        Preserved(), "Allow external checks.", ok=("{}",), bad=("{} a b", "{} x")
    )
    unix_bind: UnixBind | None = keyword(
        UnixBindArgument(),
        "Defaults for unix sockets.",
        ok=("{} mode 600",),
        bad=("{} foo", "{} user no-such-one"),
    )
    # -- limits
    maxconn: int | None = keyword(
        Counted(), "Most concurrent connections of the process.", ok=("{} 100",), bad=("{}", "{} x"),
        repeat=Repeat.REFUSE,
    )  # fmt: skip
    maxconnrate: int | None = keyword(
        Counted(loose=True), "Most connections accepted per second, in all.", ok=("{} 10",),
        bad=("{}", "{} 1 2"), repeat=Repeat.REFUSE,
    )  # fmt: skip
    maxsessrate: int | None = keyword(
        Counted(loose=True), "Most sessions begun per second, in all.", ok=("{} 10",), bad=("{}", "{} 1 2"),
        repeat=Repeat.REFUSE,
    )  # fmt: skip
    fd_hard_limit: int | None = keyword(
        Counted(loose=True), "Most descriptors that the process takes by itself.", ok=("{} 50000",),
        bad=("{}", "{} 1 2"), repeat=Repeat.REFUSE,
    )  # fmt: skip
    maxcompcpuusage: int | None = keyword(
        Loose(0, 100), "Load of a worker, in percent, above which it does not compress.", ok=("{} 50",),
        bad=("{}", "{} 101"), wrong="'maxcompcpuusage' expects an integer argument between 0 and 100.",
    )  # fmt: skip
    maxcomprate: int | None = keyword(
        Loose(), "Most kilobytes compressed per second.", ok=("{} 1000",), bad=("{}",),
        missing="'maxcomprate' expects an integer argument in kb/s.",
    )  # fmt: skip
    tune_comp_maxlevel: int | None = keyword(
        Loose(1, 9), "Effort of compression.", name="tune.comp.maxlevel", ok=("{} 6",), bad=("{}", "{} 12"),
        wrong="'tune.comp.maxlevel' expects a numeric value between 1 and 9",
    )  # fmt: skip
    maxpipes: int | None = keyword(
        Loose(), "Most pipes that long bodies pass through the kernel by; a quarter of maxconn by default.",
        ok=("{} 100",), bad=("{}",), missing="'maxpipes' expects an integer argument.",
    )  # fmt: skip
    nosplice: bool = keyword(
        Flag(), "Copy long bodies rather than passing them through pipes.", ok=("{}",), bad=("{} x",),
        default=False,
    )  # fmt: skip
    tune_pipesize: int | None = keyword(
        Size(), "Size of those pipes; a megabyte by default, or as much as the system gives.",
        name="tune.pipesize", ok=("{} 65536",), bad=("{}",),
        missing="'tune.pipesize' expects an integer argument.",
    )  # fmt: skip
    tune_bufsize: int | None = keyword(
        PositiveSize(), "Size of buffers, which limits the size of message heads.", name="tune.bufsize",
        ok=("{} 16384",),
        bad=("{} x", "{} 1kb"),
        missing="'tune.bufsize' expects an integer argument",
    )  # fmt: skip
    tune_maxrewrite: int | None = keyword(
        Loose(0), "Room kept in buffers for added headers.", name="tune.maxrewrite", ok=("{} 1024",),
        bad=("{}", "{} -1"), wrong="'tune.maxrewrite' expects a positive integer argument.",
        missing="'tune.maxrewrite' expects an integer argument.",
    )  # fmt: skip
    tune_http_maxhdr: int | None = keyword(
        Loose(1, 32767), "Most headers of a message.", name="tune.http.maxhdr", ok=("{} 101",),
        bad=("{} 99999",),
        missing="'tune.http.maxhdr' expects an integer argument.",
        wrong="'tune.http.maxhdr' expects a numeric value between 1 and 32767",
    )  # fmt: skip
    tune_http_logurilen: int | None = keyword(
        Loose(), "How much of a request line is kept for logs.", name="tune.http.logurilen", ok=("{} 1024",),
        bad=("{}",),
        missing="'tune.http.logurilen' expects an integer argument.",
    )  # fmt: skip
    tune_http_cookielen: int | None = keyword(
        Loose(), "How much of a captured cookie is kept.", name="tune.http.cookielen", ok=("{} 63",),
        bad=("{}",),
        missing="'tune.http.cookielen' expects an integer argument.",
    )  # fmt: skip
    tune_idle_pool_shared: str | None = keyword(
        OneOf("full", "on", "off"), "Whether workers share idle server connections: ``off`` is no.",
        name="tune.idle-pool.shared",
        ok=("{} on",), bad=("{} x",),
        wrong="'tune.idle-pool.shared' expects 'full', 'on' or 'off' but got '{got}'.",
    )  # fmt: skip
    tune_stick_counters: int | None = keyword(
        Counters(), "How many table entries a connection or a request may track.",
        name="tune.stick-counters", ok=("{} 5",), bad=("{} x", "{} 101"), loose=True,
    )  # fmt: skip
    http_err_codes: tuple[tuple[str, ...], ...] = keyword(
        StatusRanges(), "Statuses that count as errors of the client.", repeat=Repeat.COLLECT,
        ok=("{} 400,402-444 -440 +500",), bad=("{}", "{} x", "{} 600", "{} 400-"),
    )  # fmt: skip
    http_fail_codes: tuple[tuple[str, ...], ...] = keyword(
        StatusRanges(), "Statuses that count as failures of the server.", repeat=Repeat.COLLECT,
        ok=("{} 500-599 -501",), bad=("{}", "{} x", "{} 500-400"),
    )  # fmt: skip
    http1: Http1 = part(Http1)
    # -- logging and names
    anonkey: int | None = keyword(
        AnonymousKey(), "Key of anonymised answers of the runtime API.", ok=("{} 123456",),
        bad=("{}", "{} 5000000000"), lead=_TIGHT, loose=True,
    )  # fmt: skip
    log: tuple[Log, ...] = keyword(
        LogArgument(True), "Where messages go.", ok=("log 127.0.0.1 local0",),
        bad=("log", "log global", "log 127.0.0.1 nowhere"), repeat=Repeat.COLLECT, negatable=True,
    )  # fmt: skip
    log_tag: str | None = keyword(
        Text("<string>"), "The tag field of syslog lines.", ok=("{} x",), bad=("{}", "{} a b"),
        missing="'log-tag' expects a tag for use in syslog.",
    )  # fmt: skip
    log_send_hostname: str | None = keyword(
        Optional("[<string>]"), "Put the host name into syslog lines; empty: the machine's.",
        ok=("{}", "{} x", "{} a b"), bad=("no {} x y",), loose=True,
    )  # fmt: skip
    node: str | None = keyword(
        NodeName(), "Name of this node.", ok=("{} n1",), bad=("{}", "{} a/b", "{} a b")
    )
    description: str | None = keyword(
        Sentence(), "What people should know about this instance.", ok=("{} a text",), bad=("{}",),
        lead=_TIGHT,
        missing="'description' expects a string argument.",
    )  # fmt: skip
    localpeer: str | None = keyword(
        Text("<name>"), "Name of this node among its peers.", ok=("{} x",), bad=("{}",),
        missing="'localpeer' expects a name as an argument.\n",
    )  # fmt: skip
    # -- health checks
    spread_checks: int | None = keyword(
        Loose(0, 50), "Spread checks by so many percent.", ok=("{} 5",), bad=("{} 100",), lead=_TIGHT,
        missing="'spread-checks' expects an integer argument (0..50).",
        wrong="'spread-checks' needs a positive value in range 0..50.",
    )  # fmt: skip
    max_spread_checks: int | None = keyword(
        Time(
            "unsupported character '{char}' in '{name}' (wants an integer delay).",
            "timer overflow in argument <{got}> to <{name}>, maximum value is 2147483647 ms (~24.8 days).",
        ),
        "Longest time over which the first checks are spread.",
        ok=("{} 5s",),
        bad=("{} x",),
        lead=_TIGHT,
        missing="'max-spread-checks' expects an integer argument (0..50).",
        counted=1,
    )
    server_state_base: str | None = keyword(
        Text("<directory>"), "Directory of server state files.", ok=("{} /tmp",), bad=("{}",), loose=True,
        missing="'server-state-base' expects one argument: a directory path.",
    )  # fmt: skip
    stats_file: str | None = keyword(
        Text("<path>"), "File of counters to start from.", ok=("{} x",), bad=("{}",), loose=True,
        missing="'stats-file' expect one argument: a file path.",
    )  # fmt: skip
    server_state_file: str | None = keyword(
        Text("<file>"), "File of the state of all servers.", ok=("{} x",), bad=("{}",), loose=True,
        missing="'server-state-file' expect one argument: a file path.",
    )  # fmt: skip
    # -- variables and environment
    set_var: tuple[SetVariable, ...] = keyword(
        SetVariableArgument(False), "Give a process-wide variable its first value.", ok=("{} proc.x int(5)",),
        bad=("{}", "{} txn.x int(5)", "{} proc.x no-such-fetch"), repeat=Repeat.COLLECT,
    )  # fmt: skip
    set_var_fmt: tuple[SetVariable, ...] = keyword(
        SetVariableArgument(True), "The same from a log format.", ok=("{} proc.x a-%[int(5)]",),
        bad=("{}", "{} txn.x a"), repeat=Repeat.COLLECT,
    )  # fmt: skip
    setenv: tuple[tuple[str, ...], ...] = environment(
        "Set an environment variable.", ("{} EVENER_X y",), ("{}",)
    )
    presetenv: tuple[tuple[str, ...], ...] = environment(
        "Set it unless it is set.", ("{} EVENER_X y",), ("{}",)
    )
    unsetenv: tuple[tuple[str, ...], ...] = environment("Remove variables.", ("{} EVENER_X",), ("{}",))
    resetenv: tuple[tuple[str, ...], ...] = environment("Remove all but these.", ("{} PATH",), ("{}x",), 0)
    default_path: tuple[str, ...] | None = keyword(
        Words(1), "What relative file names are relative to.", ok=("{} current",), bad=("{} foo", "{}")
    )
    known: tuple[Known, ...] = ()
    spans: Mapping[str, Span] = spans()


VOCABULARY = vocabulary(Global)
