"""Every word of ``global`` is executed, planned, or a hint (listed here) about the original's inside."""

from __future__ import annotations

import ast
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from samples import run, txn, value

import evener
from evener.desk.pages import Standing
from evener.desk.pages_haproxy import haproxy_pages
from evener.haproxy import phases, variables
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.sections.global_ import VOCABULARY, Global
from evener.haproxy.sections.global_table import ACTING, HINTS, LATER
from evener.haproxy.tuning import TCP_NOTSENT_LOWAT, Tuning, cpus_of, numbers_of, placement, tuning
from evener.haproxy.txn import CLOSED, CONTINUE
from evener.text.diagnostic import Diagnostics

ROOT = Path(evener.__file__).parent


def names(table: str) -> set[str]:
    return {row.split()[0] for row in table.split("\n") if row}


#: What these tune is not here: nobody could tell from outside whether they are followed.
INSIDE = {
    "pollers, of which there is one": "noepoll noevports nokqueue nopoll tune.epoll.mask-events "
    "tune.fd.edge-triggered tune.fd.tables tune.maxpollevents tune.recv_enough",
    "threads, groups of them and their processors: workers are processes, placed by cpu-map": "cpu-affinity "
    "cpu-policy cpu-set max-threads-per-group numa-cpu-mapping thread-group thread-groups "
    "tune.listener.default-shards tune.listener.multi-queue tune.takeover-other-tg-connections "
    "tune.max-checks-per-thread",
    "how much is done in one turn of a scheduler": "tune.events.max-events-at-once tune.max-rules-at-once "
    "tune.maxaccept tune.runqueue-depth tune.sched.low-latency tune.ring.queues",
    "memory pools, buffers and caches": "maxzlibmem no-memory-trimming tune.buffers.limit "
    "tune.buffers.reserve tune.bufsize.large tune.bufsize.small tune.idletimer tune.memory.hot-size "
    "tune.pattern.cache-size tune.pool-high-fd-ratio tune.pool-low-fd-ratio tune.defaults.purge",
    "ways not to copy, which are taken anyway": "tune.applet.zero-copy-forwarding "
    "tune.disable-fast-forward tune.disable-zero-copy-forwarding tune.h1.zero-copy-fwd-recv "
    "tune.h1.zero-copy-fwd-send tune.pt.zero-copy-forwarding",
    "aids for its developers": "force-cfg-parser-pause stress-level tune.fail-alloc quick-exit",
    "what is done or allowed here without being asked": "expose-deprecated-directives "
    "expose-experimental-directives insecure-fork-wanted nogetaddrinfo prealloc-fd strict-limits "
    "stats calculate-max-counters",
}  # fmt: skip


def test_each_hint_has_its_reason() -> None:
    listed = [word for words in INSIDE.values() for word in words.replace("stats ", "stats_").split()]
    listed = [word.replace("stats_", "stats ") for word in listed]
    idle = {slot.keyword.name for slot in VOCABULARY if not slot.keyword.effect and not slot.keyword.planned}
    assert len(listed) == len(set(listed)) and set(listed) == idle
    assert names(HINTS) <= idle


def test_explain_tells_hints_from_what_is_done() -> None:
    standings = {page.name: page.standing for page in haproxy_pages() if page.family == "global keyword"}
    assert all(standings[word] is Standing.IDLE for word in names(HINTS))
    assert all(standings[word] is Standing.EXECUTED for word in names(ACTING))
    assert all(standings[word] is Standing.PLANNED for word in names(LATER))


def spoken() -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / "haproxy/tuning.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_what_is_executed_is_looked_for() -> None:
    texts = set(spoken())
    scoped = {word for word in names(ACTING) if word.startswith("tune.vars.")}
    assert names(ACTING) - scoped <= texts
    assert {word.split(".")[2].removesuffix("-max-size") for word in scoped} <= texts


# -- what they mean ---------------------------------------------------------------------------------------

Read = Callable[[str], Global]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str) -> Global:
        path = tmp_path / "cfg"
        path.write_text("global\n" + "".join(f" {line}\n" for line in text.split(";")))
        found = Diagnostics()
        configuration = load([str(path)], found, ReadOptions())
        assert configuration is not None and not found.has_errors, list(found)
        made: Global = configuration.global_
        return made

    return read


