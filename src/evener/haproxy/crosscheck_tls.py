"""TLS of whole listeners and servers: certificates, authorities, versions and ciphers that fit together.

The certificates of listeners have been read with their lines; those of servers are read here. Lists of names
are tried with the TLS library, which is only loaded for files that have some.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from evener.haproxy.ir import Configuration
from evener.haproxy.members import asked, called, distinct
from evener.haproxy.questions import Checks
from evener.haproxy.sections.bind import Bind
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import AT, BARE
from evener.haproxy.sections.servers import Server
from evener.haproxy.sections.tls_checks import VERSIONS
from evener.text.span import Span
from evener.vocab.blocks import Known

_SHORT: Final = dict(zip(("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13"), VERSIONS, strict=True))
_OFFERED: Final = VERSIONS[1:]
"""What the TLS library can do at all."""
_LEAST: Final = "TLSv1.2"
"""What a listener begins with when nothing is said."""

_LISTS: Final = {
    "bind": ("ciphers", "ciphersuites", "curves", "sigalgs"),
    "server": ("ciphers", "ciphersuites", "sigalgs", "client-sigalgs", "curves"),
}
"""What has a default in the global section that takes effect."""

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
        elif name.removeprefix(f"ssl-default-{side}-") in _LISTS[side]:
            word = name.removeprefix(f"ssl-default-{side}-")
            found[word] = (word, *rest)
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

    def holes(self) -> Iterator[str]:
        """The last version of each gap between versions that are left over."""
        left = [_OFFERED.index(name) for name in self.left(None)]
        for before, after in itertools.pairwise(left):
            if after > before + 1:
                yield _OFFERED[after - 1]

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
        if elsewhere or has_certificate(bind):
            listener(proxy, bind, {**defaults(checks, "bind"), **own}, checks)
            continue
        start = f"Proxy '{proxy.name}': no SSL certificate specified for bind '{bind.text}' at [{bind.span}]"
        if "strict-sni" in own and "generate-certificates" not in own:
            message = f"{start}, ssl connections will fail (use 'crt')."
            checks.warning("no-certificate", message, bind.span)
        else:
            checks.alert("no-certificate", f"{start} (use 'crt').", bind.span)


def has_certificate(bind: Bind) -> bool:
    """Whether certificates were found: directories and lists without any do not count."""
    return bool(bind.certificates) or any(known.words[0] == "ech" for known in bind.options.known)


def listener(proxy: Proxy, bind: Bind, said: Words, checks: Checks) -> None:
    at = f"bind '{bind.text}' at [{bind.span}]"
    who = f"Proxy '{proxy.name}'"
    if "generate-certificates" in said:
        signer(who, bind, said, checks)
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
    texts = [wrong for made in contexts(bind, said) for wrong in _wrong_listener(made)]
    if texts:
        message = "\n".join(f"{who}: {wrong} for {at}." for wrong in texts)
        checks.alert("bad-tls", message, bind.span)
    if "default-crt" in said and "strict-sni" in said:
        message = (
            f"{who}: both 'default-crt' and 'strict-sni' keywords are used in {at}, certificates won't be "
            "used as fallback (use 'crt' instead)."
        )
        checks.warning("useless-default", message, bind.span)


def contexts(bind: Bind, said: Words) -> Iterator[Words]:
    """What is set up: the line's own words, then those of each certificate. All is complained about."""
    yield said
    for options in bind.certificates:
        yield {**said, **{option[0]: option for option in options}}


def signer(who: str, bind: Bind, said: Words, checks: Checks) -> None:
    """Certificates that are made up need one that vouches for them."""
    from evener.haproxy.certificates import certificate_files, habits

    if "ca-sign-file" not in said:
        message = "cannot enable certificate generation, no CA certificate File configured"
        checks.alert("no-authority", f"{who}: {message} at [{bind.span}].", bind.span)
        return
    path = said["ca-sign-file"][1]
    how = habits([known.words for known in checks.configuration.global_.known])
    if wrong := certificate_files(path, how).rstrip("\n"):
        message = (
            f"Failed to read CA certificate file '{path}' at [{bind.span}]. Chain loading failed: {wrong}"
        )
        checks.alert("no-authority", f"{who}: {message}", bind.span)


_ONLY: Final = "Use only 'ssl-min-ver' and 'ssl-max-ver' to fix."


def _wrong_listener(said: Words) -> Iterator[str]:
    verified = said.get("verify", ("", "none"))[1] != "none"
    if verified and "ca-file" not in said and "ca-verify-file" not in said:
        yield "verify is enabled but no CA file specified"
    for word in ("ciphers", "ciphersuites", "ecdhe" if "curves" not in said else "curves", *_SIGNED):
        if word in said and not knows(_KINDS.get(word, word), said[word][1]):
            yield f"unable to set {_CALLED[word]} to '{said[word][1]}'"


def knows(kind: str, names: str) -> bool:
    from evener.haproxy.tls_library import knows as library_knows

    return library_knows(kind, names)


_SIGNED: Final = ("sigalgs", "client-sigalgs")
_KINDS: Final = {"ecdhe": "curves"}
_CALLED: Final = {
    "ciphers": "SSL cipher list",
    "ciphersuites": "TLS 1.3 cipher suites",
    "curves": "SSL curves list",
    "ecdhe": "elliptic named curve",
    "sigalgs": "SSL Signature Algorithm list",
    "client-sigalgs": "SSL Signature Algorithm list",
}


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
    for server in asked(proxy, checks.diagnostics):
        own = words_of(server.options.known)
        if "ssl" in own or "check-ssl" in own:
            where, lead = f"{called(proxy, server)} : ", AT
            for wrong in _wrong_server(proxy, server, own, unverified, checks):
                checks.alert("bad-tls", where + wrong, server.span, lead=lead)
                where, lead = "", BARE  # the original says once where it is


