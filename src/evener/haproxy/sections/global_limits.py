"""What values the words of ``global`` that tune something may have: numbers, sizes, times, choices.

One line per rule: the words, after a bar the kind of value with its limits and an example, and after another
the sentence about everything else. A sentence of the table is also what is said when the value is missing,
unless ``SENTENCES`` has another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evener.haproxy.sections.value_checks import (
    MOST,
    between,
    delay,
    deprecated,
    experimentally,
    listed,
    one_of,
    size,
)

if TYPE_CHECKING:
    from evener.haproxy.sections.tables import Check, Checked

_TABLE: Final = """
tune.h1.be.glitches-threshold tune.h1.fe.glitches-threshold tune.h2.be.glitches-threshold tune.h2.be.initial-window-size tune.h2.be.max-concurrent-streams tune.h2.fe.glitches-threshold tune.h2.fe.initial-window-size tune.h2.fe.max-total-streams tune.h2.initial-window-size tune.h2.max-concurrent-streams | number 0 | '{name}' expects a positive numeric value.
tune.ssl.cachesize tune.ssl.capture-buffer-size tune.ssl.capture-cipherlist-size tune.ssl.hard-maxrecord tune.ssl.maxrecord tune.ssl.ssl-ctx-cache-size maxsslconn | number 0 | '{name}' expects a positive numeric value.
tune.ssl.keyupdate-rate-limit | number 0 | '{name}' expects a positive number.
tune.notsent-lowat.client tune.notsent-lowat.server tune.rcvbuf.client tune.rcvbuf.server tune.recv_enough tune.sndbuf.client tune.sndbuf.server tune.cli.max-payload-size | size 16k | unexpected '{rest}' after size passed to '{name}'
tune.rcvbuf.backend tune.rcvbuf.frontend tune.sndbuf.backend tune.sndbuf.frontend | size 16k parsing [{place}] : '{name}' expects a strictly positive integer argument. | parsing [{place}]: unexpected '{rest}' after size passed to '{name}'
tune.bufsize.large tune.bufsize.small | size 16k '{name}' expects a positive integer argument. | unexpected '{rest}' after size passed to '{name}'
tune.h2.be.rxbuf tune.h2.fe.rxbuf | size 16k | '{name}': unexpected character '{char}' in size argument '{got}'.
tune.vars.check-max-size tune.vars.global-max-size tune.vars.proc-max-size tune.vars.reqres-max-size tune.vars.sess-max-size tune.vars.txn-max-size | digits 100 | {name}: '{got}' is an invalid size
tune.lua.forced-yield | digits 100 | {name}: invalid number
tune.applet.zero-copy-forwarding tune.h1.zero-copy-fwd-recv tune.h1.zero-copy-fwd-send tune.h2.zero-copy-fwd-send tune.pt.zero-copy-forwarding | choice on off | '{name}' expects 'on' or 'off'.
tune.sched.low-latency tune.lua.log.loggers tune.ssl.keylog httpclient.resolvers.disabled | choice on off | '{name}' expects either 'on' or 'off' but got '{got}'.
harden.reject-privileged-ports.quic harden.reject-privileged-ports.tcp | choice on off | '{name}' expects either 'on' or 'off'.
tune.lua.log.stderr | choice on auto off | '{name}' expects either 'on', 'auto', or 'off' but got '{got}'.
tune.listener.default-shards | choice by-group by-process by-thread | '{name}' expects either 'by-process', 'by-group', or 'by-thread' but got '{got}'.
tune.listener.multi-queue | choice fair on off | '{name}' expects either 'on', 'fair', or 'off' but got '{got}'.
tune.lua.bool-sample-conversion | choice normal pre-3.1-bug | '{name}' expects either 'normal' or 'pre-3.1-bug' but got '{got}'.
tune.h2.log-errors | choice none connection stream | '{name}' expects 'none', 'connection', or 'stream'
tune.defaults.purge | list all | '{name}' unknown directive '{first}'.
ssl-server-verify httpclient.ssl.verify | choice none required | '{name}' expects 'none' or 'required' as argument.
httpclient.resolvers.prefer | choice ipv4 ipv6 | '{name}' expects 'ipv4' or 'ipv6' as argument.
tune.buffers.limit tune.buffers.reserve | number 0 | '{name}' expects a non-negative number but got '{got}'.
tune.max-rules-at-once tune.pattern.cache-size | stated 0 | '{name}' expects a positive numeric value
tune.pool-high-fd-ratio tune.pool-low-fd-ratio | stated 0 100 | '{name}' expects an integer argument between 0 and 100.
tune.glitches.kill.cpu-usage | stated 0 100 | '{name}' expects a numeric value between 0 and 100
tune.events.max-events-at-once | number 1 10000 | '{name}' expects an integer argument between 1 and 10000.
tune.fail-alloc | number 0 100 | '{name}' expects a numeric value between 0 and 100.
tune.h2.header-table-size | number 4096 65536 | '{name}' expects a numeric value between 4096 and 65536.
tune.h2.max-frame-size | number 16384 16777215 | '{name}' expects a numeric value between 16384 and 16777215.
tune.maxpollevents | long - 1000000 | '{name}' expects an integer value lower than or equal to 1000000.
tune.maxaccept | long - 2147483647 | '{name}' expects -1 or an integer from 0 to INT_MAX.
tune.memory.hot-size | number 1 | '{name}' expects a strictly positive value.
tune.peers.max-updates-at-once | number 1 | '{name}' expects an integer argument greater than 0.
tune.ring.queues | number 0 16 | '{name}' expects a number between 0 and 16 but got '{got}'.
tune.ssl.default-dh-param | long 1024 | '{name}' expects a value >= 1024.
mworker-max-reloads | number 0 | '{name}' expects a positive value or zero.
tune.renice.runtime tune.renice.startup | digits 10 -20 19 | '{name}' only supports values between -20 and 19 inclusive (was given {got})
stress-level | digits 1 0 9 | '{name}' level must be between 0 and 9 inclusive.
close-spread-time | time 1s | unexpected character '{char}' in argument to <{name}>. | timer overflow in argument '{got}' to '{name}' (maximum value is 2147483647 ms or ~24.8 days)
httpclient.timeout.connect | time 1s | unexpected character '{char}' in '{name}' | timer overflow in argument '{got}' to '{name}' (maximum value is 2147483647 ms or ~24.8 days)
tune.lua.burst-timeout tune.lua.service-timeout tune.lua.session-timeout tune.lua.task-timeout | time 4s | {name}: invalid timeout | timer overflow in argument <{got}> to <{name}> (maximum value is 2147483647 ms or ~24.8 days)
tune.ssl.lifetime | time 300 | unexpected character '{char}' in argument to <{name}>. | timer overflow in argument '{got}' to <{name}> (maximum value is 2147483647 s or ~68 years).
tune.epoll.mask-events | some err hup rdhup | '{name}' expects a comma-delimited list of 'err', 'hup' and 'rdhup' but got '{first}'.
dns-accept-family | list ipv4 ipv6 auto | '{name}' expects a comma-delimited list of 'ipv4' and 'ipv6' but got '{first}'.
"""  # noqa: E501
_MISSING: Final = """
'{name}' expects an argument. | httpclient.resolvers.id httpclient.ssl.ca-file
'{name}' expects an integer argument. | tune.notsent-lowat.client tune.notsent-lowat.server tune.rcvbuf.client tune.rcvbuf.server tune.recv_enough tune.sndbuf.client tune.sndbuf.server tune.ssl.cachesize tune.ssl.capture-buffer-size tune.ssl.capture-cipherlist-size tune.ssl.hard-maxrecord tune.ssl.maxrecord tune.ssl.ssl-ctx-cache-size maxsslconn maxzlibmem tune.runqueue-depth maxsslrate tune.bufsize.large tune.bufsize.small tune.maxpollevents mworker-max-reloads tune.ssl.default-dh-param ssl-server-verify httpclient.retries httpclient.timeout.connect ocsp-update.maxdelay ocsp-update.mindelay tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay
'{name}' expects an integer argument | tune.maxaccept
'{name}' expects an integer argument (Lua memory size in MB). | tune.lua.maxmem
'{name}' expects a size argument. | tune.cli.max-payload-size
'{name}' expects a level as an argument. | stress-level
'{name}' expects <time> as argument. | close-spread-time
'{name}' expects <time> as argument between 1 and 1000 ms. | warn-blocked-traffic-after
'{name}' expects a timer value between 0 and 65535 ms. | tune.idletimer
'{name}' expects ssl sessions <lifetime> in seconds as argument. | tune.ssl.lifetime
'{name}' expects a number (KeyUpdates/s, 0 to disable). | tune.ssl.keyupdate-rate-limit
'{name}' : missing value | ssl-security-level
'{name}' expects 'all', 'none', or a comma-separated list of libraries: table,io,os,string,math,utf8,package,debug | tune.lua.openlibs
global statement '{name}' expects a directory path as an argument. | ca-base crt-base key-base issuers-chain-path ssl-provider-path
global statement '{name}' expects a cipher suite as an argument. | ssl-default-bind-ciphers ssl-default-bind-ciphersuites ssl-default-server-ciphers ssl-default-server-ciphersuites
global statement '{name}' expects a curves suite as an arguments. | ssl-default-bind-curves ssl-default-bind-sigalgs ssl-default-server-curves ssl-default-server-sigalgs
global statement '{name}' expects signature algorithms as an arguments. | ssl-default-bind-client-sigalgs ssl-default-server-client-sigalgs
global statement '{name}' expects an option as an argument. | ssl-default-bind-options ssl-default-server-options
global statement '{name}' expects a property string as an argument. | ssl-propquery
global statement '{name}' expects a valid engine provider name as an argument. | ssl-provider
'{name}' expects a file path as an argument. | ssl-dh-param-file
'{name}' expects one or multiple arguments (none, all, bundle, sctl, ocsp, issuer). | ssl-load-extra-files
'{name}' expect one argument: a file path. | shm-stats-file
'{name}' expect one argument: max objects number. | shm-stats-file-max-objects
expects an ASCII string argument. | cluster-secret
'{name}' expects a file name as parameter. | lua-load
'{name}' expects a file as parameter. | lua-load-per-thread
'{name}' expects to receive a <path> as argument | lua-prepend-path
"""  # noqa: E501


def _check(kind: str, limits: list[str], sentence: str, more: str) -> Checked:
    if kind == "choice":
        return one_of(sentence, *limits), limits[0]
    if kind == "some":
        return listed(sentence, "", *limits), limits[0]
    if kind == "list":
        return listed(sentence, *limits), limits[0]
    if kind == "size":
        return size(sentence, " ".join(limits[1:])), limits[0]
    if kind == "time":
        return delay(sentence, over=more), limits[0]
    if kind == "digits":
        low, high = (int(limit) for limit in limits[1:]) if limits[1:] else (-MOST, MOST)
        return _digits(low, high, sentence), limits[0]
    low = -MOST if limits[0] == "-" else int(limits[0])
    high = int(limits[1]) if limits[1:] else MOST
    return between(low, high, sentence, long=kind == "long", stated=kind == "stated"), str(max(low, 1))


def _digits(low: int, high: int, sentence: str) -> Check:
    """A number and nothing else."""
    inside = between(low, high, sentence)
    return lambda words, place: (
        inside(words, place) if words[0].lstrip("-+").isdigit() or not words[0] else sentence
    )


def _rows(table: str) -> list[list[str]]:
    return [[side.strip() for side in row.split(" | ")] for row in table.strip().splitlines()]


LIMITS: Final[dict[str, Checked]] = {
    word: _check(kind, limits, sentence, "".join(more))
    for words, value, sentence, *more in _rows(_TABLE)
    for kind, *limits in [value.split(" ")]
    for word in words.split()
}
SENTENCES: Final = {word: sentence for sentence, words in _rows(_MISSING) for word in words.split()}
"""What is said when there is no argument."""

_TAKEOVER: Final = (
    "'tune.takeover-other-tg-connections' is deprecated and will be removed in version 3.7. Please use "
    "'tune.idle-pool.shared"
)
_TAKEOVERS: Final = "'{name}' expects 'none', 'restricted', or 'full', got '{got}'"
_TAKEN: Final = one_of(_TAKEOVERS, "none", "restricted", "full")
_IDLE: Final = delay(
    "unexpected character '{char}' in argument to <{name}>.",
    most=65535,
    over="timer overflow in argument <{got}> to <{name}>, maximum value is 65535 ms.",
    outside="'{name}' expects a timer value between 0 and 65535 ms.",
)
_TABLES: Final = "'{name}' expects 'shared' or 'per-thread-group', got '{got}'"
_PAUSE: Final = delay(
    "unexpected character '{char}' in argument to <{name}>.",
    most=65535,
    outside="'{name}' expects a timer value between 0 and 65535 ms.",
)
_BLOCKED: Final = delay(
    "unexpected character '{char}' in argument to <{name}>.",
    least=1,
    most=1000,
    over="timer overflow in argument '{got}' to '{name}' (maximum value is 1000 ms)",
    outside="timer out of range in argument '{got}' to '{name}' (value must be between 1 and 1000 ms)",
)
LIMITS.update(
    {
        "tune.takeover-other-tg-connections": (deprecated(_TAKEOVER, _TAKEN), "full"),
        "tune.idletimer": (_IDLE, "1s"),
        "warn-blocked-traffic-after": (_BLOCKED, "100ms"),
        "tune.fd.edge-triggered": (experimentally(LIMITS["tune.sched.low-latency"][0]), "on"),
        "tune.fd.tables": (experimentally(one_of(_TABLES, "shared", "per-thread-group")), "shared"),
        "force-cfg-parser-pause": (experimentally(_PAUSE), "1"),
    }
)
