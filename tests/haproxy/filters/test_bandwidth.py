"""A limit that several streams share by the entry of a stick table."""

from evener.cli.assemble import make_table
from evener.haproxy.filters.bandwidth import Shared
from evener.haproxy.sections.stick_values import StickTable
from evener.haproxy.stick_data import Stored, lay_out
from evener.haproxy.stick_table import Table


def shared(table: Table, key: bytes, limit: int, least: int = 0) -> Shared:
    cell = table.layout.find("bytes_out_rate")
    assert cell is not None
    return Shared(table.native.obtain(table.pack(key)), cell, limit, least)


def test_streams_share_by_their_key() -> None:
    ir = StickTable("string", 10, store=(Stored("bytes_out_rate", period=60_000),))
    table = Table("t", ir, lay_out(ir.store))
    table.native = make_table(table)
    one, two, other = shared(table, b"a", 1000), shared(table, b"a", 1000, 100), shared(table, b"b", 1000)
    assert one.push(b"x" * 950, False, 0) == b"x" * 950 and not one.held
    assert two.push(b"y" * 950, False, 0) == b""  # 50 are left, and it never sends so few
    assert two.held and 1 <= two.wait <= 60_000
    assert one.push(b"z" * 100, True, 0) == b"z" * 50 and one.held
    assert other.push(b"w" * 1200, True, 0) == b"w" * 1000 and other.held
    assert two.more(1000) == b"" and two.kept == b"y" * 950
    two.close()
    assert not two.held
