"""How virtual servers are named: by address, by firewall mark, or by group."""

from __future__ import annotations

from evener.keepalived.arguments import Address, Value, address
from evener.keepalived.line import quoted
from evener.keepalived.numbers import INT_MAX, whole
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor


@dataclass(frozen=True, slots=True)
class ServerId:
    """Exactly one of ``address``, ``fwmark`` and ``group`` is set."""

    address: Address | None = None
    port: int = 0
    fwmark: int | None = None
    group: str | None = None

    def words(self) -> list[str]:
        if self.group is not None:
            return ["group", quoted(self.group)]
        if self.fwmark is not None:
            return ["fwmark", str(self.fwmark)]
        return [str(self.address), *([str(self.port)] if self.port else [])]


class ServerName(Value):
    """``IPADDR [PORT]``, ``fwmark N`` or ``group NAME``."""

    usage = "<IPADDR> [<PORT>]|fwmark <INTEGER>|group <STRING>"
    good = ("10.0.0.5 80", "fwmark 5", "group web")
    bad = ("", "10.0.0.500 80", "10.0.0.5 70000")

    def read(self, cursor: Cursor) -> ServerId:
        word = cursor.take()
        if word == "group":
            return ServerId(group=cursor.take())
        if word == "fwmark":
            mark = cursor.take()
            code, message, number = whole(mark, 1, INT_MAX)
            if code:
                raise cursor.bad(code, message)
            return ServerId(fwmark=number)
        port = cursor.take() if cursor.more else "0"
        made = address(word)
        code, message, number = whole(port, 0 if port == "0" else 1, 65535)
        if code:
            cursor.context.alert(code, message, cursor.span())
        if code or made is None:
            shown = f"IP address/port {word}/{port}" if port.strip("0") else f"IP address {word}"
            raise cursor.bad("bad-address", f"Invalid virtual server {shown} - skipping")
        return ServerId(made, number)

    def words(self, value: ServerId) -> list[str]:
        return value.words()
