"""DBus messages, against another implementation (jeepney) and against rubbish."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import jeepney
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney.low_level import Endianness, Parser

from evener.wire.dbus import (
    HEAD_BYTES,
    Kind,
    Malformed,
    Message,
    Variant,
    auth_line,
    body,
    decode,
    encode,
    is_bus_name,
    size_of,
    unix_addresses,
)


def theirs(signature: str, values: tuple[Any, ...], order: Endianness = Endianness.little) -> bytes:
    address = jeepney.DBusAddress("/a/b_1", ":1.7", "org.example.I")
    message = jeepney.new_method_call(address, "Do", signature or None, values)
    message.header.fields[jeepney.HeaderFields.sender] = ":1.9"
    message.header.endianness = order
    return message.serialise(77)


@pytest.mark.parametrize("order", list(Endianness))
def test_what_another_writes_is_read(order: Endianness) -> None:
    data = theirs("ssu", ("one", "zw\u00f6lf", 3), order)
    message = decode(data)
    assert size_of(data[:HEAD_BYTES]) == len(data)
    assert (message.kind, message.serial, message.no_reply) == (Kind.CALL, 77, False)
    assert (message.path, message.interface, message.member) == ("/a/b_1", "org.example.I", "Do")
    assert (message.destination, message.sender, message.signature) == (":1.7", ":1.9", "ssu")
    assert message.words() == ("one", "zw\u00f6lf")
    assert decode(theirs("u", (4,), order)).number() == 4


VALUES = {
    "": (),
    "s": ("text",),
    "su": ("text", 4294967295),
    "v": (Variant("(us)", (2, "Master")),),
    "a{sv}": ({"Name": Variant("(s)", ("VI_1",)), "State": Variant("(us)", (1, "Backup"))},),
    "sa{sv}o": ("x", {}, "/a"),
}


@pytest.mark.parametrize("signature", VALUES)
def test_what_is_written_another_reads(signature: str) -> None:
    values = VALUES[signature]
    message = Message(
        Kind.SIGNAL,
        5,
        "/a",
        "org.b.C",
        "D",
        signature=signature,
        body=body(signature, *values),
        no_reply=True,
    )
    data = encode(message)
    (read,) = Parser().feed(data)
    fields = read.header.fields
    assert read.header.message_type is jeepney.MessageType.signal
    assert (read.header.serial, int(read.header.flags)) == (5, 1)
    names = jeepney.HeaderFields
    assert (fields[names.path], fields[names.interface], fields[names.member]) == ("/a", "org.b.C", "D")
    assert read.body == values
    assert decode(data) == message


def test_an_answer() -> None:
    error = Message(
        Kind.ERROR, 9, error="org.x.E", reply_to=3, destination=":1.2", signature="s", body=body("s", "no")
    )
    (read,) = Parser().feed(encode(error))
    fields = read.header.fields
    assert fields[jeepney.HeaderFields.error_name] == "org.x.E"
    assert fields[jeepney.HeaderFields.reply_serial] == 3
    assert fields[jeepney.HeaderFields.destination] == ":1.2"
    assert read.body == ("no",)


@given(st.integers(0, 200), st.binary(max_size=12))
def test_rubbish_is_malformed(where: int, rubbish: bytes) -> None:
    data = bytearray(theirs("ss", ("one", "two")))
    data[where : where + len(rubbish)] = rubbish
    with suppress(Malformed):
        size_of(bytes(data[:HEAD_BYTES].ljust(HEAD_BYTES, b"\0")))
        message = decode(bytes(data))
        message.words()
        message.number()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 16,
        b"l\1\0\2" + bytes(12),  # another version
        b"l\1\0\1\xff\xff\xff\xff" + bytes(8),  # more than anybody may send
        b"l\1\0\1" + bytes(8) + b"\x10\0\0\0" + b"\x01\2()\0" + bytes(11),  # an empty structure
        b"l\1\0\1" + bytes(8) + b"\x08\0\0\0" + b"\x05\1s\0\0\0\0\0\0",  # a serial that is a string
    ],
)
def test_no_message(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def test_a_container_is_never_looked_into() -> None:
    """Sixty variants in each other, and an array of nothing: both are legal, and cost nothing."""
    deep: Any = ("s", "x")
    for _ in range(60):
        deep = ("v", deep)
    message = decode(theirs("sv", ("first", deep)))
    assert message.words() == ("first",)
    assert decode(theirs("as", (["a"] * 1000,))).words() == ()


def test_connecting() -> None:
    assert auth_line(1000) == b"\0AUTH EXTERNAL 31303030\r\n"
    text = "tcp:host=a,port=1;unix:path=/run/a%20b,guid=1;unix:abstract=/x;unix:tmpdir=/tmp;rubbish"
    assert unix_addresses(text) == ["/run/a b", "\0/x"]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("org.keepalived.Vrrp1", True),
        ("a.b-c._d", True),
        ("nodots", False),
        ("a.1b", False),
        (":1.5", False),
        ("a..b", False),
        ("a.b\n", False),
        ("a." + "b" * 254, False),
        ("", False),
    ],
)
def test_names(text: str, good: bool) -> None:
    assert is_bus_name(text) is good
