"""Fetches of what a PROXY protocol header says besides addresses (manual section 7.3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.sample import Many, Source, Type, fetch

Run = Callable[[Any], Any]

#: The names of known fields, of section 2.2 of the protocol's specification.
NAMES: Final = {
    "alpn": 0x01, "authority": 0x02, "crc32c": 0x03, "noop": 0x04, "unique_id": 0x05, "ssl": 0x20,
    "ssl_version": 0x21, "ssl_cn": 0x22, "ssl_cipher": 0x23, "ssl_sig_alg": 0x24, "ssl_key_alg": 0x25,
    "netns": 0x30,
}  # fmt: skip


def kind_of(text: str) -> int | None:
    """The number of a field, by name or as C writes numbers; None for anything else."""
    named = NAMES.get(text.lower())
    if named is not None:
        return named
    digits, base = (text[2:], 16) if text[:2] in ("0x", "0X") else (text, 8 if text[:1] == "0" else 10)
    allowed = "0123456789abcdefABCDEF"[: {8: 8, 10: 10, 16: 22}[base]]
    if not digits or len(digits) > 8 or any(digit not in allowed for digit in digits):
        return None
    return int(digits, base)


def _check(id: str) -> None:
    kind = kind_of(id)
    if kind is None:
        raise ArgumentError(f"Could not convert type '{id}'")
    if kind > 255:
        raise ArgumentError(f"Invalid TLV Type '{id}'")


def _all(kind: int) -> Many:
    def values(txn: Any) -> list[bytes]:
        return [value for found, value in txn.pp_fields or () if found == kind]

    def run(txn: Any) -> bytes | None:
        found = values(txn)
        return found[0] if found else None

    return Many(run, values)


@fetch(
    "fc_pp_tlv",
    Type.STR,
    Source.CLIENT_CONNECTION,
    check=_check,
    ok=["fc_pp_tlv(0xE1)", "fc_pp_tlv(AUTHORITY)"],
    bad=["fc_pp_tlv", "fc_pp_tlv(256)", "fc_pp_tlv(what)"],
)
def fc_pp_tlv(id: str) -> Many:
    """The fields of that number or name in the client's PROXY header; ACLs look at every one."""
    return _all(kind_of(id) or 0)


@fetch("fc_pp_authority", Type.STR, Source.CLIENT_ADDRESS)
def fc_pp_authority() -> Run:
    """The name the client asked for, as its PROXY header says."""
    return _all(NAMES["authority"]).run


@fetch("fc_pp_unique_id", Type.STR, Source.CLIENT_ADDRESS)
def fc_pp_unique_id() -> Run:
    """The identifier the sender of the PROXY header has given the connection."""
    return _all(NAMES["unique_id"]).run
