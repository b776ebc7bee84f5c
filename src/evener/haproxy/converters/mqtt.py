"""Converters of MQTT packets: the CONNECT of a client and the CONNACK of a server (MQTT 3.1, 3.1.1, 5.0).

Only the first packet of the input is looked at. ``mqtt_packet`` takes it apart; here are the words by which
configurations call the packets and their fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.converters.mqtt_packet import CONNACK, CONNECT, BadPacket, Incomplete, read_packet
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN

_TYPES: Final = (
    "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe", "suback",
    "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth",
)  # fmt: skip
_NAMES: Final = {
    CONNECT: (
        "flags protocol_name protocol_version client_identifier will_topic will_payload username password "
        "keepalive 1 2 3 8 9 17 21 22 23 24 25 33 34 38 39"
    ),
    CONNACK: "flags protocol_version reason_code 17 18 19 21 22 26 28 31 33 34 36 37 38 39 40 41 42",
}
_FIELDS: Final = {kind: frozenset(names.split()) for kind, names in _NAMES.items()}
_NUMBERS: Final = {str(number): number for number in range(1, 16)}


def _packet_type(text: str) -> int:
    word = text.lower()
    number = _TYPES.index(word) + 1 if word in _TYPES else _NUMBERS.get(text, 0)
    if not number:
        raise ArgumentError(f"Unknown MQTT type '{text}'")
    return number


def _check(pkt_type: str, fieldname_or_property_ID: str) -> None:
    if fieldname_or_property_ID.lower() not in _FIELDS.get(_packet_type(pkt_type), ()):
        raise ArgumentError(
            f"Unknown MQTT field name '{fieldname_or_property_ID}' for packet type '{pkt_type}'"
        )


@converter("mqtt_is_valid", BIN, Type.BOOL)
def mqtt_is_valid() -> Run:
    """Whether the input is a sound CONNECT or CONNACK packet. Nothing while it is not all there."""

    def run(data: bytes) -> bool | None:
        try:
            read_packet(data)
        except Incomplete:
            return None
        except BadPacket:
            return False
        return True

    return run


@converter("mqtt_field_value", BIN, Type.STR, check=_check,
           ok=["mqtt_field_value(connect,username)", "mqtt_field_value(2,17)"],
           bad=["mqtt_field_value(nope,flags)", "mqtt_field_value(connack,username)"])  # fmt: skip
def mqtt_field_value(pkt_type: str, fieldname_or_property_ID: str) -> Run:
    """A field of an MQTT packet of the given type by its name, or a property of MQTT 5.0 by its number.

    Numbers are given as decimal text. Nothing when the packet is of another type, is wrong, or has no
    such field.
    """
    wanted, name = _packet_type(pkt_type), fieldname_or_property_ID.lower()

    def run(data: bytes) -> bytes | None:
        try:
            packet = read_packet(data)
        except (Incomplete, BadPacket):
            return None
        value = packet.fields.get(name) if packet.type == wanted else None
        if isinstance(value, int):
            return to_bytes(str(value))
        return value

    return run
