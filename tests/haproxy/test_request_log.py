"""The lines of a frontend: steps, profiles, rules that log, formats - from configuration text."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from evener.haproxy.compile import compile_plan
from evener.haproxy.plan import FrontendPlan
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.sections.log_sections import BLOCKS
from evener.haproxy.text_txn import Named, TextTxn
from evener.haproxy.txn import CONTINUE
from evener.text.diagnostic import Diagnostics
from evener.vocab.blocks import vocabulary

GET = "GET /a HTTP/1.1\n\n"


class Front:
    """A frontend whose lines are caught: (outlet's number, level, text, structured data)."""

    def __init__(self, plan: FrontendPlan) -> None:
        self.plan = plan
        self.lines: list[tuple[int, int, bytes, bytes]] = []
        for number, outlet in enumerate(plan.request_log.outlets):
            outlet.send = self.catcher(number)

    def catcher(self, number: int) -> Callable[..., None]:
        def send(level: int, text: bytes, data: bytes = b"-") -> None:
            self.lines.append((number, level, text, data))

        return send

    def txn(self, request: str = GET, response: str | None = None) -> TextTxn:
        txn = TextTxn.from_text(request, response)
        txn.frontend = Named(self.plan.name.encode(), self.plan)
        txn.backend = Named(b"b")
        return txn

    def texts(self) -> list[bytes]:
        return [text for _, _, text, _ in self.lines]

    def end(self, txn: TextTxn | None = None) -> list[bytes]:
        """The texts written at the end of a transaction."""
        assert self.plan.on_log is not None
        before = len(self.lines)
        assert self.plan.on_log(txn or self.txn()) == CONTINUE
        return self.texts()[before:]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], tuple[SimpleNamespace, list[str]]]:
    def read(text: str) -> tuple[SimpleNamespace, list[str]]:
        path = tmp_path / "cfg"
        path.write_text(text + "\n")
        found = Diagnostics()
        configuration = load([str(path)], found, ReadOptions())
        assert configuration is not None and not found.has_errors, list(found)
        plan = compile_plan(configuration, found)
        fronts = {front.name: Front(front) for front in plan.frontends}
        return SimpleNamespace(plan=plan, **fronts), [d.message for d in found]

    return read


Read = Callable[[str], tuple[SimpleNamespace, list[str]]]
FRONT = "frontend f\n mode http\n bind 127.0.0.1:1\n timeout client 1s\n "


def test_without_targets_nothing_is_called(read: Read) -> None:
    front = read(FRONT + "option httplog\n log-steps all\n http-request do-log")[0].f
    assert front.plan.on_log is front.plan.on_session is front.plan.on_connect is None
    assert front.plan.on_request(front.txn()) == CONTINUE


def test_one_line_at_the_end(read: Read) -> None:
    front = read(FRONT + "log 127.0.0.1:1 local0\n log-format %HU/%B/%OG")[0].f
    assert front.end() == [b"/a/0/txn_close"]
    assert front.lines[0][1:] == (6, b"/a/0/txn_close", b"-")


def test_structured_data(read: Read) -> None:
    text = 'log 127.0.0.1:1 local0\n log-format x\n log-format-sd \'[a@1 b="%HM" c="%B"]\''
    front = read(FRONT + text)[0].f
    front.end()
    assert front.lines == [(0, 6, b"x", b'[a@1 b="GET" c="0"]')]


def test_early_errors_have_their_own_format(read: Read) -> None:
    front = read(FRONT + "log 127.0.0.1:1 local0\n log-format x\n error-log-format bad/%OG")[0].f
    txn = front.txn()
    txn.backend, txn.termination, txn.req = None, b"CR", None
    assert front.end(txn) == [b"bad/txn_close"] or front.texts() == [b"bad/sess_error"]
    assert front.end() == [b"x"]
    denied = front.txn()
    denied.backend, denied.termination = None, b"PR"
    assert front.end(denied) == [b"x"]


