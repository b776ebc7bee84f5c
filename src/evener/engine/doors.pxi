# What stands between a listener and a stream: places in epoll, and connections whose header has not come yet.


cdef class Gate(Task):
    """Takes connections, and brings listeners back that had no room."""

    cdef Engine engine

    cdef int advance(self) except -1:
        return self.engine.reopen()

    cdef int expired(self) except -1:
        return self.engine.reopen()


cdef class Ticker(Task):
    cdef Engine engine

    cdef int expired(self) except -1:
        self.engine.loop.arm(self, self.engine.loop.now + TICK)
        return self.engine.tick()


cdef class Door(Task):
    """A listener's place in epoll."""

    cdef Engine engine
    cdef Listener listener

    cdef int event(self, uint32_t events) except -1:
        return self.engine.accept(self.listener)


cdef class Greeting(Task):
    """Owns a connection until its PROXY or NetScaler header has come."""

    cdef Engine engine
    cdef Client client
    cdef int64_t magic  # of a NetScaler header, 0: PROXY

    cdef int advance(self) except -1:
        cdef Client client = self.client
        cdef int64_t limit = client.frontend.timeout_client
        cdef object found = None
        if client.late or client.broken:
            return self.refuse()
        if client.can_read:
            client.fill(BUFSIZE)
        if client.held():
            try:
                if self.magic:
                    found = proxy_protocol.netscaler(client.inb.get(0, client.inb.size()), self.magic)
                else:
                    found = proxy_protocol.parse(client.inb.get(0, client.inb.size()))
            except ValueError:
                return self.refuse()
        if found is None and client.ended:
            return self.refuse()
        if found is None:
            client.watch_for(True, limit)
            return 0
        client.inb.skip(<uint32_t>found[0])
        if found[1] is not None:
            client.look_up()
            client.at_connection = client.src_ip, client.src_port, client.dst_ip, client.dst_port
            client.src_ip, client.src_port, client.dst_ip, client.dst_port = found[1]
        if not self.magic:
            client.pp_fields = found[2]
        client.due = 0
        client.owner = None
        client.handshake = self.engine.loop.now - client.accepted_ms
        client.idle_since = self.engine.loop.now
        return self.engine.welcome(client)

    cdef int refuse(self) except -1:
        """No header that could be believed: the log says why."""
        cdef Client client = self.client
        cdef object policy = client.frontend.on_refused
        cdef Stream stream
        cdef bytes data = client.inb.get(0, client.held()) if client.held() else b""
        if policy is not None:
            stream = Stream.__new__(Stream)
            stream.adopt(client)
            stream.started = client.accepted
            stream.stop_at(b"P", b"R")
            try:
                policy(stream, proxy_protocol.fault(data, bool(client.late), bool(self.magic)))
            except Exception as error:
                self.engine.loop.report(error)
        return client.close(True)

    cdef int destroy(self) except -1:
        return self.client.close(True)
