"""The runtime API without a socket: lines in, text out, compared with what HAProxy 3.5-dev5 answers."""

import json
from collections.abc import Sequence

import pytest
from farm import Cells, make_fleet, make_plan
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.cli.assemble import make_table
from evener.haproxy import token_certificates
from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.commands import Bump, Command, PauseFrontend, RenameServer, Say, SetCell
from evener.haproxy.control import Control
from evener.haproxy.health import CheckSettings
from evener.haproxy.info import ProcessFacts
from evener.haproxy.inquiry import Inquiry
from evener.haproxy.newcomers import SpareRows
from evener.haproxy.pattern import Method
from evener.haproxy.pattern_index import index
from evener.haproxy.patterns_file import Entry, Place
from evener.haproxy.runtime_api import (
    RUNTIME,
    Delayed,
    Level,
    Prompt,
    Session,
    load_commands,
    split_commands,
)
from evener.haproxy.sections.stick_values import StickTable
from evener.haproxy.server_state import ServerSettings
from evener.haproxy.sharing import Change, Hub
from evener.haproxy.stats import Statistics
from evener.haproxy.stick_data import Stored, lay_out
from evener.haproxy.stick_table import Table
from evener.haproxy.vocabulary import load_vocabulary

load_commands()
load_vocabulary()


STREAM = 0x10000000001


def inquired(what: str, *arguments: int) -> Inquiry:
    """One worker with one stream."""
    if what == "end-stream":
        return Inquiry(0, [arguments == (STREAM,)])
    if what == "threads":
        return Inquiry(0, [[0, 4711, 1, 10**9]])
    if what == "descriptors":
        return Inquiry(0, [[0, "front", [3, 1, 3, 0, 0, 0], "f", "", 2, 80, 4000, 1]])
    return Inquiry(0, [[STREAM, "7f000001", 4000, "f", "b", "s1", 2000, 10, 20]])


class Machine:
    """A control plane on dictionaries; commands are performed on the cells and remembered."""

    def __init__(self) -> None:
        self.cells = Cells()
        settings = {
            "b/s1": ServerSettings(check=CheckSettings(), cookie="c1"),
            "b/s3": ServerSettings(agent=CheckSettings(agent=True, rise=1, fall=1)),
        }
        self.plan = make_plan({"b": [{}, {}, {}], "e": []})
        ir = StickTable("ip", 100, store=(Stored("gpc0"),))
        self.plan.tables["t"] = Table("t", ir, lay_out(ir.store))
        self.plan.tables["t"].native = make_table(self.plan.tables["t"])
        self.fleet = make_fleet(self.plan, settings, cells=self.cells)
        self.performed: list[Command] = []
        self.time = 100.0
        facts = ProcessFacts("3.5-test", "2026/08/21", 42, "node", 2, 100, 1000, 1_000_000.0, 5, 100)
        statistics = Statistics(
            self.plan, self.fleet, self.cells, lambda: self.time, lambda: 1_000_025.0, lambda _b: 10
        )
        self.control = Control(
            self.plan, self.fleet, statistics, facts, self.cells,
            lambda: self.time, lambda: 1_000_025.0, self.perform,
            environment={"HOME": "/h", "EMPTY": ""}, startup_log=["[NOTICE]   (1) : hello\n"],
            sockets=[("unix@/s", "admin")], spare=SpareRows(self.plan.rows, self.cells.clear),
            inquire=inquired,
        )  # fmt: skip
        lists = self.plan.lists
        for number, (name, values) in enumerate((("m", True), ("a", False))):
            made = lists.open(
                name, [Entry("k" if values else "x", "v", 1)], Place(number, "c", 7), values=values
            )
            made.acl = not values
            made.use("map" if values else "acl", Place(number, "c", 7))
            index(made, Method.STR, output=(lambda element: element.value) if values else None)
        lists.inline("path", Place(9, "c", 8), ["/x"], 77, lambda of: None)
        lists.number()
        self.told: list[tuple[int, Sequence[Change]]] = []
        hub = Hub(lists, lambda origin, new: self.told.append((origin, new)))
        self.control.share, self.control.set_variable = hub.change, hub.set_variable
        self.perform(self.fleet.start(0.0))

    def perform(self, commands: Sequence[Command]) -> None:
        self.performed += commands
        for command in commands:
            if isinstance(command, SetCell):
                self.cells.set(command.row, command.column, command.value)
            elif isinstance(command, Bump):
                self.cells.add(command.row, command.column, 1)
            elif isinstance(command, PauseFrontend):
                statistics = self.control.statistics
                where = statistics.stopped if command.final else statistics.paused
                (where.add if command.paused else where.discard)(command.frontend)

    def session(self, level: Level = Level.ADMIN) -> Session:
        return Session(self.control, level)

    def ask(self, line: str, level: Level = Level.ADMIN) -> str:
        return text(self.session(level).feed(line))