PROFILES = """
log-profile p1
 log-tag special
 on close format "close %OG" sd "[s]"
log-profile p2
 on error format error
 on any drop
log-profile p3
 on any format %OG
"""


def test_profiles(read: Read) -> None:
    targets = "".join(f"log 127.0.0.1:1 {profile} local0\n " for profile in ("", "profile p1", "profile p2"))
    front = read(FRONT + targets + "log-format own" + PROFILES)[0].f
    front.end()
    assert front.lines == [(0, 6, b"own", b"-"), (1, 6, b"close txn_close", b"[s]")]
    assert [outlet.tag for outlet in front.plan.request_log.outlets] == [None, "special", None]
    failed = front.txn()
    failed.backend, failed.termination, failed.req = None, b"cR", None
    assert front.end(failed) == [b"own", b"own", b"error"]


def test_nothing_is_known_of_a_request_that_is_accepted(read: Read) -> None:
    front = read(FRONT + "log 127.0.0.1:1 local0\n log-steps accept,close\n log-format %OG/%HU")[0].f
    txn = front.txn(GET, "HTTP/1.1 200 OK\n\n")
    for _ in range(2):  # a connection's second request is accepted too
        assert front.plan.on_content(txn) == CONTINUE
        front.plan.on_log(txn)
    assert front.texts() == [b"txn_accept/<BADREQ>", b"txn_close/" + txn.req.uri] * 2


def test_steps(read: Read) -> None:
    front = read(FRONT + "log 127.0.0.1:1 profile p3 local0\n log-steps all" + PROFILES)[0].f
    plan, txn = front.plan, front.txn(GET, "HTTP/1.1 200 OK\n\n")
    for step in (plan.on_content, plan.on_request, plan.on_connect, plan.on_response, plan.on_log):
        assert step(txn) == CONTINUE
    steps = [b"txn_accept", b"txn_request", b"txn_connect", b"txn_response", b"txn_close"]
    assert front.texts() == steps
    front = read(FRONT + "log 127.0.0.1:1 profile p3 local0\n log-steps connect" + PROFILES)[0].f
    assert front.plan.on_session is front.plan.on_response is None
    assert front.plan.on_connect(front.txn()) == CONTINUE and front.end() == []
    assert front.texts() == [b"txn_connect"]


@pytest.mark.parametrize(("mode", "hook"), [("http", "on_response"), ("tcp", "on_connect")])
def test_as_soon_as_possible(read: Read, mode: str, hook: str) -> None:
    text = FRONT.replace("http", mode) + "log 127.0.0.1:1 local0\n option logasap\n log-format %B/%Tw/%Tt"
    front = read(text)[0].f
    txn = front.txn(GET, "HTTP/1.1 200 OK\n\n")
    assert getattr(front.plan, hook)(txn) == CONTINUE
    assert front.texts() == [b"+0/-1/+0"]
    assert front.end(txn) == []  # written already
    assert front.end(front.txn()) == [b"+0/-1/+0"]  # it never came so far


def test_rules_that_log(read: Read) -> None:
    rules = " http-request do-log\n http-request do-log profile p3 if FALSE\n http-response do-log profile p3"
    front = read(FRONT + "log 127.0.0.1:1 local0\n log-format x/%OG\n" + rules + PROFILES)[0].f
    txn = front.txn(GET, "HTTP/1.1 200 OK\n\n")
    assert front.plan.on_request(txn) == front.plan.on_response(txn) == CONTINUE
    assert front.texts() == [b"x/http-req", b"http-res"]


