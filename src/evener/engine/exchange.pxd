# Idle connections between workers. See exchange.pyx.

from libc.stdint cimport uint32_t

from evener.engine.loop cimport Lender, Loop
from evener.engine.proxies cimport Server

cdef class Exchange(Lender):
    cdef Loop loop
    cdef list inboxes
    cdef dict waiting  # number -> the stream that asked
    cdef object reader
    cdef uint32_t number
    cdef int join(self, Loop loop, int worker) except -1
    cdef Server found(self, uint32_t backend, uint32_t server, int version)
    cdef int lend(self, tuple words) except -1
    cdef int answered(self, tuple words, int descriptor) except -1
