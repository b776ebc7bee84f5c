"""Checks as conversations: what the server does on the left, what the check says on the right.

The expected sentences were recorded from HAProxy 3.5-dev5 checking servers that behave this way.
"""

import errno

import pytest

from evener.haproxy.checks.canned import smtp_script
from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.checks.parse import http_script, tcp_script
from evener.haproxy.checks.run import CheckRun, Command, Finish, Open, Write
from evener.haproxy.checks.scripts import KINDS
from evener.haproxy.checks.steps import CONNECT_ONLY, Scene, Script
from evener.haproxy.checks.words import CheckSyntax
from evener.haproxy.scope import CompileEnv
from evener.haproxy.vocabulary import load_vocabulary

ENV = CompileEnv(response=True)
SCENE = Scene("be", "srv", "127.0.0.1", 80)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-Test: a, b\r\n\r\nhello"


def outcome(script: Script, *pieces: bytes | int, closed: bool = True) -> Outcome:
    """Connect, then feed the pieces; an int is an errno."""
    run = CheckRun(script, SCENE, 10.0)
    commands = run.start(10.0)
    assert isinstance(commands[0], Open)
    if pieces and isinstance(pieces[0], int):
        commands += run.failed(10.0, pieces[0])
    else:
        commands += run.opened(10.0)
        for piece in pieces:
            assert isinstance(piece, bytes)
            commands += run.received(10.0, piece)
        if closed:
            commands += run.closed(10.0)
    return ending(commands)


def ending(commands: list[Command]) -> Outcome:
    found = [c.outcome for c in commands if isinstance(c, Finish)]
    assert len(found) == 1, commands
    return found[0]


def http(*rules: str, line: str = "") -> Script:
    return http_script(line.split(), [rule.split() for rule in rules], ENV)


def tcp(*rules: str) -> Script:
    return tcp_script([rule.split() for rule in rules], ENV)


@pytest.mark.parametrize(
    ("script", "pieces", "reason"),
    [
        (CONNECT_ONLY, (), "reason: Layer4 check passed, check duration: 0ms"),
        (
            CONNECT_ONLY,
            (errno.ECONNREFUSED,),
            "reason: Layer4 connection problem, info: "
            '"ECONNREFUSED returned by OS (Connection refused)", check duration: 0ms',
        ),
        (http(), (OK,), "reason: Layer7 check passed, code: 200, check duration: 0ms"),
        (
            http(),
            (b"HTTP/1.1 503 Busy\r\n\r\n",),
            'reason: Layer7 wrong status, code: 503, info: "Busy", check duration: 0ms',
        ),
        (http(), (b"garbage\r\n",), "reason: Socket error, check duration: 0ms"),
        (http(), (b"",), "reason: Socket error, check duration: 0ms"),
        (
            http("disable-on-404"),
            (b"HTTP/1.1 404 Not Found\r\n\r\n",),
            "reason: Layer7 check conditionally passed, code: 404, check duration: 0ms",
        ),
        (
            http("expect string nothere"),
            (OK,),
            'reason: Layer7 invalid response, info: "HTTP content check did not match", check duration: 0ms',
        ),
        (
            http("expect ! string hello"),
            (OK,),
            'reason: Layer7 invalid response, info: "HTTP check matched unwanted content", '
            "check duration: 0ms",
        ),
        (
            http("expect status 201"),
            (OK,),
            'reason: Layer7 wrong status, code: 200, info: "OK", check duration: 0ms',
        ),
        (
            http("expect rstatus ^3"),
            (OK,),
            'reason: Layer7 wrong status, code: 200, info: "OK", check duration: 0ms',
        ),
        (http("expect rstring h.*o"), (OK,), "reason: Layer7 check passed, code: 200, check duration: 0ms"),
        (
            http("expect hdr name -m beg x- value b"),
            (OK,),
            "reason: Layer7 check passed, code: 200, check duration: 0ms",
        ),
        (
            http("expect fhdr name x-test value b"),
            (OK,),
            'reason: Layer7 wrong status, code: 200, info: "OK", check duration: 0ms',
        ),
        (
            tcp("send foo", "expect string bar"),
            (OK,),
            "reason: Layer7 invalid response, info: "
            "\"TCPCHK did not match content 'bar' at step 2\", check duration: 0ms",
        ),
        (
            tcp("connect", "send foo comment one", "expect string bar comment two"),
            (b"garbage",),
            "reason: Layer7 invalid response, info: "
            "\"TCPCHK did not match content 'bar' at step 3 comment: two\", check duration: 0ms",
        ),
        (
            tcp("send foo", "expect string garb"),
            (b"garbage",),
            'reason: Layer7 check passed, code: 0, info: "(tcp-check)", check duration: 0ms',
        ),
        (
            tcp("connect port 1"),
            (errno.ECONNREFUSED,),
            'reason: Layer4 connection problem, info: "ECONNREFUSED returned by OS (Connection refused) '
            'at step 1 of tcp-check (connect port 1)", check duration: 0ms',
        ),
    ],
)
def test_recorded_reasons(script: Script, pieces: tuple[bytes | int, ...], reason: str) -> None:
    assert outcome(script, *pieces).reason() == reason