def text(answer: list[str | Delayed] | None) -> str:
    assert answer is not None
    return "".join(a if isinstance(a, str) else str(a.answer) for a in answer)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", "\n"),
        (";;", "\n\n\n"),
        ("show version;show version", "3.5-test\n\n3.5-test\n\n"),
        ("show env HOME;;show version", "HOME=/h\n\n\n3.5-test\n\n"),
        (r"echo a\;b;echo c\ d", "a;b\n\nc d\n\n"),
        ('echo "a b" c', '"a b" c\n\n'),
        ("set server b/s1 state ready", "\n"),
        ("set server b/s1 state", "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n"),
        ("set server b/s1 health foo", "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n\n"),
        ("set server b/s1 agent up", "agent checks are not enabled on this server.\n\n"),
        ("set server b/s1 weight 300", "Absolute weight can only be between 0 and 256 inclusive.\n\n"),
        ("set server b/s1 weight", "Require <weight> or <weight%>.\n\n"),
        ("set weight b/s1 x", "Empty weight string empty or preceded by garbage\n\n"),
        ("set weight b", "Require 'backend/server'.\n\n"),
        ("get weight none/x", "No such backend.\n\n"),
        ("get weight b/none", "No such server.\n\n"),
        ("get weight b/s1", "1 (initial 1)\n\n"),
        ("get weight #3/#1", "1 (initial 1)\n\n"),
        ("enable agent b/s1", "Agent was not configured on this server, cannot enable.\n\n"),
        ("enable health b/s2", "Health check was not configured on this server, cannot enable.\n\n"),
        ("set server b/s1 addr 127.0.0.1 port 8000", "nothing changed\n\n"),
        (
            "set server b/s1 addr 127.0.0.2",
            "IP changed from '127.0.0.1' to '127.0.0.2' by 'stats socket command'\n\n",
        ),
        ("set server b/s1 addr foo", "Invalid addr 'foo'\n\n"),
        ("set server b/s1 check-port 99999", "provided port is invalid\n\n"),
        ("set maxconn server b/s1", "Require <maxconn>.\n\n"),
        ("set maxconn server b/s1 x", "maxconn string empty or preceded by garbage\n\n"),
        ("set maxconn frontend", "A frontend name is expected.\n\n"),
        ("set maxconn frontend f", "Integer value expected.\n\n"),
        ("set maxconn frontend nof 1", "No such frontend.\n\n"),
        ("set maxconn global", "Expects an integer value.\n\n"),
        ("disable frontend f;disable frontend f", "\nAll sockets are already disabled.\n\n"),
        ("enable frontend f", "All sockets are already enabled.\n\n"),
        ("shutdown frontend f;enable frontend f", "\nFrontend was previously shut down, cannot enable.\n\n"),
        ("show servers state none", "Can't find backend.\n\n"),
        ("show env NOSUCH", "Variable not found\n\n"),
        ("show cli level", "admin\n\n"),
        ("user;show cli level", "\nuser\n\n"),
        ("user;disable server b/s1", "\nPermission denied\n\n"),
        ("show backend", "# name\nb\ne\n\n"),
        ("show cli sockets", "# socket lvl processes\nunix@/s admin all\n\n"),
        ("set severity-output number;show cli level", "\n[6]: admin\n\n"),
        ("set severity-output string;set weight b/s1", "\n[err]: Require <weight> or <weight%>.\n\n"),
        ("set severity-output x", "one of 'none', 'number', 'string' is a required argument\n\n"),
        ("expert-mode on;expert-mode", "\nexpert-mode is ON\n\n"),
        ("show startup-logs", "[NOTICE]   (1) : hello\n\n"),
        ("show version;", "3.5-test\n\n\n"),
        ("user;show map", "\nPermission denied\n\n"),
        ("operator;get acl a x", "\nPermission denied\n\n"),
        ("user;show activity", "\nPermission denied\n\n"),
        ("user;show startup-logs", "\nPermission denied\n\n"),
        ("operator;wait 1", "\nPermission denied\n\n"),
        ("operator;show cache", "\nPermission denied\n\n"),
        ("user;show cli sockets", "\n# socket lvl processes\nunix@/s admin all\n\n"),
        ("user;set var proc.a int(1)", "\nThis command is restricted to experimental mode only.\n\n"),
        ("user;debug dev exit", "\nThis command is restricted to expert mode only.\n\n"),
        ("set weight b/s1 -1%", "Relative weight must be positive.\n\n"),
        ("set weight b/s1 +1;get weight b/s1", "\n1 (initial 1)\n\n"),
        ("set maxconn frontend f -1", "Value out of range.\n\n"),
        ("set server b/s1 addr 127.0.0.1 port x", "problem converting port 'x' to an int\n\n"),
        ("set server b/s1 addr 127.0.0.1 port", "problem converting port '' to an int\n\n"),
        ("show stat domain dns", "Invalid statistics domain.\n\n"),
        ("show stat none 1 -1", "No such proxy.\n\n"),
        ("show sess x", "Unsupported option 'x', try 'help' for more info.\n\n"),
        ("show sess all x", "Unsupported option 'x', try 'help' for more info.\n\n"),
        ("show sess older 5x", "Invalid age.\n\n"),
        ("show sess server", "Missing server name (<backend>/<server>).\n\n"),
        ("show sess server b", "Require 'backend/server'.\n\n"),
        ("show sess server b/none", "No such server.\n\n"),
        ("show sess backend none", "No such backend.\n\n"),
        ("show sess susp", "\n"),
        ("show trace", "'show trace' is known but not executed by this version.\n\n"),
        ("show fd x", "Invalid FD type\n\n"),
        ("set profiling", "Expects either 'tasks' or 'memory'.\n\n"),
        ("set profiling memory on", "Memory profiling not compiled in.\n\n"),
        (
            "set profiling tasks on;show profiling status",
            "\nPer-task CPU profiling              : on            # set profiling tasks {on|auto|off}\n"
            "Memory usage profiling              : off           # set profiling memory {on|off}\n\n",
        ),
        (
            "show pools byname 3",
            "Dumping pools usage (limited to the first 3 entries). Use SIGQUIT to flush them.\n"
            "Total: 0 pools, 0 bytes allocated, 0 used (~0 by thread caches).\n\n",
        ),
    ],
)  # fmt: skip
def test_recorded_answers(machine: Machine, line: str, answer: str) -> None:
    assert machine.ask(line) == answer


