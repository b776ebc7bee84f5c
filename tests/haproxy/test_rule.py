"""Rules: reading, complaints, and what the actions do to a transaction."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import line, messages, read_rule, rule, run, scope, txn

from evener.haproxy import phases
from evener.haproxy.notes import notes
from evener.haproxy.replies import LENGTH
from evener.haproxy.rule import RULESETS, compile_rule, inspected, names, parse_rule
from evener.haproxy.sample import Sample, Type
from evener.haproxy.scope import CompileEnv, Slots
from evener.haproxy.txn import ACCEPTED, CLOSED, CONTINUE, PENDING, REPLIED, UNDECIDED
from evener.haproxy.variables import PROCESS

IN_RULE = "error detected in frontend 'f' while parsing 'http-request {}' rule : {}."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set-header X", IN_RULE.format("set-header", "expects exactly 2 arguments")),
        (
            "set-var(foo) path",
            IN_RULE.format(
                "set-var(foo)",
                "invalid variable name 'foo'. A variable name must start "
                "with its scope. The scope can be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'",
            ),
        ),
        ("set-var(txn.x-y) path", IN_RULE.format("set-var(txn.x-y)", "invalid syntax at char '-'")),
        ("set-var(txn.x)", IN_RULE.format("set-var(txn.x)", "missing fetch method")),
        ("set-var() path", IN_RULE.format("set-var()", "Empty variable name cannot be accepted")),
        (
            "set-var(txn.x) status",
            IN_RULE.format(
                "set-var(txn.x)",
                "fetch method 'set-var(txn.x)' extracts information "
                "from 'HTTP response', none of which is available here",
            ),
        ),
        ("deny status 999", IN_RULE.format("deny", "Unexpected status code '999'")),
        (
            "deny string x",
            IN_RULE.format("deny", "a content type must be defined when non-empty payload is configured"),
        ),
        (
            "redirect location /x code 300",
            IN_RULE.format(
                "redirect", "'code': unsupported HTTP code '300' (must be one of 301, 302, 303, 307 or 308)"
            ),
        ),
        ("capture path", IN_RULE.format("capture", "expects <expression> [ 'len' <length> | id <idx> ]")),
        ("wait-for-body time x", IN_RULE.format("wait-for-body", "unexpected character 'x'")),
        (
            "deny foo",
            "'http-request deny' expects either 'if' or 'unless' followed by a condition but found 'foo'.",
        ),
        (
            "deny if nope",
            "error detected while parsing an 'http-request deny' condition : no such ACL : 'nope'.",
        ),
    ],
)
def test_refused(text: str, message: str) -> None:
    where = scope()
    assert read_rule("http-request", text, where) is None
    assert messages(where) == [message]


def test_unknown_action_lists_the_known_ones() -> None:
    where = scope()
    assert read_rule("http-request", "denny", where) is None
    (message,) = messages(where)
    assert message.startswith("'http-request' expects 'send-spoe-group', 'wait-for-handshake', ")
    assert message.endswith("but got 'denny'. Did you mean 'deny' maybe ?")


def test_unusable_condition_warns() -> None:
    where = scope()
    assert read_rule("http-request", "deny if { status 200 }", where) is not None
    assert messages(where) == [
        "'anonymous acl will never match because it uses keyword 'status' which is incompatible with "
        "'frontend http-request header rule'.\n'"
    ]


def test_rules_print_as_they_were_written() -> None:
    written = "set-header X %[path] if { path_beg /a } or !METH_GET"
    assert str(rule("http-request", written)) == f"http-request {written}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set-header X new", [(b"x", b"new")]),
        ("add-header X e", [(b"x", b"a,b, c"), (b"x", b"d"), (b"x", b"e")]),
        ("del-header X", []),
        ("del-header ^X$ -m reg", []),
        ("replace-header X (.) [\\\\1]", [(b"x", b"[a]"), (b"x", b"[d]")]),
        ("replace-value X ^(.)$ <\\\\1>", [(b"x", b"<a>,<b>,<c>"), (b"x", b"<d>")]),
        ("replace-value X b Z", [(b"x", b"a,Z, c"), (b"x", b"d")]),
        ("set-header X a if FALSE", [(b"x", b"a,b, c"), (b"x", b"d")]),
        ("set-header X %[src]-%[path,field(2,/)] unless FALSE", [(b"x", b"192.0.2.10-a")]),
    ],
)
def test_headers(text: str, expected: list[tuple[bytes, bytes]]) -> None:
    on = txn()
    assert run("http-request", text, on) == CONTINUE
    assert [(name, value) for name, value in on.req.items() if name == b"x"] == expected


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("set-path /new", b"/new?x=1&y=2"),
        ("set-pathq /new", b"/new"),
        ("set-query q", b"/a/b?q"),
        ("set-uri /u?v", b"/u?v"),
        ("replace-path (.*) /foo\\\\1", b"/foo/a/b?x=1&y=2"),
        ("replace-path /a /Z", b"/Z?x=1&y=2"),
        ("replace-pathq ([^?]*)(.*) \\\\1/x\\\\2", b"/a/b/x?x=1&y=2"),
        ("replace-uri ^/a /Q", b"/Q"),
        ("normalize-uri query-sort-by-name", b"/a/b?x=1&y=2"),
        ("set-query %[str()]", b"/a/b?"),
    ],
)
def test_targets(text: str, uri: bytes) -> None:
    on = txn()
    assert run("http-request", text, on) == CONTINUE
    assert on.req.uri == uri


def test_an_absolute_target_moves_the_host() -> None:
    on = txn()
    run("http-request", "set-uri http://foo.com/x", on)
    assert on.req.get(b"host") == b"foo.com"


@pytest.mark.parametrize(
    ("path", "normalizer", "expected"),
    [
        ("/foo/../", "path-strip-dotdot", b"/"),
        ("/foo/bar/../", "path-strip-dotdot", b"/foo/"),
        ("/../bar/", "path-strip-dotdot", b"/../bar/"),
        ("/bar/../../", "path-strip-dotdot", b"/../"),
        ("/foo//../", "path-strip-dotdot", b"/foo/"),
        ("/../bar/", "path-strip-dotdot full", b"/bar/"),
        ("/bar/../../", "path-strip-dotdot full", b"/"),
        ("/.", "path-strip-dot", b"/"),
        ("/./bar/", "path-strip-dot", b"/bar/"),
        ("/a/./a", "path-strip-dot", b"/a/a"),
        ("//", "path-merge-slashes", b"/"),
        ("/%61%3f", "percent-decode-unreserved", b"/a%3f"),
        ("/%3f", "percent-to-uppercase", b"/%3F"),
        ("/#a", "fragment-encode", b"/%23a"),
        ("/#a", "fragment-strip", b"/"),
    ],
)
def test_normalizers(path: str, normalizer: str, expected: bytes) -> None:
    on = txn(f"GET {path} HTTP/1.1\n\n")
    assert run("http-request", f"normalize-uri {normalizer}", on) == CONTINUE
    assert on.req.uri == expected


def test_normalizers_may_refuse() -> None:
    on = txn("GET /%zz HTTP/1.1\n\n")
    assert run("http-request", "normalize-uri percent-decode-unreserved strict", on) == REPLIED
    assert on.replied is not None and on.replied[0] == 400


PAGE = (403, b"Forbidden", [(b"content-type", b"text/html")], b"no")


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("deny", PAGE),
        ("deny deny_status 403", PAGE),
        ("deny status 404", (404, b"Not Found", [LENGTH], b"")),
        (
            "deny status 403 content-type text/plain string x hdr A b",
            (403, b"Forbidden", [(b"a", b"b"), LENGTH, (b"content-type", b"text/plain")], b"x"),
        ),
        ("return", (200, b"OK", [LENGTH], b"")),
        ("return status 599", (599, b"Server Error", [LENGTH], b"")),
        (
            "return content-type t/p lf-string %[path]",
            (200, b"OK", [LENGTH, (b"content-type", b"t/p")], b"/a/b"),
        ),
        (
            "redirect location /x",
            (302, b"Found", [(b"location", b"/x"), (b"cache-control", b"no-cache")], b""),
        ),
        ("redirect location /x code 301", (301, b"Moved Permanently", [(b"location", b"/x")], b"")),
        (
            "redirect prefix http://o drop-query append-slash code 301",
            (301, b"Moved Permanently", [(b"location", b"http://o/a/b/")], b""),
        ),
        (
            "redirect scheme https code 308",
            (308, b"Permanent Redirect", [(b"location", b"https://Example.com:8080/a/b?x=1&y=2")], b""),
        ),
        (
            "redirect location / code 301 clear-cookie A=",
            (
                301,
                b"Moved Permanently",
                [(b"location", b"/"), (b"set-cookie", b"A=; path=/; Max-Age=0;")],
                b"",
            ),
        ),
        (
            "auth realm R",
            (
                401,
                b"Unauthorized",
                [
                    (b"cache-control", b"no-cache"),
                    (b"content-type", b"text/html"),
                    (b"www-authenticate", b'Basic realm="R"'),
                ],
                b"<html><body><h1>401 Unauthorized</h1>\n</body></html>\n",
            ),
        ),
    ],
)
def test_replies(text: str, reply: object) -> None:
    on = txn()
    env = CompileEnv(proxy="f", error_reply=lambda status: PAGE if status == 403 else None)
    assert run("http-request", text, on, env) == REPLIED
    assert on.replied == reply


def test_denied_is_logged_as_such() -> None:
    on = txn()
    run("http-request", "deny", on)
    assert on.termination == b"PR"
    assert notes(on).last_rule == ("t.cfg", 1)


def test_error_files(tmp_path: object) -> None:
    path = f"{tmp_path}/e.http"
    with open(path, "wb") as file:
        file.write(b"HTTP/1.1 503 Busy\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc")
    on = txn()
    run("http-request", f"return status 503 errorfile {path}", on)
    assert on.replied == (503, b"Busy", [(b"x-a", b"b"), LENGTH], b"abc")


def test_redirect_to_nothing_may_be_skipped() -> None:
    on = txn()
    assert run("http-request", "redirect location %[req.hdr(nope)] ignore-empty", on) == CONTINUE


def test_verdicts() -> None:
    assert run("http-request", "allow", txn()) == ACCEPTED
    assert run("tcp-request content", "accept", txn()) == ACCEPTED
    assert run("http-request", "reject", txn()) == CLOSED
    assert run("http-request", "silent-drop", txn()) == CLOSED
    assert run("http-request", "deny if FALSE", txn()) == CONTINUE


def test_variables() -> None:
    on = txn()
    run("http-request", "set-var(txn.a) int(5)", on)
    run("http-request", "set-var(sess.a) str(x)", on)
    run("http-request", "set-var(proc.samples_test) src", on)
    run("http-request", "set-var-fmt(req.b) a%[path]", on)
    run("http-request", "set-var(txn.a,ifnotexists) int(6)", on)
    assert on.vars == {"txn.a": Sample(Type.SINT, 5), "req.b": Sample(Type.STR, b"a/a/b")}
    assert on.session.vars == {"sess.a": Sample(Type.STR, b"x")}
    assert PROCESS.get("proc.samples_test") == Sample(Type.ADDR, on.src_ip)
    run("http-request", "unset-var(txn.a)", on)
    assert "txn.a" not in on.vars


def test_captures_fill_the_slots_laid_out_for_them() -> None:
    texts = ("capture req.hdr(host) len 3", "capture str(abcdef) len 4", "capture str(xyz) id 0")
    rules = [rule("http-request", text) for text in texts]
    slots = Slots([2, 3, 4], rules={id(rules[0].arguments[0]): 1, id(rules[1].arguments[0]): 2})
    on, env = txn(), CompileEnv(request_slots=slots)
    on.frontend.plan = SimpleNamespace(slots=(slots.lengths, []))
    for one in rules:
        compile_rule(one, env)(on)
    assert notes(on).request_captures == [b"xy", b"Exa", b"abcd"]


def test_response_rules() -> None:
    on = txn(response="HTTP/1.1 200 OK\nServer: s\n\n")
    run("http-response", "set-status 431", on)
    run("http-response", "del-header Server", on)
    run("http-response", "set-header X %[status]", on)
    assert on.res is not None
    assert (on.res.status, on.res.reason, on.res.items()) == (
        431,
        b"Request Header Fields Too Large",
        [(b"x", b"431")],
    )
    assert run("http-response", "deny", on) == REPLIED
    assert on.replied is not None and on.replied[0] == 502


def test_waiting_for_a_body() -> None:
    on = txn()
    on.complete = False
    assert run("http-request", "wait-for-body time 1s", on) == PENDING
    assert on.waited is not None and 0 < on.waited <= 1000
    assert run("http-request", "wait-for-body time 1s at-least 5", on) == CONTINUE
    on.complete = True
    assert run("http-request", "wait-for-body time 1s", on) == CONTINUE


def test_inspection_waits_until_the_delay_is_over() -> None:
    on = txn()
    lone = compile_rule(rule("tcp-request content", "reject if { req.len gt 3 }"), CompileEnv())
    policy = phases.ruleset([lone], may_wait=True)
    assert policy is not None
    for held in (b"", b"ab"):
        on.content = held
        assert inspected(policy, 1000)(on) == PENDING
    on.content = b"hello"
    assert inspected(policy, 1000)(on) == CLOSED
    quiet = txn()
    assert inspected(policy, 0)(quiet) == CONTINUE
    quiet.closed = True
    assert inspected(policy, 1000)(quiet) == CONTINUE


def test_rules_begin_anew_while_a_condition_waits() -> None:
    """What an action takes from bytes that were not there at first, it takes when they are."""
    words = ("set-var(sess.two) req.payload(0,2)", "accept if { req.payload(0,4) -m found }")
    made = [compile_rule(rule("tcp-request content", each), CompileEnv()) for each in words]
    policy = phases.ruleset(made, may_wait=True)
    assert policy is not None
    on = txn()
    assert inspected(policy, 1000)(on) == PENDING and "sess.two" not in on.session.vars
    on.content = b"abcd"
    assert inspected(policy, 1000)(on) == CONTINUE
    assert on.session.vars["sess.two"].value == b"ab"


def test_sni_of_a_client_hello() -> None:
    name = b"www.example.com"
    server_name = b"\0\0" + (len(name) + 5).to_bytes(2, "big") + (len(name) + 3).to_bytes(2, "big") + b"\0"
    server_name += len(name).to_bytes(2, "big") + name
    body = (
        b"\3\3"
        + bytes(32)
        + b"\0"
        + b"\0\2\x13\1"
        + b"\1\0"
        + len(server_name).to_bytes(2, "big")
        + server_name
    )
    hello = b"\x16\3\1" + (len(body) + 4).to_bytes(2, "big") + b"\1" + len(body).to_bytes(3, "big") + body
    policy = compile_rule(
        rule("tcp-request content", "accept if { req.ssl_sni www.example.com }"), CompileEnv()
    )
    for size in range(len(hello)):
        on = txn()
        on.content = hello[:size]
        assert policy(on) == UNDECIDED
    on = txn()
    on.content = hello
    assert policy(on) == ACCEPTED


WORDS = [
    "set-header",
    "X",
    "a",
    "%[path]",
    "deny",
    "status",
    "403",
    "if",
    "{",
    "}",
    "path",
    "redirect",
    "location",
    "set-var(txn.a)",
    "capture",
    "len",
    "5",
    "return",
    "hdr",
    "unless",
    "TRUE",
    "tarpit",
    "set-var(",
    "replace-header",
    "(",
]


@given(st.sampled_from(list(RULESETS)), st.lists(st.sampled_from(WORDS), max_size=8))
def test_any_words_are_read_or_refused(ruleset: str, words: list[str]) -> None:
    where = scope("listen")
    parsed = read_rule(ruleset, " ".join(words), where)
    assert (parsed is None) == where.diagnostics.has_errors
    if parsed is not None:
        compile_rule(parsed, CompileEnv())


def test_redirect_is_a_keyword_too() -> None:
    where = scope()
    assert parse_rule("http-request", line("redirect location / if nope"), 0, where) is None
    assert messages(where) == [
        "error detected in frontend 'f' while parsing redirect rule : "
        "error in condition: no such ACL : 'nope'."
    ]


def test_names() -> None:
    assert "set-header" in names("http-request") and "set-header" not in names("tcp-request content")