def test_nothing_said(read: Read) -> None:
    assert tuning(read("daemon")) == Tuning()


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("tune.rcvbuf.client 16k", "client", ((socket.SOL_SOCKET, socket.SO_RCVBUF, 16384),)),
        ("tune.sndbuf.client 8192", "client", ((socket.SOL_SOCKET, socket.SO_SNDBUF, 8192),)),
        ("tune.notsent-lowat.client 4096", "client", ((socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096),)),
        ("tune.sndbuf.server 8192", "server", ((socket.SOL_SOCKET, socket.SO_SNDBUF, 8192),)),
        ("tune.notsent-lowat.server 1k", "server", ((socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1024),)),
        ("tune.rcvbuf.server 0", "server", ()),
        ("tune.rcvbuf.frontend 64k", "frontend", ((socket.SOL_SOCKET, socket.SO_RCVBUF, 65536),)),
        ("tune.sndbuf.backend 64k", "backend", ((socket.SOL_SOCKET, socket.SO_SNDBUF, 65536),)),
        ("tune.vars.txn-max-size 100;tune.vars.proc-max-size 1024", "variables", {"txn": 100, "proc": 1024}),
        ("tune.cli.max-payload-size 1m", "payload", 1 << 20),
        ("busy-polling", "restless", True),
        ("busy-polling;no busy-polling", "restless", False),
        ("no busy-polling;busy-polling", "restless", True),
        ("noreuseport", "share_ports", False),
        ("insecure-setuid-wanted", "set_uid_programs", True),
        ("harden.reject-privileged-ports.tcp on", "unprivileged_clients", True),
        ("harden.reject-privileged-ports.tcp off", "unprivileged_clients", False),
        ("profiling.tasks on", "profiling", "on"),
        ("profiling.tasks lock,off", "profiling", "off"),
        ("warn-blocked-traffic-after 50ms", "patience", 50),
        ("tune.h1.fe.glitches-threshold 100", "client_glitches", 100),
        ("tune.h1.be.glitches-threshold 200", "server_glitches", 200),
        ("tune.glitches.kill.cpu-usage 80", "glitch_load", 80),
        ("thread-hard-limit 3", "most_workers", 3),
        ("tune.renice.runtime -5", "nice", -5),
        ("tune.renice.startup 10", "nice_at_start", 10),
        ("cpu-map auto:1/1-2 0-1", "cpus", (("auto:1/1-2", ("0-1",)),)),
    ],
)  # fmt: skip
def test_values(read: Read, text: str, field: str, expected: object) -> None:
    assert getattr(tuning(read(text)), field) == expected


@pytest.mark.parametrize(
    ("maps", "workers", "expected"),
    [
        ([("1", ("0-3",))], 2, [{0, 1, 2, 3}, {0, 1, 2, 3}]),
        ([("1/2", ("5",))], 3, [set(), {5}, set()]),
        ([("1/all", ("0", "2-3"))], 1, [{0, 2, 3}]),
        ([("auto:1/1-4", ("0-3",))], 4, [{0}, {1}, {2}, {3}]),
        ([("auto:1/1-4", ("4,6",))], 4, [{4}, {6}, {4}, {6}]),
        ([("1/odd", ("0",)), ("1/even", ("1",))], 3, [{0}, {1}, {0}]),
        ([("2/1", ("0",))], 1, [set()]),
        ([("1/3-", ("7",))], 4, [set(), set(), {7}, {7}]),
        ([("all/1", ("7",))], 1, [{7}]),
    ],
)
def test_processors_of_workers(
    maps: list[tuple[str, tuple[str, ...]]], workers: int, expected: list[set[int]]
) -> None:
    assert placement(maps, workers) == expected


def test_ranges() -> None:
    assert numbers_of("2-9", 4) == [2, 3, 4] and numbers_of("9", 4) == []
    assert cpus_of(["0-2,8", "1"]) == [0, 1, 2, 8]


def test_clients_from_privileged_ports() -> None:
    for port, verdict in ((0, CONTINUE), (1, CLOSED), (1023, CLOSED), (1024, CONTINUE), (65535, CONTINUE)):
        made = txn()
        made.src_port = port
        assert phases.unprivileged(made) == verdict  # type: ignore[arg-type]


# -- how much variables may hold --------------------------------------------------------------------------


@pytest.fixture
def limits() -> Iterator[Callable[..., None]]:
    yield lambda **said: variables.limit(said)
    variables.limit(None)


def held(on: object, name: str) -> int | None:
    length = value(f"var({name}),length", on)
    assert length is None or isinstance(length, int)
    return length


def test_variables_stay_within_their_limit(limits: Callable[..., None]) -> None:
    """An entry takes 88 bytes beside its text, as it does in the original."""
    limits(txn=300)
    made = txn()
    run("http-request", "set-var(txn.a) str(0123456789),add(0)", made)
    run("http-request", "set-var-fmt(txn.b) 0123456789", made)
    assert held(made, "txn.b") == 10
    run("http-request", "set-var-fmt(txn.c) 0123456789abcdefghijklmnopqrstuvwxyz0123456789", made)
    assert held(made, "txn.c") is None
    run("http-request", "set-var-fmt(txn.c) 01234567890", made)
    assert held(made, "txn.c") == 11
    run("http-request", "set-var(sess.d) str(x)", made)  # its scope has no limit
    assert held(made, "sess.d") == 1
    run("http-request", "unset-var(txn.b)", made)
    run("http-request", "set-var(txn.c) str(0123456789abcdefghijklmnopqrstuvwxyz0123456789)", made)
    assert held(made, "txn.c") == 46  # what is replaced does not count


def test_coarser_scopes_include_finer_ones(limits: Callable[..., None]) -> None:
    limits(sess=200)
    made = txn()
    run("http-request", "set-var(req.a) str(0123456789)", made)
    run("http-request", "set-var(txn.b) str(0123456789)", made)
    assert (held(made, "req.a"), held(made, "txn.b")) == (10, 10)
    run("http-request", "set-var(sess.c) str(x)", made)
    run("http-request", "set-var(req.d) str(x)", made)
    assert held(made, "sess.c") is held(made, "req.d") is None


def test_the_limit_of_messages_is_theirs(limits: Callable[..., None]) -> None:
    limits(reqres=100)
    made = txn()
    run("http-request", "set-var(req.a) str(0123456789)", made)
    run("http-request", "set-var(req.b) str(x)", made)
    run("http-request", "set-var(txn.c) str(x)", made)
    assert [held(made, name) for name in ("req.a", "req.b", "txn.c")] == [10, None, 1]
