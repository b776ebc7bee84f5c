"""User lists: passwords, groups, and the fetches that ask for them."""

import base64

import pytest
from samples import holds, txn, value

from evener.haproxy.scope import CompileEnv
from evener.haproxy.userlist import read_userlist

LINES = [
    ["group", "G1", "users", "tiger,scott"],
    ["group", "G2"],
    ["user", "tiger", "insecure-password", "hello"],
    [
        "user",
        "scott",
        "password",
        "$5$rounds=1000$abcdefgh$1QRiCBi3CWTtR2aUnQRlw9/u1kMkpAqhlAvcvNHrkS9",
        "groups",
        "G2",
    ],
]


def request(user: str, password: str) -> str:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"GET / HTTP/1.1\nAuthorization: Basic {token}\n\n"


@pytest.mark.parametrize(
    ("user", "password", "good"),
    [("tiger", "hello", True), ("tiger", "hullo", False), ("nobody", "hello", False), ("", "", False)],
)
def test_plain_passwords(user: str, password: str, good: bool) -> None:
    env = CompileEnv(userlists={"L": read_userlist(LINES)})
    on = txn(request(user, password))
    assert bool(holds("{ http_auth(L) }", on, env=env)) is good
    assert bool(holds("{ http_auth_group(L) G1 }", on, env=env)) is good
    assert not holds("{ http_auth_group(L) G2 }", on, env=env)


def test_hashed_passwords() -> None:
    import ctypes
    import ctypes.util

    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    hashed = library.crypt(b"secret", b"$5$rounds=1000$abcdefgh$").decode()
    users = read_userlist([["user", "scott", "password", hashed, "groups", "G2"]])
    assert users.authenticates(b"scott", b"secret")
    assert not users.authenticates(b"scott", b"Secret")
    assert list(users.groups_of(b"scott")) == [b"G2"]


def test_credentials_are_shown_unchecked() -> None:
    on = txn(request("a", "b:c"))
    assert (value("http_auth_user", on), value("http_auth_pass", on)) == (b"a", b"b:c")
    assert value("http_auth_user", txn("GET / HTTP/1.1\nAuthorization: Basic !!\n\n")) is None
    assert value("http_auth_bearer", txn("GET / HTTP/1.1\nAuthorization: Bearer t\n\n")) == b"t"
