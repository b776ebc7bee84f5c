# The client's connection and its session. Part of stream.pyx.

cdef class Session:
    def __cinit__(self):
        self.vars = {}


cdef bytes packed_address(const sockaddr_storage *address, int *port):
    """The packed address and the port; empty and 0 for a unix socket."""
    cdef const sockaddr_in *four = <const sockaddr_in *>address
    cdef const sockaddr_in6 *six = <const sockaddr_in6 *>address
    if address.ss_family == AF_INET:
        port[0] = ntohs(four.sin_port)
        return PyBytes_FromStringAndSize(<const char *>&four.sin_addr, 4)
    if address.ss_family == AF_INET6:
        port[0] = ntohs(six.sin6_port)
        return PyBytes_FromStringAndSize(<const char *>&six.sin6_addr, 16)
    port[0] = 0
    return b""


cdef int release_all(list tracked) except -1:
    cdef object one
    for one in tracked:
        if one is not None:
            (<Entry?>one).let_go()
    return 0


cdef class Client(Conn):
    cdef int settle(self, Loop loop, Listener listener) except -1:
        """Count a new connection; the accepting side has already claimed its places in CUR."""
        cdef Segment segment = loop.segment
        cdef Frontend frontend = listener.frontend
        self.listener = listener
        self.frontend = frontend
        self.accepted_ms = self.idle_since = loop.now
        self.accepted = wall_clock()
        loop.clients += 1
        segment.bump(listener.row, CUR, 1)
        segment.bump(frontend.row, CONNECTIONS, 1)
        segment.lift(frontend.row, CONN_RATE_MAX, segment.tick(frontend.row, CONN_RATE, 1, loop.now))
        segment.lift(PROCESS, CONN_RATE_MAX, segment.tick(PROCESS, CONN_RATE, 1, loop.now))
        segment.bump(PROCESS, TOTAL, 1)
        return 0

    cdef int admitted(self) except -1:
        """The connection became a session."""
        cdef Segment segment = self.loop.segment
        cdef int row = self.frontend.row
        segment.bump(row, TOTAL, 1)
        segment.lift(row, MAX, segment.load(row, CUR))
        segment.lift(row, SESS_RATE_MAX, segment.tick(row, SESS_RATE, 1, self.loop.now))
        segment.lift(PROCESS, SESS_RATE_MAX, segment.tick(PROCESS, SESS_RATE, 1, self.loop.now))
        segment.bump(self.listener.row, TOTAL, 1)
        segment.lift(self.listener.row, MAX, segment.load(self.listener.row, CUR))
        return 0

    cdef Session session(self):
        cdef Session made = self._session
        if made is None:
            made = self._session = Session.__new__(Session)
            self.loop.next_id += 1
            made.id = self.loop.next_id
            made.accepted = self.accepted
        return made

    cdef int begin(self) except -1:
        return 0

    cdef int next_request(self, bint keep, object unread) except -1:
        """The stream has ended; ``unread`` is the body of its request if that was not all read."""
        return self.close()

    cdef int look_up(self) except -1:
        """Fill in the addresses nobody asked for so far."""
        cdef sockaddr_storage mine
        cdef socklen_t length = sizeof(mine)
        if self.src_ip is not None:
            return 0
        self.src_ip = packed_address(&self.peer, &self.src_port)
        mine.ss_family = 0
        getsockname(self.io.fd, <sockaddr *>&mine, &length)
        self.dst_ip = packed_address(&mine, &self.dst_port)
        return 0

    cdef int keep_own(self, Upstream upstream) except -1:
        if self.own is None:
            self.own = []
        self.own = [one for one in self.own if not (<Upstream>one).dead]
        if len(self.own) >= self.frontend.own_max:
            return upstream.close()
        self.own.append(upstream)
        return 0

    cdef Upstream take_own(self, Server server, bytes preface, tuple aim):
        cdef Upstream one
        for one in self.own[:]:
            if one.dead or one.server is server:
                self.own.remove(one)
                if one.dead:
                    continue
                if one.version == server.version and one.preface == preface and one.aim == aim:
                    return one
                self.own.append(one)
        return None

    cdef int close(self, bint reset=False) except -1:
        cdef Segment segment = self.loop.segment
        cdef list own = self.own
        cdef Upstream one
        if self.dead:
            return 0
        segment.bump(PROCESS, CUR, -1)
        segment.bump(self.frontend.row, CUR, -1)
        segment.bump(self.listener.row, CUR, -1)
        self.loop.clients -= 1
        self.stream = None
        if self._session is not None and self._session.tracked is not None:
            release_all(self._session.tracked)
        self._session = None
        if own is not None:
            self.own = None
            for one in own:
                one.close()
        if self.loop.gated:
            self.loop.defer(self.loop.gate)
        return Conn.close(self, reset or self.hushed or (self.frontend.reset and self.ended))


def streams_of(Loop loop):
    """``Engine.streams``."""
    cdef Task task
    cdef Client client
    cdef Stream stream
    cdef list found = []
    for task in loop.tasks:
        if isinstance(task, Client) and (<Client>task).stream is not None:
            client = <Client>task
            stream = client.stream
            client.look_up()
            found.append((
                stream.id, client.src_ip, client.src_port, stream.frontend.name,
                stream.backend.name if stream.backend is not None else None,
                stream.server.name if stream.server is not None else None,
                loop.now - (stream.m_first or stream.m_idle), stream._bytes_in, stream._bytes_out,
            ))
    return found


def end_stream_of(Loop loop, number):
    """``Engine.end_stream``: what is logged says that it was killed."""
    cdef Task task
    cdef Stream stream
    for task in loop.tasks:
        if isinstance(task, Client) and (<Client>task).stream is not None:
            stream = (<Client>task).stream
            if stream.id == number:
                stream.stop_at(b"K", b"D")
                stream.destroy()
                return True
    return False


def end_streams_of(Loop loop):
    """``Engine.hard_stop``: whatever goes on ends now, and is logged as killed."""
    cdef Task task
    cdef Stream stream
    for task in list(loop.tasks):
        if isinstance(task, Client) and (<Client>task).stream is not None:
            stream = (<Client>task).stream
            stream.stop_at(b"K", b"-" if not stream.frontend.http else b"D" if stream.m_response else b"H")
            if stream.frontend.http and not stream.m_response:
                stream._res = Response.__new__(Response)  # for the log: there is nobody any more to say it
                stream._res.status = 500
            try:
                stream.destroy()
            except Exception as error:
                loop.report(error)
