"""ACLs and conditions: reading, complaints, and what matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import holds, line, messages, scope, txn

from evener.haproxy.acl import SUFFIXED, parse_acl
from evener.haproxy.condition import compile_condition, conflict, parse_condition
from evener.haproxy.sample import FETCHES, Place
from evener.haproxy.scope import CompileEnv


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/b path /", "character '/' is not permitted in acl name 'a/b'."),
        (
            "or path /",
            "acl name 'or' will never match. 'or' is used to express a logical disjunction within a condition.",  # noqa: E501
        ),
        ("a", "error detected while parsing ACL 'a' : missing fetch method in ACL expression ''."),
        (
            "a foo x",
            "error detected while parsing ACL 'a' : unknown fetch method 'foo' in ACL expression 'foo'.",
        ),
        (
            "a path -m foo x",
            "error detected while parsing ACL 'a' : unknown matching method 'foo' when parsing ACL expression.",  # noqa: E501
        ),
        (
            "a src 10.0.0.300",
            "error detected while parsing ACL 'a' : '10.0.0.300' is not a valid IPv4 or IPv6 address.",
        ),
        ("a dst_port 90:80", "error detected while parsing ACL 'a' : '90:80' is not a valid number range."),
        ("a dst_port eq x", "error detected while parsing ACL 'a' : 'x' is not a number."),
        ("a path -m bin 4z", "error detected while parsing ACL 'a' : an hex digit is expected (found 'z')."),
        (
            "a path -m bin 414",
            "error detected while parsing ACL 'a' : an even number of hex digit is expected.",
        ),
        (
            "a path_reg (foo",
            "error detected while parsing ACL 'a' : regex '(foo' is invalid (error=missing closing parenthesis, erroffset=4).",  # noqa: E501
        ),
        (
            "a path -z x",
            "error detected while parsing ACL 'a' : '-z' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'.",  # noqa: E501
        ),
        (
            "a path -f /nonexistent",
            "error detected while parsing ACL 'a' : failed to open pattern file </nonexistent>.",
        ),
        (
            "a hdr(x,y) y",
            "error detected while parsing ACL 'a' : ACL keyword 'hdr' : failed to parse 'y' as type 'integer' at position 2.",  # noqa: E501
        ),
        (
            "a path_beg(x) x",
            "error detected while parsing ACL 'a' : ACL keyword 'path_beg' : expected ')' before 'x)'.",
        ),
        (
            "a var(txn.x) y",
            "error detected while parsing ACL 'a' : matching method must be specified first (using '-m') when using a sample fetch of this type ('var').",  # noqa: E501
        ),
    ],
)
def test_refused(text: str, message: str) -> None:
    where = scope()
    assert parse_acl(line(f"acl {text}"), where) is None
    assert messages(where) == [message]


def test_suffixed_words_stand_for_fetches() -> None:
    assert len(SUFFIXED) == 77
    assert all(fetch in FETCHES for fetch, _ in SUFFIXED.values())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{ path /a/b }", True),
        ("{ path /A/B }", False),
        ("{ path -i /A/B }", True),
        ("{ path_beg /a /z }", True),
        ("{ path_end b }", True),
        ("{ path_end .php .b }", False),
        ("{ path_sub /b }", True),
        ("{ path_dir b }", True),
        ("{ path_dir /a/ }", True),
        ("{ path_reg ^/[a-z]/b$ }", True),
        ("{ path_len gt 3 }", True),
        ("{ path -m len 4 }", True),
        ("{ hdr(host) -m dom Example }", True),
        ("{ hdr(host) -i -m dom EXAMPLE }", True),
        ("{ hdr(host) -m dom -i EXAMPLE }", True),
        ("{ req.hdr(x) b }", True),
        ("{ req.hdr(x,1) b }", False),
        ("{ req.fhdr(x) b }", False),
        ("{ req.hdr_cnt(x) 4 }", True),
        ("{ req.hdr_cnt(x) lt 4 }", False),
        ("{ req.hdr_cnt(x) 1:3 5: }", False),
        ("{ req.hdr_cnt(x) ge 2 10 }", True),
        ("{ req.hdr_cnt(x) -m int ge -- 2 }", True),
        ("{ req.hdr_cnt(x) 1-3 5- }", False),
        ("{ int(-7) -- -5 }", True),
        ("{ int(8) -- -5 }", False),
        ("{ int(-7) -- --5 }", True),
        ("FALSE OR TRUE", True),
        ("{ src 192.0.2.0/24 }", True),
        ("{ src 10.0.0.0/8 192.0.2.10 }", True),
        ("{ src ::ffff:192.0.2.0/120 }", True),
        ("{ src 192.0.2/24 }", False),
        ("{ src ::1 }", False),
        ("{ req.cook(k) v }", True),
        ("{ req.hdr(nope) -m found }", False),
        ("{ req.hdr(x) -m found }", True),
        ("{ always_true }", True),
        ("{ always_false }", False),
        ("{ method GET POST }", True),
        ("{ bin(4142) -m bin 4142 }", True),
        ("{ str(10) -m int 10 }", True),
        ("METH_GET", True),
        ("METH_POST", False),
        ("HTTP_1.1", True),
        ("HTTP_CONTENT", True),
        ("TRUE !FALSE", True),
        ("FALSE or TRUE", True),
        ("FALSE || !TRUE", False),
        ("! FALSE", True),
        ("!!TRUE", True),
        ("", False),
        ("METH_GET or", True),
        ("{ path / } { always_true } or { always_true } !{ path /x }", True),
    ],
)
def test_matches(condition: str, expected: bool) -> None:
    assert bool(holds(condition)) is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("upper A", "010"),  # "upper" is a converter, and a pattern too
        (", upper A", "010"),
        (", upper lower A", "101"),
        (",upper lower A", "001"),
        (", upper -m str A", "010"),
        ("upper, lower -m str a", "011"),
    ],
)
def test_converters_in_the_next_words_are_patterns_too(words: str, expected: str) -> None:
    """Seen in the original, with criteria that are no words of its own list."""
    found = [
        holds(f"{{ str({value}){'' if words[0] == ',' else ' '}{words} }}")
        for value in ("upper", "A", "lower")
    ]
    assert "".join(str(int(one)) for one in found) == expected


def test_declarations_of_one_name_are_alternatives() -> None:
    where = scope()
    parse_acl(line("acl a path /x"), where)
    parse_acl(line("acl a path_beg /a"), where)
    assert holds("a", acls=where)
    assert not holds("!a", acls=where)


def test_a_declaration_wins_over_the_predefined() -> None:
    where = scope()
    parse_acl(line("acl METH_GET always_false"), where)
    assert not holds("METH_GET", acls=where)


def test_unless() -> None:
    where = scope()
    condition = parse_condition(line("unless TRUE"), 0, where)
    assert condition is not None
    assert not compile_condition(condition, CompileEnv())(txn())


def test_pattern_files(tmp_path: object) -> None:
    path = f"{tmp_path}/list"
    with open(path, "w") as file:
        file.write("# comment\n\n  /a/b  \n/c\n")
    assert holds(f"{{ path -f {path} }}")
    assert holds(f"{{ path -f {path} /x }}")
    assert not holds(f"{{ path -m end -f {path} -- /x }}", txn("GET /zz HTTP/1.1\n\n"))
    assert not holds("{ path -f virt@none }")
    assert not holds("{ path -f opt@/nonexistent }")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("if { path", "missing closing '}' in condition."),
        ("if }", "no such ACL : '}'."),
        ("if nope", "no such ACL : 'nope'."),
        ("if { }", "missing fetch method in ACL expression ''."),
    ],
)
def test_bad_conditions(text: str, message: str) -> None:
    where = scope()
    assert parse_condition(line(text), 0, where) is None
    assert messages(where) == [message]


def test_conflict() -> None:
    where = scope()
    condition = parse_condition(line("if { status 200 }"), 0, where)
    assert condition is not None
    found = conflict(condition, Place.FE_REQUEST.bit, where.acls)
    assert str(found) == (
        "anonymous acl will never match because it uses keyword 'status' "
        "which is incompatible with 'frontend http-request header rule'"
    )
    assert conflict(condition, Place.FE_RESPONSE.bit, where.acls) is None


def test_waiting_conditions_have_three_answers() -> None:
    env = CompileEnv(waits=True)
    on = txn()
    assert holds("{ req.len gt 3 }", on, env=env) is None
    assert holds("{ req.len gt 3 } FALSE", on, env=env) is False
    assert holds("{ req.len gt 3 } or TRUE", on, env=env) is True
    assert holds("!WAIT_END", on, env=env) is None
    on.content = b"hello"
    assert holds("{ req.len gt 3 }", on, env=env) is True
    assert holds("{ req.payload(0,2) -m bin 6865 }", on, env=env) is True
    assert holds("{ req.payload(0,9) -m found }", on, env=env) is None


WORDS = [
    "{",
    "}",
    "!",
    "!{",
    "or",
    "||",
    "path",
    "/a",
    "-i",
    "-m",
    "beg",
    "-f",
    "--",
    "TRUE",
    "!TRUE",
    "nope",
    "hdr(x)",
]


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    where = scope()
    condition = parse_condition(line(" ".join(["if", *words])), 0, where)
    assert (condition is None) == where.diagnostics.has_errors


@given(st.lists(st.text("abc-/().,:0123456789", min_size=1, max_size=8), max_size=5))
def test_any_acl_is_read_or_refused(words: list[str]) -> None:
    where = scope()
    parsed = parse_acl(line(" ".join(["acl", "a", "path", *words])), where)
    assert (parsed is None) == where.diagnostics.has_errors
