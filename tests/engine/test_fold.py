"""What the engine runs without Python answers as the closure it stands for, on its streams and on text."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from origin import Origin
from proxy import Proxy, wait_for

from evener.engine.fold import Folding, Node
from evener.haproxy import phases
from evener.haproxy.condition import compile_condition, parse_condition
from evener.haproxy.line import Line
from evener.haproxy.logformat import HTTP_LOG, TCP_LOG, Format, compile_log_line, read_format
from evener.haproxy.notes import notes
from evener.haproxy.rule import Rule, compile_rule, parse_rule
from evener.haproxy.scope import CompileEnv, Scope
from evener.haproxy.text_txn import TextTxn
from evener.haproxy.vocabulary import load_vocabulary
from evener.text.diagnostic import Diagnostics
from evener.text.span import Source

pytestmark = pytest.mark.timeout(30)
load_vocabulary()

CONDITIONS = """
{ path /a }
{ path /A -i }
{ path -i /A /b/c }
{ path_beg /a/ }
{ path_beg -i /A/ /x }
{ path_end .png }
{ path_end -i .PNG .gif }
{ path -m found }
{ path_sub b/c }
{ path_sub -i B/C nothing }
{ path_sub x }
{ path_dir b }
{ path_dom a }
{ hdr_dom(host) -i EXAMPLE }
{ hdr_sub(host) -i AMPLE }
{ hdr_sub(x) b }
{ path_reg ^/a/ ^/b }
{ hdr_reg(host) org$ }
{ src 10.0.0.0/8 }
{ src 127.0.0.1 }
{ src 127.0.0.0/8 192.0.2.0/24 10.1.2.3 }
{ src ::1 127.0.0.1 }
{ url /a?q=1 }
{ url_beg http:// }
{ query q=1 }
{ query -m beg q }
{ query -m found }
{ method GET }
{ method POST PUT }
{ method get }
METH_GET
!METH_GET
{ hdr(host) example.org }
{ hdr(host) -i EXAMPLE.org www.example.org }
{ req.hdr(x) a }
{ req.hdr(x) -m beg b }
{ req.hdr(x) -m end -i C }
{ req.hdr(x) -m found }
{ req.fhdr(x) a,b }
{ req.fhdr(x) -m beg a, }
{ hdr(none) -m found }
{ hdr(x,1) a }
{ hdr_cnt(x) 2 }
{ path /a } { method GET }
{ path /nope } { method GET }
{ path /nope } || { method GET }
{ path_beg /a } !{ hdr(x) a } { method GET }
{ path /1 } || { path /2 } || { path_beg /a }
{ always_true } { path_beg / }
{ path,lower /a }
{ path_reg ^/a }
{ src 127.0.0.0/8 192.0.2.0/24 } { path_beg /a }
{ path,length gt 4 }
{ path,length 2 4 }
{ hdr(host),lower example.org }
{ hdr(none),lower example.org }
{ var(txn.none) -m found }
{ var(txn.none) -m str a }
{ src,hex -m str -i 7f000001 }
{ url_param(q) 1 }
{ req.hdr_cnt(x) gt 1 }
"""
REQUESTS = (
    "GET /a HTTP/1.1\r\nhost: example.org\r\n\r\n",
    "GET /A HTTP/1.1\r\nHost: EXAMPLE.ORG\r\nX: a\r\n\r\n",
    "GET /a/b/c.png?q=1 HTTP/1.1\r\nHost: www.example.org\r\nX: a,b\r\nX: c\r\n\r\n",
    "GET /a?q=1 HTTP/1.1\r\nHost: h\r\nX: B\r\nX: c\r\n\r\n",
    "POST /b/c HTTP/1.1\r\nHost: h\r\nX:\r\ncontent-length: 0\r\n\r\n",
    "GET http://example.org/a/x.PNG HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "GET http://example.org HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "GET http://example.org?q=1/a HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "GET /? HTTP/1.1\r\nHost: h\r\nX: a , c\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
)


def words(text: str) -> Line:
    return Line(Source("t.cfg", (text,)), 1, text.split())


def check(text: str, env: CompileEnv) -> Any:
    parsed = parse_condition(words(f"if {text}"), 0, Scope(Diagnostics(), "frontend", "f"))
    assert parsed is not None
    return compile_condition(parsed, env)


def folded() -> CompileEnv:
    return CompileEnv(fold=Folding())


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


def test_conditions(origin: Origin) -> None:
    texts = CONDITIONS.strip().splitlines()
    nodes = [check(text, folded()) for text in texts]
    plains = [check(text, CompileEnv()) for text in texts]
    assert sum(isinstance(node, Node) for node in nodes) > len(nodes) * 3 // 4
    differ: list[tuple[str, str]] = []
    seen: set[bool] = set()
    asked = 0

    def compare(txn: Any, request: str) -> None:
        for text, node, plain in zip(texts, nodes, plains, strict=True):
            answer = bool(plain(txn))
            seen.add(answer)
            if bool(node(txn)) is not answer:
                differ.append((text, request))

    def policy(txn: Any) -> int:
        nonlocal asked
        compare(txn, REQUESTS[asked])
        asked += 1
        return int(txn.reply(200, b"OK", [], b""))

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = policy
        for request in REQUESTS:
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
                client.sendall(request.encode())
                assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert not proxy.errors
    for request in REQUESTS:
        compare(TextTxn.from_text(request), request)
    assert asked == len(REQUESTS) and seen == {True, False}
    assert differ == []


RULES = (
    "set-header x-const one",
    "set-header x-path %[path]",
    "add-header x-many 1",
    "add-header x-many 2 if { path_beg /a }",
    "del-header x if { path_beg /none }",
    "del-header gone unless { hdr(x) -m found }",
    "set-header host %[hdr(host),lower]",
    "set-header x-last %[req.hdr(x)]|%[req.fhdr(x)]|%[hdr(none)]|%[method]|%[query]",
    "set-var(txn.x) req.hdr(x)",
    "set-header x-var %[var(txn.x),upper]",
    "set-header x-none %[var(txn.none)]%[var(txn.none),upper]",
    "set-var(txn.n) path,length",
    "set-var(req.n) var(txn.n),add(1)",
    "set-var(txn.keep) str(kept)",
    "set-var(txn.keep) hdr(none)",
    "set-header x-kinds %[var(txn.n)]/%[var(req.n)]/%[var(txn.keep)]/%[var(txn.n),div(2)]",
    "set-header x-source %[src,ipmask(0)],%[src,ipmask(0),hex]",
    "set-header x-control %[str(a%09b%0d%0ac%7f),url_dec]",
    "set-header x-blank %[str(),concat()]",
)


def rules(env: CompileEnv) -> Any:
    made = []
    for text in RULES:
        parsed = parse_rule(
            "http-request", words(f"http-request {text}"), 1, Scope(Diagnostics(), "frontend", "f")
        )
        assert isinstance(parsed, Rule)
        made.append(compile_rule(parsed, env))
    policy = phases.ruleset(made, fold=env.fold)
    assert policy is not None
    return policy


def test_rules_change_headers_alike(origin: Origin) -> None:
    native, plain = rules(folded()), rules(CompileEnv())
    assert isinstance(native, Node)
    expected = []
    for request in REQUESTS:
        txn = TextTxn.from_text(request)
        assert plain(txn) == 0
        expected.append(sorted(txn.req.items()))
        again = TextTxn.from_text(request)
        assert native(again) == 0
        assert sorted(again.req.items()) == expected[-1]
    found: list[Any] = []

    def show(txn: Any) -> int:
        found.append(sorted(txn.req.items()))
        return int(txn.reply(200, b"OK", [], b""))

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = Folding().sequence(phases.in_turn(plain, show), native, show)
        for request in REQUESTS:
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
                client.sendall(request.encode())
                assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert not proxy.errors
    assert found == expected


def test_switching(origin: Origin) -> None:
    chosen: list[int | None] = []
    choices: list[Any] = [
        (7, check("{ path /nope }", folded())),
        lambda txn: 0 if txn.req.path == b"/b/c" else None,
        (0, check("{ path_beg /a }", folded())),
        (9, check("{ path /bad }", folded())),
    ]
    policy = phases.switching(choices, fold=Folding())
    assert isinstance(policy, Node)
    for request in REQUESTS:
        txn = TextTxn.from_text(request)
        assert policy(txn) == 0
        chosen.append(txn.chosen_backend)
    assert chosen == [0, None, 0, 0, 0, 0, None, None, None, None]
    with Proxy(origin.port) as proxy:
        proxy.frontend.default_backend = -1
        proxy.frontend.on_request = policy
        assert proxy.get("/a/x") == (200, b"hello")
        assert proxy.get("/x")[0] == 503
        assert proxy.get("/bad")[0] == 500  # there is no backend of that number
    assert [type(error) for error in proxy.errors] == [IndexError]


def test_a_verdict_ends_the_rules(origin: Origin) -> None:
    after: list[bytes] = []

    def last(txn: Any) -> int:
        after.append(txn.req.path)
        return 0

    def deny(txn: Any) -> int:
        return int(txn.reply(403, b"Forbidden", [], b""))

    env = folded()
    fold = env.fold
    assert fold is not None
    denied = fold.when(deny, check("{ path /deny }", env), deny)
    accepted = fold.when(deny, check("{ path /accept }", env), lambda txn: 4)
    policy = phases.ruleset([denied, accepted, last], fold=fold)
    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = policy
        assert proxy.get("/deny")[0] == 403
        assert proxy.get("/accept")[0] == 200
        assert proxy.get("/other")[0] == 200
    assert after == [b"/other"]


FORMATS = (
    HTTP_LOG,
    TCP_LOG,
    "%ci %cp %fi %fp %f %ft %b %s %t %tr %Th %Ti %TR %Tw %Tc %Tr %Ta %Tt %ST %B %U",
    "%ac %fc %bc %sc %rc %sq %bq %ts %tsc %CC %CS %r %{+Q}r %{+Q}b %{+X}ci %{+E}r %[path] %HM %hr",
    "%{+Q}o %r %b %ST",
)


def test_log_lines(origin: Origin) -> None:
    read = [read_format(text) for text in FORMATS]
    formats = [one for one in read if isinstance(one, Format)]
    assert len(formats) == len(FORMATS)
    native = [compile_log_line(one, folded()) for one in formats]
    plain = [compile_log_line(one, CompileEnv()) for one in formats]
    lines: list[tuple[bytes, bytes]] = []

    def log(txn: Any) -> int:
        lines.extend((one(txn), other(txn)) for one, other in zip(native, plain, strict=True))
        return 0

    def note(txn: Any) -> int:
        if txn.req.path == b"/noted":
            notes(txn).cookie_flags = b"VN"
            notes(txn).request_cookie = b"a=b"
            txn.src_ip = b"\x20\x01" + bytes(14)
        if txn.req.path == b"/b/c":
            txn.req.uri = b"/rewritten"
        return 0

    odd = "GET /x%22'~{}|\x7f\xe9 HTTP/1.0\r\nhost: h\r\n\r\n"
    sent = (
        *REQUESTS,
        odd,
        "GET /noted HTTP/1.1\r\nhost: h\r\n\r\n",
        "bad\r\n\r\n",
        "GET / HTTP/1.1\r\nx y\r\n\r\n",
    )
    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = note
        proxy.frontend.on_log = log
        for request in sent:
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
                client.sendall(request.encode("latin-1"))
                assert client.recv(4096).startswith(b"HTTP/1.1 ")
        wait_for(lambda: len(lines) >= len(sent) * len(FORMATS))
    assert not proxy.errors
    assert [one for one, _ in lines] == [other for _, other in lines]
    for one, other in zip(native, plain, strict=True):
        txn = TextTxn.from_text(REQUESTS[0], "HTTP/1.1 200 OK\r\n\r\n")
        assert one(txn) == other(txn)


def test_responses(origin: Origin) -> None:
    texts = (
        "{ status 200 }",
        "{ status 300:399 500 }",
        "{ status gt 400 }",
        "{ status lt 300 }",
        "{ res.hdr(server) -m found }",
        "{ res.hdr(content-length) 5 }",
        "{ res.fhdr(x) -m beg a }",
    )
    env, other = folded(), CompileEnv()
    env.response = other.response = True
    nodes, plains = [check(text, env) for text in texts], [check(text, other) for text in texts]
    assert all(isinstance(node, Node) for node in nodes)
    answers: list[list[bool]] = []

    def policy(txn: Any) -> int:
        answers.append([bool(node(txn)) for node in nodes])
        answers.append([bool(plain(txn)) for plain in plains])
        return 0

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_response = policy
        assert proxy.get() == (200, b"hello")
    assert not proxy.errors
    assert answers[0] == answers[1] == [True, False, False, True, False, True, False]
    for status in (200, 301, 404, 500):
        txn = TextTxn.from_text(REQUESTS[0], f"HTTP/1.1 {status} X\r\nx: a\r\n\r\n")
        assert [bool(node(txn)) for node in nodes] == [bool(plain(txn)) for plain in plains]
