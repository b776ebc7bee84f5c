"""Commands of the anonymised mode: names in answers are replaced by a hash of them with a key."""

from __future__ import annotations

import random
from collections.abc import Sequence

from evener.haproxy.anonymous import Anonymous
from evener.haproxy.runtime.frontends import leading_number
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command

_RANGE = Told("Value out of range (1 to 4294967295 expected).")


@command("show anon", "show anon", ok=("show anon",), bad=("show anons",))
def show_anon(session: Session, _words: Sequence[str]) -> Answer:
    """display the current state of anonymized mode"""
    if not session.anonymous:
        return "Anonymized mode disabled\n"
    return f"Anonymized mode enabled\nKey : {session.anonymous}\n"


@command("set anon on", "set anon on [value]", ok=("set anon on", "set anon on 5"), bad=("set anon on x",))
def set_anon_on(session: Session, words: Sequence[str]) -> Answer:
    """activate the anonymized mode"""
    if not words:
        session.anonymous = session.control.anonymous_key or random.getrandbits(32) or 1
        return None
    key = leading_number(words[0])
    if not 0 < key <= 0xFFFFFFFF:
        return _RANGE
    session.anonymous = key
    return None


@command("set anon off", "set anon off", ok=("set anon off",), bad=("set anon",))
def set_anon_off(session: Session, _words: Sequence[str]) -> Answer:
    """deactivate the anonymized mode"""
    session.anonymous = 0
    return None


@command(
    "set anon global-key",
    "set anon global-key <value>",
    level=Level.ADMIN,
    ok=("set anon global-key 5",),
    bad=("operator;set anon global-key 5",),
)
def set_anon_global_key(session: Session, words: Sequence[str]) -> Answer:
    """change the global anonymizing key"""
    key = leading_number(words[0]) if words else 0
    session.control.anonymous_key = key & 0xFFFFFFFF
    return None


@command("debug dev hash", "debug dev hash   [msg]", ok=("debug dev hash a",), bad=("debug dev hashes a",))
def debug_dev_hash(session: Session, words: Sequence[str]) -> Answer:
    """return msg hashed if anon is set"""
    return hidden(session, words[0] if words else "") + "\n"


def hidden(session: Session, name: str) -> str:
    """The name as this session may see it."""
    return Anonymous(session.anonymous).hashed(name) if session.anonymous else name