def test_unknown_commands_list_likely_ones(machine: Machine) -> None:
    assert machine.ask("set maxconn") == (
        "Unknown command: 'set', but maybe one of the following ones is a better match:\n"
        "  set maxconn frontend <frontend> <value> : change a frontend's maxconn setting\n"
        "  set maxconn global <value>              : change the per-process maxconn setting\n"
        "  set maxconn server <bk>/<srv>           : change a server's maxconn setting\n"
        "  help [<command>]                        : list matching or all commands\n"
        "  prompt [help | n | i | p | timed ]*     : toggle interactive mode with prompt\n"
        "  quit                                    : disconnect\n\n"
    )
    assert machine.ask("bogus cmd").startswith("Unknown command: 'bogus', but maybe")


def test_help_lists_what_there_is_at_any_level(machine: Machine) -> None:
    everything = machine.ask("help")
    assert everything.startswith("The following commands are valid at this level:\n")
    assert "set weight" in everything
    assert "show trace" not in everything
    assert machine.ask("help", Level.USER) == everything
    assert "debug dev exit" not in everything
    assert "debug dev exit" in machine.ask("expert-mode on;help")
    assert "set var" in machine.ask("experimental-mode on;help")


def test_payload(machine: Machine) -> None:
    session = machine.session()
    assert session.feed("echo x <<EOF") is None
    assert session.feed("") is None
    assert session.feed("abc") is None
    assert text(session.feed("EOF")) == "x\n\n"
    session = machine.session()
    assert session.feed("echo <<") is None
    assert text(session.feed("")) == "\n\n"


def test_prompt_session(machine: Machine) -> None:
    session = machine.session()
    assert text(session.feed("prompt")) == "\n> "
    assert text(session.feed("show cli level")) == "admin\n\n> "
    assert text(session.feed("user")) == "\n> "
    assert text(session.feed("set weight x")) == "Permission denied\n\n> "
    assert not session.ended
    assert text(session.feed("quit")) == ""
    assert session.ended


def test_a_prompt_with_the_time(machine: Machine) -> None:
    session = machine.session()
    assert text(session.feed("prompt timed")) == "\n[0:00:00:25]> "
    assert text(session.feed("prompt timed")) == "\n> "
    assert "Usage: prompt" in text(session.feed("prompt timed x"))


