# Bytes in and out of one descriptor. See transport.pyx.

from libc.stdint cimport uint32_t

from evener.engine.buffer cimport Buf
from evener.engine.pipe cimport Pipe

cdef class Transport:
    cdef int fd
    # > 0 bytes appended to ``into``, 0 end of stream, or -errno
    cdef ssize_t recv(self, Buf into, uint32_t count) noexcept
    # bytes taken from both together, first all of ``head`` (may be None), then ``count`` bytes of
    # ``body`` from ``offset`` on (may be None); or -errno
    cdef ssize_t send(self, Buf head, Buf body, uint32_t offset, uint32_t count) noexcept
    # the same by way of a pipe; -EINVAL: bytes of this transport cannot go that way
    cdef ssize_t soak(self, Pipe into, size_t count) noexcept
    cdef ssize_t wring(self, Pipe source) noexcept
    cdef void shutdown(self) noexcept  # no more from us
    cdef void close(self, bint reset) noexcept  # reset: say so with an RST
    cdef int error(self) noexcept  # errno of what went wrong and nobody was told yet, 0 nothing
    cdef bint alive(self) noexcept  # nothing to read and not closed, as far as the kernel knows
