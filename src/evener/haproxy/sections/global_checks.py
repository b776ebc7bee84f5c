"""What values the tuning and TLS words of ``global`` may have; see ``value_checks``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from evener.haproxy.addresses import Allow, BadAddress, parse_addresses
from evener.haproxy.sections.global_limits import LIMITS, SENTENCES
from evener.haproxy.sections.reading import TOLD
from evener.haproxy.sections.tables import Checked
from evener.haproxy.sections.tls_checks import VERSIONS
from evener.haproxy.sections.value_checks import (
    Arguments,
    as_c_int,
    as_c_long,
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
_POLICIES = {
    "none": "use all available CPUs",
    "performance": "make one thread group per perf. core cluster",
    "group-by-ccx": "make one thread group per CCX",
    "group-by-2-ccx": "make one thread group per 2 CCX",
    "group-by-3-ccx": "make one thread group per 3 CCX",
    "group-by-4-ccx": "make one thread group per 4 CCX",
    "group-by-cluster": "make one thread group per core cluster",
    "group-by-2-clusters": "make one thread group per 2 core clusters",
    "group-by-3-clusters": "make one thread group per 3 core clusters",
    "group-by-4-clusters": "make one thread group per 4 core clusters",
    "efficiency": "make one thread group per eff. core cluster",
    "resource": "make one thread group from the smallest cluster",
    "first-usable-node": "use only first usable node if nbthreads not set",
}
_LIBRARIES = ("table", "io", "os", "string", "math", "utf8", "package", "debug")
_ENCRYPTIONS = frozenset(
    {
        "ALL", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "A128KW", "A192KW", "A256KW", "dir", "ECDH-ES",
        "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW",
        "PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW", "A128CBC-HS256", "A192CBC-HS384",
        "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM",
    }
)  # fmt: skip
_COMMAND = "a command line to a passphrase-providing tool (script/binary...) and its arguments."
_LARGEST_SCRIPT = 16 << 20
_INTERVALS = ("maxdelay", "mindelay")
_USUAL = {"maxdelay": 3600, "mindelay": 300}
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
    if not arguments[0]:
        return f"'{{name}}' requires a directive and an optional value (only {known} supported)."
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word not in _CPU_SETS:
            return f"'{{name}}' passed an unknown directive '{word}' (only {known} supported)."
        if word != "reset" and not words:
            return f"'{{name}} {word}': missing CPU set\n."
        if word != "reset" and not _CPUS.fullmatch(chosen := words.pop(0)):
            return f"'{{name}} {word}': '{chosen}' is not a CPU range.\n."
    return ""


def cpu_affinity(arguments: Arguments, _: Place) -> str:
    got, *more = arguments
    if len(more) > 1:
        return f"'{{name}}' cannot handle unexpected argument '{more[1]}'."
    if got not in _AFFINITIES:
        return f"'{{name}}' parsed an unknown directive '{got}'. Known values are : {' '.join(_AFFINITIES)}"
    if more and (got != "per-group" or more[0] not in ("auto", "loose")):
        return f"'{got}' provided with unknown optional argument '{more[0]}'. "
    return ""


def thread_groups(arguments: Arguments, _: Place) -> str:
    return _whole(arguments[0], 1, 32, "value must be between 1 and 32")


def thread_limit(arguments: Arguments, _: Place) -> str:
    return _whole(arguments[0], 1, 4096, "value must be at least 1")


def _whole(text: str, low: int, high: int, sentence: str) -> str:
    if signed(text) is None:
        return f"'{{name}}' passed a missing or unparsable integer value in '{text}'"
    return "" if low <= as_c_long(text) <= high else f"'{{name}}' {sentence} (was {as_c_long(text)})"


def thread_group(arguments: Arguments, _: Place) -> str:
    wrong = _whole(arguments[0], 1, 32, "thread-group number must be between 1 and 32")
    if wrong:
        return wrong
    for threads in arguments[1:]:
        if not _RANGE.fullmatch(threads):
            return (
                f"'thread-group {arguments[0]}' passed an unparsable or invalid thread number '{threads}' "
                "(valid range is 1 to 1024)"
            )
    return ""


def group_size(arguments: Arguments, _: Place) -> str:
    good = signed(arguments[0]) in range(65)
    return "" if good else "'{name}' value must be an integer between 1 and 64,  got '{got}'"


def cpu_policy(arguments: Arguments, _: Place) -> str:
    policy, *more = arguments
    if more and more[0] != "threads-per-core":
        return f"'{{name}}' passed an unknown keyword '{more[0]}', the only known values are threads-per-core"
    if policy in _POLICIES:
        return ""
    known = ", ".join(f"'{name}' ({meaning})" for name, meaning in list(_POLICIES.items())[:-1])
    name, meaning = list(_POLICIES.items())[-1]
    known += f", and '{name}' ({meaning})"
    return f"'{{name}}' passed an unknown CPU policy '{policy}'. Supported values are: and {known}.\n"


def concurrent_streams(arguments: Arguments, place: Place) -> str:
    number, *more = arguments
    if more and more[0] not in ("rq-load", "min"):
        return f"'{{name}}' only supports 'rq-load' or 'min' after the numeric value, but found '{more[0]}'."
    return LIMITS["tune.h2.max-concurrent-streams"][0]((number,), place)


def elasticity(arguments: Arguments, _: Place) -> str:
    value = as_c_int(arguments[0])
    good = value >= 100 or (value == 0 and arguments[0][:1] == "0")
    return "" if good else "'{name}' expects 0 or a positive percentage value of 100 or above"


def memory(arguments: Arguments, _: Place) -> str:
    after = arguments[0].lstrip("-+").lstrip("0123456789")
    return f"{{name}}: invalid number {{got}} (error at '{after[0]}')" if after else ""


def libraries(arguments: Arguments, _: Place) -> str:
    known = ("all", "none", *_LIBRARIES)
    for word in arguments[0].split(","):
        if word not in known:
            return f"'{{name}}': unknown library '{word}', expected one of: {','.join(known)}"
    return ""


def script(arguments: Arguments, place: Place) -> str:
    """A Lua file; of those that each thread loads the original speaks by their full names."""
    path = arguments[0] if place.word == "lua-load" else os.path.abspath(arguments[0])
    from evener.haproxy.scripts import syntax_error

    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_SCRIPT)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return f"error in Lua file '{path}': cannot open {path}: {reason}"
    if wrong := syntax_error(path, data):
        return f"error in Lua file '{path}': {wrong}"
    place.scripts.learn(data.decode("utf-8", "surrogateescape"))
    return ""


def provider(arguments: Arguments, place: Place) -> str:
    """A provider of the TLS library must be one that it can load. Nothing is run here: it is let go again."""
    from evener.haproxy.libcrypto import has_provider

    if not arguments[0] or has_provider(arguments[0]):
        return ""
    message = f"ssl-provider {arguments[0]}: unknown provider"
    place.diagnostics.alert("unknown-provider", message, place.at, lead="config : ")
    return TOLD


def scheduler(arguments: Arguments, _: Place) -> str:
    if arguments[0] in ("auto", "off"):
        return ""
    wanted = "either 'auto' or 'off' argument" if arguments[0] else "an argument"
    return f"parsing [{{place}}]: keyword '{{name}}' in 'global' section requires {wanted}"


def encryptions(arguments: Arguments, _: Place) -> str:
    for word in arguments[0].split(":") if arguments[0] else ():
        if word.removeprefix("!") not in _ENCRYPTIONS:
            return f"Unknown algorithm/encoding {word}\n"
    return ""


def interval(arguments: Arguments, place: Place) -> str:
    """The longest time between two updates is not below the shortest one."""
    value = as_c_int(arguments[0])
    if value < 0:
        return "'{name}' expects a positive numeric value."
    which = place.word.rpartition(".")[2]
    other = next(name for name in _INTERVALS if name != which)
    said = [known.words[1] for known in place.settings if known.words[0].endswith(f"ocsp-update.{other}")]
    limit = as_c_int(said[-1]) if said else _USUAL[other]
    if which == "maxdelay" and value < limit:
        return "'{name}' can not be lower than tune.ssl.ocsp-update.mindelay."
    if which == "mindelay" and value > limit:
        return "'{name}' can not be higher than tune.ssl.ocsp-update.maxdelay."
    return ""


def security_level(arguments: Arguments, _: Place) -> str:
    if signed(arguments[0]) is None:
        return "'{name}' : expects an integer argument, found '{got}'"
    return "" if as_c_long(arguments[0]) in range(6) else "'{name}' : expects a value between 0 and 5"


def passphrase_command(arguments: Arguments, place: Place) -> str:
    if not arguments[0]:
        place.warning("missing-argument", f"global statement '{place.word}' expects {_COMMAND}", place.at)
    return ""


def update_proxy(arguments: Arguments, place: Place) -> str:
    try:
        parse_addresses(arguments[0], Allow.NO_PORT | Allow.STREAM, place.resolve)
    except BadAddress as error:
        where = f"ocsp-update: Failed to parse destination address in {error}"
        place.diagnostics.alert("bad-address", where, place.at, lead="config : ")
        return TOLD
    return ""


def updating(arguments: Arguments, place: Place) -> str:
    if arguments[0] not in ("on", "off"):
        place.warning("unknown-value", f"'{place.word}' : expecting <on|off>", place.at)
    return ""


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
    return "" if set(arguments) <= _EXTRA_FILES else SENTENCES["ssl-load-extra-files"]


def parameters(arguments: Arguments, _: Place) -> str:
    wrong = "'{name}': unable to load DH parameters from file <{got}>."
    from evener.haproxy.certificates import parameters as usable

    return "" if usable(arguments[0]) else wrong


def profiling(arguments: Arguments, _: Place) -> str:
    for word in arguments:
        if not set(word.split(",")) <= _PROFILING:
            return (
                "'{name}' expects a combination of either 'on', 'auto', 'off', 'lock', 'no-lock', 'memory', "
                f"or 'no-memory', but got '{word}'."
            )
    return ""


def prepend(arguments: Arguments, _: Place) -> str:
    known = arguments[1:] in ((), ("path",), ("cpath",))
    return "" if known else "'{name}' expects <type> to either be 'path' or 'cpath'"


_DIRECTORY = "global statement '{name}' expects a directory path as an argument."

_EXAMPLES: Final = {
    "httpclient.resolvers.id": "default",
    "httpclient.ssl.ca-file": "@system-ca",
}
"""Of words that are looked at when everything has been read."""


def anything(_arguments: Arguments, _place: Place) -> str:
    return ""


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
    **LIMITS,
    **{
        f"ssl-default-{side}-{word}": (anything, example)
        for side in _SIDES
        for word, example in _LISTS.items()
    },
    **{word: (anything, example) for word, example in _EXAMPLES.items()},
    "cpu-map": (cpu_map, "auto:1/1-4 0-3"),
    "cpu-set": (cpu_set, "drop-cpu 0"),
    "cpu-affinity": (cpu_affinity, "per-core"),
    "cpu-policy": (cpu_policy, "performance"),
    "thread-groups": (thread_groups, "1"),
    "thread-group": (thread_group, "1 1-4"),
    "thread-hard-limit": (thread_limit, "4"),
    "max-threads-per-group": (group_size, "16"),
    "profiling.tasks": (profiling, "on"),
    "issuers-chain-path": (lambda words, _: _DIRECTORY if unreadable(words[0]) else "", "/"),
    "ssl-default-bind-options": default_options(_BIND_OPTIONS),
    "ssl-default-server-options": default_options(_SERVER_OPTIONS),
    "ssl-dh-param-file": (parameters, "dh.pem"),
    "ssl-load-extra-files": (extra_files, "bundle sctl"),
    "ssl-provider": (provider, "default"),
    "ssl-passphrase-cmd": (passphrase_command, "cat"),
    "ssl-security-level": (security_level, "1"),
    "ocsp-update.httpproxy": (update_proxy, "127.0.0.1:3128"),
    "tune.h2.fe.max-concurrent-streams": (concurrent_streams, "100 rq-load"),
    "tune.streams-elasticity": (elasticity, "100"),
    "tune.lua.maxmem": (memory, "100"),
    "tune.lua.openlibs": (libraries, "table,io"),
    "lua-load": (script, "/dev/null"),
    "lua-load-per-thread": (script, "/dev/null"),
    "lua-prepend-path": (prepend, "/usr/share/?.lua cpath"),
    "acme.scheduler": (scheduler, "off"),
    "jwt.decrypt_alg_list": (encryptions, "ALL:!dir"),
    "jwt.decrypt_enc_list": (encryptions, "A128GCM:A256GCM"),
    **{f"{kind}ocsp-update.{end}": (interval, "1000") for kind in ("", "tune.ssl.") for end in _INTERVALS},
    **{f"ocsp-update.{word}": (updating, "off") for word in ("disable", "mode")},
}  # fmt: skip
