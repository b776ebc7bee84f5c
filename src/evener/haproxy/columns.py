"""The cells of the shared segment: what column of a row counts what.

Every frontend, backend, server and listener has one row of ``WIDTH`` signed 64-bit cells, and so has
the process; all kinds of row use the same columns, so that code which sums or prints needs no table
per kind. The native engine reads these values at import; the control plane reads and writes the same
cells. A column ending in ``_RATE`` is the first of three cells of a sliding one-second counter.
"""

from enum import IntEnum, IntFlag
from typing import Final

WIDTH: Final = 107

#: Row 0 is the process: CUR/TOTAL are connections, REQUESTS requests, BYTES_OUT output.
PROCESS_ROW: Final = 0


class Column(IntEnum):
    # sessions (frontend: client connections' streams; backend, server: streams assigned)
    CUR = 0
    MAX = 1
    TOTAL = 2
    BYTES_IN = 3
    BYTES_OUT = 4
    DENIED_REQ = 5
    DENIED_RES = 6
    ERR_REQ = 7
    ERR_CONN = 8
    ERR_RES = 9
    RETRIES = 10
    REDISPATCHES = 11
    CLIENT_ABORTS = 12
    SERVER_ABORTS = 13
    SESS_RATE = 14  # 14..16
    SESS_RATE_MAX = 17
    HRSP_1XX = 18
    HRSP_2XX = 19
    HRSP_3XX = 20
    HRSP_4XX = 21
    HRSP_5XX = 22
    HRSP_OTHER = 23
    REQUESTS = 24
    REQ_RATE = 25  # 25..27
    REQ_RATE_MAX = 28
    CONN_RATE = 29  # 29..31
    CONN_RATE_MAX = 32
    CONNECTIONS = 33  # accepted (frontend) or attempted (backend, server)
    REUSED = 34
    LB_TOTAL = 35
    LAST_SESSION = 36  # wall clock seconds, 0 never
    Q_CUR = 37
    Q_MAX = 38
    # moving sums over the last 1024 requests, in ms (average = sum / 1024-window)
    Q_TIME = 39
    C_TIME = 40
    R_TIME = 41
    T_TIME = 42
    Q_TIME_MAX = 43
    C_TIME_MAX = 44
    R_TIME_MAX = 45
    T_TIME_MAX = 46
    FAILED_REWRITES = 47
    INTERNAL_ERRORS = 48
    DENIED_CONN = 49
    DENIED_SESS = 50
    INTERCEPTED = 51
    IDLE_CUR = 52  # server: idle connections kept
    USED_CUR = 53  # server: connections in use
    # server state, written by the control plane, read by the data plane
    USABLE = 56  # 1 = may be chosen by the balancing
    WEIGHT = 57  # effective weight, 0..256 * 16
    ACTIVE = 58  # 1 = accepts persistent and forced traffic (up or draining)
    MAXCONN = 59  # current server or frontend maxconn, 0 = none
    EPOCH = 60  # backend: raised whenever a server of it changes; data plane rebuilds its rotation
    ROTATION = 61  # backend: turns taken so far; server: the last one that touched it (leastconn)
    STOPPED = 62  # frontend: 1 = paused or stopped from the runtime API
    ERR_CHECK_REPORT = 63  # server: failures seen by the data plane (observe)
    REQUESTS_BAD = 64
    COMP_IN = 66  # frontend, backend: bytes given to the compressor, and what came out
    COMP_OUT = 67
    COMP_BYP = 68  # bytes of bodies left alone because of a limit
    COMP_RSP = 69
    CACHE_LOOKUPS = 70
    CACHE_HITS = 71
    CACHE_HINT_HITS = 72
    COMP_RATE = 73  # process: 73..75, bytes compressed per second
    SPLICED_IN = 76  # frontend: bytes of clients, backend: of servers, that went through a pipe
    SPLICED_OUT = 77  # and those sent to them; process: all of them
    USED_NEED = 78  # server: how many connections it is thought to need at once
    IDLE_HOLDER = 79  # server: 1 + the worker that kept an idle connection last
    CONN_RATE_LIMIT = 80  # process: what new connections per second may be, 0 any number; sessions alike
    SESS_RATE_LIMIT = 81
    COMP_RATE_LIMIT = 82  # process: bytes compressed per second
    SSL_RATE_LIMIT = 83  # process: TLS sessions per second
    PROFILING = 84  # process: 1 = streams measure what they cost
    BUSY = 85  # process: how busy the workers are, the sum of their percentages
    WORKERS = 86  # process: how many there are
    PROF_CALLS = 87  # process: of streams while profiling, their ns and the ns they were waited for
    PROF_CPU = 88
    PROF_LAT = 89
    LOGS_DROPPED = 90  # process: messages that no log server took
    LOGS_RECEIVED = 91  # process: messages of others that came in
    TURN_DUE = 92  # server: where it stands in the order of turns (balance.rotation.Place)
    TURN_LAST = 93
    TURN_CARRIED = 94
    TURN_RANK = 95
    TURN_ROUND = 96  # backend: its order of turns (balance.rotation.Standing), and the first of them
    TURN_NOW = 97
    TURN_SINCE = 98
    BACKUP_ROUND = 99  # the same of its backups
    BACKUP_NOW = 100
    BACKUP_SINCE = 101
    Q_PASSED = 102  # backend, server: how many have left its queue for a server so far
    IDLE_EPOCH = 103  # server: raised when its idle connections are not to be used any more
    HEIRS = 104  # server: how many of CUR came out of a queue and have not gone on yet
    HRSP_FAILED = 106  # server: responses that tell of a failure (``http-fail-codes``)
    Q_SEEN = 105  # server: its queue when it was touched last (leastconn)
    SHUTDOWN_EPOCH = 65  # server: raised to kill its sessions (on-marked-down, shutdown sessions)


class Retry(IntFlag):
    """Bits of ``Backend.retry_on``: after which failures a buffered request is sent again."""

    CONN_FAILURE = 1
    EMPTY_RESPONSE = 2
    JUNK_RESPONSE = 4
    RESPONSE_TIMEOUT = 8
    ZERO_RTT = 16
    S401 = 1 << 5
    S403 = 1 << 6
    S404 = 1 << 7
    S408 = 1 << 8
    S425 = 1 << 9
    S429 = 1 << 10
    S500 = 1 << 11
    S501 = 1 << 12
    S502 = 1 << 13
    S503 = 1 << 14
    S504 = 1 << 15


class Event(IntEnum):
    """What streams tell the stick table entries that they track; the engine has the same numbers."""

    CONN = 0
    SESS = 1
    REQUEST = 2
    ERROR = 3
    FAILURE = 4
    INPUT = 5
    OUTPUT = 6
    GLITCH = 7
