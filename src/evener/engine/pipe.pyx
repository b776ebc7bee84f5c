# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Pipes that bulk bytes go through from one socket to another without being copied to us and back.

Decides how many pipes a worker may use and how many empty ones it keeps. It does not know who uses one:
a connection borrows a pipe for what it received, and gives it back as soon as it is empty.
"""

from libc.errno cimport EINTR, errno

from evener.engine.kernel cimport (
    F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, SPLICE_F_MOVE, SPLICE_F_NONBLOCK, close, fcntl, pipe2, splice,
)

cdef enum:
    KEPT = 16  # empty pipes

cdef int most = 0  # pipes at once; 0: none, bytes are copied
cdef int size = 65536
cdef int used = 0
cdef list spare = []


def configure(int pipes, int bytes_each) -> None:
    """How many pipes each worker may use at once, and the size asked for; to be called before traffic."""
    global most, size
    most, size = pipes, bytes_each


cdef class Pipe:
    def __cinit__(self):
        self.into = self.out = -1
        self.held = 0

    def __dealloc__(self):
        if self.into >= 0:
            close(self.into)
            close(self.out)

    cdef ssize_t take(self, int fd, size_t count) noexcept:
        cdef ssize_t got
        while True:
            got = splice(fd, NULL, self.into, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
            if got >= 0:
                self.held += <uint64_t>got
                return got
            if errno != EINTR:
                return -errno

    cdef ssize_t give(self, int fd) noexcept:
        cdef ssize_t sent
        while True:
            sent = splice(self.out, NULL, fd, NULL, self.held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
            if sent >= 0:
                self.held -= min(<uint64_t>sent, self.held)
                return sent
            if errno != EINTR:
                return -errno


cdef Pipe borrow():
    cdef Pipe made
    cdef int[2] ends
    global used
    if used >= most:
        return None
    if spare:
        used += 1
        return spare.pop()
    if pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0:
        return None
    made = Pipe.__new__(Pipe)
    made.into, made.out = ends[1], ends[0]
    fcntl(made.into, F_SETPIPE_SZ, size)  # where that is too much, it stays as large as it is
    used += 1
    return made


cdef int give_back(Pipe pipe) except -1:
    """A pipe that still holds something is of no use to anybody else."""
    global used
    used -= 1
    if pipe.held == 0 and len(spare) < KEPT:
        spare.append(pipe)
    return 0
