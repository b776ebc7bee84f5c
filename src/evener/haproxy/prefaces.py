"""What connections to a server begin with: the PROXY header that tells it who the client is.

Decides, from the options of a server line, which version is sent and which fields it has; a header speaks
of the addresses as rules left them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.haproxy.logformat import compile_raw
from evener.haproxy.notes import notes
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.server import ServerOptions
from evener.wire import proxy_protocol

Preface = Callable[[Any], bytes]
Field = tuple[int, Callable[[Any], bytes | None]]


def preface(options: ServerOptions, env: CompileEnv) -> Preface | None:
    """What a connection begins with; None when that is the client's business."""
    wanted = options.proxy_v2_options or ()
    fields = own_fields(options, env) + named_fields(wanted)
    if options.send_proxy_v2 or (wanted and not options.send_proxy):
        return lambda txn: proxy_protocol.second(*addresses(txn), values(txn, fields))
    if options.send_proxy:
        return lambda txn: proxy_protocol.first(*addresses(txn))
    return None


def addresses(txn: Any) -> tuple[bytes, int, bytes, int]:
    return txn.src_ip, txn.src_port, txn.dst_ip, txn.dst_port


def own_fields(options: ServerOptions, env: CompileEnv) -> list[Field]:
    """``set-proxy-v2-tlv-fmt``, in the order of the line."""
    return [
        (field.kind, compile_raw(field.format, env) if field.format is not None else lambda txn: b"")
        for field in options.proxy_fields
    ]


def named_fields(wanted: Sequence[str]) -> list[Field]:
    """Those of ``proxy-v2-options`` that do not speak of TLS, in the order in which they are sent."""
    known: list[tuple[str, Field]] = [
        ("crc32c", (proxy_protocol.CRC32C, lambda txn: b"")),
        ("authority", (proxy_protocol.AUTHORITY, authority)),
        ("unique-id", (proxy_protocol.UNIQUE_ID, unique_id)),
    ]
    return [field for name, field in known if name in wanted]


def values(txn: Any, fields: Sequence[Field]) -> list[tuple[int, bytes]]:
    return [(kind, value) for kind, make in fields if (value := make(txn)) is not None]


def authority(txn: Any) -> bytes | None:
    """Passed on from the client's own PROXY header."""
    return next((value for kind, value in txn.pp_fields or () if kind == proxy_protocol.AUTHORITY), None)


def unique_id(txn: Any) -> bytes | None:
    """The identifier of the stream, made now if nobody has asked for it yet."""
    found = notes(txn)
    if found.unique_id is None:
        make = getattr(txn.frontend.plan, "unique_id", None)
        if make is None:
            return None
        found.unique_id = make(txn)
    return found.unique_id
