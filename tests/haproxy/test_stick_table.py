"""Stick tables between configuration and traffic: keys, rules, fetches, converters, stick rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tables import configuration, table

from evener.cli.assemble import make_table
from evener.haproxy.compile import compile_plan
from evener.haproxy.plan import Plan
from evener.haproxy.sample import Sample, Type
from evener.haproxy.stick_data import DATA, Stored, lay_out
from evener.haproxy.text_txn import Named, TextTxn

Load = Callable[[str], Plan]


@pytest.fixture
def compiled(tmp_path: Path) -> Load:
    def read(text: str) -> Plan:
        made, found = configuration(text, tmp_path)
        assert not found.has_errors, [one.message for one in found]
        return compile_plan(made, found, make_table=make_table)

    return read


# -- layout and keys -------------------------------------------------------------------------------------


def test_cells_do_not_overlap() -> None:
    stored = [Stored(data.name, 3 if data.array else 1, 1000) for data in reversed(DATA)]
    layout = lay_out(stored)
    taken = [at for _, cell in layout.shown() for at in range(cell.at, cell.at + cell.kind.value)]
    assert sorted(taken) == list(range(layout.width))
    assert [one.name for one in layout.stored] == [data.name for data in DATA]


def test_old_names_of_arrays() -> None:
    layout = lay_out([Stored("gpc", 2), Stored("gpc_rate", 1, 1000), Stored("gpt", 1)])
    assert layout.find("gpc0") == layout.element("gpc", 0) and layout.find("gpc1") == layout.element("gpc", 1)
    assert layout.find("gpc0_rate") == layout.element("gpc_rate", 0)
    assert layout.find("gpt0") is not None
    assert (
        layout.find("gpc1_rate") is None
        and layout.element("gpc", 2) is None
        and layout.element("gpc", -1) is None
    )
    single = lay_out([Stored("gpc0")])
    assert single.find("gpc0") is not None and single.element("gpc", 0) is None


FOUR, MAPPED = bytes((192, 0, 2, 1)), bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 1))
SIX = bytes.fromhex("20010db8000000000000000000000001")


@pytest.mark.parametrize(
    ("kind", "length", "sample", "key", "shown"),
    [
        ("ip", None, Sample(Type.ADDR, FOUR), FOUR, "192.0.2.1"),
        ("ipv4", None, Sample(Type.IPV6, MAPPED), FOUR, "192.0.2.1"),
        ("ip", None, Sample(Type.IPV6, SIX), None, ""),
        ("ip", None, Sample(Type.STR, b"192.0.2.1"), FOUR, "192.0.2.1"),
        ("ip", None, Sample(Type.STR, b"no address"), None, ""),
        ("ip", None, Sample(Type.SINT, 1), b"\0\0\0\1", "0.0.0.1"),
        ("ip", None, Sample(Type.BOOL, True), None, ""),
        ("ipv6", None, Sample(Type.ADDR, FOUR), MAPPED, "::ffff:192.0.2.1"),
        ("ipv6", None, Sample(Type.IPV6, SIX), SIX, "2001:db8::1"),
        ("integer", None, Sample(Type.SINT, 5), b"\0\0\0\5", "5"),
        ("integer", None, Sample(Type.SINT, -1), b"\xff\xff\xff\xff", "4294967295"),
        ("integer", None, Sample(Type.STR, b"99999999999"), b"Hv\xe7\xff", "1215752191"),
        ("string", 5, Sample(Type.STR, b"abcdefgh"), b"abcde", "abcde"),
        ("string", None, Sample(Type.STR, b"x" * 99), b"x" * 32, "x" * 32),
        ("string", 9, Sample(Type.SINT, 42), b"42", "42"),
        ("string", 9, Sample(Type.ADDR, FOUR), b"192.0.2.1", "192.0.2.1"),
        ("string", 9, Sample(Type.STR, b"a b\\=\n\xe9"), b"a b\\=\n\xe9", "a\\ b\\\\\\=\\n\\xE9"),
        ("binary", 4, Sample(Type.BIN, b"ab"), b"ab\0\0", "61620000"),
        ("binary", 4, Sample(Type.BIN, b"abcdef"), b"abcd", "61626364"),
        ("binary", 8, Sample(Type.SINT, 258), b"\0\0\0\0\0\0\1\2", "0000000000000102"),
    ],
)
def test_keys(kind: str, length: int | None, sample: Sample, key: bytes | None, shown: str) -> None:
    made = table(kind, Stored("gpc0"), length=length)
    assert made.find(sample) is None
    entry = made.obtain(sample)
    if key is None:
        assert entry is None and made.native.used == 0
        return
    assert entry.key == key and made.print_key(key) == shown
    assert made.find(sample).key == key


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        ("ip", "192.0.2.1", FOUR), ("ip", "x", None), ("ip", "2001:db8::1", None),
        ("ipv6", "2001:db8::1", SIX), ("ipv6", "192.0.2.1", MAPPED), ("ipv6", "", None),
        ("integer", "5", b"\0\0\0\5"), ("integer", "x", bytes(4)), ("integer", "5x", b"\0\0\0\5"),
        ("string", "abc", b"abc"), ("binary", "abc", None),
    ],
)  # fmt: skip
def test_keys_from_text(kind: str, text: str, key: bytes | None) -> None:
    assert table(kind).read_key(text) == key


# -- rules, fetches, converters --------------------------------------------------------------------------

COUNTING = (
    "backend t\n stick-table type string len 20 size 100 expire 1m store "
    "gpt(2),gpc(2),gpc_rate(2,10s),conn_cnt,conn_cur,http_req_cnt,http_req_rate(10s),bytes_in_cnt\n"
    "backend u\n stick-table type string len 20 size 100 store gpc0,gpt0,http_err_cnt\n"
    "backend ips\n stick-table type ip size 100 store gpc0,conn_cnt,conn_rate(10s)\n"
)


def run(plan: Plan, request: str = "GET /a HTTP/1.1\nhost: h", txn: TextTxn | None = None) -> TextTxn:
    """A request through the rules of the first frontend."""
    txn = txn or TextTxn.from_text(request)
    front = plan.frontends[0]
    txn.frontend = Named(b"f", front)
    txn.frontend.http = True
    for policy in (front.on_connection, front.on_session, front.on_content, front.on_request):
        if policy is not None:
            policy(txn)
    return txn


def entry_of(plan: Plan, name: str, key: bytes) -> Any:
    return plan.tables[name].native.find(key)


def test_track_and_count(compiled: Load) -> None:
    plan = compiled(
        COUNTING + "frontend f\n bind :1\n"
        " http-request track-sc0 path table t\n http-request track-sc0 str(again) table u\n"
        " http-request track-sc2 str(b) table u\n"
        " http-request sc-inc-gpc(1,0)\n http-request sc-inc-gpc(5,0)\n http-request sc-add-gpc(0,0) 7\n"
        " http-request sc-add-gpc(0,0) int(3)\n http-request sc-add-gpc(0,0) int(-3)\n"
        " http-request sc-inc-gpc0(2)\n http-request sc-inc-gpc1(2)\n http-request sc-inc-gpc0(1)\n"
        " http-request sc-set-gpt(1,0) 9\n http-request sc-set-gpt0(2) int(8)\n"
        " http-request sc-set-gpt(1,2) 9\n"
        " http-request set-header x %[sc0_get_gpc0]/%[sc_get_gpc(1,0)]/%[sc0_gpc0_rate]/%[sc_get_gpt(1,0)]/"
        "%[sc0_key]/%[sc0_tracked]/%[sc1_tracked]/%[sc2_get_gpc0]/%[sc_get_gpt0(2)]/%[sc2_get_gpc1]-/"
        "%[sc1_get_gpc0]-/%[sc0_http_req_cnt]/%[sc_conn_cur(0)]/%[sc0_trackers]/%[sc2_conn_cnt]-/%[sc0_kbytes_in]\n"
    )
    txn = run(plan)
    assert txn.req.get(b"x") == b"10/1/10/9//a/1/0/1/8/-/-/1/1/1/-/0"
    entry = entry_of(plan, "t", b"/a")
    assert entry.trackers == 1 and entry_of(plan, "u", b"again") is None
    assert entry_of(plan, "u", b"b").trackers == 1
    del txn
    assert entry.trackers == 0


def test_sessions_and_streams(compiled: Load) -> None:
    plan = compiled(
        COUNTING + "frontend f\n bind :1\n"
        " tcp-request connection track-sc0 str(conn) table t\n"
        " tcp-request session track-sc1 str(sess) table t\n"
        " http-request track-sc1 path table t\n"
        " http-request set-header x %[sc0_key],%[sc1_key]\n"
    )
    txn = run(plan)
    assert txn.req.get(b"x") == b"conn,/a"
    assert [entry and entry.key for entry in txn.session.tracked or []] == [b"conn", b"sess"]
    assert [entry and entry.key for entry in txn.tracked or []] == [None, b"/a"]
    assert entry_of(plan, "t", b"conn").get(plan.tables["t"].layout.single["http_req_cnt"].at) == 0
    assert entry_of(plan, "t", b"/a").get(plan.tables["t"].layout.single["http_req_cnt"].at) == 1


def test_the_same_key_in_another_table(compiled: Load) -> None:
    plan = compiled(
        COUNTING + "frontend f\n bind :1\n http-request track-sc0 path table t\n"
        " http-request set-header x %[sc0_get_gpc0(u)]/%[sc0_tracked(u)]/%[sc0_inc_gpc0(u)]/"
        "%[sc0_inc_gpc0(u)]/"
        "%[sc0_clr_gpc0(u)]/%[sc0_get_gpc0(u)]/%[sc0_tracked(u)]/%[sc0_http_err_cnt(u)]/%[sc0_conn_cnt(u)]-\n"
    )
    assert run(plan).req.get(b"x") == b"0/0/1/2/2/0/1/0/-"


def test_the_client_address(compiled: Load) -> None:
    plan = compiled(
        COUNTING + "frontend f\n bind :1\n"
        " http-request set-header x %[src_get_gpc0(ips)]/%[src_inc_gpc0(ips)]/%[src_inc_gpc0(ips)]/"
        "%[src_clr_gpc0(ips)]/%[src_updt_conn_cnt(ips)]/%[src_conn_cnt(ips)]/%[src_conn_rate(ips)]/"
        "%[src_get_gpc1(ips)]-/%[table_cnt(ips)]/%[table_avl(ips)]/%[src_inc_gpc(0,ips)]-\n"
    )
    assert run(plan).req.get(b"x") == b"0/1/2/2/1/1/0/-/1/99/0-"
    assert entry_of(plan, "ips", bytes((192, 0, 2, 10))) is not None
    unix = TextTxn.from_text("GET / HTTP/1.1\nhost: h")
    unix.src_ip = b""
    assert run(plan, txn=unix).req.get(b"x") == b"///////-/1/99/-"


def test_converters(compiled: Load) -> None:
    plan = compiled(
        COUNTING + "frontend f\n bind :1\n"
        " http-request set-header x %[path,in_table(t)]/%[path,table_gpc0(t)]/%[path,table_expire(t,-5)]/"
        "%[path,table_idle(t)]-/%[path,table_inc_gpc(1,t)]/%[path,table_inc_gpc(1,t)]/%[path,in_table(t)]/"
        "%[path,table_gpc(1,t)]/%[path,table_gpc_rate(1,t)]/%[path,table_clr_gpc(1,t)]/%[path,table_gpc(1,t)]/"
        "%[path,table_trackers(t)]/%[path,table_conn_rate(t)]-/%[path,table_gpt0(t)]/%[path,table_server_id(t)]-\n"
    )
    assert run(plan).req.get(b"x") == b"0/0/-5/-/1/2/1/2/2/2/0/1/-/0/-"
    again = run(plan).req.get(b"x")
    assert again is not None
    left = int(again.split(b"/")[2])
    assert 0 < left <= 60_000


def test_a_table_of_the_proxy_itself(compiled: Load) -> None:
    plan = compiled(
        "frontend f\n bind :1\n stick-table type string size 10 store gpc0\n http-request track-sc0 path\n"
        " http-request set-header x %[path,table_inc_gpc0]/%[path,in_table]/%[table_cnt]\n"
    )
    assert run(plan).req.get(b"x") == b"1/1/1"


def test_nothing_without_memory(compiled: Load, tmp_path: Path) -> None:
    """Compiled only to be looked at: rules about tables do nothing."""
    text = (
        "frontend f\n bind :1\n stick-table type string size 10 store gpc0\n http-request track-sc0 path\n"
        " http-request sc-inc-gpc0(0)\n"
        " http-request set-header x %[path,in_table]%[table_cnt]%[sc0_tracked]\n"
    )
    made, found = configuration(text, tmp_path)
    assert run(compile_plan(made, found)).req.get(b"x") == b"0"


# -- stick rules -----------------------------------------------------------------------------------------

SERVERS = " server a 192.0.2.1:80\n server b 192.0.2.2:80 id 7\n"


def answered(plan: Plan, txn: TextTxn, index: int, server: int) -> TextTxn:
    """The request is served by that server of that backend."""
    back = plan.backends[index]
    txn.backend, txn.server = Named(b"k", back), Named(b"s", back.servers[server])
    if back.on_response is not None:
        back.on_response(txn)
    return txn


def asked(plan: Plan, index: int, request: str, response: str | None = None) -> TextTxn:
    txn = TextTxn.from_text(request, response)
    txn.frontend = Named(b"f", None)
    txn.backend = Named(b"k", plan.backends[index])
    policy = plan.backends[index].on_request
    assert policy is not None
    policy(txn)
    return txn


def test_stick_on(compiled: Load) -> None:
    plan = compiled("backend k\n stick-table type string size 10\n stick on path\n" + SERVERS)
    first = asked(plan, 0, "GET /a HTTP/1.1")
    assert first.chosen_server is None and entry_of(plan, "k", b"/a") is None
    answered(plan, first, 0, 1)
    assert asked(plan, 0, "GET /a HTTP/1.1").chosen_server == 1
    assert asked(plan, 0, "GET /b HTTP/1.1").chosen_server is None


def test_servers_that_are_not_stuck_to(compiled: Load) -> None:
    servers = SERVERS.replace("id 7", "id 7 non-stick")
    plan = compiled("backend k\n stick-table type string size 10\n stick on path\n" + servers)
    answered(plan, asked(plan, 0, "GET /a HTTP/1.1"), 0, 1)
    assert entry_of(plan, "k", b"/a") is None
    answered(plan, asked(plan, 0, "GET /a HTTP/1.1"), 0, 0)
    assert asked(plan, 0, "GET /a HTTP/1.1").chosen_server == 0


def test_a_choice_made_before_is_not_changed(compiled: Load) -> None:
    plan = compiled(
        "backend k\n stick-table type string size 10\n use-server a if { path /a }\n stick on path\n"
        + SERVERS
    )
    answered(plan, asked(plan, 0, "GET /a HTTP/1.1"), 0, 1)
    assert asked(plan, 0, "GET /a HTTP/1.1").chosen_server == 0


def test_names_go_before_numbers(compiled: Load) -> None:
    plan = compiled(
        "peers p\n table t type string size 10 store gpc0\n"
        "backend k\n stick on path table p/t\n"
        + SERVERS
        + "backend l\n stick match path table p/t\n server x 192.0.2.9:80\n server b 192.0.2.3:80\n"
        + "backend m\n stick match path table p/t\n server y 192.0.2.9:80 id 7\n"
    )
    answered(plan, asked(plan, 0, "GET /a HTTP/1.1"), 0, 1)
    assert asked(plan, 1, "GET /a HTTP/1.1").chosen_server == 1, "the server of that name"
    assert asked(plan, 2, "GET /a HTTP/1.1").chosen_server == 0, "else the server of that number"


def test_srvkey_addr(compiled: Load) -> None:
    plan = compiled(
        "backend k\n stick-table type string size 10 srvkey addr\n stick on path\n"
        + SERVERS
        + "backend l\n stick match path table k\n server b 192.0.2.9:80\n server z 192.0.2.1:80\n"
        " server six 2001:db8::1:80\n"
    )
    answered(plan, asked(plan, 0, "GET /a HTTP/1.1"), 0, 0)
    assert asked(plan, 1, "GET /a HTTP/1.1").chosen_server == 1
    plan.backends[1].servers[1].address = "192.0.2.77"
    assert asked(plan, 1, "GET /a HTTP/1.1").chosen_server is None, "the server has moved"


def test_what_is_stored(compiled: Load) -> None:
    plan = compiled(
        "backend t\n stick-table type string size 10\n"
        "backend k\n stick-table type string size 10\n"
        " stick store-request path if { path /a }\n stick store-request str(second)\n"
        " stick store-request str(other) table t\n"
        " stick store-response res.hdr(sid)\n stick store-response str(late)\n" + SERVERS
    )
    txn = asked(plan, 1, "GET /a HTTP/1.1", "HTTP/1.1 200 OK\nsid: xyz")
    answered(plan, txn, 1, 0)
    assert {entry.key for entry in plan.tables["k"].native.walk()} == {b"/a", b"xyz"}
    assert {entry.key for entry in plan.tables["t"].native.walk()} == {b"other"}
    answered(plan, asked(plan, 1, "GET /b HTTP/1.1", "HTTP/1.1 200 OK"), 1, 0)
    assert {entry.key for entry in plan.tables["k"].native.walk()} == {b"/a", b"xyz", b"second", b"late"}


def test_nobody_served(compiled: Load) -> None:
    plan = compiled("backend k\n stick-table type string size 10\n stick on path\n" + SERVERS)
    txn = asked(plan, 0, "GET /a HTTP/1.1")
    policy = plan.backends[0].on_response
    assert policy is not None
    policy(txn)
    assert plan.tables["k"].native.used == 0