def test_bytes_one_by_one_decide_the_same() -> None:
    whole = outcome(http("expect string hello"), OK, closed=False)
    split = outcome(http("expect string hello"), *[OK[n : n + 1] for n in range(len(OK))], closed=False)
    assert whole == split == Outcome(CheckStatus.L7OK, 200)


def test_a_body_may_still_come() -> None:
    run = CheckRun(http("expect ! string bad"), SCENE, 0)
    run.start(0)
    run.opened(0)
    assert run.received(0, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbad") != []
    run = CheckRun(http("expect string hello"), SCENE, 0)
    run.start(0)
    run.opened(0)
    assert run.received(0, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel") == []
    assert ending(run.received(0, b"lo")).status is CheckStatus.L7OK


def test_a_404_of_a_server_that_is_down_is_a_failure() -> None:
    for stopped, status in ((False, CheckStatus.L7OKC), (True, CheckStatus.L7STS)):
        run = CheckRun(http("disable-on-404"), Scene("be", "srv", "127.0.0.1", 80, stopped=stopped), 0)
        run.start(0)
        run.opened(0)
        assert ending(run.received(0, b"HTTP/1.1 404 Not Found\r\n\r\n")).status is status


def test_chunked_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\n\r\n"
    assert outcome(http("expect string hello"), answer, closed=False).status is CheckStatus.L7OK


def test_an_interim_response_is_judged_itself() -> None:
    assert outcome(http(), b"HTTP/1.1 100 Continue\r\n\r\n" + OK).code == 100
    assert outcome(http(), b"HTTP/1.1 100 Continue\r\n\r\njunk\r\n\r\n").status is CheckStatus.L7RSP


def test_what_follows_a_head_must_be_what_it_announces() -> None:
    found = outcome(http(), b"\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
    assert (found.status, found.info) == (
        CheckStatus.L7RSP,
        "TCPCHK did not match content(status codes) at step 2",
    )


def test_a_line_of_the_log_shows_odd_bytes_as_numbers() -> None:
    found = outcome(http(), b'HTTP/1.1 500 a\tb"c\x80d<\r\ncontent-length: 0\r\n\r\n')
    assert 'info: "a<09>b<22>c<80>d<3C>"' in found.reason()


@pytest.mark.parametrize(
    ("script", "opened", "status", "info"),
    [
        (CONNECT_ONLY, False, CheckStatus.L4TOUT, ""),
        (http(), True, CheckStatus.L7TOUT, ""),
        (
            tcp("connect", "expect string garb"),
            True,
            CheckStatus.L7TOUT,
            " at step 2 of tcp-check (expect string 'garb')",
        ),
        (tcp("expect tout-status L6TOUT string x"), True, CheckStatus.L6TOUT, None),
    ],
)
def test_timeouts(script: Script, opened: bool, status: CheckStatus, info: str | None) -> None:
    run = CheckRun(script, SCENE, 1.0)
    run.start(1.0)
    if opened:
        run.opened(1.0)
    end = ending(run.expired(1.3))
    assert end.status is status
    assert end.duration == 300
    if info is not None:
        assert end.info == info
    assert run.closed(2.0) == []


@pytest.mark.parametrize(
    ("line", "rules", "expected"),
    [
        ("", [], b"OPTIONS / HTTP/1.0\r\n\r\n"),
        ("/x", [], b"OPTIONS /x HTTP/1.0\r\n\r\n"),
        ("GET /x HTTP/1.1", [], b"GET /x HTTP/1.1\r\nconnection: close\r\n\r\n"),
        ("GET /x HTTP/1.1", ["send hdr connection keep-alive"], b"GET /x HTTP/1.1\r\n\r\n"),
        (
            "GET /x",
            ["send hdr connection keep-alive,x"],
            b"GET /x HTTP/1.0\r\nconnection: x\r\nconnection: keep-alive\r\n\r\n",
        ),
        (
            "GET /x",
            ["send hdr transfer-encoding chunked body a"],
            b"GET /x HTTP/1.0\r\ncontent-length: 1\r\n\r\na",
        ),
        (
            "GET /x HTTP/1.1 www.example.org",
            [],
            b"GET /x HTTP/1.1\r\nhost: www.example.org\r\nconnection: close\r\n\r\n",
        ),
        (
            "GET /x",
            ["send ver HTTP/1.1 hdr Host a hdr X-Test true body test"],
            b"GET /x HTTP/1.1\r\nhost: a\r\nx-test: true\r\ncontent-length: 4\r\n"
            b"connection: close\r\n\r\ntest",
        ),
    ],
)
def test_requests(line: str, rules: list[str], expected: bytes) -> None:
    run = CheckRun(http(*rules, line=line), SCENE, 0)
    run.start(0)
    (write,) = run.opened(0)
    assert write == Write(expected)


def test_several_connections() -> None:
    run = CheckRun(tcp("connect port 81", "send a", "expect string x", "connect port 82", "send b"), SCENE, 0)
    assert run.start(0) == [Open(None, 81, False, default=False)]
    assert run.opened(0) == [Write(b"a")]
    assert run.received(0, b"x") == [Open(None, 82, False, default=False)]
    commands = run.opened(0)
    assert commands[0] == Write(b"b")
    assert ending(commands).status is CheckStatus.L7OK


def test_a_connection_that_says_nothing_is_mute() -> None:
    assert CheckRun(tcp("connect", "comment x"), SCENE, 0).start(0) == [
        Open(None, None, False, mute=True, default=False)
    ]


def test_comments_are_counted_as_steps() -> None:
    found = outcome(tcp("comment a", "connect", "comment b", "expect string x"), b"y")
    assert found.info == "TCPCHK did not match content 'x' at step 4 comment: b"
    assert outcome(tcp("connect")).reason().startswith('reason: Layer4 check passed, info: "(tcp-check)"')


@pytest.mark.parametrize(
    ("rules", "text", "status"),
    [
        (["expect !rstring ^error"], b"valid", CheckStatus.L7OK),
        (["expect !rstring ^error"], b"error x", CheckStatus.L7RSP),
        (["expect min-recv 5 !rstring ^error"], b"err", CheckStatus.L7OK),
        (["expect min-recv 5 !rstring ^error"], b"error", CheckStatus.L7RSP),
        (["expect binary 0a0b"], b"x\n\x0b", CheckStatus.L7OK),
        (["expect rbinary 0a.b$"], b"x\n\x0b", CheckStatus.L7OK),
        (["expect ok-status L6OK string a"], b"a", CheckStatus.L6OK),
        (["expect error-status L7STS string a"], b"b", CheckStatus.L7STS),
        (["expect string a"], b"", CheckStatus.L7RSP),
    ],
)
def test_tcp_expectations(rules: list[str], text: bytes, status: CheckStatus) -> None:
    assert outcome(tcp(*rules), text).status is status


@pytest.mark.parametrize(
    "rule",
    [
        "expect",
        "expect status abc",
        "expect status 300-200",
        "expect status 200;201",
        "expect min-recv 5",
        "expect ! comment x",
        "expect string a string b",
        "expect ok-status L7RSP string a",
        "connect port 0",
        "connect proto h9",
        "connect addr :x",
        "send-binary 4x",
        "expect rstring (",
        "expect hdr value x",
        "expect frob x",
        "expect min-recv -5 string a",
        "send frob",
        "connect port",
        "connect frob",
        "connect port 1_0",
    ],
)
def test_bad_rules(rule: str) -> None:
    with pytest.raises(CheckSyntax):
        http(rule)


@pytest.mark.parametrize("rule", ["send-binary 0", "send-binary 0g", "expect binary zz", "frob"])
def test_bad_tcp_rules(rule: str) -> None:
    with pytest.raises(CheckSyntax):
        tcp(rule)


def speak(script: Script, *replies: bytes) -> tuple[list[bytes], Outcome]:
    """What the check wrote, and its outcome, when the server says one reply after each thing written."""
    run = CheckRun(script, SCENE, 0)
    run.start(0)
    commands = run.opened(0)
    for reply in replies:
        commands += run.received(0, reply) if reply else run.closed(0)
    return [c.data for c in commands if isinstance(c, Write)], ending(commands)


TERSE = (b"2", b"20\r\n", b"248\r\n", b"221 ok\r\n")
SMTP = (b"220 smtp-check.vtc SMTP Server\r\n", b"250-one\r\n250 two\r\n", b"221 smtp-check.vtc closing\r\n")


MYSQL = b"\x0e\0\0\0\x0a5.5.5-10.1\0ab"
CLOSED = b""  #: the server closes


@pytest.fixture(scope="module")
def vocabulary() -> None:
    load_vocabulary()


@pytest.mark.usefixtures("vocabulary")
@pytest.mark.parametrize(
    ("kind", "replies", "status", "code", "info"),
    [
        ("smtpchk", SMTP, CheckStatus.L7OK, 221, "smtp-check.vtc closing"),
        ("smtpchk", (b"2", b"20\r\n", *TERSE[2:]), CheckStatus.L7OK, 221, "ok"),
        ("smtpchk", (b"I'm not a SMTP server\r\n",), CheckStatus.L7RSP, 0, "I'm not a SMTP server"),
        ("smtpchk", (b"421 Try again later\r\n",), CheckStatus.L7STS, 421, "Try again later"),
        ("smtpchk", (b"554 go",), CheckStatus.L7STS, 554, "go"),
        ("smtpchk", (b"220-one\r\n220 two\r\n",), CheckStatus.L7RSP, 0, "220-one"),
        ("smtpchk", (b"\0\xff what",), CheckStatus.L7RSP, 0, ""),
        ("smtpchk", (CLOSED,), CheckStatus.L7RSP, 0, ""),
        ("smtpchk", (SMTP[0], b"512 DNS error\r\n", CLOSED), CheckStatus.L7STS, 512, "DNS error"),
        ("smtpchk", (SMTP[0], CLOSED), CheckStatus.L7STS, 0, ""),
        ("redis-check", (b"+PO", b"NG\r\n"), CheckStatus.L7OK, 0, "Redis server is ok"),
        ("redis-check", (b"-Error message\r\n", CLOSED), CheckStatus.L7STS, 0, "-Error message"),
        ("redis-check", (b"what\r\n", CLOSED), CheckStatus.L7STS, 0, "what"),
        ("redis-check", (b"+PO", CLOSED), CheckStatus.L7STS, 0, "+PO"),
        ("mysql-check", (MYSQL,), CheckStatus.L7OK, 0, "5.5.5-10.1"),
        ("mysql-check", (CLOSED,), CheckStatus.L7RSP, 0, "TCPCHK got an empty response at step 2"),
    ],
)
def test_canned(kind: str, replies: tuple[bytes, ...], status: CheckStatus, code: int, info: str) -> None:
    _, end = speak(KINDS[kind]([], [], ENV), *replies)
    assert (end.status, end.code, end.info) == (status, code, info)


@pytest.mark.usefixtures("vocabulary")
def test_an_answer_that_may_go_on_is_waited_for() -> None:
    """A server that says what is wrong and keeps the connection open: the time is what ends the check."""
    for kind, said in (("redis-check", (b"-Error\r\n",)), ("smtpchk", (SMTP[0], b"512 no\r\n"))):
        run = CheckRun(KINDS[kind]([], [], ENV), SCENE, 0)
        run.start(0)
        commands = run.opened(0)
        for data in said:
            commands += run.received(0, data)
        assert not any(isinstance(command, Finish) for command in commands)
        assert ending(run.expired(0)).status is CheckStatus.L7TOUT


@pytest.mark.usefixtures("vocabulary")
def test_a_server_that_closes_without_a_word() -> None:
    """Recorded: comments, ``on-error`` and ``status-code`` count then as well; what must not come did not."""
    told = "TCPCHK got an empty response at step 1"
    assert outcome(tcp("expect string a")).info == told
    commented = tcp_script([["expect", "string", "a", "comment", "why"]], ENV)
    assert outcome(commented).info == f"{told} comment: why"
    words = ["error-status", "L7STS", "on-error", "got %[res.payload(0,3)]", "status-code", "int(7)"]
    end = outcome(tcp_script([["expect", "string", "a", *words]], ENV))
    assert (end.status, end.code, end.info) == (CheckStatus.L7STS, 7, "got ")
    end = outcome(tcp_script([["expect", "!", "string", "a"]], ENV))
    assert (end.status, end.info) == (CheckStatus.L7OK, "(tcp-check)")


def test_a_connection_that_breaks() -> None:
    run = CheckRun(tcp("send a", "expect binary 0aff"), SCENE, 0)
    run.start(0)
    run.opened(0)
    end = ending(run.failed(0, errno.ECONNRESET))
    told = (
        "ECONNRESET returned by OS (Connection reset by peer) at step 2 of tcp-check (expect binary '0AFF')"
    )
    assert (end.status, end.info) == (CheckStatus.SOCKERR, told)


def test_a_negated_match_waits_unless_min_recv_is_enough() -> None:
    for rule, ends in (("expect !rstring ^error", False), ("expect min-recv 5 !rstring ^error", True)):
        run = CheckRun(tcp("connect", rule), SCENE, 0)
        run.start(0)
        run.opened(0)
        assert bool(run.received(0, b"valid")) is ends


@pytest.mark.usefixtures("vocabulary")
def test_smtp_words() -> None:
    assert speak(smtp_script(["EHLO", "domain.tld"]), *SMTP)[0] == [b"EHLO domain.tld\r\n", b"QUIT\r\n"]
    assert speak(smtp_script(["frob", "x"]), *SMTP)[0][0] == b"HELO localhost\r\n"


@pytest.mark.usefixtures("vocabulary")
def test_what_is_sent_and_expected_may_depend_on_the_moment() -> None:
    script = http_script(
        [],
        [
            ["set-var(check.port)", "int(40),add(2)"],
            ["set-var-fmt(check.said)", "%[be_name]/%[srv_name]"],
            ["set-var(check.said,ifnotexists)", "str(never)"],
            [
                "send",
                "uri-lf",
                "/%[var(check.port)]",
                "hdr",
                "X-From",
                "%[var(check.said)]",
                "body-lf",
                "%[int(7)]",
            ],
            ["expect", "hdr", "name-lf", "x-%[var(check.port)]", "value-lf", "%[var(check.said)]"],
            ["set-var(check.seen)", "res.hdr(x-42)"],
            ["unset-var(check.said)"],
            ["expect", "string-lf", "<%[var(check.seen)]|%[var(check.said)]>"],
        ],
        ENV,
    )
    sent, end = speak(script, b"HTTP/1.1 200 OK\r\nX-42: be/srv\r\ncontent-length: 8\r\n\r\n<be/srv|")
    assert sent[0].startswith(b"OPTIONS /42 HTTP/1.0\r\n")
    assert b"\r\nx-from: be/srv\r\n" in sent[0].lower()
    assert sent[0].endswith(b"\r\n\r\n7")
    assert (end.status, end.code) == (CheckStatus.L7RSP, 200)
    _, end = speak(script, b"HTTP/1.1 200 OK\r\nX-42: be/srv\r\ncontent-length: 9\r\n\r\n<be/srv|>")
    assert (end.status, end.code) == (CheckStatus.L7OK, 200)


@pytest.mark.usefixtures("vocabulary")
def test_a_path_that_comes_to_nothing_is_the_root() -> None:
    script = http_script([], [["send", "meth", "GET", "uri-lf", "%[var(check.none)]"]], ENV)
    run = CheckRun(script, SCENE, 0)
    run.start(0)
    (written, *_) = [command.data for command in run.opened(0) if isinstance(command, Write)]
    assert written.startswith(b"GET / HTTP/1.0\r\n")


@pytest.mark.usefixtures("vocabulary")
def test_a_conversation_may_remember() -> None:
    script = tcp_script(
        [
            ["expect", "rstring", "^hello"],
            ["set-var(check.first)", "res.payload(0,5)"],
            ["send-binary-lf", "%[var(check.first),hex]"],
            ["expect", "binary-lf", "%[var(check.first),hex]"],
        ],
        ENV,
    )
    sent, end = speak(script, b"hello you", b"and hello again")
    assert sent == [b"hello"]
    assert end.status is CheckStatus.L7OK


@pytest.mark.parametrize(
    "rule",
    [
        ["set-var(nowhere.x)", "str(a)"],
        ["set-var(check.x,perhaps)", "str(a)"],
        ["set-var(check.x)"],
        ["set-var(check.x)", "nope"],
        ["set-var-fmt(check.x)"],
        ["set-var-fmt(check.x)", "%[nope]"],
        ["unset-var"],
    ],
)
@pytest.mark.usefixtures("vocabulary")
def test_variables_that_cannot_be(rule: list[str]) -> None:
    with pytest.raises(CheckSyntax):
        tcp_script([rule])