def test_without_prompt_one_line_is_all(machine: Machine) -> None:
    session = machine.session()
    session.feed("show version")
    assert session.ended
    session = machine.session()
    session.feed("prompt i")
    assert session.prompt is Prompt.INTERACTIVE
    assert not session.ended


def test_wait_is_delayed(machine: Machine) -> None:
    first, rest = machine.session().feed("wait 10") or []
    assert first == Delayed(0.01, "Done.\n")
    assert rest == "\n"


def test_server_commands_reach_cells_and_logs(machine: Machine) -> None:
    row = machine.plan.backends[0].servers[0].row
    machine.ask("disable server b/s1")
    assert machine.cells.get(row, Column.USABLE) == 0
    assert any(isinstance(c, Say) and "for maintenance" in c.text for c in machine.performed)
    machine.ask("enable server b/s1")
    machine.ask("set weight b/s1 50%")
    assert machine.cells.get(row, Column.WEIGHT) == 0
    machine.ask("set server b/s1 weight 9; set maxconn server b/s1 3")
    assert machine.cells.get(row, Column.WEIGHT) == 144
    assert machine.cells.get(row, Column.MAXCONN) == 3
    machine.ask("shutdown sessions server b/s1")
    assert machine.cells.get(row, Column.SHUTDOWN_EPOCH) == 1


def test_renaming(machine: Machine) -> None:
    assert machine.ask("set server b/s1 name blue").startswith("Server must be in maintenance mode")
    machine.ask("disable server b/s1")
    assert machine.ask("set server b/s1 name bad/name") == "Server name contains invalid characters.\n\n"
    assert machine.ask("set server b/s1 name s2").startswith("A server with the same name already exists")
    assert machine.ask("set server b/s1 name blue") == "Server name updated.\n\n"
    assert RenameServer(0, 0, "blue") in machine.performed
    assert machine.ask("get weight b/s1") == "No such server.\n\n"
    assert machine.ask("enable server b/blue") == "\n"


def test_show_servers_state(machine: Machine) -> None:
    lines = machine.ask("show servers state b").split("\n")
    assert lines[0] == "1"
    assert lines[2] == "3 b 1 s1 127.0.0.1 2 0 1 1 100 1 0 0 6 0 0 0 - 8000 - 0 0 - - 0"
    assert lines[4] == "3 b 3 s3 127.0.0.1 2 0 1 1 100 1 0 0 0 22 0 0 - 8002 - 0 0 - - 0"
    assert lines[5:] == ["", ""]


def test_show_stat_csv(machine: Machine) -> None:
    frontend = machine.plan.frontends[0]
    machine.cells.set(frontend.row, Column.BYTES_OUT, 132)
    lines = machine.ask("show stat").split("\n")
    names = lines[0].removeprefix("# ").split(",")
    assert len(names) == 147
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:-2]]
    assert [(r["pxname"], r["svname"]) for r in rows] == [
        ("f", "FRONTEND"), ("b", "s1"), ("b", "s2"), ("b", "s3"), ("b", "BACKEND"), ("e", "BACKEND"),
    ]  # fmt: skip
    assert rows[0]["bout"] == "132"
    assert rows[0]["-"] == "-"
    assert rows[1]["status"] == "UP -1/3"
    assert rows[2]["status"] == "no check"
    assert (rows[4]["act"], rows[4]["status"], rows[4]["slim"]) == ("3", "UP", "10")
    assert rows[1]["cookie"] == "c1"
    assert rows[1]["chkfail"] == "0"
    assert rows[2]["chkfail"] == ""


def test_show_stat_selection_and_levels(machine: Machine) -> None:
    assert machine.ask("show stat -1 4 -1").count("\n") == 5
    assert machine.ask("show stat b 2 -1").count("\n") == 3
    assert machine.ask("show stat 1 4 -1").count("\n") == 2
    assert machine.ask("show stat b s1 x").count("\n") == 2, "no kind of line has number 0"
    machine.ask("disable server b/s1")
    assert machine.ask("show stat up").count("\n") == 7
    assert ",UP (2/3)," in machine.ask("show stat no-maint")
    assert machine.ask("show stat 2 7 4").startswith("# pxname"), "a frontend has no number of its own"
    assert machine.ask("show stat 2 7 4").count("\n") == 3
    assert ",c1," not in machine.ask("show stat", Level.USER)


