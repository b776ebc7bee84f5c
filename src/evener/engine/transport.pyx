# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Bytes in and out of one descriptor: plain now; TLS is a subclass with the same methods.

Decides nothing. Results are those of the system call: a count, 0 for the end of the stream, -errno.
"""

from libc.errno cimport EAGAIN, EINTR, EINVAL, errno
from libc.string cimport memset

from evener.engine.kernel cimport (
    MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, SHUT_WR, SO_ERROR, SO_LINGER, SOL_SOCKET, close, getsockopt, iovec,
    linger, msghdr, recv, send, sendmsg, setsockopt, shutdown, socklen_t,
)


cdef class Transport:
    def __cinit__(self):
        self.fd = -1

    cdef ssize_t recv(self, Buf into, uint32_t count) noexcept:
        cdef ssize_t got
        cdef void *place = into.writable(count)
        if place == NULL:
            return -EINVAL
        while True:
            got = recv(self.fd, place, count, 0)
            if got >= 0:
                break
            if errno != EINTR:
                return -errno
        into.written(<uint32_t>got)
        return got

    cdef ssize_t send(self, Buf head, Buf body, uint32_t offset, uint32_t count) noexcept:
        cdef iovec parts[2]
        cdef msghdr message
        cdef size_t used = 0
        cdef ssize_t sent
        if head is not None and head.size():
            parts[0].iov_base = <void *>head.readable(0, head.size())
            parts[0].iov_len = head.size()
            used = 1
        if body is not None and count:
            parts[used].iov_base = <void *>body.readable(offset, count)
            if parts[used].iov_base == NULL:
                return -EINVAL
            parts[used].iov_len = count
            used += 1
        while True:
            if used == 1:
                sent = send(self.fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
            else:
                memset(&message, 0, sizeof(message))
                message.msg_iov = parts
                message.msg_iovlen = used
                sent = sendmsg(self.fd, &message, MSG_NOSIGNAL)
            if sent >= 0:
                return sent
            if errno != EINTR:
                return -errno

    cdef ssize_t soak(self, Pipe into, size_t count) noexcept:
        return into.take(self.fd, count)

    cdef ssize_t wring(self, Pipe source) noexcept:
        return source.give(self.fd)

    cdef bint alive(self) noexcept:
        cdef char byte
        return recv(self.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 and errno == EAGAIN

    cdef int error(self) noexcept:
        cdef int found = 0
        cdef socklen_t length = sizeof(found)
        return found if getsockopt(self.fd, SOL_SOCKET, SO_ERROR, &found, &length) == 0 else 0

    cdef void shutdown(self) noexcept:
        shutdown(self.fd, SHUT_WR)

    cdef void close(self, bint reset) noexcept:
        cdef linger hard
        if self.fd < 0:
            return
        if reset:
            hard.l_onoff = 1
            hard.l_linger = 0
            setsockopt(self.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard))
        close(self.fd)
        self.fd = -1
