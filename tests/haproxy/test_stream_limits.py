"""Actions on one stream's limits: timeouts, retries, priorities and marks, and the fetches that show them."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import messages, read_rule, run, scope, txn

from evener.haproxy.compile_rules import named_by
from evener.haproxy.notes import notes
from evener.haproxy.phases import NOBODY
from evener.haproxy.priority import CLASSES, OFFSETS, priority_class, priority_offset, with_class, with_offset
from evener.haproxy.rule import compile_rule
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE


def test_timeouts_are_set_in_milliseconds() -> None:
    on = txn()
    where = scope("listen")
    for words in ("server 5s", "tunnel int(1500)", "server int(-1)", "connect int(0)", "tarpit 2s"):
        made = read_rule("http-request", f"set-timeout {words}", where)
        assert made is not None
        assert compile_rule(made, CompileEnv(proxy="f"))(on) == CONTINUE
    assert on.timeouts == {"server": 5000, "tunnel": 1500}
    assert notes(on).timeouts == {"tarpit": 2000}


BAD = "error detected in {} 'f' while parsing 'http-request {}' rule : {}."


@pytest.mark.parametrize(
    ("section", "words", "told"),
    [
        ("frontend", "set-timeout server 1s", "'f' has no backend capability"),
        ("backend", "set-timeout client 1s", "'f' has no frontend capability"),
        ("backend", "set-timeout server 0", "null value is not valid for a 'set-timeout server' rule"),
        ("backend", "set-timeout server x", "unexpected character 'x' in rule 'set-timeout server'"),
        (
            "backend",
            "set-timeout server 99999999999s",
            "timer overflow in argument '99999999999s' to rule 'set-timeout server' "
            "(maximum value is 2147483647 ms or ~24.8 days)",
        ),
        ("frontend", "set-retries 2", "'set-retries' only available in backend or listen section"),
        ("backend", "set-retries 300", "expects an expression or an integer between 1 and 100"),
        ("backend", "set-fc-mark", "expects an argument"),
        ("backend", "set-priority-class", "missing fetch method"),
    ],
)
def test_complaints(section: str, words: str, told: str) -> None:
    where = scope(section)
    assert read_rule("http-request", words, where) is None
    assert messages(where) == [BAD.format(section, words.split()[0], told)]


@given(st.integers(-3000, 3000), st.integers(-600_000, 600_000), st.booleans())
def test_a_priority_is_a_class_and_an_offset(number: int, offset: int, class_first: bool) -> None:
    priority = 0
    for part in (True, False) if class_first else (False, True):
        priority = with_class(priority, number) if part else with_offset(priority, offset)
    assert priority_class(priority) == max(-CLASSES, min(number, CLASSES))
    assert priority_offset(priority) == max(-OFFSETS, min(offset, OFFSETS))


def test_lower_classes_sort_before_any_offset() -> None:
    assert with_offset(with_class(0, 1), OFFSETS) < with_offset(with_class(0, 2), -OFFSETS)
    assert with_offset(with_class(0, -2), OFFSETS) < with_offset(with_class(0, -1), -OFFSETS)


def test_priorities_are_set_and_shown() -> None:
    on = txn()
    run("http-request", "set-priority-class int(-3)", on)
    run("http-request", "set-priority-offset int(250)", on)
    run("http-request", "set-header x %[prio_class]/%[prio_offset]", on)
    assert on.req.get(b"x") == b"-3/250"


def test_marks_and_types_of_service_are_socket_options() -> None:
    on = txn()
    run("http-request", "set-fc-mark 0xffffffff", on)
    run("http-request", "set-bc-tos int(296)", on)
    run("http-request", "set-tos 8", on)
    assert on.options[False, socket.SOL_SOCKET, 36] == b"\xff\xff\xff\xff"
    assert on.options[True, socket.IPPROTO_IP, socket.IP_TOS] == b"\x28\0\0\0"
    assert on.options[False, socket.IPPROTO_IP, socket.IP_TOS] == b"\x08\0\0\0"


def test_tcp_information_is_read_from_the_kernels_structure() -> None:
    on = txn()
    info = bytearray(104)
    info[68:72] = (2500).to_bytes(4, "little")
    info[24:28] = (7).to_bytes(4, "little")
    on.options[False, socket.IPPROTO_TCP, socket.TCP_INFO] = bytes(info)
    run("http-request", "set-header x %[fc_rtt]/%[fc_rtt(us)]/%[fc_unacked]/%[bc_rtt]", on)
    assert on.req.get(b"x") == b"3/2500/7/"


def test_a_backend_named_by_a_request() -> None:
    names, hidden = {"be": 4}, {"be2": 5}
    env = CompileEnv(backend_index=names.get, hidden_index=hidden.get)
    plain = named_by(lambda t: t.req.get(b"x") or b"", None, env)
    forced = named_by(lambda t: t.req.get(b"x") or b"", None, env, lambda t: t.req.get(b"force") == b"1")
    on = txn("GET / HTTP/1.1\nX: be\n\n")
    assert (plain(on), forced(on)) == (4, 4)
    on = txn("GET / HTTP/1.1\nX: be2\n\n")
    assert (plain(on), forced(on)) == (None, None)  # not published: the next rule decides
    on = txn("GET / HTTP/1.1\nX: be2\nForce: 1\n\n")
    assert (plain(on), forced(on)) == (None, 5)
    on = txn("GET / HTTP/1.1\nX: nobody\n\n")
    assert (plain(on), forced(on)) == (NOBODY, NOBODY)