def test_show_stat_typed_and_json(machine: Machine) -> None:
    typed = machine.ask("show stat typed")
    assert "F.2.0.0.pxname.1:KNSV:str:f\n" in typed
    assert "B.3.0.19.act.1:MGPV:u32:3\n" in typed
    assert "S.3.1.19.act.1:SGPV:u32:1\n" in typed
    assert typed.endswith("\n\n")
    assert typed.count("\n\n") == 1
    assert 'S.3.1.1.svname.1:KNSV:str:s1:"Server name"\n' in machine.ask("show stat typed desc")
    rows = json.loads(machine.ask("show stat json"))
    assert rows[0][0] == {
        "objType": "Frontend", "proxyId": 2, "id": 0, "field": {"pos": 0, "name": "pxname"}, "processNum": 1,
        "tags": {"origin": "Key", "nature": "Name", "scope": "Service"},
        "value": {"type": "str", "value": "f"},
    }  # fmt: skip


def test_show_info(machine: Machine) -> None:
    lines = machine.ask("show info").splitlines()
    assert lines[:4] == ["Name: HAProxy", "Version: 3.5-test", "Release_date: 2026/08/21", "Nbthread: 2"]
    assert "Uptime: 0d 0h00m25s" in lines
    assert len(lines) == 80
    assert "81.NbThreadGroups.1:CGSV:u32:1\n" in machine.ask("show info typed")
    assert json.loads(machine.ask("show info json"))[0]["field"]["name"] == "Name"
    assert "Uptime_sec: 25.000000\n" in machine.ask("show info float")
    assert "8.Uptime_sec.1:MDPV:flt:25.000000\n" in machine.ask("show info float typed")


def test_clear_counters(machine: Machine) -> None:
    row = machine.plan.frontends[0].row
    for column in (Column.MAX, Column.TOTAL, Column.CUR):
        machine.cells.set(row, column, 5)
    machine.ask("clear counters")
    assert [machine.cells.get(row, c) for c in (Column.MAX, Column.TOTAL, Column.CUR)] == [0, 5, 5]
    machine.ask("set rate-limit sessions global 3")
    machine.ask("clear counters all")
    assert [machine.cells.get(row, c) for c in (Column.TOTAL, Column.CUR)] == [0, 5]
    assert machine.cells.get(PROCESS_ROW, Column.SESS_RATE_LIMIT) == 3


WORDS = sorted({word for c in RUNTIME for word in c.words} | {
    "b/s1", "b/s3", "b/none", "f", "none", "-1", "0", "7", "50%", "x", "127.0.0.1", "port", "typed", "json",
    "<<", ";", "\\", "\udcff", "²", "1_0",
})  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=8), st.sampled_from(Level))
def test_no_line_is_too_strange(words: list[str], level: Level) -> None:
    session = Machine().session(level)
    answer = session.feed(" ".join(words))
    if answer is None:
        answer = session.feed("")
    assert answer is None or all(isinstance(piece, str | Delayed) for piece in answer)


REFUSALS = ("Permission denied", "Unknown command", "not executed", "[err]", "[3]")


@pytest.mark.parametrize("name", sorted(c.name for c in RUNTIME))
def test_examples_of_every_declaration(name: str) -> None:
    declared = RUNTIME[name]
    token_certificates.keep("@web/main", "/none", "/none", True)
    for line in declared.ok:
        answer = Machine().ask(f"set severity-output number;{line}")
        refused = any(word in answer for word in REFUSALS)
        assert refused is declared.planned, (line, answer)
    for line in declared.bad:
        answer = Machine().ask(f"set severity-output number;{line}")
        assert any(word in answer for word in REFUSALS), (line, answer)


def test_the_vocabulary_is_not_thin() -> None:
    assert len([c for c in RUNTIME if not c.planned]) >= 40
    assert len(RUNTIME) >= 127


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("a b", [["a", "b"]]),
        ("a;", [["a"], []]),
        ("a;;b", [["a"], [], ["b"]]),
        ("  a\t b  ", [["a", "b"]]),
        ("a\\", [["a"]]),
        ("a\r", [["a"]]),
    ],
)
def test_split(line: str, commands: list[list[str]]) -> None:
    assert split_commands(line) == commands


def test_what_is_too_long_ends_the_session() -> None:
    session = Machine().session(Level.ADMIN)
    session.most_payload, session.most_line = 100, 50
    assert session.feed("add map m <<") is None and session.feed("x" * 40) is None
    assert session.feed("x" * 60) == [
        "The payload is too big. Please change 'tune.cli.max-payload-size' in the configuration to use a "
        "bigger payload.\n"
    ]
    assert session.ended
    other = Machine().session(Level.ADMIN)
    other.most_line = 50
    answer = other.feed("echo " + "x" * 50)
    assert answer is not None and other.ended and str(answer[0]).startswith("The command line is too big")
