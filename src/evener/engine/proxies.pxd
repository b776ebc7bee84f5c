# The compiled configuration as the data path reads it. See proxies.pyx.

from libc.stdint cimport int64_t, uint32_t

from evener.engine.kernel cimport sockaddr_storage
from evener.engine.loop cimport Loop, Task

cdef class Frontend:
    cdef public int index, row, maxconn, keep_alive, default_backend
    cdef public bytes name
    cdef public object plan
    cdef public bint http, log_null, ignore_probes
    cdef public bint tells_side  # a log shows from where servers are connected to
    cdef public bint persists  # a listen whose logs show what became of its cookie
    cdef public bint unsafe  # accept-unsafe-violations-in-http-request
    cdef public int glitches  # violations after which a client's connection is killed, 0: none are
    cdef public int glitch_load  # percent of load from which on they are
    cdef public int own_max  # server connections kept for one client alone
    cdef public bint reset  # option nolinger: closed by a reset
    cdef public bint patient  # idle connections outlive a soft stop until their next request
    cdef public bint cased  # header names to clients as h1-case-adjust spells them
    cdef public int64_t session_rate  # new sessions per second, 0: any number
    cdef public int64_t timeout_client, timeout_http_request, timeout_http_keep_alive, timeout_client_fin
    cdef public dict errors
    cdef public object on_connection, on_session, on_content, on_request, on_response
    cdef public object on_after_response, on_connect, on_log
    cdef public object on_refused  # (stream, why): a connection without the header it must begin with

cdef class Server:
    cdef public int index, row, maxconn, pool_max, pool_low
    cdef public int minconn  # the limit while the backend is idle, 0: it is maxconn
    cdef public int maxqueue  # 0: not limited
    cdef public bytes name
    cdef public object plan
    cdef public object preface  # (stream) -> the bytes that begin a connection: a PROXY header
    cdef public bytes redirect  # GET and HEAD are not forwarded, but redirected to this prefix; None: they are
    cdef public object aim  # (stream) -> (to, from, question) of a connection of its own; None: all are alike
    cdef public list options  # (level, name, bytes) of sockets; None: nothing special
    cdef sockaddr_storage address
    cdef uint32_t address_length
    cdef sockaddr_storage source  # where connections come from
    cdef uint32_t source_length  # 0: the kernel chooses
    cdef int source_low, source_high, source_next  # ports, 0: any
    cdef public object interface  # name of the device that connections leave by, None any
    cdef public list socket_options  # (level, name, value) of every connection, or None
    cdef public int64_t idle_life  # ms an unused connection is kept (pool-purge-delay)
    cdef public bint reset  # option nolinger: closed by a reset
    cdef public bint strict  # maxconn counts connections, idle ones too
    cdef public int namespace  # descriptor of the network namespace that connections are made in, -1: ours
    cdef public int home  # and of ours, to come back to
    cdef readonly int family
    cdef list pool  # idle connections of this worker, the last used at the end
    cdef object queue  # streams of this worker waiting for a slot of this very server
    cdef int64_t shutdown_epoch, idle_epoch
    cdef int version  # raised by set_address: older connections are not used again

cdef uint32_t fill_address(sockaddr_storage *place, int family, bytes address, int port) except 0

cdef class Backend(Task):
    cdef public int index, row, keep_alive, retries, redispatch, retry_on, reuse
    cdef public bytes name
    cdef public object plan
    cdef public bint http, abort_on_close, least
    cdef public bint persists  # logs show what became of its cookie
    cdef public bint table  # servers take turns in a fixed order: a full one keeps its turn when all are full
    cdef public bint turns  # no key of the request chooses, so that it does not matter which server serves
    cdef public bint unsafe  # accept-unsafe-violations-in-http-response
    cdef public int glitches  # violations after which a server's connection is not used again, 0: it always is
    cdef public bint pretend  # option http-pretend-keepalive
    cdef public bint cased  # header names to servers as h1-case-adjust spells them
    cdef public bytes name_header  # tells the server its name; None: nothing does
    cdef public bint prefer_last  # the server of the client's own last connection, when it has one
    cdef public int64_t last_queue  # longest queue of that server with which it is preferred, -1: any
    cdef public list servers
    cdef public int64_t timeout_connect, timeout_server, timeout_queue, timeout_tunnel, timeout_server_fin
    cdef public dict errors
    cdef public object key, rebuild, on_content, on_connected, on_request, on_response, on_after_response
    cdef public object on_persist, on_tcp_response
    cdef public Frontend twin
    cdef list rotation  # of Server
    cdef Py_ssize_t lead  # how many of them are taken once, before those that are repeated
    cdef int64_t since  # the turn (ROTATION) that the rotation begins at
    cdef list points  # of the consistent hash ring, in order; the rotation has their servers. None: no ring
    cdef public int draws  # servers drawn at random, the best of them is taken; 0: none are
    cdef public bint first  # the first server of the rotation that has room
    cdef public int64_t fullconn  # load at which the limits of servers have grown to maxconn
    cdef public int64_t balance_factor  # percent of the average load a hashed server may have; 0: any
    cdef public int affinity  # what sends a hashed request on along the ring: 0 nothing, 1 maxconn, 2 maxqueue
    cdef object queue  # streams of this worker waiting for a slot of any server
    cdef int64_t epoch
    cdef Loop loop
    cdef bint polled  # in loop.wanting
    cdef int collect(self) except -1

cdef class Listener(Task):
    cdef public Frontend frontend
    cdef public int row
    cdef public object name, plan
    cdef public bint accept_proxy
    cdef public int64_t netscaler  # magic of the client IP header that comes first, 0 none
    cdef readonly int descriptor
    cdef bint listening  # in epoll now
    cdef bint closed
    cdef Task acceptor  # the engine's: takes the connections
    cdef int family
    cdef int batch  # connections taken at once; follows the load
