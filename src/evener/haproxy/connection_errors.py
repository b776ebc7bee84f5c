"""The numbers, names and sentences of what can go wrong with a connection (manual, ``fc_err_str``).

Decides which of them an ``errno`` of the system is. The engine keeps either an errno, or - for what only it
knows, as that a SOCKS4 proxy said no - the number of this table, negative.
"""

from __future__ import annotations

import errno
from typing import Final, NamedTuple


class Fault(NamedTuple):
    name: str
    sentence: str


_TABLE: Final = """\
1|CONF_FDLIM|Reached configured maxconn value
2|PROC_FDLIM|Too many sockets on the process
3|SYS_FDLIM|Too many sockets on the system
4|SYS_MEMLIM|Out of system buffers
5|NOPROTO|Protocol or address family not supported
6|SOCK_ERR|General socket error
7|PORT_RANGE|Source port range exhausted
8|CANT_BIND|Can't bind to source address
9|FREE_PORTS|Out of local source ports on the system
10|ADDR_INUSE|Local source address already in use
11|PRX_EMPTY|Connection closed while waiting for PROXY protocol header
12|PRX_ABORT|Connection error while waiting for PROXY protocol header
13|PRX_TIMEOUT|Timeout while waiting for PROXY protocol header
14|PRX_TRUNCATED|Truncated PROXY protocol header received
15|PRX_NOT_HDR|Received something which does not look like a PROXY protocol header
16|PRX_BAD_HDR|Received an invalid PROXY protocol header
17|PRX_BAD_PROTO|Received an unhandled protocol in the PROXY protocol header
18|CIP_EMPTY|Connection closed while waiting for NetScaler Client IP header
19|CIP_ABORT|Connection error while waiting for NetScaler Client IP header
20|CIP_TIMEOUT|Timeout while waiting for a NetScaler Client IP header
21|CIP_TRUNCATED|Truncated NetScaler Client IP header received
22|CIP_BAD_MAGIC|Received an invalid NetScaler Client IP magic number
23|CIP_BAD_PROTO|Received an unhandled protocol in the NetScaler Client IP header
39|SOCKS4_SEND|SOCKS4 Proxy write error during handshake
40|SOCKS4_RECV|SOCKS4 Proxy read error during handshake
41|SOCKS4_DENY|SOCKS4 Proxy deny the request
42|SOCKS4_ABORT|SOCKS4 Proxy handshake aborted by server
47|EREFUSED|ECONNREFUSED returned by OS
48|ERESET|ECONNRESET returned by OS
49|EUNREACH|ENETUNREACH returned by OS
50|ENOMEM|ENOMEM returned by OS
51|EBADF|EBADF returned by OS
52|EFAULT|EFAULT returned by OS
53|EINVAL|EINVAL returned by OS
54|ENCONN|ENCONN returned by OS
55|ENSOCK|ENSOCK returned by OS
56|ENOBUFS|ENOBUFS returned by OS
57|EPIPE|EPIPE returned by OS
"""

FAULTS: Final = {
    int(number): Fault(name, sentence)
    for number, name, sentence in (row.split("|") for row in _TABLE.splitlines())
}
SOCK_ERR: Final = 6
#: What a log says where the table has other words.
_LOGGED: Final = {
    "Timeout exceeded while waiting for PROXY protocol header": 13,
    "Timeout exceeded while waiting for NetScaler Client IP header": 20,
    "Received an invalid NetScaler Client IP header": 22,
}
_BY_SENTENCE: Final = {fault.sentence: number for number, fault in FAULTS.items()} | _LOGGED
_BY_ERRNO: Final = {
    errno.EMFILE: 2,
    errno.ENFILE: 3,
    errno.EAFNOSUPPORT: 5,
    errno.EPROTONOSUPPORT: 5,
    errno.EADDRNOTAVAIL: 8,
    errno.EAGAIN: 9,
    errno.EADDRINUSE: 10,
    errno.ECONNREFUSED: 47,
    errno.ECONNRESET: 48,
    errno.ENETUNREACH: 49,
    errno.EHOSTUNREACH: 49,
    errno.ENOMEM: 50,
    errno.EBADF: 51,
    errno.EFAULT: 52,
    errno.EINVAL: 53,
    errno.ENOTCONN: 54,
    errno.ENOTSOCK: 55,
    errno.ENOBUFS: 56,
    errno.EPIPE: 57,
}


def number_of(fault: int) -> int:
    """Of what the engine keeps: an errno, 0 for no error, or a number of the table, negative."""
    if fault <= 0:
        return -fault
    return _BY_ERRNO.get(fault, SOCK_ERR)


def number_of_sentence(sentence: str) -> int:
    """Of what a log says about a connection without the header it needs."""
    return _BY_SENTENCE.get(sentence, 0)
