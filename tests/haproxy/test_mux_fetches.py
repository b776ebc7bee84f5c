"""What is told of multiplexing where there is none; and the packet that began a connection."""

import socket

import pytest
from samples import txn, value

from evener.haproxy.fetches.mux import TCP_SAVED_SYN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fc_err_str", b"Success"),
        ("fc_err_name", None),
        ("fc_glitches", 0),
        ("fc_settings_streams_limit", 1),
        ("fs.id", b"0"),
        ("fs.rst_code", None),
        ("bc_glitches", None),
        ("bc_settings_streams_limit", None),
        ("bs.id", None),
        ("bs.rst_code", None),
    ],
)
def test_without_a_server(name: str, expected: object) -> None:
    assert value(name) == expected


def test_the_first_packet_is_read_from_the_client_s_socket() -> None:
    here = txn()
    asked: list[tuple[object, ...]] = []

    def get_option(*words: object) -> bytes:
        asked.append(words)
        return bytes.fromhex("4500003c")

    here.get_option = get_option  # type: ignore[method-assign]
    assert value("fc_saved_syn,hex", here) == b"4500003C"
    assert asked == [(False, socket.IPPROTO_TCP, TCP_SAVED_SYN, 512)]
