# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Bytes both ways without looking at them: TCP, and HTTP connections that became tunnels.

Decides when each direction is over: an end of stream is passed on once everything before it was; the
relay ends when both directions have. Timers: each side has its own while it is expected to do
something; in a tunnel (``timeout tunnel``) both use that one, and a side that is half closed uses its
``-fin`` timeout.
"""

from cpython.bytes cimport PyBytes_GET_SIZE

from evener.engine.buffer cimport BODYSIZE, BUFSIZE, new_buf
from evener.engine.conn cimport SOAK
from evener.engine.reach cimport REACHED
from evener.engine.segment cimport PROCESS, SPLICED_IN, SPLICED_OUT


cdef class Relaying(Reaching):
    cdef int64_t wring(self, Conn source, Conn sink, bint response) except -9:
        """Send what the source's pipe holds, and count it: bytes that went, 0 to wait, -1 the sink is broken."""
        cdef int64_t sent = source.wring(sink)
        if sent > 0:
            self.segment.bump(self.frontend.row, SPLICED_OUT if response else SPLICED_IN, sent)
            self.segment.bump(self.backend.row, SPLICED_IN if response else SPLICED_OUT, sent)
            self.segment.bump(PROCESS, SPLICED_OUT, sent)
        return sent

    cdef int move(self, Conn source, Conn sink, uint64_t *count, bint *bulk) except -9:
        cdef int64_t sent, soaked = 0
        cdef int got, rounds = ROUNDS
        cdef bint response = sink is self.client
        while True:
            if source.pipe is not None:
                sent = self.wring(source, sink, response)
                if sent <= 0:
                    return MOVED_SOME if sent == 0 else SINK_BROKEN
                count[0] += sent
                continue  # until the pipe is empty or the kernel full
            if source.held() or sink.unsent():
                if not sink.can_write:
                    return MOVED_SOME
                sent = sink.push(source.inb, 0, source.held())
                if sent < 0:
                    return SINK_BROKEN
                if sent:
                    source.inb.skip(<unsigned int>sent)
                    count[0] += sent
                if source.held() or sink.unsent():
                    return MOVED_SOME
            if source.ended:
                if source.broken:
                    return SOURCE_BROKEN
                if not self.first_end:
                    self.first_end = b"s" if response else b"c"
                if not (self.frontend.reset and sink.ended if response else self.server.reset):
                    if not sink.shut and (self.frontend.timeout_client_fin if response else self.backend.timeout_server_fin):
                        sink.due = 0  # that time limit begins now
                    sink.finish_writing()
                return MOVED_ALL
            if not source.can_read:
                source.rest()
                return MOVED_SOME
            rounds -= 1
            if rounds == 0:
                self.loop.defer(self)
                return MOVED_SOME
            if bulk[0]:
                sent = source.soak(SOAK)
                if sent > 0:
                    soaked += sent
                    continue
                if sent > -3:
                    bulk[0] = soaked >= <int64_t>BUFSIZE // 2
                    continue
            got = source.fill(BODYSIZE if bulk[0] else BUFSIZE)
            bulk[0] = got >= <int>BUFSIZE // 2

    cdef int move_filtered(self, Conn source, Conn sink, object flow, uint64_t *count) except -9:
        """``move`` through a flow."""
        cdef bytes data
        cdef int sent, rounds = ROUNDS
        while True:
            sent = sink.flush()
            if sent <= 0:
                return MOVED_SOME if sent == 0 else SINK_BROKEN
            if flow.held:
                data = flow.more(self.loop.now)
                if not data and flow.held:
                    self.rest_until(flow.wait)
                    return MOVED_SOME
            elif source.held():
                count[0] += source.held()
                data = flow.push(source.inb.get(0, source.held()), False, self.loop.now)
                source.inb.clear()
            elif source.ended:
                if source.broken:
                    return SOURCE_BROKEN
                if flow.over:
                    sink.finish_writing()
                    return MOVED_ALL
                data = flow.push(b"", True, self.loop.now)
            elif source.can_read:
                rounds -= 1
                if rounds == 0:
                    self.loop.defer(self)
                    return MOVED_SOME
                source.fill(BUFSIZE)
                continue
            else:
                data = flow.flush(self.loop.now)
                if not data:
                    source.rest()
                    return MOVED_SOME
            if data:
                if sink.out is None:
                    sink.out = new_buf(BUFSIZE)
                if sink.out.reserve(<unsigned int>PyBytes_GET_SIZE(data), <unsigned int>PyBytes_GET_SIZE(data) + BUFSIZE) < 0:
                    raise MemoryError
                sink.out.put_bytes(data)

    cdef int rest_until(self, int64_t wait) except -1:
        """A flow keeps something back for ``wait`` ms; the other direction may be due sooner."""
        cdef int64_t due = self.loop.now + (wait if wait > 0 else 1)
        if self.paced and self.due and self.due <= due:
            return 0
        self.paced = True
        return self.loop.arm(self, due)

    cdef int end_flow(self, bint response) except -1:
        """Whatever a flow still holds is lost: the body is over, or will never be complete."""
        cdef object flow = self.down_flow if response else self.up_flow
        if flow is None:
            return 0
        if response:
            self.down_flow = None
        else:
            self.up_flow = None
        try:
            flow.close()
        except Exception as error:
            self.loop.report(error)
        return 0

    def filter_body(self, bint response, flow):
        """Have the body of the request or of the response go through ``flow`` (None: as it came)."""
        if response:
            self.down_flow = flow
        else:
            self.up_flow = flow

    cdef int relay(self) except -9:
        """1 when both directions have ended, 0 to go on, -1 when it broke (the state is noted)."""
        cdef int up, down
        cdef bint bulk = self.bulk_down
        self.paced = False
        if self.down_flow is None:
            down = self.move(self.upstream, self.client, &self._bytes_out, &bulk)
            self.bulk_down = bulk
        else:
            down = self.move_filtered(self.upstream, self.client, self.down_flow, &self._bytes_out)
        bulk = self.bulk_up
        if self.up_flow is None:
            up = self.move(self.client, self.upstream, &self._bytes_in, &bulk)
            self.bulk_up = bulk
        else:
            up = self.move_filtered(self.client, self.upstream, self.up_flow, &self._bytes_in)
        if down == SOURCE_BROKEN or (up == SINK_BROKEN and down < 0):
            self.stop_at(b"S", b"D")
            self.count_abort(True)
            return -1
        if up == SOURCE_BROKEN or down == SINK_BROKEN:
            self.stop_at(b"C", b"D")
            self.count_abort(False)
            return -1
        if down == MOVED_ALL and (up == MOVED_ALL or up == SINK_BROKEN):
            return 1
        if up == MOVED_ALL and self.server is not None and self.server.reset:
            return 1  # option nolinger: nothing is waited for
        if up == SINK_BROKEN and self.upstream.broken and not self.upstream.can_read:
            self.stop_at(b"S", b"D")
            self.count_abort(True)
            return -1
        return self.relay_timers()

    cdef int relay_timers(self) except -9:
        # both at once: the client is blamed
        cdef bint late = self.upstream.late and not (self.client.due and self.client.due <= self.loop.now)
        cdef int64_t tunnel = self.backend.timeout_tunnel
        cdef int64_t ours = self.frontend.timeout_client, theirs = self.backend.timeout_server
        if self.timeouts is not None:
            tunnel = self.time_limit(tunnel, self.timeouts.tunnel)
            ours = self.time_limit(ours, self.timeouts.client)
            theirs = self.time_limit(theirs, self.timeouts.server)
        if self.upstream.late or self.client.late:
            self.stop_at(b"s" if late else b"c", b"D")
            return -1
        if tunnel:
            ours = theirs = tunnel
        if self.client.ended or self.client.shut:
            ours = self.frontend.timeout_client_fin or ours
        if self.upstream.ended or self.upstream.shut:
            theirs = self.backend.timeout_server_fin or theirs
        if self.paced:
            ours = theirs = 0
        self.client.watch_for(not self.client.ended or not self.client.can_write, ours)
        self.upstream.watch_for(not self.upstream.ended or not self.upstream.can_write, theirs)
        return 0

    cdef int watch_own(self, bint ours, bint theirs) except -1:
        """The inactivity timers of a request or response, some of them changed by policy."""
        self.client.watch_for(ours, self.time_limit(self.frontend.timeout_client, self.timeouts.client))
        if self.upstream is not None and self.step == REACHED:
            self.upstream.watch_for(theirs, self.time_limit(self.backend.timeout_server, self.timeouts.server))
        return 0

    cdef int give_back(self) except -1:
        """Leave queue, server and backend; the connection to the server, if any is left, is closed."""
        if self.up_flow is not None or self.down_flow is not None:
            self.end_flow(False)
            self.end_flow(True)
        self.leave_queue()
        self.drop_upstream()
        self.release_slot()
        self.leave_backend()
        return self.loop.cancel(self)
