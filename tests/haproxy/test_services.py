"""The statistics page and the exporter, from configuration text to what a client would get."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from farm import Cells

from evener.haproxy.check_plan import CheckPlanner
from evener.haproxy.commands import Command, SetCell
from evener.haproxy.compile import compile_plan
from evener.haproxy.control import Control
from evener.haproxy.fleet import Fleet
from evener.haproxy.info import ProcessFacts
from evener.haproxy.plan import Plan
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.runtime_api import load_commands
from evener.haproxy.sections.stats import in_force
from evener.haproxy.services import prometheus, stats_page
from evener.haproxy.services.enquiry import unpack
from evener.haproxy.stats import Statistics
from evener.haproxy.text_txn import Named, TextTxn
from evener.haproxy.txn import CONTINUE, PENDING, REPLIED
from evener.text.diagnostic import Diagnostics

load_commands()

Reply = tuple[int, dict[bytes, bytes], str]
SERVERS = (
    "backend b1\n server s1 127.0.0.1:1 check\n server s2 127.0.0.1:2\nbackend b2\n server s1 127.0.0.1:1\n"
)


class Daemon:
    """A plan with its control process, and enquiries answered at once or when told to."""

    def __init__(self, plan: Plan, planner: CheckPlanner) -> None:
        self.plan, cells = plan, Cells()
        self.cells = cells
        fleet = Fleet(plan, planner.server, planner.farm, cells.get, 0.0)
        facts = ProcessFacts("3.5-test", "2026/08/21", 42, 'no"de', 2, 100, 1000, 1.0, 5)
        statistics = Statistics(plan, fleet, cells, lambda: 1.0, lambda: 2.0)
        self.control = Control(plan, fleet, statistics, facts, cells, lambda: 1.0, lambda: 2.0, self.perform)
        self.perform(fleet.start(0.0))
        self.asked: list[tuple[str, list[object]]] = []
        self.silent = False
        plan.enquiries.ask = self.ask

    def perform(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, SetCell):
                self.cells.set(command.row, command.column, command.value)

    def ask(self, subject: str, question: list[object], told: Callable[[bytes | None], None]) -> None:
        assert json.loads(json.dumps(question)) == question
        self.asked.append((subject, question))
        if not self.silent:
            answer = {"stats": stats_page.answer, "prometheus-exporter": prometheus.answer}[subject]
            told(answer(self.control, question))

    def txn(self, request: str) -> TextTxn:
        txn = TextTxn.from_text(request)
        txn.frontend = Named(b"f", self.plan.frontends[0])
        return txn

    def get(self, request: str) -> Reply:
        txn = self.txn(request)
        policy = self.plan.frontends[0].on_request
        assert policy is not None and policy(txn) == REPLIED
        if txn.replied is not None:
            status, _, headers, body = txn.replied
            return status, dict(headers), body.decode()
        assert txn.served is not None
        first, *lines = txn.served[0].split(b"\r\n")
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines if line)]
        return int(first.split(b" ")[1]), dict(headers), txn.served[1].decode()


@pytest.fixture
def daemon(tmp_path: Path) -> Callable[[str], Daemon]:
    def make(text: str) -> Daemon:
        path = tmp_path / "cfg"
        head = "defaults d\n mode http\n timeout connect 1s\n timeout server 2s\n timeout client 2s\n"
        path.write_text(head + text + "\n" + SERVERS)
        found = Diagnostics()
        configuration = load([str(path)], found, ReadOptions())
        assert configuration is not None and not found.has_errors, list(found)
        plan = compile_plan(configuration, found)
        return Daemon(plan, CheckPlanner(plan, found))

    return make


Make = Callable[[str], Daemon]
FRONT = "frontend f\n bind 127.0.0.1:1\n "


def test_forms(daemon: Make) -> None:
    made = daemon(FRONT + "stats uri /st\n stats refresh 5s")
    status, headers, text = made.get("GET /st;csv HTTP/1.1\n\n")
    assert status == 200 and headers[b"content-type"] == b"text/plain" and headers[b"refresh"] == b"5"
    assert text.startswith("# pxname,svname,") and "\nb2,s1," in text
    assert b"refresh" not in made.get("GET /st;csv;norefresh HTTP/1.1\n\n")[1]
    assert "\nF.2.0.0.pxname.1:KNSV:str:f\n" in "\n" + made.get("GET /st;typed HTTP/1.1\n\n")[2]
    assert json.loads(made.get("GET /st;json HTTP/1.1\n\n")[2])[0][0]["value"]["value"] == "f"
    assert "$schema" in json.loads(made.get("GET /st;json-schema HTTP/1.1\n\n")[2])
    status, headers, text = made.get("GET /st HTTP/1.1\n\n")
    assert headers[b"content-type"] == b"text/html" and text.count("<table") == 3
    assert text.count('<form method="post">') == 0


def test_other_requests_pass(daemon: Make) -> None:
    made = daemon(FRONT + "stats uri /st\n stats auth a:b")
    policy = made.plan.frontends[0].on_request
    assert policy is not None
    assert policy(made.txn("GET /x HTTP/1.1\n\n")) == CONTINUE
    assert policy(made.txn("PUT /st HTTP/1.1\n\n")) == CONTINUE
    assert not made.asked


def test_a_proxy_without_a_page_calls_nothing(daemon: Make) -> None:
    assert daemon(FRONT + "default_backend b1").plan.frontends[0].on_request is None


def test_filters(daemon: Make) -> None:
    made = daemon(FRONT + "stats enable\n stats scope b1\n stats scope .")
    uri = "GET /haproxy?stats"
    names = {line.split(",")[0] for line in made.get(uri + ";csv HTTP/1.1\n\n")[2].splitlines()[1:]}
    assert names == {"f", "b1"}
    assert "\nf,FRONTEND" not in made.get(uri + ";csv;scope=b HTTP/1.1\n\n")[2]
    made.perform(made.control.fleet.set_maintenance(1.0, made.control.fleet.farms[0].servers[0]))
    assert "\nb1,s1" not in made.get(uri + ";csv;up HTTP/1.1\n\n")[2]
    assert "\nb1,s1" in made.get(uri + ";csv HTTP/1.1\n\n")[2]


def test_accounts(daemon: Make) -> None:
    made = daemon(FRONT + "stats uri /st\n stats realm Who\\ goes\n stats auth a:b")
    status, headers, _ = made.get("GET /st HTTP/1.1\n\n")
    assert status == 401 and headers[b"www-authenticate"] == b'Basic realm="Who goes"'
    for account, wanted in (("a:b", 200), ("a:c", 401), ("a", 401), ("b:b", 401)):
        word = base64.b64encode(account.encode()).decode()
        assert made.get(f"GET /st HTTP/1.1\nauthorization: Basic {word}\n\n")[0] == wanted


def test_rules_of_the_page(daemon: Make) -> None:
    rules = " stats http-request deny if { path /st/no }\n stats http-request auth if { path /st/who }"
    made = daemon(FRONT + "stats uri /st\n" + rules)
    assert made.get("GET /st/no HTTP/1.1\n\n")[0] == 403
    status, headers, _ = made.get("GET /st/who HTTP/1.1\n\n")
    assert status == 401 and headers[b"www-authenticate"] == b'Basic realm="HAProxy Statistics"'
    assert made.get("GET /st/yes HTTP/1.1\n\n")[0] == 200


@pytest.mark.parametrize(
    "form, state",
    [
        ("s=s1&s=s2&action=maint&b=%233", "DONE"),
        ("s=s1&s=s2&action=maint&b=b1", "DONE"),
        ("s=s1&action=drain&b=b2", "DONE"),
        ("s=s1&action=nothing&b=b2", "ERRP"),
        ("s=s9&action=maint&b=b1", "ERRP"),
        ("s=s1&action=maint&b=none", "ERRP"),
        ("s=s2&action=dhlth&b=b1", "NONE"),
        ("s=s1&s=s2&action=dhlth&b=b1", "DONE"),
        ("", "NONE"),
        ("&&=&%&s", "NONE"),
        ("s=" + "x" * 20000, "EXCD"),
    ],
)
def test_actions(daemon: Make, form: str, state: str) -> None:
    made = daemon(FRONT + "stats uri /st\n stats admin if TRUE")
    status, headers, _ = made.get(f"POST /st;up?scope=b HTTP/1.1\n\n{form}")
    assert (status, headers[b"location"]) == (303, f"/st;st={state};up?scope=b".encode())
    shown = made.get(f"GET /st;st={state} HTTP/1.1\n\n")[2]
    assert 'class="told"' in shown and 'name="s" value="s1"' in shown


def test_an_action_changes_servers(daemon: Make) -> None:
    made = daemon(FRONT + "stats uri /st\n stats admin if TRUE")
    made.get("POST /st HTTP/1.1\n\ns=s1&action=maint&b=b2")
    assert made.control.fleet.farms[1].servers[0].in_maintenance
    assert not made.control.fleet.farms[0].servers[0].in_maintenance
    made.get("POST /st HTTP/1.1\n\ns=s1&action=ready&b=b2")
    assert not made.control.fleet.farms[1].servers[0].in_maintenance


def test_actions_are_for_admins_and_for_what_is_shown(daemon: Make) -> None:
    made = daemon(FRONT + "stats uri /st\n stats admin if { hdr(x) y }\n stats scope b1")
    assert made.get("POST /st HTTP/1.1\n\ns=s1&action=maint&b=b1")[1][b"location"] == b"/st;st=DENY"
    assert made.get("POST /st HTTP/1.1\nx: y\n\ns=s1&action=maint&b=b2")[1][b"location"] == b"/st;st=ERRP"
    assert not any(server.in_maintenance for server in made.control.fleet)


def test_the_body_of_an_action_is_waited_for(daemon: Make) -> None:
    made = daemon(FRONT + "stats uri /st\n stats admin if TRUE")
    txn = made.txn("POST /st HTTP/1.1\n\ns=s1")
    txn.complete = False
    policy = made.plan.frontends[0].on_request
    assert policy is not None and policy(txn) == PENDING and not made.asked
    txn.complete, txn.request_body = True, b"s=s1&action=maint&b=b1"
    assert policy(txn) == REPLIED


def test_nobody_answers(daemon: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = daemon(FRONT + "stats uri /st")
    made.silent = True
    txn = made.txn("GET /st HTTP/1.1\n\n")
    policy = made.plan.frontends[0].on_request
    assert policy is not None and policy(txn) == PENDING and policy(txn) == PENDING
    assert len(made.asked) == 1
    monkeypatch.setattr("evener.haproxy.services.enquiry.time.monotonic", lambda: 1e12)
    assert policy(txn) == REPLIED and txn.replied is not None and txn.replied[0] == 503


def test_what_is_shown_is_escaped(daemon: Make) -> None:
    text = "stats uri /st\n stats show-node\n stats show-desc <b>\n stats show-legends\n stats admin if TRUE"
    made = daemon(FRONT + text)
    shown = made.get('GET /st;st=DONE?scope="><script> HTTP/1.1\n\n')[2]
    assert "<script" not in shown and "&lt;b&gt;" in shown and "no&quot;de" in shown


def test_extra_counters_are_shown_where_that_is_asked(daemon: Make) -> None:
    bare = daemon(FRONT + "stats uri /st").get("GET /st HTTP/1.1\n\n")[2]
    more = daemon(FRONT + "stats uri /st\n stats show-modules").get("GET /st HTTP/1.1\n\n")[2]
    assert "h2_headers_rcvd" not in bare and "Extra modules" not in bare
    assert "h2_headers_rcvd" in more and "Extra modules" in more


def test_the_first_keyword_forgets_those_of_the_defaults(daemon: Make) -> None:
    made = daemon("defaults\n mode http\n stats uri /d\n stats auth a:b\n" + FRONT + "stats refresh 2s")
    proxy = made.plan.configuration.proxy("f")
    stats = in_force(proxy)
    assert stats is not None and (stats.uri, stats.auth, stats.refresh) == (None, (), 2000)
    made = daemon("defaults\n mode http\n stats uri /d\n stats auth a:b\n" + FRONT + "maxconn 10")
    stats = in_force(made.plan.configuration.proxy("f"))
    assert stats is not None and (stats.uri, stats.auth) == ("/d", ("a:b",))


def test_one_way_to_say_who_may_see_it(tmp_path: Path) -> None:
    for lines, wrong in (
        ("stats auth a:b\n stats http-request allow", True),
        ("stats realm x\n stats http-request allow", True),
        ("stats uri /x\n stats http-request allow", False),
    ):
        (tmp_path / "cfg").write_text(f"frontend f\n mode http\n bind 127.0.0.1:1\n {lines}\n")
        found = Diagnostics()
        load([str(tmp_path / "cfg")], found, ReadOptions())
        assert found.has_errors is wrong, list(found)


def test_the_page_of_a_proxy_that_is_gone() -> None:
    assert unpack(b'[200, "OK", [["a", "b"]]]\nbody\nmore') == (200, b"OK", [(b"a", b"b")], b"body\nmore")


METRICS = FRONT + "http-request use-service prometheus-exporter if { path /metrics }"


def metrics(made: Daemon, query: str = "") -> str:
    status, headers, text = made.get(f"GET /metrics{query} HTTP/1.1\n\n")
    assert status == 200 and headers[b"content-type"] == b"text/plain; version=0.0.4"
    return text


def test_metrics(daemon: Make) -> None:
    text = metrics(daemon(METRICS))
    assert 'haproxy_process_build_info{version="3.5-test"} 1\n' in text
    assert 'haproxy_process_node{node="no\\"de"} 1\n' in text
    assert 'haproxy_frontend_status{proxy="f",state="UP"} 1\n' in text
    assert 'haproxy_backend_http_responses_total{proxy="b1",code="5xx"} 0\n' in text
    assert 'haproxy_server_check_failures_total{proxy="b1",server="s2"} NaN\n' in text
    assert 'haproxy_server_check_failures_total{proxy="b1",server="s1"} 0\n' in text
    assert 'haproxy_backend_agg_server_status{proxy="b1",state="UP"} 2\n' in text
    assert 'haproxy_backend_queue_time_average_seconds{proxy="b1"} 0.000000\n' in text
    assert text.count("# HELP ") == text.count("# TYPE ") == len(set(_helps(text)))
    for line in text.splitlines():
        assert line.startswith("#") or (line.startswith("haproxy_") and float(line.rsplit(" ", 1)[1]) != 1e9)


def _helps(text: str) -> list[str]:
    return [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]


def test_scopes_of_metrics(daemon: Make) -> None:
    made = daemon(METRICS)
    assert metrics(made, "?scope=") == ""
    assert metrics(made, "?scope=*") == metrics(made)
    names = {name.split("_")[1] for name in _helps(metrics(made, "?scope=server&scope=frontend"))}
    assert names == {"server", "frontend"}
    assert _helps(metrics(made, "?metrics=haproxy_server_status")) == ["haproxy_server_status"]
    every = _helps(metrics(made))
    assert set(every) - set(_helps(metrics(made, "?metrics=-haproxy_server_status"))) == {
        "haproxy_server_status"
    }
    for wrong in ("?scope", "?scope=all"):
        assert made.get(f"GET /metrics{wrong} HTTP/1.1\n\n")[0] == 400


def test_extras_of_metrics(daemon: Make) -> None:
    made = daemon(METRICS + '\n description a "b"')
    assert 'haproxy_frontend_h1_total_streams{proxy="f",mod="h1"} 0\n' in metrics(made, "?extra-counters")
    assert 'desc="a b"' in metrics(made, "?desc-labels")
    made.perform(made.control.fleet.set_maintenance(1.0, made.control.fleet.farms[0].servers[0]))
    assert 'proxy="b1",server="s1"' in metrics(made)
    assert 'proxy="b1",server="s1"' not in metrics(made, "?no-maint")