class Owner(NamedTuple):
    """Whose settings they are: the word for the proxy, its name, the server's, and where they stand."""

    word: str
    proxy: str
    server: str
    where: str


def _wrong_server(
    proxy: Proxy, server: Server, own: Words, unverified: bool, checks: Checks
) -> Iterator[str]:
    owner = Owner(proxy.word, proxy.name, server.name, called(proxy, server))
    said = {**defaults(checks, "server"), **own}
    if "crt" in own:
        yield from _wrong_certificate(own["crt"][1], checks)
    yield from _wrong_versions(owner, said, checks, server.span, AT)
    method = own["verify"][1] if "verify" in own else ("none" if unverified else "")
    if method != "none" and "ca-file" not in own:
        yield "verify is enabled but no CA file specified." if unverified else _BY_DEFAULT
    yield from _refused_lists(owner, said)


def _wrong_versions(owner: Owner, said: Words, checks: Checks, span: Span | None, lead: str) -> Iterator[str]:
    versions = Versions(said)
    if versions.contradictory:
        message = f"{owner.where} : no-sslv3/no-tlsv1x are ignored for this server. {_ONLY}"
        checks.warning("contradictory-versions", message, span, lead=lead)
    for hole in versions.holes():
        message = (
            f"{owner.where} : {owner.word} '{owner.proxy}': SSL/TLS versions range "
            f"not contiguous for server '{owner.server}'. Hole find for {hole}. {_ONLY}"
        )
        checks.warning("versions-with-holes", message, span, lead=lead)
    if not versions.left(None):
        yield f"{owner.word} '{owner.proxy}': all SSL/TLS versions are disabled for server '{owner.server}'."


def _refused_lists(owner: Owner, said: Words) -> Iterator[str]:
    for word in _LISTS["server"]:
        if word in said and not knows(word, said[word][1]):
            yield _refused_list(word, said[word][1], owner)


def _refused_list(word: str, names: str, owner: Owner) -> str:
    if word in ("ciphers", "ciphersuites"):
        return f"unable to set {_CALLED[word]} to '{names}'."
    called = "SSL Client Signature Algorithm list" if word == "client-sigalgs" else _CALLED[word]
    return f"Proxy '{owner.proxy}': unable to set {called} to '{names}' for server '{owner.server}'."


_CLIENTS: Final = ("<OCSP-UPDATE>", "<HTTPCLIENT>")


def internal_client(configuration: Configuration, checks: Checks) -> None:
    """Defaults for servers hold for the two HTTP clients that the original always has within, too: what
    OpenSSL makes of ``ssl-default-server-ciphers PROFILE=SYSTEM`` is said of the first of them."""
    said = defaults(checks, "server")
    for name in _CLIENTS if said else ():
        where = f"'server {name}/<HTTPSCLIENT>'"
        owner, where = Owner("proxy", name, "<HTTPSCLIENT>", where), f"{where} : "
        wrong = [*_wrong_versions(owner, said, checks, None, BARE), *_refused_lists(owner, said)]
        for text in wrong:
            checks.alert("bad-tls", where + text, None)
            where = ""
        if wrong:
            return


def _wrong_certificate(name: str, checks: Checks) -> Iterator[str]:
    """A server is shown one certificate; directories are not for it."""
    from evener.haproxy.certificates import certificate, habits, is_folder
    from evener.haproxy.sections.certificate_files import full_name, not_there
    from evener.haproxy.sections.crt_store import stored_names

    how = habits([known.words for known in checks.configuration.global_.known])
    path = full_name(name, how.base)
    if path in stored_names(checks.configuration.other):
        return
    kind = is_folder(path)
    if kind:
        yield f"unable to stat SSL certificate from file '{path}' : {os.strerror(errno.ENOENT)}."
    else:
        wrong = not_there(path) if kind is None else certificate(path, how, server=True).wrong
        if wrong:
            yield wrong.rstrip("\n")


# -- protocols ------------------------------------------------------------------------------------


def fastcgi(proxy: Proxy, checks: Checks) -> None:
    """Servers that speak FastCGI need to know for which application."""
    if any(known.words[0] == "use-fcgi-app" for known in proxy.known):
        application(proxy, checks)
        return
    for server in distinct(proxy) if proxy.kind.back else ():
        if ("proto", "fcgi") in {known.words[:2] for known in server.options.known}:
            message = f"proxy '{proxy.name}': FCGI server '{server.name}' has no FCGI app configured."
            checks.alert("no-fcgi-app", message, server.span)
            return


def application(proxy: Proxy, checks: Checks) -> None:
    """An application is reached by HTTP, through servers that speak FastCGI."""
    if proxy.mode != "http":
        wrong = "FCGI application cannot be used in non-HTTP mode."
    elif any(
        ("proto", "fcgi") in {known.words[:2] for known in server.options.known} for server in distinct(proxy)
    ):
        return
    else:
        wrong = "FCGI app configured but no FCGI server found."
    checks.alert("no-fcgi-server", f"proxy '{proxy.name}': {wrong}", proxy.span)


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
    for server in asked(proxy, checks.diagnostics):
        name = words_of(server.options.known).get("proto", ("", ""))[1]
        if name and name not in _BACK.get(proxy.mode, ()):
            message = f"MUX protocol '{name}' is not usable for server '{server.name}' at [{server.span}]."
            checks.alert("unusable-protocol", f"{proxy.word} '{proxy.name}' : {message}", server.span)
