"""What values the TLS options of bind and server lines may have, and other options nothing here acts on."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING, Final

from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.sections.option_values import read_network
from evener.haproxy.sections.reading import SERVER_LEAD, TOLD
from evener.haproxy.sections.tables import Checked
from evener.haproxy.sections.value_checks import (
    Arguments,
    as_c_int,
    delay,
    experimental,
    one_of,
    unreadable,
)

if TYPE_CHECKING:
    from evener.haproxy.sections.reading import Place

VERSIONS: Final = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_PROTOCOLS: Final = ("h1", "h2", "fcgi", "spop", "none")
_ERROR_NAMES = re.compile(r"X509_V_[A-Z0-9_]+")
_ERRORS = range(1, 95)
_NETWORKS: Final = "/var/run/netns"
_RESOLVE = ("allow-dup-ip", "ignore-weight", "prevent-dup-ip")


def version(arguments: Arguments, _: Place) -> str:
    return "" if arguments[0] in VERSIONS else "'{got}' : unknown ssl/tls version"


def verify_errors(arguments: Arguments, _: Place) -> str:
    """``all`` or numbers and names of verification errors."""
    for item in arguments[0].split(","):
        if item.isdigit() and as_c_int(item) not in _ERRORS:
            number = as_c_int(item)
            return f"'{{name}}' : ID '{number}' out of range (1..94) in error IDs list '{{got}}'"
        if item != "all" and not item.isdigit() and not _ERROR_NAMES.fullmatch(item):
            return f"'{{name}}' : error constant '{item}' unknown in error IDs list '{{got}}'"
    return ""


def authorities(name: str) -> Checked:
    """A file of authorities or revocations; ``@`` begins names that are no files."""

    def check(arguments: Arguments, place: Place) -> str:
        path = arguments[0]
        full = path if path.startswith("/") else os.path.join(place.authorities, path)
        reason = "" if path.startswith("@") else reason_against(full, place)
        if not reason:
            return ""
        server = place.lead == SERVER_LEAD
        opened = f"{place.where if server else ''}Couldn't open the ca-file '{full}' ({reason})."
        lead = SERVER_LEAD if server else "config : "
        place.diagnostics.alert("unreadable-file", opened, place.at, lead=lead)
        loaded = f"'{name}' : unable to load {full}"
        if not server:
            return loaded
        place.diagnostics.alert("unreadable-file", f"{loaded}.", None, lead="config : ")
        return TOLD

    return check, "crl.pem" if name == "crl-file" else "ca.pem"


def reason_against(path: str, place: Place) -> str:
    """Why nothing can be loaded; of a directory, each file that cannot be is only warned about."""
    from evener.haproxy.certificates import authorities_of_folder, authority, is_folder

    if not is_folder(path):
        return authority(path)
    loaded = 0
    lead = SERVER_LEAD if place.lead == SERVER_LEAD else "config : "
    where = place.where if place.lead == SERVER_LEAD else ""
    for name, wrong in authorities_of_folder(path):
        loaded += not wrong
        if wrong:
            text = f"{where}ca-file: '{path}' couldn't load '{name}' ({wrong})"
            place.diagnostics.warning("bad-authority", text, place.at, lead=lead)
            where, lead = "", "config : "
    if not loaded:
        text = f"{where}ca-file: 0 CA were loaded from '{path}'"
        place.diagnostics.warning("no-authorities", text, place.at, lead=lead)
    return ""


def network_namespace(arguments: Arguments, place: Place) -> str:
    if arguments[0] == "*" or not unreadable(f"{_NETWORKS}/{arguments[0]}"):
        return ""
    if place.lead == SERVER_LEAD:
        return "Cannot open namespace '{got}'"
    place.diagnostics.alert(
        "no-namespace", f"Cannot open namespace '{arguments[0]}'.", place.at, lead="config : "
    )
    return "error encountered while processing 'namespace'."


def server_name(arguments: Arguments, _: Place) -> str:
    found = read_expression(arguments[0])
    if isinstance(found, Expr):
        return ""
    return f"error detected while parsing sni or pool-conn-name expressions : {found.message}"


def resolve_options(arguments: Arguments, _: Place) -> str:
    for word in arguments[0].split(",") if arguments[0] else ():
        if word not in _RESOLVE:
            return (
                f"'resolve-opts' : unknown resolve-opts option '{word}', supported methods are "
                "'allow-dup-ip', 'ignore-weight', and 'prevent-dup-ip'."
            )
    return ""


def preferred_networks(arguments: Arguments, _: Place) -> str:
    for word in arguments[0].split(","):
        if read_network(word) is None:
            return f"'resolve-net' invalid network '{word}'."
    return ""


_KEY_SIZES: Final = (48, 80)
_KEYS: Final = 3


def protocols(arguments: Arguments, _: Place) -> str:
    """Names of application protocols, each with room for its length in one byte (RFC 7301)."""
    wrong = next((name for name in arguments[0].split(",") if len(name) > 255), None)
    return "" if wrong is None else f"'{{name}}' : ALPN protocol name too long : '{wrong}'"


def ticket_keys(arguments: Arguments, _: Place) -> str:
    """At least three keys in base64, a line each, all of 48 or all of 80 bytes."""
    try:
        with open(arguments[0], "rb") as file:
            lines = file.read(1 << 20).splitlines()
    except (OSError, ValueError):
        return "'{got}' : unable to load ssl tickets keys file"
    size = 0
    for number, line in enumerate(lines, 1):
        try:
            key = base64.b64decode(line, validate=True)
        except ValueError:
            return f"'{{got}}' : unable to decode base64 key on line {number}"
        if len(key) not in _KEY_SIZES or len(key) != (size or len(key)):
            return f"'{{got}}' : wrong sized key on line {number}"
        size = len(key)
    if len(lines) < _KEYS:
        return f"'{{got}}' : please supply at least {_KEYS} keys in the tls-tickets-file"
    return ""


def certificate_list(arguments: Arguments, _: Place) -> str:
    reason = unreadable(arguments[0])
    return f"'crt-list' : cannot open file '{{got}}' : {reason}" if reason else ""


def protocol(name: str) -> Checked:
    return one_of(f"'{name}' :  unknown MUX protocol '{{got}}'", *_PROTOCOLS), "h2"


_BIND_VERIFY = (
    "'verify' : unknown verify method '{got}', only 'none', 'optional', and 'required' are supported"
)
_SERVER_VERIFY = "'verify' : unknown verify method '{got}', only 'none' and 'required' are supported"
_NBCONN = "'nbconn' is experimental, must be allowed via a global 'expose-experimental-directives'"
_IDLE = "unexpected character '{char}' in 'idle-ping' argument"
_LONG_IDLE = (
    "timer overflow in argument <{got}> to <{name}> {where}, maximum value is 2147483647 ms (~24.8 days)."
)
_ITEM = " of server {item}."

BIND: Final[dict[str, Checked]] = {
    "ssl-min-ver": (version, "TLSv1.2"),
    "ssl-max-ver": (version, "TLSv1.3"),
    "verify": (one_of(_BIND_VERIFY, "none", "optional", "required"), "none"),
    "ca-file": authorities("ca-file"),
    "ca-verify-file": authorities("ca-verify-file"),
    "crl-file": authorities("crl-file"),
    "crt-ignore-err": (verify_errors, "all"),
    "ca-ignore-err": (verify_errors, "X509_V_ERR_CERT_HAS_EXPIRED,10"),
    "crt-list": (certificate_list, "/dev/null"),
    "tls-ticket-keys": (ticket_keys, "ticket.keys"),
    "alpn": (protocols, "h2,http/1.1"),
    "proto": protocol("proto"),
    "namespace": (network_namespace, "*"),
    "idle-ping": (delay(_IDLE + " on bind line.", over=_LONG_IDLE.replace("{where}", "on bind line")), "10s"),
    "nbconn": (lambda _, place: "" if place.experiments.allow() else _NBCONN, "1"),
    "ktls": (experimental, "on"),
}

SERVER: Final[dict[str, Checked]] = {
    "ssl-min-ver": (version, "TLSv1.2"),
    "ssl-max-ver": (version, "TLSv1.3"),
    "verify": (one_of(_SERVER_VERIFY, "none", "required"), "none"),
    "ca-file": authorities("ca-file"),
    "crl-file": authorities("crl-file"),
    "sni": (server_name, "req.hdr(host)"),
    "alpn": (protocols, "h2,http/1.1"),
    "check-alpn": (protocols, "h2"),
    "proto": protocol("proto"),
    "check-proto": protocol("check-proto"),
    "namespace": (network_namespace, "*"),
    "idle-ping": (delay(_IDLE + _ITEM, over=_LONG_IDLE.replace("{where}", "of server {item}")), "10s"),
    "resolve-net": (preferred_networks, "10.0.0.0/8,192.0.2.0/24"),
    "resolve-opts": (resolve_options, "allow-dup-ip"),
    "resolve-prefer": (
        one_of("'resolve-prefer' expects either ipv4 or ipv6 as argument.", "ipv4", "ipv6"),
        "ipv4",
    ),
    "ktls": (experimental, "on"),
    "ws": (one_of("'ws' has to be 'auto', 'h1' or 'h2'", "auto", "h1", "h2"), "h2"),
}

_BOTH = {
    "alpn": "'alpn' : missing the comma-delimited ALPN protocol suite",
    "npn": "'npn' : missing the comma-delimited NPN protocol suite",
    "ciphers": "'ciphers' : missing cipher suite",
    "verify": "'verify' : missing verify method",
    "ca-file": "'ca-file' : missing CAfile path",
    "cc": "'cc' : missing TCP congestion control algorithm",
    "ciphersuites": "'ciphersuites' : missing cipher suite",
    "client-sigalgs": "'client-sigalgs' : missing signature algorithm list",
    "ktls": '\'ktls\' expects "on" or "off" as an argument.',
    "proto": "'proto' : missing value",
    "sigalgs": "'sigalgs' : missing signature algorithm list",
    "ssl-max-ver": "'ssl-max-ver' : missing the ssl/tls version",
    "ssl-min-ver": "'ssl-min-ver' : missing the ssl/tls version",
    "crl-file": "'crl-file' : missing CRLfile path",
}
BIND_MISSING: Final = {
    **_BOTH,
    "ca-ignore-err": "'ca-ignore-err' : missing error IDs list",
    "ca-sign-file": "'ca-sign-file' : missing CAfile path",
    "ca-sign-pass": "'ca-sign-pass' : missing CAkey password",
    "ca-verify-file": "'ca-verify-file' : missing CAfile path",
    "crt": "'crt' : missing certificate location",
    "crt-ignore-err": "'crt-ignore-err' : missing error IDs list",
    "crt-list": "'crt-list' : missing certificate location",
    "curves": "'curves' : missing curve suite",
    "default-crt": "'default-crt' : missing certificate location",
    "ecdhe": "'ecdhe' : missing named curve",
    "label": "'label' : missing label",
    "tls-ticket-keys": "'tls-ticket-keys' : missing TLS ticket keys file path",
}
SERVER_MISSING: Final = {
    **_BOTH,
    "check-alpn": "'check-alpn' : missing the comma-delimited ALPN protocol suite",
    "check-pool-conn-name": "'check-pool-conn-name' : missing value",
    "check-proto": "'check-proto' : missing value",
    "check-sni": "'check-sni' : missing SNI",
    "crt": "'crt' : missing certificate file path",
    "curves": "'curves' : missing curves list",
    "resolve-net": "'resolve-net' expects a list of networks.",
    "resolve-prefer": "'resolve-prefer' expects either ipv4 or ipv6 as argument.",
    "sni": "'sni' : missing sni expression",
    "verifyhost": "'verifyhost' : missing hostname to verify against",
    "ws": "'ws' has to be 'auto', 'h1' or 'h2'",
}
