# The system calls of the engine. Declarations only: what they mean is in the manual pages.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "sys/epoll.h" nogil:
    enum: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP, EPOLLET, EPOLLEXCLUSIVE
    enum: EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CLOEXEC
    ctypedef union epoll_data_t:
        uint64_t u64
    cdef struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epfd, int op, int fd, epoll_event *event)
    int epoll_wait(int epfd, epoll_event *events, int count, int timeout)

cdef extern from "sys/eventfd.h" nogil:
    enum: EFD_NONBLOCK, EFD_CLOEXEC
    int eventfd(unsigned int value, int flags)

cdef extern from "sys/socket.h" nogil:
    enum: AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6
    enum: SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC, SOL_SOCKET, SO_LINGER, SO_ERROR
    enum: MSG_NOSIGNAL, MSG_PEEK, MSG_DONTWAIT, SHUT_RD, SHUT_WR
    ctypedef uint32_t socklen_t
    cdef struct sockaddr:
        uint16_t sa_family
    cdef struct sockaddr_storage:
        uint16_t ss_family
    cdef struct linger:
        int l_onoff
        int l_linger
    int socket(int domain, int kind, int protocol)
    int accept4(int fd, sockaddr *address, socklen_t *length, int flags)
    int connect(int fd, const sockaddr *address, socklen_t length)
    int bind(int fd, const sockaddr *address, socklen_t length)
    enum: SO_REUSEADDR, SO_BINDTODEVICE
    int shutdown(int fd, int how)
    int listen(int fd, int backlog)
    int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
    int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
    int getsockname(int fd, sockaddr *address, socklen_t *length)
    ssize_t recv(int fd, void *data, size_t size, int flags)
    ssize_t send(int fd, const void *data, size_t size, int flags)

cdef extern from "sched.h" nogil:
    int CLONE_NEWNET
    int setns(int fd, int kind)

cdef extern from "sys/uio.h" nogil:
    cdef struct iovec:
        void *iov_base
        size_t iov_len

cdef extern from "sys/socket.h" nogil:
    cdef struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    ssize_t sendmsg(int fd, const msghdr *message, int flags)

cdef extern from "netinet/in.h" nogil:
    enum: IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, IP_BIND_ADDRESS_NO_PORT, IP_TRANSPARENT, IP_TTL, IPV6_TRANSPARENT, IPV6_UNICAST_HOPS
    cdef struct in_addr:
        uint32_t s_addr
    cdef struct in6_addr:
        uint8_t s6_addr[16]
    cdef struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    cdef struct sockaddr_in6:
        uint16_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
    uint16_t htons(uint16_t value)
    uint16_t ntohs(uint16_t value)

cdef extern from "sys/un.h" nogil:
    cdef struct sockaddr_un:
        uint16_t sun_family
        char sun_path[108]

cdef extern from "netinet/tcp.h" nogil:
    enum: TCP_NODELAY, TCP_QUICKACK, TCP_REPAIR

cdef extern from "unistd.h" nogil:
    int close(int fd)
    ssize_t read(int fd, void *data, size_t size)
    ssize_t write(int fd, const void *data, size_t size)

cdef extern from "fcntl.h" nogil:
    enum: F_SETPIPE_SZ, O_NONBLOCK, O_CLOEXEC, SPLICE_F_MOVE, SPLICE_F_NONBLOCK
    int fcntl(int fd, int command, ...)
    int pipe2(int *ends, int flags)
    ssize_t splice(int source, int64_t *from_, int sink, int64_t *to, size_t count, unsigned int flags)

cdef extern from "sys/mman.h" nogil:
    enum: PROT_READ, PROT_WRITE, MAP_SHARED, MAP_ANONYMOUS, MAP_NORESERVE
    void *MAP_FAILED
    void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)
    int munmap(void *address, size_t length)

cdef extern from "time.h" nogil:
    cdef struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *result)
    enum: CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME

cdef inline int64_t monotonic_ms() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <int64_t>now.tv_sec * 1000 + now.tv_nsec // 1000000

cdef inline int64_t monotonic_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec

cdef inline int64_t used_ms() noexcept nogil:  # of the processor, by this process
    cdef timespec used
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
    return <int64_t>used.tv_sec * 1000 + used.tv_nsec // 1000000

cdef inline double wall_clock() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_REALTIME, &now)
    return <double>now.tv_sec + <double>now.tv_nsec / 1e9
