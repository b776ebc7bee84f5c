# ruff: noqa: E501
"""show table, set table, clear table: what they print was compared with HAProxy 3.5-dev5."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from tables import table

from evener.haproxy.runtime.tables import MANY, clear_table, set_table, show_table
from evener.haproxy.runtime_api import Answer, Level, Long, Told
from evener.haproxy.stick_data import Stored
from evener.haproxy.stick_table import Table

FOUR = bytes((192, 0, 2, 1))


def session(*tables: Table, level: Level = Level.ADMIN) -> Any:
    plan = SimpleNamespace(tables={one.name: one for one in tables})
    return SimpleNamespace(level=level, control=SimpleNamespace(plan=plan))


def said(answer: Answer) -> str:
    return answer.text if isinstance(answer, Told) else re.sub(r"0x[0-9a-f]+", "PTR", str(answer or ""))


ALL = (
    Stored("server_id"), Stored("gpt", 2), Stored("gpc", 1), Stored("conn_cnt"), Stored("conn_rate", 1, 10_000),
    Stored("conn_cur"), Stored("bytes_in_cnt"), Stored("server_key"), Stored("gpc_rate", 1, 60_000),
)  # fmt: skip


def test_show_set_clear() -> None:
    one = session(table("ip", *ALL))
    words = "t key 1.2.3.4 data.conn_cnt 7 data.gpt[1] 9 data.conn_rate 55 data.bytes_in_cnt 123456789012"
    assert set_table(one, words.split()) is None
    head = "# table: t, type: ip, size:100, used:1\n"
    row = (
        "PTR: key=1.2.3.4 use=0 exp=0 shard=0 server_id=0 conn_cnt=7 conn_rate(10000)=55 conn_cur=0 "
        "bytes_in_cnt=123456789012 server_key=- gpt0=0 gpt1=9 gpc0=0 gpc0_rate(60000)=0\n"
    )
    assert said(show_table(one, ["t"])) == said(show_table(one, ["t", "key", "1.2.3.4"])) == head + row
    assert said(show_table(one, ["t", "data.conn_cnt", "ge", "7", "data.gpt[1]", "eq", "9"])) == head + row
    assert said(show_table(one, ["t", "data.conn_cnt", "gt", "7"])) == head
    assert said(show_table(one, ["t", "data.gpt[5]", "eq", "0"])) == head
    assert said(show_table(one, ["t", "key", "9.9.9.9"])) == ""
    pointer = str(show_table(one, ["t"])).split("\n")[1].split(":")[0]
    assert said(show_table(one, ["t", "ptr", pointer])) == head + row
    assert set_table(one, ["t", "ptr", pointer, "data.conn_cnt", "-1"]) is None
    assert "conn_cnt=4294967295" in said(show_table(one, ["t"]))
    assert clear_table(one, ["t", "data.conn_cnt", "lt", "5"]) is None
    assert said(show_table(one, ["t"])) == f"{head}{row.replace('conn_cnt=7', 'conn_cnt=4294967295')}"
    assert clear_table(one, ["t", "key", "1.2.3.4"]) is None
    assert said(show_table(one, ["t"])) == head.replace("used:1", "used:0")


def test_all_tables() -> None:
    first, second = table("ipv4", size=2048), table("string", size=10)
    second.name = "p/u"
    assert said(show_table(session(first, second), [])) == (
        "# table: p/u, type: string, size:10, used:0\n# table: t, type: ip, size:2048, used:0\n"
    )


def test_users_see_no_contents() -> None:
    made = table("ip")
    made.native.obtain(FOUR)
    assert said(show_table(session(made, level=Level.USER), ["t"])) == (
        "# table: t, type: ip, size:100, used:1\n# contents not dumped due to insufficient privileges\n"
    )


def test_tracked_entries_stay() -> None:
    made = table("ip")
    held = made.native.track(FOUR)
    assert (
        said(clear_table(session(made), ["t", "key", "192.0.2.1"])) == "Entry currently in use, cannot remove"
    )
    assert clear_table(session(made), ["t"]) is None and made.native.used == 1
    held.release()
    assert clear_table(session(made), ["t"]) is None and made.native.used == 0


FILTER = "Filter entry #1: "
REFUSED = [
    ("show", "nope", "No such table"),
    ("show", "t foo", 'Optional argument only supports "data.<store_data_type>" <operator> <value> or key <key> or ptr <ptr>'),
    ("show", "t key", "Key value expected"), ("show", "t key x", "Invalid key"),
    ("show", "t ptr", "Pointer expected (0xffff notation)"), ("show", "t ptr zz", "Pointer expected (0xffff notation)"),
    ("show", "t ptr 0x123", "No entry can be found matching ptr."),
    ("show", "t data.foo eq 1", FILTER + "Unknown data type"), ("show", "t data.gpc1 eq 1", FILTER + "Data type not stored in this table"),
    ("show", "t data.gpc0[0] eq 1", FILTER + "Unknown data type"), ("show", "t data.gpt eq 1", FILTER + "Data type not stored in this table"),
    ("show", "t data.gpc0 xx 1", FILTER + 'Require and operator among "eq", "ne", "le", "ge", "lt", "gt"'),
    ("show", "t data.gpc0 eq", FILTER + "Require a valid integer value to compare against"),
    ("show", "t data.gpc0 eq z", FILTER + "Require a valid integer value to compare against"),
    ("show", "t data.gpc0 eq 1 junk", "Filter entry #2: Unknown data type"),
    ("show", "t" + " data.gpc0 ge 0" * 4 + " data.gpc0 lt 99", "Detected extra data in filter, 16th word of input, after '0'"),
    ("set", "", 'Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> [data.<store_data_type> <value>]*'),
    ("set", "t foo", 'Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> [data.<store_data_type> <value>]*'),
    ("set", "t data.gpc0 3", 'content-based lookup is only supported with the "show" and "clear" actions'),
    ("set", "t key", "Key value expected"), ("set", "t key x", "Invalid key"),
    ("set", "t key 1.1.1.1 data.foo 1", "Unknown data type"), ("set", "t key 1.1.1.1 data.gpc1 1", "Data type not stored in this table"),
    ("set", "t key 1.1.1.1 foo 1", '"data.<type>" followed by a value expected'),
    ("set", "t key 1.1.1.1 data.gpc0", "Require a valid integer value to store"),
    ("set", "t key 1.1.1.1 data.gpc0 x", "Require a valid integer value to store"),
    ("set", "t key 1.1.1.1 data.gpc0 ٣", "Require a valid integer value to store"),
    ("clear", "", 'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key> or <table> ptr <ptr>'),
    ("clear", "t foo", 'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key> or <table> ptr <ptr>'),
    ("clear", "t data.gpc0", FILTER + 'Require and operator among "eq", "ne", "le", "ge", "lt", "gt"'),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "words", "told"), REFUSED)
def test_refused_commands(verb: str, words: str, told: str) -> None:
    handler = {"show": show_table, "set": set_table, "clear": clear_table}[verb]
    answer = handler(session(table("ip", Stored("gpc0"))), words.split())
    assert isinstance(answer, Told) and answer.text == told


def test_binary_keys_cannot_be_written() -> None:
    made = table("binary")
    made.native.obtain(made.pack(b"ab"))
    for verb, handler in (
        ("Showing keys from", show_table),
        ("Inserting keys into", set_table),
        ("Removing keys from", clear_table),
    ):
        told = f"{verb} tables of type other than ip, ipv6, string and integer is not supported"
        assert said(handler(session(made), ["t", "key", "ab"])) == told


def test_many_entries() -> None:
    made = table("integer", size=10_000)
    for number in range(MANY + 1):
        made.native.obtain(made.pack(number))
    answer = show_table(session(made), ["t"])
    assert isinstance(answer, Long)
    assert sum(1 for _ in answer.pieces) == MANY + 2
    assert said(show_table(session(made), ["t", "key", "5"])).count("\n") == 2
    cleared = clear_table(session(made), ["t"])
    assert isinstance(cleared, Long) and made.native.used == MANY + 1  # nothing is done at once
    assert "".join(cleared.pieces) == "" and made.native.used == 0
