"""What the BFD process writes when signals ask: keepalived_bfd.data and keepalived_bfd.json.

The lines of the former are those of the original (without its file descriptors and pointers); the latter is
ours: the original has no JSON for BFD. It counts the packets that were dropped as well.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial

from evener.host.vrrp_dump import dump_directory, write_private
from evener.host.vrrp_json import wall_clock
from evener.host.vrrp_loop import clock
from evener.keepalived.bfd.session import DIAGNOSTIC_TEXT, STATE_TEXT, Session
from evener.keepalived.bfd.sessions import Sessions
from evener.keepalived.described import Lines, told
from evener.keepalived.vrrp.plan import Family, GlobalOptions

DATA_NAME, JSON_NAME = "keepalived_bfd.data", "keepalived_bfd.json"


class Dumps:
    """What the signals of the BFD process do."""

    def __init__(self, sessions: Sessions, settings: Callable[[], Lines], log: Callable[[str], None]) -> None:
        self._sessions, self._settings, self._log = sessions, settings, log

    def data(self) -> None:
        from evener.host.mail import local_name
        from evener.host.script_user import shown_account

        account = partial(shown_account, options=GlobalOptions())
        lines = (*told(self._settings(), account, local_name()), *_data(self._sessions))
        self._write(DATA_NAME, "".join(f"{line}\n" for line in lines))

    def json(self) -> None:
        self._write(JSON_NAME, json.dumps(_document(self._sessions), indent=1) + "\n")

    def clear_statistics(self) -> None:
        self._sessions.dropped.clear()

    def _write(self, name: str, text: str) -> None:
        path = dump_directory() / name
        try:
            write_private(path, text)
        except OSError as error:
            self._log(f"Can't open {path} ({error.errno}: {error.strerror})")


def _data(sessions: Sessions) -> Iterator[str]:
    yield "------< BFD Data >------"
    if sessions.by_name:
        yield "------< BFD Topology >------"
    now = clock()
    for session in sessions.by_name.values():
        yield from _configured(session)
        yield from _standing(session, now)


def _configured(session: Session) -> Iterator[str]:
    config = session.config
    yield f" BFD Instance = {config.name}"
    yield f"   Neighbor IP = {config.neighbour_text}"
    if config.source is not None:
        yield f"   Source IP = {socket.inet_ntop(config.family, config.source)}"
    yield f"   Required min RX interval = {config.min_rx_us} us"
    yield f"   Desired min TX interval = {config.min_tx_us} us"
    yield f"   Desired idle TX interval = {config.idle_tx_us} us"
    yield f"   Detection multiplier = {config.multiplier}"
    yield f"   {'TTL' if config.family is Family.INET else 'hoplimit'} = {config.ttl}"
    yield f"   max_hops = {config.max_hops}"
    yield f"   passive = {'true' if config.passive else 'false'}"
    yield f"   send event to VRRP process = {'Yes' if config.for_vrrp else 'No'}"
    yield f"   send event to checker process = {'Yes' if config.for_checker else 'No'}"


def _standing(session: Session, now: int) -> Iterator[str]:
    """Nothing is known of the other end before it was heard."""
    config, heard = session.config, bool(session.heard_at)
    yield f"   local state = {STATE_TEXT[session.state]}"
    yield f"   remote state = {STATE_TEXT[session.peer_state]}"
    yield f"   local discriminator = 0x{session.discriminator:x}"
    yield f"   remote discriminator = 0x{session.peer_discriminator:x}"
    yield f"   local diag = {DIAGNOSTIC_TEXT[session.diagnostic]}"
    yield f"   remote diag = {DIAGNOSTIC_TEXT[session.peer_diagnostic]}"
    yield f"   remote min tx intv = {session.peer_min_tx_us} us"
    yield f"   remote min rx intv = {session.peer_min_rx_us if heard else 0} us"
    yield "   local demand = 0"
    yield f"   remote demand = {int(session.demanded)}"
    yield f"   remote detect multiplier = {session.peer_multiplier}"
    yield f"   {'' if session.polling else '!'}poll, !final"
    yield f"   local tx intv = {session.tx_us} us"
    yield f"   remote tx intv = {max(config.min_rx_us, session.peer_min_tx_us) if heard else 0} us"
    yield f"   local detection time = {session.detection_us} us"
    yield f"   remote detection time = {config.multiplier * session.tx_us if heard else 0} us"
    yield f"   last seen = {_moment(session.heard_at, now)}" if heard else "   last_seen = [never]"


def _moment(heard_at: int, now: int) -> str:
    wall = wall_clock(heard_at, now)
    return f"{wall:.6f} ({time.ctime(wall)}{f'{wall % 1:.6f}'[1:]})"


def _document(sessions: Sessions) -> dict[str, object]:
    now = clock()
    return {
        "sessions": [
            {
                "name": session.config.name,
                "neighbour": session.config.neighbour_text,
                "state": STATE_TEXT[session.state],
                "remote_state": STATE_TEXT[session.peer_state],
                "diagnostic": DIAGNOSTIC_TEXT[session.diagnostic],
                "remote_diagnostic": DIAGNOSTIC_TEXT[session.peer_diagnostic],
                "tx_interval_us": session.tx_us,
                "detection_time_us": session.detection_us,
                "last_heard_us_ago": now - session.heard_at if session.heard_at else None,
            }
            for session in sessions.by_name.values()
        ],
        "dropped": dict(sessions.dropped),
    }
