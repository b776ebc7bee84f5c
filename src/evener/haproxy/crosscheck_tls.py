"""TLS of whole listeners and servers: certificates, authorities, versions and ciphers that fit together.

Nothing is loaded here. Ciphers are tried with the TLS library of the interpreter, which is only imported for
files that name some.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from evener.haproxy.questions import Checks
from evener.haproxy.sections.bind import Bind
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import AT
from evener.haproxy.sections.servers import Server
from evener.haproxy.sections.tls_checks import VERSIONS
from evener.vocab.blocks import Known

_CERTIFICATES = ("crt", "crt-list", "default-crt", "ech")
_SHORT: Final = dict(zip(("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13"), VERSIONS, strict=True))
_OFFERED: Final = VERSIONS[1:]
"""What the TLS library can do at all."""
_LEAST: Final = "TLSv1.2"
"""What a listener begins with when nothing is said."""

Words = Mapping[str, Sequence[str]]


def words_of(known: Iterable[Known]) -> Words:
    """The last statement of each word."""
    return {entry.words[0]: entry.words for entry in known}


def defaults(checks: Checks, side: str) -> dict[str, Sequence[str]]:
    """``ssl-default-<side>-options`` and -ciphers as if they were said on the line."""
    found: dict[str, Sequence[str]] = {}
    for known in checks.configuration.global_.known:
        name, *rest = known.words
        if name == f"ssl-default-{side}-options":
            while rest:
                word = rest.pop(0)
                found[word] = (word, rest.pop(0)) if word.endswith("-ver") and rest else (word,)
        elif name == f"ssl-default-{side}-ciphers":
            found["ciphers"] = ("ciphers", *rest)
    return found


class Versions:
    """Which versions of TLS a line leaves over, and what is odd about how it says so."""

    def __init__(self, said: Words) -> None:
        self.low, self.high = self._limit("ssl-min-ver", said), self._limit("ssl-max-ver", said)
        forced = next((name for short, name in _SHORT.items() if f"force-{short}" in said), None)
        if forced is not None:
            self.low = self.high = forced
        self.refused = {name for short, name in _SHORT.items() if f"no-{short}" in said}
        self.contradictory = bool(self.refused) and (self.low is not None or self.high is not None)
        if self.contradictory:
            self.refused = set()

    @staticmethod
    def _limit(word: str, said: Words) -> str | None:
        return said[word][1] if word in said else None

    def left(self, least: str | None) -> list[str]:
        low = VERSIONS.index(self.low or least or VERSIONS[0])
        high = VERSIONS.index(self.high or VERSIONS[-1])
        return [name for name in _OFFERED if low <= VERSIONS.index(name) <= high and name not in self.refused]

    def ambiguous(self) -> bool:
        """Only the newest version is said, and it is older than the oldest by default."""
        low, high = self.low, self.high
        return low is None and high is not None and VERSIONS.index(high) < VERSIONS.index(_LEAST)


# -- listeners ------------------------------------------------------------------------------------


def certificates(proxy: Proxy, checks: Checks) -> None:
    """A listener that speaks TLS needs a certificate, and settings that go together."""
    elsewhere = any(known.words[0] in ("crt", "ssl-f-use") for known in proxy.known)
    for bind in proxy.bind:
        own = words_of(bind.options.known)
        if "ssl" not in own:
            continue
        if elsewhere or has_certificate(bind, checks):
            listener(proxy, bind, {**defaults(checks, "bind"), **own}, checks)
            continue
        start = f"Proxy '{proxy.name}': no SSL certificate specified for bind '{bind.text}' at [{bind.span}]"
        if "strict-sni" in own and "generate-certificates" not in own:
            message = f"{start}, ssl connections will fail (use 'crt')."
            checks.warning("no-certificate", message, bind.span)
        else:
            checks.alert("no-certificate", f"{start} (use 'crt').", bind.span)


def has_certificate(bind: Bind, checks: Checks) -> bool:
    """Whether certificates are named: directories without any do not count."""
    named = [known.words for known in bind.options.known if known.words[0] in _CERTIFICATES]
    base = words_of(checks.configuration.global_.known).get("crt-base", ("", ""))[1]
    return not all(
        (word == "crt" and _empty(os.path.join(base, path))) or (word == "crt-list" and _says_nothing(path))
        for word, path in named
    )


def _empty(path: str) -> bool:
    """Whether it is a directory in which nothing is."""
    try:
        return not any(name[:1] != "." for name in os.listdir(path))
    except (OSError, ValueError):
        return False


def _says_nothing(path: str) -> bool:
    """Whether it is a list without entries."""
    try:
        with open(path, "rb") as file:
            return not any(line.strip()[:1] not in (b"", b"#") for line in file)
    except (OSError, ValueError):
        return False


def listener(proxy: Proxy, bind: Bind, said: Words, checks: Checks) -> None:
    at = f"bind '{bind.text}' at [{bind.span}]"
    who = f"Proxy '{proxy.name}'"
    if "generate-certificates" in said and "ca-sign-file" not in said:
        message = "cannot enable certificate generation, no CA certificate File configured"
        checks.alert("no-authority", f"{who}: {message} at [{bind.span}].", bind.span)
    versions = Versions(said)
    if versions.contradictory:
        message = f"{who}: no-sslv3/no-tlsv1x are ignored for {at}. {_ONLY}"
        checks.warning("contradictory-versions", message, bind.span)
    if versions.ambiguous():
        message = (
            f"{who}: Ambiguous configuration for {at}: the ssl-min-ver value is not configured and the "
            f"ssl-max-ver value is lower than the default ssl-min-ver value ({_LEAST}). Setting the "
            f"ssl-min-ver to {versions.high}. Use 'ssl-min-ver' to fix this."
        )
        checks.warning("ambiguous-versions", message, bind.span)
    if not versions.left(None if versions.ambiguous() else _LEAST):
        checks.alert("no-version", f"{who}: all SSL/TLS versions are disabled for {at}.", bind.span)
    for wrong in _wrong_listener(said):
        message = f"{who}: {wrong} for {at}.\n"
        checks.alert("bad-tls", message + message.rstrip("\n"), bind.span)  # the original says it twice


_ONLY: Final = "Use only 'ssl-min-ver' and 'ssl-max-ver' to fix."


def _wrong_listener(said: Words) -> Iterator[str]:
    verified = said.get("verify", ("", "none"))[1] != "none"
    if verified and "ca-file" not in said and "ca-verify-file" not in said:
        yield "verify is enabled but no CA file specified"
    if "ciphers" in said and not usable_ciphers(said["ciphers"][1]):
        yield f"unable to set SSL cipher list to '{said['ciphers'][1]}'"


def usable_ciphers(text: str) -> bool:
    """Whether the TLS library knows any cipher of the list."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(text)
    except (ssl.SSLError, ValueError, UnicodeError):
        return False
    return True


