# Bytes that pass through the kernel alone: splice(2). See pipe.pyx.

from libc.stdint cimport uint64_t

cdef class Pipe:
    cdef int into, out
    cdef uint64_t held  # bytes in it
    cdef ssize_t take(self, int fd, size_t count) noexcept  # > 0 bytes, 0 end of the stream, or -errno
    cdef ssize_t give(self, int fd) noexcept  # bytes, or -errno

cdef Pipe borrow()  # empty; None when there are enough or the system gives none
cdef int give_back(Pipe pipe) except -1
