# What a stream costs, and what is told of its connections to those who look closer. Part of stream.pyx.

cdef class Costed(Task):
    cdef void begin_call(self) noexcept:
        """While profiling: what ``advance`` costs, and how long it was waited for."""
        cdef int64_t waited
        self.call_began = monotonic_ns()
        if self.loop.woken:
            waited = self.call_began - self.loop.woken
            self.lat_ns += waited
            self.segment.bump(PROCESS, PROF_LAT, waited)

    cdef void end_call(self) noexcept:
        cdef int64_t spent = monotonic_ns() - self.call_began
        self.spent += spent
        self.call_began = 0
        self.segment.bump(PROCESS, PROF_CALLS, 1)
        self.segment.bump(PROCESS, PROF_CPU, spent)

    @property
    def cpu_ns(self):
        """Nanoseconds spent so far, in the call that lasts too; 0 while nothing is measured."""
        return self.spent + (monotonic_ns() - self.call_began if self.call_began else 0)

    def facts(self, bint server):
        """Of the connection with the client or the server, as ``conn.facts_of``; None: there is none."""
        if server:
            return facts_of(self.upstream) if self.upstream is not None else None
        return facts_of(self.client)

    @property
    def ends(self):
        """How connections end: flags of the client's, of the server's when it was closed for this stream (else 0),
        whose side of a tunnel ended first; whether all is over."""
        return flags_of(self.client), self.lost_flags, self.first_end, (<Stream>self).m_end != 0

    def glitches(self, bint server):
        """How often a side violated the protocol on this connection."""
        return self.server_glitches if server else self.client.glitches

    @property
    def keeps(self):
        """Whether the client's connection outlives the stream."""
        return False

    @property
    def worker_load(self):
        """Percent of the last half second that this worker was computing."""
        return self.loop.busy

    @property
    def client_fault(self):
        """What broke the client's connection: an errno, 0 nothing; negative: a number of the manual's table."""
        cdef Client client = self.client
        if client.broken and not client.fault and not client.dead:
            client.fault = client.io.error()
        return client.fault

    @property
    def server_fault(self):
        """The same of the server's connection; None: there was none."""
        cdef Upstream upstream = self.upstream
        if upstream is None:
            return self.lost_fault if self.lost_fault or self.m_connect else None
        if upstream.broken and not upstream.fault:
            upstream.fault = upstream.io.error()
        return upstream.fault