# -- servers --------------------------------------------------------------------------------------

_BY_DEFAULT = (
    "verify is enabled by default but no CA file specified. If you're running on a LAN where you're certain "
    "to trust the server's certificate, please set an explicit 'verify none' statement on the 'server' line, "
    "or use 'ssl-server-verify none' in the global section to disable server-side verifications by default."
)


def verification(proxy: Proxy, checks: Checks) -> None:
    """A server's certificate is verified against authorities, or the file says that it is not."""
    said = [
        known.words for known in checks.configuration.global_.known if known.words[0] == "ssl-server-verify"
    ]
    unverified = checks.unverified or said[-1:] == [("ssl-server-verify", "none")]
    for server in proxy.server if proxy.kind.back else ():
        own = words_of(server.options.known)
        if "ssl" in own or "check-ssl" in own:
            for wrong in _wrong_server(proxy, server, own, unverified, checks):
                where = f"'server {proxy.name}/{server.name}' : "
                checks.alert("bad-tls", where + wrong, server.span, lead=AT)


def _wrong_server(
    proxy: Proxy, server: Server, own: Words, unverified: bool, checks: Checks
) -> Iterator[str]:
    said = {**defaults(checks, "server"), **own}
    if "crt" in own:
        reason = _missing(own["crt"][1], checks)
        if reason:
            yield f"unable to stat SSL certificate from file '{own['crt'][1]}' : {reason}."
    versions = Versions(said)
    if versions.contradictory:
        message = (
            f"'server {proxy.name}/{server.name}' : no-sslv3/no-tlsv1x are ignored for this server. {_ONLY}"
        )
        checks.warning("contradictory-versions", message, server.span, lead=AT)
    if not versions.left(None):
        yield f"{proxy.word} '{proxy.name}': all SSL/TLS versions are disabled for server '{server.name}'."
    method = own["verify"][1] if "verify" in own else ("none" if unverified else "")
    if method != "none" and "ca-file" not in own:
        yield "verify is enabled but no CA file specified." if unverified else _BY_DEFAULT
    if "ciphers" in said and not usable_ciphers(said["ciphers"][1]):
        yield f"unable to set SSL cipher list to '{said['ciphers'][1]}'."


def _missing(path: str, checks: Checks) -> str:
    base = words_of(checks.configuration.global_.known).get("crt-base", ("", ""))[1]
    try:
        os.stat(os.path.join(base, path))
    except (OSError, ValueError) as error:
        return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return ""


# -- protocols ------------------------------------------------------------------------------------


def fastcgi(proxy: Proxy, checks: Checks) -> None:
    """Servers that speak FastCGI need to know for which application."""
    if any(known.words[0] == "use-fcgi-app" for known in proxy.known):
        return
    for server in proxy.server if proxy.kind.back else ():
        if ("proto", "fcgi") in {known.words[:2] for known in server.options.known}:
            message = f"proxy '{proxy.name}': FCGI server '{server.name}' has no FCGI app configured."
            checks.alert("no-fcgi-app", message, server.span)
            return


_FRONT: Final = {"http": ("h1", "h2"), "tcp": ("none",)}
_BACK: Final = {"http": ("h1", "h2", "fcgi"), "tcp": ("none",), "spop": ("spop",)}


def bind_protocols(proxy: Proxy, checks: Checks) -> None:
    """``proto`` of listeners must go with the mode."""
    for bind in proxy.bind:
        name = words_of(bind.options.known).get("proto", ("", ""))[1]
        if name and name not in _FRONT.get(proxy.mode, ()):
            message = f"MUX protocol '{name}' is not usable for 'bind {bind.text}' at [{bind.span}]."
            checks.alert("unusable-protocol", f"{proxy.word} '{proxy.name}' : {message}", bind.span)


def server_protocols(proxy: Proxy, checks: Checks) -> None:
    """``proto`` of servers must go with the mode."""
    for server in proxy.server if proxy.kind.back else ():
        name = words_of(server.options.known).get("proto", ("", ""))[1]
        if name and name not in _BACK.get(proxy.mode, ()):
            message = f"MUX protocol '{name}' is not usable for server '{server.name}' at [{server.span}]."
            checks.alert("unusable-protocol", f"{proxy.word} '{proxy.name}' : {message}", server.span)
