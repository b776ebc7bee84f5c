"""The lines of static_rules and virtual_rules: routing rules in the words of ip-rule(8).

Like ``routes``: the words are kept for printing, and the ``Rule`` they amount to stands beside them. A rule
without a preference gets one, counted down from 16384 through the whole configuration, as in the original.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import field
from typing import Any

from evener.keepalived.arguments import Value
from evener.keepalived.line import quoted
from evener.keepalived.numbers import INT_MAX, UINT_MAX, whole
from evener.keepalived.route_words import (
    FAMILIES,
    TYPES,
    c_number,
    named_number,
    no_number,
    realms,
    said_prefix,
)
from evener.keepalived.vrrp.plan_routes import (
    FR_ACT_BLACKHOLE,
    FR_ACT_GOTO,
    FR_ACT_NOP,
    FR_ACT_PROHIBIT,
    FR_ACT_TO_TBL,
    FR_ACT_UNREACHABLE,
    RTPROT_KEEPALIVED,
    Rule,
)
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import BadArgument, Cursor

MIXED = "rule specification has mixed IPv4 and IPv6"
SEVERAL = "Cannot specify more than one of table/nop/goto/blackhole/prohibit/unreachable/l3mdev for rule"
ACTIONS = {
    "blackhole": FR_ACT_BLACKHOLE,
    "unreachable": FR_ACT_UNREACHABLE,
    "prohibit": FR_ACT_PROHIBIT,
    "nop": FR_ACT_NOP,
}
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "sctp": 132}
PORT_MAX = 65535


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule as written, and as it is set."""

    words: tuple[str, ...]
    rule: Rule
    track_group: str | None = None
    at: Span | None = field(default=None, compare=False, repr=False)


