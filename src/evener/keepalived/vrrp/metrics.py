"""What a monitoring system asks of the VRRP process, in Prometheus' text format (version 0.0.4).

The names are those of the exporters that read the original's files, so that dashboards go on; dropped packets
are there once more, by the reason why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evener.keepalived.vrrp.router import Member, Router

COUNTERS = (
    ("advertisements_received_total", "advert_rcvd", "Adverts accepted."),
    ("advertisements_sent_total", "advert_sent", "Adverts sent."),
    ("become_master_total", "become_master", "Transitions to master."),
    ("release_master_total", "release_master", "Transitions from master."),
    ("packet_length_errors_total", "packet_len_err", "Packets of a wrong length."),
    ("advertisements_interval_errors_total", "advert_interval_err", "Adverts with another interval."),
    ("ip_ttl_errors_total", "ip_ttl_err", "Packets with a wrong TTL."),
    ("invalid_type_received_total", "invalid_type_rcvd", "Packets that are no adverts."),
    ("address_list_errors_total", "addr_list_err", "Adverts of other addresses."),
    ("authentication_invalid_total", "invalid_authtype", "Adverts with an unknown authentication."),
    ("authentication_mismatch_total", "authtype_mismatch", "Adverts with another authentication."),
    ("authentication_failure_total", "auth_failure", "Adverts with a wrong password."),
    ("priority_zero_received_total", "pri_zero_rcvd", "Adverts of masters that resign."),
    ("priority_zero_sent_total", "pri_zero_sent", "Adverts sent to resign."),
)
REASONS = (
    ("length", "packet_len_err"),
    ("ttl", "ip_ttl_err"),
    ("version", "version_err"),
    ("type", "invalid_type_rcvd"),
    ("checksum", "checksum_err"),
    ("auth_type", "invalid_authtype"),
    ("auth_mismatch", "authtype_mismatch"),
    ("auth_failure", "auth_failure"),
    ("interval", "advert_interval_err"),
    ("address_list", "addr_list_err"),
    ("unknown_source", "unknown_source_err"),
    ("owner", "owner_ignored"),
    ("hmac_missing", "auth_ext_missing"),
    ("hmac_malformed", "auth_ext_malformed"),
    ("hmac_unknown_key", "auth_ext_unknown_key"),
    ("hmac_invalid", "auth_ext_invalid_hmac"),
    ("hmac_stale", "auth_ext_stale"),
    ("hmac_replay", "auth_ext_replay"),
)


def exposition(router: Router, foreign: int) -> str:
    """``foreign``: packets with nobody's VRID."""
    return "".join(f"{line}\n" for line in _lines(router, foreign))


def _lines(router: Router, foreign: int) -> Iterator[str]:
    members = list(router.members.values())
    yield from _family("up", "gauge", "The VRRP process answers.", [("", 1)])
    states = [(_labels(member), int(member.machine.state)) for member in members]
    yield from _family("vrrp_state", "gauge", "0 init, 1 backup, 2 master, 3 fault.", states)
    priorities = [(_labels(member), member.machine.priority) for member in members]
    yield from _family("vrrp_priority", "gauge", "The effective priority.", priorities)
    for name, field, text in COUNTERS:
        values = [(_labels(member), getattr(member.admission.stats, field)) for member in members]
        yield from _family(name, "counter", text, values)
    dropped = [
        (f'{_labels(member)},reason="{reason}"', getattr(member.admission.stats, field))
        for member in members
        for reason, field in REASONS
    ]
    dropped.append(('iname="",intf="",vrid="",reason="vrid"', foreign))
    yield from _family("packets_dropped_total", "counter", "Packets that were of no use.", dropped)
    scripts = [(f'name="{escaped(name)}"', int(bool(record.up))) for name, record in router.scripts.items()]
    yield from _family("script_status", "gauge", "Whether a vrrp_script succeeds.", scripts)


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield f"# HELP keepalived_{name} {text}"
    yield f"# TYPE keepalived_{name} {kind}"
    for labels, number in samples:
        yield f"keepalived_{name}{f'{{{labels}}}' if labels else ''} {number}"


def _labels(member: Member) -> str:
    config = member.machine.config
    return f'iname="{escaped(config.name)}",intf="{escaped(config.interface or "")}",vrid="{config.vrid}"'


def escaped(text: str) -> str:
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
