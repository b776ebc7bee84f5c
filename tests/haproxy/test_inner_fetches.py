"""Fetches of what is inside: errors of connections, costs, the original's form of messages, distcc."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from samples import expr, failure, txn, value

from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.connection_errors import FAULTS, number_of, number_of_sentence
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.notes import notes
from evener.haproxy.sample import Incomplete
from evener.haproxy.scope import CompileEnv
from evener.wire import proxy_protocol


def with_faults(client: int, server: int | None) -> Any:
    made = txn()
    made.client_fault, made.server_fault = client, server
    return made


@pytest.mark.parametrize(
    ("fault", "number", "name", "sentence"),
    [
        (0, 0, None, b"Success"),
        (errno.ECONNREFUSED, 47, b"EREFUSED", b"ECONNREFUSED returned by OS"),
        (errno.ECONNRESET, 48, b"ERESET", b"ECONNRESET returned by OS"),
        (errno.EPIPE, 57, b"EPIPE", b"EPIPE returned by OS"),
        (errno.EADDRNOTAVAIL, 8, b"CANT_BIND", b"Can't bind to source address"),
        (errno.ETIMEDOUT, 6, b"SOCK_ERR", b"General socket error"),
        (-41, 41, b"SOCKS4_DENY", b"SOCKS4 Proxy deny the request"),
    ],
)
def test_errors_of_connections(fault: int, number: int, name: bytes | None, sentence: bytes) -> None:
    for prefix, on in (("fc", with_faults(fault, None)), ("bc", with_faults(0, fault))):
        assert value(f"{prefix}_err", on) == number
        assert value(f"{prefix}_err_name", on) == name
        assert value(f"{prefix}_err_str", on) == sentence


def test_without_a_server_s_connection_it_has_no_error() -> None:
    for word in ("bc_err", "bc_err_name", "bc_err_str"):
        assert value(word, with_faults(0, None)) is None


@pytest.mark.parametrize(
    ("data", "late", "number"),
    [
        (b"", False, 11), (b"", True, 13), (b"PROX", False, 14), (b"GET / ", False, 14),
        (b"GET / HTTP/1.1\r\n", False, 15),
        (b"PROXY TCP4 x\r\n", False, 16), (b"PROXY FOO 1 2 3 4\r\n", False, 17),
    ],
)  # fmt: skip
def test_a_missing_header_is_an_error_of_the_client_s_connection(
    data: bytes, late: bool, number: int
) -> None:
    made = txn()
    notes(made).refused = number_of_sentence(proxy_protocol.fault(data, late, False))
    assert value("fc_err", made) == number
    assert value("fc_err_name", made) == FAULTS[number].name.encode()


def test_every_number_is_known() -> None:
    assert all(number_of(code) in FAULTS for code in errno.errorcode)
    assert all(number_of(-number) == number for number in FAULTS)


# -- costs ------------------------------------------------------------------------------------------------


def test_costs() -> None:
    made = txn()
    made.calls, made.cpu_ns, made.lat_ns, made.worker_load = 4, 1000, 402, 37
    found = [
        value(word, made) for word in ("cpu_calls", "cpu_ns_tot", "cpu_ns_avg", "lat_ns_tot", "lat_ns_avg")
    ]
    assert found == [4, 1000, 250, 402, 100]
    assert value("cpu_usage_thr", made) == 37


def test_the_load_of_all_workers_is_their_average() -> None:
    cells = {(PROCESS_ROW, Column.BUSY): 91, (PROCESS_ROW, Column.WORKERS): 2}
    env = CompileEnv(count=lambda row, column: cells.get((row, Column(column)), 0))
    assert value("cpu_usage_proc", env=env) == value("cpu_usage_grp", env=env) == 45
    assert value("cpu_usage_proc") == 0


def test_what_was_waited_for() -> None:
    made = txn()
    assert value("waiting_entity", made) is None
    notes(made).waited_for = "haproxy.cfg:12"
    assert value("waiting_entity", made) == b"haproxy.cfg:12"


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (8, b"conn.flg=rw conn.err_code=0"),
        (16, b"fd=7 fd.gen=1"),
        (20, b"xprt=RAW fd=7 fd.gen=1"),
    ],
)
def test_the_state_of_connections(layers: int, told: bytes) -> None:
    assert value(f"fs.debug_str({layers})") == told
    assert value("fs.debug_str").count(b"=") == 11  # all layers
    assert value(f"bs.debug_str({layers})") is None
    assert value("fs.aborted") == value("bs.aborted") == 0


# -- the original's form of messages ----------------------------------------------------------------------

_HELLO = "POST /a?q HTTP/1.1\nhost: x.y\ntransfer-encoding: chunked\n\nhello"


def inner(words: str, on: Any, response: bool = False) -> list[Any]:
    return [value(f"internal.htx{word}", on, CompileEnv(response=response)) for word in words.split()]


def test_blocks_of_a_request() -> None:
    """The numbers are those of the original for the same bytes."""
    small = txn("GET /a HTTP/1.1\nhost: x.y\nfoo: bar\n\n")
    sizes = ".data .used .size .free .free_data .has_eom .nbblks"
    assert inner(sizes, small) == [47, 79, 16344, 16265, 16257, True, 4]
    chunked = txn(_HELLO)
    assert inner(sizes, chunked) == [74, 122, 16344, 16222, 16214, True, 6]
    chunked.complete = False
    assert inner(sizes, chunked) == [73, 113, 16344, 16231, 16223, False, 5]
    assert inner("_blk.type(tail) _blk.size(tail) _blk.data(tail)", chunked) == [b"HTX_BLK_DATA", 5, b"hello"]
    assert inner("_blk.type(head) _blk.start_line(first) _blk.size(0)", chunked) == [
        b"HTX_BLK_REQ_SL", b"POST /a?q HTTP/1.1", 36,
    ]  # fmt: skip
    assert inner("_blk.hdrname(1) _blk.hdrval(1) _blk.data(1) _blk.start_line(1)", chunked) == [
        b"host", b"x.y", b"", b"",
    ]  # fmt: skip
    assert inner("_blk.type(99) _blk.size(99)", chunked) == [b"HTX_BLK_UNUSED", 0]


def test_blocks_of_a_response() -> None:
    both = txn(_HELLO, "HTTP/1.1 200 OK\ncontent-length: 2\n\nok")
    assert inner("_blk.start_line(0) _blk.size(0) _blk.data(tail)", both, True) == [
        b"HTTP/1.1 200 OK",
        33,
        b"ok",
    ]
    assert inner(".nbblks _blk.type(0)", txn(_HELLO), True) == [None, None]


@pytest.mark.parametrize("word", ["foo", "-1", "99999999999", "+1", "1_0"])
def test_positions_that_are_none(word: str) -> None:
    assert "invalid block position" in failure(f"internal.htx_blk.type({word})")


# -- distcc -----------------------------------------------------------------------------------------------

_JOB = b"DIST00000002ARGC00000002ARGV00000002ccARGV00000002-cDOTI00000005int x"


def job(words: str, data: bytes, final: bool = False) -> Any:
    made = txn()
    made.content = data
    notes(made).final = final
    return compile_expression(expr(words), CompileEnv(waits=True))(made)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("distcc_param(DIST)", 2), ("distcc_param(ARGV,2)", 2), ("distcc_body(ARGV)", b"cc"),
        ("distcc_body(ARGV,2)", b"-c"), ("distcc_body(DOTI)", b"int x"), ("distcc_param(ARGC)", 2),
        ("distcc_body(ARGC)", b""),
    ],
)  # fmt: skip
def test_tokens_of_distcc(words: str, expected: object) -> None:
    assert job(words, _JOB) == expected


def test_an_incomplete_body_is_what_has_come() -> None:
    assert job("distcc_body(DOTI)", _JOB[:-3]) == b"in"
    assert job("distcc_param(DOTI)", _JOB[:-3]) == 5


@pytest.mark.parametrize("end", [0, 3, 12, 20, 38])
def test_more_may_come(end: int) -> None:
    made = txn()
    made.content = _JOB[:end]
    with pytest.raises(Incomplete):
        from evener.haproxy.fetches.distcc import distcc_param

        distcc_param("DOTI", env=CompileEnv(waits=True))(made)
    assert job("distcc_param(DOTI)", _JOB[:end], final=True) is None


@pytest.mark.parametrize(
    "data",
    [
        b"DIST0000000g", b"DIST00 00002ARGC00000002", b"ARGVffffffffcc", b"DIST+0000002ARGC00000001",
        b"ARGV00000003cc", b"\x00" * 40, b"DIST0x000002ARGC00000001",
    ],
)  # fmt: skip
def test_what_is_no_distcc_gives_nothing(data: bytes) -> None:
    """And nothing is waited for: whatever comes, it will be none."""
    assert job("distcc_param(DOTI)", data) is None


def test_names_of_tokens_are_checked() -> None:
    for word in ("distcc_param(ARG)", "distcc_body(ARGVV)", "distcc_param()"):
        assert "token name must be exactly 4 characters" in failure(word)