class Draft:
    """A rule while its words are read."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.context: Any = cursor.context
        self.family = 0
        self.action = 0
        self.fields: dict[str, Any] = {}
        self.attributes: dict[str, int] = {}
        self.ranges: list[tuple[str, int, int]] = []
        self.of_tables = False
        self.track_group: str | None = None

    def refuse(self, message: str) -> BadArgument:
        return self.cursor.bad("bad-rule", message)

    def warn(self, message: str) -> None:
        self.context.alert("rule-option", message, self.cursor.span())

    def number(self, text: str, highest: int) -> int | None:
        value = c_number(text, highest)
        if value is None:
            self.no_number(text)
        return value

    def no_number(self, text: str) -> None:
        message = no_number(text)
        if message:
            self.warn(message)

    def belongs(self, family: int, message: str = MIXED) -> None:
        if family and self.family and family != self.family:
            raise self.refuse(message)
        self.family = self.family or family

    def act(self, action: int) -> None:
        if self.action:
            raise self.refuse(SEVERAL)
        self.action = action


def _family(draft: Draft, word: str) -> None:
    other = "IPv4" if word == "inet6" else "IPv6"
    draft.belongs(int(FAMILIES[word]), f"{word} specified for {other} rule")
    if draft.cursor.more:  # the original passes over the word behind it, whatever it is
        draft.cursor.take()


def _prefix(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    found = said_prefix(draft.cursor, text)
    if found is None:
        raise draft.refuse(f"Invalid rule {word} address {text}")
    draft.belongs(found[1])
    draft.fields["source" if word == "from" else "destination"] = found[0]


def _table(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    value = named_number(draft.context, "rt_tables", text)
    if value is None:
        raise draft.refuse(f"Routing table {text} not found for rule")
    if value == 0 and c_number(text, 0) == 0:
        raise draft.refuse("Table 0 is not valid")
    draft.fields["table"] = value
    draft.act(FR_ACT_TO_TBL)


def _preference(draft: Draft, word: str) -> None:
    value = draft.number(draft.cursor.take(), UINT_MAX)
    if value is None:
        raise draft.refuse(f"Invalid rule preference {word} specified")
    draft.attributes["PRIORITY"] = value


def _tos(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    value = named_number(draft.context, "rt_dsfield", text)
    if value is None:
        raise draft.refuse(f"TOS value {text} is invalid")
    draft.fields["tos"] = value


def _fwmark(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    mark, slash, mask = text.partition("/")
    values = [c_number(part, UINT_MAX) for part in ((mark, mask) if slash else (mark,))]
    if any(value is None for value in values):
        raise draft.refuse(f"Invalid rule fwmark {text} specified")
    for name, value in zip(("FWMARK", "FWMASK"), values, strict=False):
        draft.attributes[name] = value or 0


def _realms(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    value = realms(draft.context, text)
    if value is None:
        raise draft.refuse(f"invalid realms {text} for rule")
    draft.belongs(int(socket.AF_INET), "realms is only valid for IPv4")
    draft.attributes["FLOW"] = value
    draft.of_tables = True


def _suppress(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    code, _, number = whole(text, 0, INT_MAX)
    if code:
        draft.no_number(text)
        raise draft.refuse(f"Invalid suppress_prefixlength {word} specified")
    draft.attributes["SUPPRESS_PREFIXLEN"] = number
    draft.of_tables = True


def _suppress_group(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    value = named_number(draft.context, "group", text)
    if value is None:
        raise draft.refuse(f"suppress_group {text} is invalid")
    draft.attributes["SUPPRESS_IFGROUP"] = value
    draft.of_tables = True


def _device(draft: Draft, word: str) -> None:
    name = draft.cursor.take()
    if draft.context.misses(name):
        raise draft.refuse(f"WARNING - interface {name} for rule doesn't exist")
    draft.fields["output_device" if word == "oif" else "input_device"] = name


def _tunnel(draft: Draft, word: str) -> None:
    value = draft.number(draft.cursor.take(), 2**64 - 1)
    if value is None:
        raise draft.refuse(f"Invalid tunnel-id {word} specified")
    draft.attributes["TUN_ID"] = value


def _range(name: str, highest: int, complaint: str, fatal: bool) -> Callable[[Draft, str], None]:
    def read(draft: Draft, word: str) -> None:
        text = draft.cursor.take()
        first, dash, last = text.partition("-")
        ends = [whole(part, 0, highest) for part in (first, last)]
        if not dash or any(code for code, _, _ in ends):
            message = complaint.format(text=text, word=word)
            if fatal:
                raise draft.refuse(message)
            draft.warn(message)
            return
        draft.ranges.append((name, ends[0][2], ends[1][2]))

    return read


def _l3mdev(draft: Draft, word: str) -> None:
    if draft.action:
        raise draft.refuse("Cannot specify l3mdev with other action")
    draft.attributes["L3MDEV"] = 1
    draft.act(FR_ACT_TO_TBL)


def _protocol(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    code, _, number = whole(text, 0, 255)
    if code:
        draft.no_number(text)
        draft.warn(f"Invalid protocol {text}")
    else:
        draft.attributes["PROTOCOL"] = number


def _ip_protocol(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    value = PROTOCOLS.get(text.lower(), c_number(text, 255))
    if value is None:
        draft.warn(f"Invalid ipproto {text}")
    else:
        draft.attributes["IP_PROTO"] = value


def _goto(draft: Draft, word: str) -> None:
    value = draft.number(draft.cursor.take(), UINT_MAX)
    if value is None:
        raise draft.refuse(f"Invalid target {word} specified")
    draft.attributes["GOTO"] = value
    draft.act(FR_ACT_GOTO)


def _set(name: str, value: Any) -> Callable[[Draft, str], None]:
    def read(draft: Draft, word: str) -> None:
        draft.fields[name] = value

    return read


WORDS: dict[str, Callable[[Draft, str], None]] = {
    "inet": _family, "inet6": _family, "from": _prefix, "to": _prefix, "table": _table, "lookup": _table,
    "not": _set("inverted", True), "preference": _preference, "order": _preference, "priority": _preference,
    "tos": _tos, "dsfield": _tos, "fwmark": _fwmark, "realms": _realms, "suppress_prefixlength": _suppress,
    "sup_pl": _suppress, "suppress_ifgroup": _suppress_group, "sup_group": _suppress_group,
    "dev": _device, "iif": _device, "oif": _device, "tunnel-id": _tunnel, "l3mdev": _l3mdev,
    "uidrange": _range("UID_RANGE", UINT_MAX, "Invalid uidrange {word} specified", fatal=True),
    "sport": _range("SPORT_RANGE", PORT_MAX, "invalid sport range {text}", fatal=False),
    "dport": _range("DPORT_RANGE", PORT_MAX, "invalid dport range {text}", fatal=False),
    "protocol": _protocol, "ipproto": _ip_protocol, "goto": _goto, "no_track": _set("tracked", False),
}  # fmt: skip


class RuleLine(Value):
    """A routing rule in the words of ip-rule(8)."""

    usage = "[not] [from <IPADDR>[/<MASK>]] [to <IPADDR>[/<MASK>]] [table <TABLE>] [preference <NUMBER>] ..."
    good = (
        "from 10.0.0.0/24 table 100 preference 100",
        "to 10.0.0.0/24 fwmark 5/7 goto 90 preference 80",
        "iif eth0 sport 10-20 ipproto udp blackhole preference 5",
    )
    bad = (
        "from foo",
        "to 10.0.0.0/33",
        "from 10.0.0.0/24 preference 9",
        "from 10.0.0.0/24 table 7",
        "table 0",
    )

    def __init__(self, static: bool = False) -> None:
        self.static = static

    def read(self, cursor: Cursor) -> RuleEntry:
        start = cursor.index
        draft = Draft(cursor)
        while cursor.more:
            word = cursor.take()
            if word == "type":
                word = cursor.take()
            if word == "track_group" and self.static:
                self._track_group(draft)
            elif word in WORDS:
                WORDS[word](draft, word)
            elif word in ACTIONS:
                draft.act(ACTIONS[word])
            else:
                what = "Invalid rule action" if word in TYPES else "Unknown rule option"
                raise draft.refuse(f"{what} {word}")
        return _finish(draft, tuple(cursor.words[start:]), cursor.line.span(start))

    @staticmethod
    def _track_group(draft: Draft) -> None:
        name = draft.cursor.take()
        if not draft.context.knows("track_group", name):
            draft.warn(f"track_group {name} not found")
        else:
            draft.track_group = name

    def words(self, value: RuleEntry) -> list[str]:
        return [quoted(word) for word in value.words]


def _finish(draft: Draft, words: tuple[str, ...], at: Span) -> RuleEntry:
    attributes = draft.attributes
    if draft.action == FR_ACT_GOTO:
        target = attributes["GOTO"]
        if "PRIORITY" not in attributes:
            raise draft.refuse(f"Invalid rule - goto target {target} specified without preference")
        if attributes["PRIORITY"] >= target:
            raise draft.refuse(f"Invalid rule - preference {attributes['PRIORITY']} >= goto target {target}")
    if not draft.action:
        raise draft.refuse("No action specified for rule - ignoring")
    if draft.action != FR_ACT_TO_TBL and draft.of_tables:
        raise draft.refuse("suppressor/realm specified for non table action - skipping")
    _protocol_of_ours(draft)
    if draft.track_group is not None and "input_device" not in draft.fields:
        draft.warn("Static rule cannot have track_group if dev/iif not specified")
        draft.track_group = None
    family = draft.family or int(socket.AF_INET)
    if "PRIORITY" not in attributes:
        attributes["PRIORITY"] = draft.context.next_rule_preference(family)
        draft.warn(
            f"Rule has no preference specified - setting to {attributes['PRIORITY']}."
            " This is probably not what you want."
        )
    rule = Rule(
        family=family,
        action=draft.action,
        attributes=tuple(sorted(attributes.items())),
        ranges=tuple(draft.ranges),
        text=" ".join(words),
        **draft.fields,
    )
    return RuleEntry(words, rule, draft.track_group, at)


def _protocol_of_ours(draft: Draft) -> None:
    """What is tracked has to be recognised as ours in the kernel's reports."""
    if not draft.fields.get("tracked", True):
        return
    if draft.attributes.get("PROTOCOL", RTPROT_KEEPALIVED) != RTPROT_KEEPALIVED:
        draft.warn(
            "Rule cannot be tracked if protocol is not RTPROT_KEEPALIVED"
            f"({RTPROT_KEEPALIVED}), resetting protocol"
        )
    draft.attributes["PROTOCOL"] = RTPROT_KEEPALIVED
