"""Fetches of message bodies and of credentials (manual section 7.3.6).

A body is what is buffered when the rule runs: ``option http-buffer-request`` or ``wait-for-body`` make it
whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import UserList
from evener.haproxy.cast import to_bytes
from evener.haproxy.credentials import credentials
from evener.haproxy.filters.state import known_state
from evener.haproxy.messages import parameters
from evener.haproxy.sample import Many, Place, Source, Type, fetch
from evener.haproxy.sample_planned import declare_planned_fetches
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_REQUEST: Final = Source.REQUEST_HEADERS
_RESPONSE: Final = Source.RESPONSE_HEADERS
_HEADERS: Final = Source.REQUEST_HEADERS


def _size(response: bool) -> Run:
    def run(txn: Any) -> int:
        announced = (txn.res if response else txn.req).get(b"content-length")
        if announced is not None and announced.isdigit():
            return int(announced)
        return len(txn.body())

    return run


def _declare(prefix: str, source: Source, response: bool) -> None:
    @fetch(f"{prefix}body", Type.BIN, source)
    def body() -> Run:
        """What is buffered of the body."""
        return lambda txn: txn.body() or None

    @fetch(f"{prefix}body_len", Type.SINT, source)
    def body_len() -> Run:
        """How much of the body is buffered."""
        return lambda txn: len(txn.body())

    @fetch(f"{prefix}body_size", Type.SINT, source)
    def body_size() -> Run:
        """The announced size of the body, what is buffered when none was announced."""
        return _size(response)


_declare("req.", _REQUEST, False)
_declare("res.", _RESPONSE, True)


@fetch("req.body_param", Type.BIN, _REQUEST, ok=["req.body_param(name)", "req.body_param(name,i)"])
def req_body_param(name: str = "", i: str = "") -> Many:
    """A parameter of a form body, undecoded; with ``i`` whatever the case of its name."""
    wanted, fold = to_bytes(name), i == "i"
    key = wanted.lower() if fold else wanted

    def each(txn: Any) -> list[bytes]:
        body = txn.body()
        if not key:  # of parameters without a name only those with a value count
            return [part.partition(b"=")[2] for part in re.split(b"[&;]", body) if b"=" in part]
        return [value for n, value in parameters(body, b"&;") if (n.lower() if fold else n) == key]

    def run(txn: Any) -> bytes | None:
        values = each(txn)
        return values[0] if values else None

    return Many(run, each)


# -- credentials ----------------------------------------------------------------------------------------


@fetch("http_auth", Type.BOOL, _HEADERS, ok=["http_auth(users)"], bad=["http_auth(a,b)"])
def http_auth(userlist: UserList, *, env: CompileEnv) -> Run:
    """Whether the credentials are those of a user of the list; nothing for a request without any."""
    users = env.userlists.get(userlist)

    def run(txn: Any) -> bool | None:
        found = credentials(txn)
        if users is None or found is None or found[0] != b"Basic":
            return None
        return bool(users.authenticates(found[1], found[2]))

    return run


@fetch("http_auth_group", Type.STR, _HEADERS, ok=["http_auth_group(users)"], bad=["http_auth_group(a,b)"])
def http_auth_group(userlist: UserList, *, env: CompileEnv) -> Many:
    """The user, when the credentials are right; ACLs look at each of its groups."""
    users = env.userlists.get(userlist)

    def run(txn: Any) -> bytes | None:
        found = credentials(txn)
        if users is None or found is None or found[0] != b"Basic":
            return None
        return found[1] if users.authenticates(found[1], found[2]) else None

    def each(txn: Any) -> list[bytes]:
        user = run(txn)
        return [] if user is None or users is None else list(users.groups_of(user))

    return Many(run, each)


@fetch("http_auth_type", Type.STR, _HEADERS)
def http_auth_type() -> Run:
    """The authentication scheme: ``Basic`` or ``Bearer``."""

    def run(txn: Any) -> bytes | None:
        found = credentials(txn)
        return None if found is None else found[0]

    return run


@fetch("http_auth_user", Type.STR, _HEADERS)
def http_auth_user() -> Run:
    """The user name of basic authentication, unchecked."""

    def run(txn: Any) -> bytes | None:
        found = credentials(txn)
        return found[1] if found is not None and found[0] == b"Basic" else None

    return run


@fetch("http_auth_pass", Type.STR, _HEADERS)
def http_auth_pass() -> Run:
    """The password of basic authentication, unchecked."""

    def run(txn: Any) -> bytes | None:
        found = credentials(txn)
        return found[2] if found is not None and found[0] == b"Basic" else None

    return run


@fetch("http_auth_bearer", Type.STR, _HEADERS, ok=["http_auth_bearer", "http_auth_bearer(x-token)"])
def http_auth_bearer(header: str = "") -> Run:
    """The token of bearer authentication, from ``Authorization`` or the header given."""
    key = to_bytes(header).lower() or b"authorization"

    def run(txn: Any) -> bytes | None:
        scheme, _, token = (txn.req.get(key) or b"").partition(b" ")
        return token.strip(b" ") or None if scheme.lower() == b"bearer" else None

    return run


declare_planned_fetches(
    """
    fcgi.docroot: str | The directory of documents of the FastCGI application.
    fcgi.index: str | The index script of the FastCGI application.
    """,
    _HEADERS,
    "Known, and not executed yet.",
)

# -- what filters did -----------------------------------------------------------------------------------


@fetch("res.comp", Type.BOOL, Source.RESPONSE)
def res_comp() -> Run:
    """Whether the response is compressed here; known when it is sent, so in logs."""

    def run(txn: Any) -> bool:
        state = known_state(txn)
        return state is not None and state.compressed is not None

    return run


@fetch("res.comp_algo", Type.STR, Source.RESPONSE)
def res_comp_algo() -> Run:
    """The algorithm the response is compressed with."""

    def run(txn: Any) -> bytes | None:
        state = known_state(txn)
        return None if state is None or state.compressed is None else state.compressed.name.encode()

    return run


@fetch("res.cache_hit", Type.BOOL, Source.RESPONSE, early=(Place.SERVER_SOURCE,))
def res_cache_hit() -> Run:
    """Whether the response came out of a cache."""

    def run(txn: Any) -> bool:
        state = known_state(txn)
        return state is not None and bool(state.hit)

    return run


@fetch("res.cache_name", Type.STR, Source.RESPONSE, early=(Place.SERVER_SOURCE,))
def res_cache_name() -> Run:
    """The cache the response came out of."""

    def run(txn: Any) -> bytes | None:
        state = known_state(txn)
        return state.hit.encode() if state is not None and state.hit else None

    return run
