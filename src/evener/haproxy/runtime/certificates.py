"""Which certificates of ``crt-store`` sections may be used for web tokens, while the process runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evener.haproxy import token_certificates
from evener.haproxy.commands import PermitCertificate
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command

_UNKNOWN: Final = "Can't display the certificate: Not found or the certificate is a bundle!"


@command("show ssl jwt", "show ssl jwt", level=Level.ADMIN, ok=("show ssl jwt",), bad=("show ssl jwts",))
def show_ssl_jwt(_session: Session, _words: Sequence[str]) -> Answer:
    """show list of certificates used for JWT validation"""
    return "# filename\n" + "".join(f"{name}\n" for name in token_certificates.usable_names())


@command(
    "add ssl jwt",
    "add ssl jwt <certfile>",
    level=Level.ADMIN,
    ok=("add ssl jwt @web/main",),
    bad=("add ssl jwt", "add ssl jwt /none"),
)
def add_ssl_jwt(session: Session, words: Sequence[str]) -> Answer:
    """add certificate to list of certificates used for JWT validation"""
    return _permit(session, words, "add", True)


@command(
    "del ssl jwt",
    "del ssl jwt <certfile>",
    level=Level.ADMIN,
    ok=("del ssl jwt @web/main",),
    bad=("del ssl jwt", "del ssl jwt /none"),
)
def del_ssl_jwt(session: Session, words: Sequence[str]) -> Answer:
    """remove certificate from list of certificates used for JWT validation"""
    return _permit(session, words, "del", False)


def _permit(session: Session, words: Sequence[str], verb: str, usable: bool) -> Answer:
    if not words:
        return Told(f"'{verb} ssl cert' expects a filename")
    if not token_certificates.permit(words[0].encode("utf-8", "surrogateescape"), usable):
        return Told(_UNKNOWN)
    session.control.perform([PermitCertificate(words[0], usable)])
    return ""