def test_a_silent_transaction_logs_nothing(read: Read) -> None:
    rules = " http-request set-log-level silent\n http-request do-log"
    front = read(FRONT + "log 127.0.0.1:1 local0\n option httplog\n" + rules)[0].f
    txn = front.txn()
    assert front.plan.on_request(txn) == CONTINUE and front.end(txn) == [] and front.texts() == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("log ring@no local0", "uses unknown ring named 'no'"),
        ("log backend@no local0", "uses unknown log backend 'no'"),
        ("log backend@b local0", "uses incompatible log backend 'b'"),
        ("log 127.0.0.1:1 profile no local0", "unknown log-profile 'no'"),
    ],
)
def test_what_does_not_exist_is_said(read: Read, line: str, wrong: str) -> None:
    found = read(FRONT + line + "\nbackend b\n mode http\n timeout server 1s\n timeout connect 1s\n")[1]
    assert sum(message.endswith(f" {wrong}.") for message in found) == 1, found
    found = read(FRONT + "log ring@r local0\n log backend@b local0\nring r\nbackend b\n mode log\n")[1]
    assert not [message for message in found if "log directive" in message]


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_examples_of_log_sections(tmp_path: Path, kind: str) -> None:
    tried = 0
    for slot in vocabulary(BLOCKS[kind]):
        for good, lines in ((True, slot.keyword.ok), (False, slot.keyword.bad)):
            for line in lines:
                (tmp_path / "cfg").write_text(f"{kind} x\n {line}\n")
                found = Diagnostics()
                load([str(tmp_path / "cfg")], found, ReadOptions())
                assert found.has_errors is not good, (line, list(found))
                tried += 1
    assert tried >= 4


@pytest.mark.parametrize(
    "opening", ["ring", "log-forward", "log-profile", "log-forward a b", "log-profile a+"]
)
def test_bad_openings(tmp_path: Path, opening: str) -> None:
    (tmp_path / "cfg").write_text(opening + "\n")
    found = Diagnostics()
    load([str(tmp_path / "cfg")], found, ReadOptions())
    assert found.has_errors
    name = opening.split()[0]
    (tmp_path / "cfg").write_text(f"{name} x\n{name} x\n")
    found = Diagnostics()
    load([str(tmp_path / "cfg")], found, ReadOptions())
    assert found.has_errors


def test_do_log_names_a_profile_that_exists(tmp_path: Path) -> None:
    for name, wrong in (("p", False), ("no", True)):
        rule = f" http-request do-log profile {name} if TRUE\n"
        (tmp_path / "cfg").write_text(
            "log-profile p\n on any format x\n" + FRONT + "log 127.0.0.1:1 local0\n" + rule
        )
        found = Diagnostics()
        load([str(tmp_path / "cfg")], found, ReadOptions())
        message = "Proxy 'f': do-log action: profile 'no' is invalid."
        assert found.has_errors is wrong and (message in [one.message for one in found]) is wrong, list(found)


@pytest.mark.parametrize(
    ("option", "level", "text"),
    [
        ("", 6, b": Truncated PROXY protocol header received"),
        ("error-log-format '%[fc_err] %[fc_err_name]'", 6, b"14 PRX_TRUNCATED"),
        ("option log-separate-errors\n error-log-format '%[fc_err]'", 3, b"14"),
    ],
)
def test_a_connection_without_its_header(read: Read, option: str, level: int, text: bytes) -> None:
    front = read(FRONT + f"log 127.0.0.1:514 local0\n {option}")[0].f
    assert front.plan.on_refused is not None
    front.plan.on_refused(front.txn(), "Truncated PROXY protocol header received")
    (_, seen, line, _), = front.lines  # fmt: skip
    assert seen == level
    assert line.endswith(text) and (not option or line == text)


def test_global_targets_count_once(read: Read) -> None:
    configuration = "global\n log 127.0.0.1:1 local0\ndefaults\n mode http\n log global\n option httplog\n"
    plan = read(configuration + "frontend f\n bind :1\n log global\n log 127.0.0.1:1 local0")[0].f.plan
    (outlet,) = plan.request_log.outlets
    assert len(outlet.logs) == 2  # that of the global section, and the same again by itself
