"""Commands about dynamic cookies: the values that servers get from a secret and their addresses."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.commands import SetCookies
from evener.haproxy.persistence import value_of
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.server_state import Farm, Server


def _farm(session: Session, words: Sequence[str]) -> Farm | Told:
    if not words:
        return Told("A backend name is expected.")
    return session.control.fleet.farm(words[0]) or Told("No such backend.")


def cookie_of(server: Server, secret: str | None) -> bytes | None:
    return value_of(server.plan.ir.options.cookie, secret, server.address, server.port)


def _settle(session: Session, farm: Farm) -> None:
    """Give the servers their values; without a secret those of their lines."""
    proxy: Proxy = farm.plan.ir
    said = proxy.persistence
    if said.cookie is None:
        return
    dynamic = "dynamic" in said.cookie.flags if farm.dynamic_cookies is None else farm.dynamic_cookies
    key = said.dynamic_cookie_key if farm.cookie_secret is None else farm.cookie_secret
    secret = key if dynamic else None
    values = tuple((server.plan.index, cookie_of(server, secret)) for server in farm.servers)
    session.control.perform([SetCookies(farm.plan.index, values)])


@command(
    "enable dynamic-cookie backend",
    "enable dynamic-cookie backend <bk>",
    level=Level.ADMIN,
    ok=("enable dynamic-cookie backend b",),
    bad=("enable dynamic-cookie backend", "enable dynamic-cookie backend none"),
)
def enable_dynamic_cookie(session: Session, words: Sequence[str]) -> Answer:
    """enable dynamic cookies on a specific backend"""
    return _switch(session, words, True)


@command(
    "disable dynamic-cookie backend",
    "disable dynamic-cookie backend <bk>",
    level=Level.ADMIN,
    ok=("disable dynamic-cookie backend b",),
    bad=("disable dynamic-cookie backend", "disable dynamic-cookie backend none"),
)
def disable_dynamic_cookie(session: Session, words: Sequence[str]) -> Answer:
    """disable dynamic cookies on a specific backend"""
    return _switch(session, words, False)


def _switch(session: Session, words: Sequence[str], dynamic: bool) -> Answer:
    farm = _farm(session, words)
    if isinstance(farm, Told):
        return farm
    farm.dynamic_cookies = dynamic
    _settle(session, farm)
    return None


@command(
    "set dynamic-cookie-key backend",
    "set dynamic-cookie-key backend <bk> <k>",
    level=Level.ADMIN,
    ok=("set dynamic-cookie-key backend b secret",),
    bad=("set dynamic-cookie-key backend", "set dynamic-cookie-key backend b"),
)
def set_dynamic_cookie_key(session: Session, words: Sequence[str]) -> Answer:
    """change a backend secret key for dynamic cookies"""
    farm = _farm(session, words)
    if isinstance(farm, Told):
        return farm
    if len(words) < 2:
        return Told("String value expected.")
    farm.cookie_secret = words[1]
    _settle(session, farm)
    return None
