# The choice of a server. See choose.pyx.

from libc.stdint cimport int64_t

from evener.engine.proxies cimport Server
from evener.engine.stream cimport Stream

cdef class Choosing(Stream):
    cdef bint slot  # counted in the server's CUR
    cdef bint heir  # and in its HEIRS: somebody else's slot became ours, and we have not gone on yet
    cdef bint balanced  # the balancing, not policy, chose
    cdef Server avoid  # just failed: take another if there is one
    cdef int64_t shutdown_seen

    cdef bint usable(self, Server server) noexcept
    cdef bint others(self, Server server) except -1
    cdef int64_t limit_of(self, Server server) noexcept
    cdef bint full(self, Server server) except -1
    cdef int take(self, Server server) except -9
    cdef int claim(self, Server server) except -9
    cdef int chosen(self) except -1
    cdef int any_server(self) except -9
    cdef int next_in_rotation(self) except -9
    cdef int pass_over(self, int64_t start, Py_ssize_t passed, bint taken) except -1
    cdef int least_loaded(self) except -9
    cdef bint may_wait(self, Server server) noexcept
    cdef void touch(self, Server server) noexcept
    cdef int random_draw(self) except -9
    cdef bint lighter(self, Server one, Server other) noexcept
    cdef Server on_ring(self, int64_t hash)
    cdef bint fits(self, Server server) except -1
