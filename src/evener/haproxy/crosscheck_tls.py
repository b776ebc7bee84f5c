"""Certificates and FastCGI applications that listeners and servers cannot do without."""

from __future__ import annotations

from evener.haproxy.questions import Checks
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import AT

_CERTIFICATES = frozenset({"crt", "crt-list", "default-crt", "ech"})


def certificates(proxy: Proxy, checks: Checks) -> None:
    """A listener that speaks TLS needs a certificate, but with ``strict-sni``."""
    if any(known.words[0] in ("crt", "ssl-f-use") for known in proxy.known):
        return
    for bind in proxy.bind:
        words = {known.words[0] for known in bind.options.known} if bind.options else set()
        if "ssl" not in words or words & _CERTIFICATES:
            continue
        start = f"Proxy '{proxy.name}': no SSL certificate specified for bind '{bind.text}' at [{bind.span}]"
        if "strict-sni" in words and "generate-certificates" not in words:
            message = f"{start}, ssl connections will fail (use 'crt')."
            checks.warning("no-certificate", message, bind.span)
        else:
            checks.alert("no-certificate", f"{start} (use 'crt').", bind.span)


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
    if checks.unverified or not proxy.kind.back or said[-1:] == [("ssl-server-verify", "none")]:
        return
    for server in proxy.server:
        words = [known.words for known in server.options.known]
        names = {known[0] for known in words}
        if "ssl" in names and "ca-file" not in names and ("verify", "none") not in words:
            message = f"'server {proxy.name}/{server.name}' : {_BY_DEFAULT}"
            checks.alert("no-ca-file", message, server.span, lead=AT)


def fastcgi(proxy: Proxy, checks: Checks) -> None:
    """Servers that speak FastCGI need to know for which application."""
    if any(known.words[0] == "use-fcgi-app" for known in proxy.known):
        return
    for server in proxy.server if proxy.kind.back else ():
        if ("proto", "fcgi") in {known.words[:2] for known in server.options.known}:
            message = f"proxy '{proxy.name}': FCGI server '{server.name}' has no FCGI app configured."
            checks.alert("no-fcgi-app", message, server.span)
            return
