# A client connection speaking HTTP/1. See http_client.pyx.

from libc.stdint cimport int64_t

from evener.engine.http cimport HttpStream
from evener.engine.http1 cimport Body, Request
from evener.engine.stream cimport Client

cdef class HttpClient(Client):
    cdef Request coming  # the head being received
    cdef Body unread  # of an answered request: to be thrown away
    cdef object inherited  # variables and notes of the TCP stream this connection was before, for its first request
    cdef int take_over(self, Client old, object vars, object data) except -1
    cdef int receive(self) except -1
    cdef HttpStream new_stream(self)
    cdef int start_stream(self) except -1
    cdef int refuse(self, int status, char cause, bint answer) except -1
    cdef bint bad_chunks(self) noexcept
    cdef list tracked(self)
    cdef int tell_glitch(self, list tracked) except -1
    cdef bint weary(self) noexcept
    cdef bint discard(self) except -1
    cdef bint silent(self) noexcept
    cdef int at_end(self) except -1
    cdef int too_late(self) except -1
    cdef int idle_timer(self) except -1
    cdef int tell_invalid(self) except -1
    cdef int linger(self) except -1
