"""Stick tables as rules, fetches and the runtime API use them: keys made of samples, values by name.

Decides how a sample becomes a key of a table's type (manual section 11.1), how a key is printed and read
back, and what "the value of ``gpc0``" is for a table that may keep it as a number, in an array, or not at
all. The memory behind it is the engine's; whoever compiles a configuration to run gives ``native``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from evener.haproxy.cast import cast, text_to_ipv4, text_to_ipv6, to_bytes
from evener.haproxy.sample import Sample, Type
from evener.haproxy.stick_data import Layout

if TYPE_CHECKING:
    from evener.haproxy.sections.stick_values import StickTable

Read = Callable[[Any], int]
Pack = Callable[[Any], bytes]

TYPES: Final = {
    "ip": Type.IPV4,
    "ipv4": Type.IPV4,
    "ipv6": Type.IPV6,
    "integer": Type.SINT,
    "string": Type.STR,
    "binary": Type.BIN,
}
_FIXED: Final = {Type.IPV4: 4, Type.IPV6: 16, Type.SINT: 4}
LENGTH: Final = 32  #: of strings and binaries, unless said otherwise
_DIGITS: Final = re.compile(r"\s*([-+]?[0-9]+)", re.ASCII)


@dataclass(slots=True, eq=False)
class Table:
    """``want`` is the type to cast samples to; ``pack`` makes the key of a value of that type."""

    name: str
    ir: StickTable
    layout: Layout
    native: Any = None
    want: Type = field(init=False)
    length: int = field(init=False)
    pack: Pack = field(init=False)
    of_any: Callable[[Any], Any] = field(init=False)

    def __post_init__(self) -> None:
        self.want = TYPES[self.ir.type]
        self.length = _FIXED.get(self.want) or self.ir.length or LENGTH
        self.pack = self._packer()
        dynamic = cast(Type.ANY, self.want)
        assert dynamic is not None
        self.of_any = dynamic

    def _packer(self) -> Pack:
        length = self.length
        if self.want is Type.SINT:
            return lambda value: (value & 0xFFFFFFFF).to_bytes(4, "big")
        if self.want is Type.STR:
            return lambda value: value[:length]
        if self.want is Type.BIN:
            return lambda value: value[:length].ljust(length, b"\0")
        return lambda value: value

    def find(self, sample: Sample) -> Any:
        """The entry of a sample of any type; None when there is none, or it cannot be a key."""
        value = self.of_any(sample)
        return None if value is None else self.native.find(self.pack(value))

    def obtain(self, sample: Sample) -> Any:
        value = self.of_any(sample)
        return None if value is None else self.native.obtain(self.pack(value))

    def sample(self, key: bytes) -> Sample:
        """A key as the sample it was made of."""
        return Sample(self.want, int.from_bytes(key, "big") if self.want is Type.SINT else key)

    # -- keys as text, for the runtime API ------------------------------------------------------

    def print_key(self, key: bytes) -> str:
        if self.want is Type.SINT:
            return str(int.from_bytes(key, "big"))
        if self.want is Type.STR:
            return "".join(_escaped(byte) for byte in key)
        if self.want is Type.BIN:
            return key.hex().upper()
        return socket.inet_ntop(socket.AF_INET if len(key) == 4 else socket.AF_INET6, key)

    def read_key(self, text: str) -> bytes | None:
        """The key a user writes; None when it is none."""
        if self.want is Type.SINT:
            match = _DIGITS.match(text)
            number = int(match[1][:21]) if match else 0
            return self.pack(max(-(1 << 63), min(number, (1 << 63) - 1)))
        if self.want is Type.IPV4:
            return text_to_ipv4(to_bytes(text))
        if self.want is Type.IPV6:
            four = text_to_ipv4(to_bytes(text))
            return text_to_ipv6(to_bytes(text)) or (four and b"\0" * 10 + b"\xff\xff" + four)
        return self.pack(to_bytes(text)) if self.want is Type.STR else None

    # -- values ---------------------------------------------------------------------------------

    def reader(self, name: str, index: int | None = None) -> Read | None:
        """What reads a value of an entry; None when the table does not keep it."""
        cell = self.layout.find(name) if index is None else self.layout.element(name, index)
        return None if cell is None else self.native.reader(cell.at, cell.period)

    def adder(self, name: str, index: int | None = None) -> Callable[[Any, int], int] | None:
        """What counts in ``gpc`` and its rate, and gives the new value; None when neither is kept."""
        if index is None:
            counter, rate = self.layout.find(name), self.layout.find(f"{name}_rate")
        else:
            counter, rate = self.layout.element(name, index), self.layout.element(f"{name}_rate", index)
        if counter is None and rate is None:
            return None
        at, rate_at = counter.at if counter else -1, rate.at if rate else -1
        period = rate.period if rate else 0
        return lambda entry, count: entry.add(at, rate_at, period, count)


_NAMED: Final = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


def _escaped(byte: int) -> str:
    """One byte of a string key, so that a line stays a line and a word a word."""
    if chr(byte) in " \\=" or not 32 < byte < 127:
        if byte in _NAMED and byte:
            return _NAMED[byte]
        return f"\\{chr(byte)}" if 32 <= byte < 127 else f"\\x{byte:02X}"
    return chr(byte)


def printable(address: str, port: int) -> str:
    """A server's address as ``srvkey addr`` keeps it."""
    try:
        six = ipaddress.ip_address(address).version == 6
    except ValueError:
        return address
    return f"[{address}]:{port}" if six else f"{address}:{port}"
