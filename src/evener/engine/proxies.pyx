# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Frontend, Backend, Server and Listener: what the compiler fills in and the data path reads.

Decides nothing. Attributes are those of ``core.pyi``; callbacks are None where the configuration has
nothing to say, which costs nothing at run time. Objects are made before the fork; what is private to a
worker (idle connections, waiting streams) starts empty in each.
"""

import socket
from collections import deque

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy, memset

from evener.engine.kernel cimport (
    AF_INET, AF_INET6, AF_UNIX, htons, sockaddr_in, sockaddr_in6, sockaddr_un,
)


cdef enum:
    POLL = 50  # ms between looks at a queue nobody in this worker moves


cdef bint drain_queue(object queue) except -1:
    """Advance the heads until one stays; says whether anyone is left."""
    cdef Task head
    while queue:
        head = <Task?>queue[0]
        head.advance()
        if queue and queue[0] is head:
            return True
    return False


cdef class Frontend:
    def __init__(self, bytes name not None, int row):
        self.name = name
        self.row = row
        self.http = True
        self.log_null = True
        self.own_max = 5
        self.default_backend = -1
        self.errors = {}


cdef class Server:
    def __init__(self, bytes name not None, int row):
        self.name = name
        self.row = row
        self.pool_max = self.namespace = self.home = -1
        self.idle_life = 5000
        self.pool = []
        self.queue = deque()

    def set_address(self, int family, bytes address not None, int port):
        self.address_length = fill_address(&self.address, family, address, port)
        self.family = family
        self.version += 1

    def set_source(self, int family, bytes address not None, int low, int high):
        """Connections come from that address, and from one of these ports (0: any)."""
        if family not in (AF_INET, AF_INET6) or high < low or high > 65535:
            raise ValueError("connections come from an IP address and a range of ports")
        self.source_length = fill_address(&self.source, family, address, low)
        self.source_low = self.source_next = low
        self.source_high = high


cdef uint32_t fill_address(sockaddr_storage *place, int family, bytes address, int port) except 0:
    """The kernel's form of an address; its length."""
    cdef sockaddr_in *four = <sockaddr_in *>place
    cdef sockaddr_in6 *six = <sockaddr_in6 *>place
    cdef sockaddr_un *local = <sockaddr_un *>place
    cdef Py_ssize_t length = PyBytes_GET_SIZE(address)
    if not 0 <= port <= 65535:
        raise ValueError("port out of range")
    if (family == AF_INET and length != 4) or (family == AF_INET6 and length != 16):
        raise ValueError("packed address of the wrong length")
    memset(place, 0, sizeof(place[0]))
    place.ss_family = family
    if family == AF_INET:
        four.sin_port = htons(port)
        memcpy(&four.sin_addr, PyBytes_AS_STRING(address), 4)
        return sizeof(sockaddr_in)
    if family == AF_INET6:
        six.sin6_port = htons(port)
        memcpy(&six.sin6_addr, PyBytes_AS_STRING(address), 16)
        return sizeof(sockaddr_in6)
    if family != AF_UNIX:
        raise ValueError("unknown address family")
    if not 0 < length < 108:
        raise ValueError("unix path too long")
    memcpy(local.sun_path, PyBytes_AS_STRING(address), length)
    # a path name ends with a NUL that counts; an abstract name starts with one and has no end
    return 2 + <uint32_t>length + (0 if address[0] == 0 else 1)


cdef class Backend(Task):
    def __init__(self, bytes name not None, int row):
        self.name = name
        self.row = row
        self.http = True
        self.retries = 3
        self.retry_on = 1
        self.last_queue = -1
        self.reuse = 1
        self.servers = []
        self.rotation = []
        self.errors = {}
        self.queue = deque()
        self.epoch = -1

    def add_server(self, Server server not None):
        server.index = len(self.servers)
        self.servers.append(server)

    def put_server(self, int index, Server server not None):
        if index == len(self.servers):
            self.servers.append(server)
        else:
            self.servers[index] = server
        server.index = index

    cdef int collect(self) except -1:
        """A stream has joined a queue: look at it again soon, other workers free slots as well."""
        if not self.polled:
            self.polled = True
            self.loop.wanting.append(self)
            self.loop.arm(self, self.loop.now + POLL)
        return 0

    cdef int advance(self) except -1:
        """A slot may be free: let the streams at the heads of the queues try."""
        cdef Server server
        cdef bint waiting
        waiting = drain_queue(self.queue)
        for server in self.servers:
            waiting = drain_queue(server.queue) or waiting
        if not waiting and self.polled:
            self.polled = False
            self.loop.wanting.remove(self)
            self.loop.cancel(self)
        return 0

    cdef int expired(self) except -1:
        self.loop.arm(self, self.loop.now + POLL)
        return self.advance()

    def set_rotation(self, indexes, Py_ssize_t lead=0, int64_t since=0):
        self.points = None
        self.rotation = [self.servers[index] for index in indexes]
        self.lead = lead
        self.since = since

    def set_ring(self, ring):
        """``ring``: (point, server index) in order."""
        self.points = [point for point, _ in ring]
        self.rotation = [self.servers[index] for _, index in ring]


cdef class Listener(Task):
    def __init__(self, int fd, Frontend frontend not None, int row):
        self.descriptor = fd
        self.frontend = frontend
        self.row = row
        self.name = ""
        with socket.socket(fileno=socket.dup(fd)) as probe:
            self.family = probe.family
