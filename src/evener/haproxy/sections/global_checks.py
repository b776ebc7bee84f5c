"""What values the tuning and TLS words of ``global`` may have; see ``value_checks``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from evener.haproxy.sections.tables import Checked
from evener.haproxy.sections.tls_checks import VERSIONS
from evener.haproxy.sections.value_checks import (
    Arguments,
    between,
    delay,
    experimental,
    listed,
    on_or_off,
    one_of,
    readable,
    size,
    unreadable,
)
from evener.vocab.arguments import signed

if TYPE_CHECKING:
    from evener.haproxy.sections.reading import Place

_CPU_MAP = (
    "cpu-map expects a thread group number  ('all', 'odd', 'even', a number from 1 to 64 or a range),  "
    "followed by a list of CPU ranges with numbers from 0 to 63."
)
_RANGE = re.compile(r"[0-9]+(-[0-9]*)?")
_CPU_SETS = (
    "reset", "only-cpu", "drop-cpu", "only-node", "drop-node", "only-cluster", "drop-cluster", "only-core",
    "drop-core", "only-thread", "drop-thread",
)  # fmt: skip
_AFFINITIES = ("per-core", "per-group", "per-thread", "per-ccx", "auto")
_CPUS = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*")
_LUA_FILE = "error in Lua file '{got}': cannot open {got}: {reason}"
_OPTIONS = frozenset(
    f"{prefix}-{version}"
    for prefix in ("no", "force")
    for version in ("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13")
)
_BIND_OPTIONS = _OPTIONS | {"no-tls-tickets", "prefer-client-ciphers", "strict-sni"}
_SERVER_OPTIONS = _OPTIONS | {"no-tls-tickets"}
_NEEDS_VERSION = ("ssl-min-ver", "ssl-max-ver")
_EXTRA_FILES = frozenset({"bundle", "sctl", "ocsp", "issuer", "key", "none", "all"})
_PROFILING = frozenset({"on", "auto", "off", "lock", "no-lock", "memory", "no-memory"})


def cpu_map(arguments: Arguments, _: Place) -> str:
    if len(arguments) < 2:
        return _CPU_MAP
    for part in arguments[0].removeprefix("auto:").split("/"):
        if part in ("all", "odd", "even"):
            continue
        if not _RANGE.fullmatch(part):
            return f"cpu-map : '{part}' is not a valid number/range."
        if not all(0 < int(number) <= 64 for number in part.split("-") if number):
            return f"cpu-map : '{part}' is not a valid number/range. It supports numbers from 1 to 64."
    for cpus in arguments[1:]:
        if not _CPUS.fullmatch(cpus):
            return f"cpu-map : '{cpus}' is not a CPU range."
        if any(int(number) > 1023 for number in re.findall("[0-9]+", cpus)):
            return "cpu-map : supports CPU numbers from 0 to 1023."
    return ""


def cpu_set(arguments: Arguments, _: Place) -> str:
    known = ", ".join(f"'{word}'" for word in _CPU_SETS)
    if not arguments:
        return f"'{{name}}' requires a directive and an optional value (only {known} supported)."
    if arguments[0] not in _CPU_SETS:
        return f"'{{name}}' passed an unknown directive '{{got}}' (only {known} supported)."
    return ""


def cpu_affinity(arguments: Arguments, _: Place) -> str:
    got = arguments[0] if arguments else ""
    if got not in _AFFINITIES:
        return f"'{{name}}' parsed an unknown directive '{got}'. Known values are : {' '.join(_AFFINITIES)}"
    return ""


def thread_groups(arguments: Arguments, _: Place) -> str:
    got = arguments[0] if arguments else ""
    if signed(got) is None:
        return f"'{{name}}' passed a missing or unparsable integer value in '{got}'"
    return "" if 1 <= int(got) <= 32 else f"'{{name}}' value must be between 1 and 32 (was {got})"


def thread_group(arguments: Arguments, _: Place) -> str:
    if signed(arguments[0]) is None:
        return "'{name}' passed a missing or unparsable integer value in '{got}'"
    return ""


def group_size(arguments: Arguments, _: Place) -> str:
    good = (signed(arguments[0]) or 0) in range(65)
    return "" if good else "'{name}' value must be an integer between 1 and 64,  got '{got}'"


def default_options(known: frozenset[str]) -> Checked:
    def check(arguments: Arguments, _: Place) -> str:
        where = "on global statement '{name}'."
        words = list(arguments)
        while words:
            word = words.pop(0)
            if word in _NEEDS_VERSION:
                if not words:
                    return f"'{word}' : missing the ssl/tls version {where}"
                version = words.pop(0)
                if version not in VERSIONS:
                    return f"'{version}' : unknown ssl/tls version {where}"
            elif word not in known:
                return f"unknown option '{word}' {where}"
        return ""

    return check, "no-sslv3 ssl-min-ver TLSv1.2"


def extra_files(arguments: Arguments, _: Place) -> str:
    if len(arguments) > 1 and {"none", "all"} & set(arguments):
        return "'{name}' 'none' and 'all' can be only used alone"
    wrong = next((word for word in arguments if word not in _EXTRA_FILES), None)
    return "" if wrong is None else f"unknown bundle '{wrong}' in '{{name}}'"


def parameters(arguments: Arguments, _: Place) -> str:
    wrong = "'{name}': unable to load DH parameters from file <{got}>."
    from evener.haproxy.certificates import parameters as usable

    return "" if usable(arguments[0]) else wrong


def profiling(arguments: Arguments, _: Place) -> str:
    if set(arguments[0].split(",")) <= _PROFILING:
        return ""
    return (
        "'{name}' expects a combination of either 'on', 'auto', 'off', 'lock', 'no-lock', 'memory', or "
        "'no-memory', but got '{got}'."
    )


def prepend(arguments: Arguments, _: Place) -> str:
    known = arguments[1:] in ((), ("path",), ("cpath",))
    return "" if known else "'{name}' expects <type> to either be 'path' or 'cpath'"


_SIZE = "unexpected '{char}' after size passed to '{name}'"
_EXPECTS = "global statement '{name}' expects "
_DIRECTORY = "global statement '{name}' expects a directory path as an argument."
_MULTI_QUEUE = "'{name}' expects either 'on', 'fair', or 'off' but got '{got}'."
_LUA_BOOLEANS = "'{name}' expects either 'normal' or 'pre-3.1-bug' but got '{got}'."
_EPOLL = "'{name}' expects a comma-delimited list of 'err', 'hup' and 'rdhup' but got '{got}'."
_FAMILIES = "'{name}' expects a comma-delimited list of 'ipv4' and 'ipv6' but got '{got}'."
_NUMERIC = "'{name}' expects a numeric value between {low} and {high}."


def numeric(low: int, high: int) -> Checked:
    return between(low, high, _NUMERIC.replace("{low}", str(low)).replace("{high}", str(high))), str(low)


_SIDES: Final = ("bind", "server")
_LISTS: Final = {
    "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ciphersuites": "TLS_AES_128_GCM_SHA256",
    "client-sigalgs": "ECDSA+SHA256",
    "curves": "X25519:P-256",
    "sigalgs": "ECDSA+SHA256",
}
"""Lists that the TLS library judges, once everything is read: see ``crosscheck_tls``."""

CHECKS: Final[dict[str, Checked]] = {
    **{
        f"ssl-default-{side}-{word}": (lambda *_: "", example)
        for side in _SIDES
        for word, example in _LISTS.items()
    },
    "cpu-map": (cpu_map, "auto:1/1-4 0-3"),
    "cpu-set": (cpu_set, "drop-cpu 0"),
    "cpu-affinity": (cpu_affinity, "per-core"),
    "thread-groups": (thread_groups, "1"),
    "thread-group": (thread_group, "1 1-4"),
    "max-threads-per-group": (group_size, "16"),
    "profiling.tasks": (profiling, "on"),
    "issuers-chain-path": (lambda words, _: _DIRECTORY if unreadable(words[0]) else "", "/"),
    "ssl-default-bind-options": default_options(_BIND_OPTIONS),
    "ssl-default-server-options": default_options(_SERVER_OPTIONS),
    "ssl-dh-param-file": (parameters, "dh.pem"),
    "ssl-load-extra-files": (extra_files, "bundle sctl"),
    "ssl-security-level": (between(0, 5, "'{name}' : expects a value between 0 and 5"), "1"),
    "ssl-server-verify": (
        one_of("'{name}' expects 'none' or 'required' as argument.", "none", "required"),
        "none",
    ),
    "tune.ssl.default-dh-param": (between(1024, 1 << 31, "'{name}' expects a value >= 1024."), "2048"),
    "tune.ssl.lifetime": (delay("unexpected character '{char}' in argument to <{name}>."), "300"),
    "tune.ssl.keylog": (on_or_off, "on"),
    "tune.idletimer": (delay("'{name}' expects a timer value between 0 and 65535 ms.", most=65535), "1s"),
    "tune.h2.header-table-size": numeric(4096, 65536),
    "tune.h2.max-frame-size": numeric(16384, 16777215),
    "tune.lua.bool-sample-conversion": (one_of(_LUA_BOOLEANS, "normal", "pre-3.1-bug"), "normal"),
    "tune.sched.low-latency": (on_or_off, "on"),
    "tune.fd.edge-triggered": (experimental, ""),
    "tune.listener.multi-queue": (one_of(_MULTI_QUEUE, "on", "fair", "off"), "fair"),
    "tune.epoll.mask-events": (listed(_EPOLL, "err", "hup", "rdhup"), "err,hup"),
    "dns-accept-family": (listed(_FAMILIES, "ipv4", "ipv6", "auto"), "ipv4"),
    "force-cfg-parser-pause": (experimental, ""),
    "lua-load": (readable(_LUA_FILE), "/dev/null"),
    "lua-load-per-thread": (readable(_LUA_FILE), "/dev/null"),
    "lua-prepend-path": (prepend, "/usr/share/?.lua cpath"),
    "httpclient.ssl.verify": (
        one_of("'{name}' expects 'none' or 'required' as argument.", "none", "required"),
        "none",
    ),
    **{
        f"tune.lua.{what}-timeout": (delay(f"tune.lua.{what}-timeout: invalid timeout"), "4s")
        for what in ("session", "task", "service", "burst")
    },
    **{
        f"tune.{kind}buf.{side}": (size(_SIZE), "16k")
        for kind in ("rcv", "snd")
        for side in ("client", "server", "frontend", "backend")
    },
}  # fmt: skip

MISSING: Final = {
    **{f"{kind}-base": _DIRECTORY.replace("{name}", f"{kind}-base") for kind in ("ca", "crt", "key")},
    **{f"ssl-default-{side}-ciphers": _EXPECTS + "a cipher suite as an argument." for side in _SIDES},
    **{f"ssl-default-{side}-options": _EXPECTS + "an option as an argument." for side in _SIDES},
}
