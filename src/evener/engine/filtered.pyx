# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Bodies that policy looks at: transformed, observed or paced by a flow of ``haproxy.filters``.

Decides how a body is taken apart and framed again around the flow, when the flow is asked to hold nothing
back, and when both sides wait because the flow does. It does not know what a flow does. A stream without
flows never comes here: its bodies go out as they came, straight from the buffer they were received in.

A flow gets the payload alone (``push``), a piece at a time, the last one marked, and returns what may
leave; what it keeps for later (``held``) is asked for again after ``wait`` milliseconds. Nothing more is read
before everything it returned has been sent, which is the backpressure. When the length changes, or the body
came in chunks, what leaves is framed in chunks of our own, with the trailers that came; else it leaves bare.
"""

from libc.stdint cimport int64_t, uint32_t

from cpython.bytes cimport PyBytes_GET_SIZE

from evener.engine.buffer cimport BODYSIZE, BUFSIZE, Buf, new_buf
from evener.engine.conn cimport Conn
from evener.engine.http1 cimport (
    BODY_CHUNKED, BODY_CLOSE, BODY_NONE, BODY_TUNNEL, WRITE_CHUNK, Body, Response, write_chunk_head,
)
from evener.engine.relay cimport ROUNDS
from evener.engine.segment cimport ERR_REQ


cdef class Filtering(Answering):
    cdef int bad_body(self) except -9:
        return self.cut(b"P", b"D")

    cdef int put(self, Conn sink, bytes data, bint chunked) except -1:
        """What a flow gave, framed, behind what is still to be sent."""
        cdef uint32_t count = <uint32_t>PyBytes_GET_SIZE(data)
        if count == 0:
            return 0
        if sink.out is None:
            sink.out = new_buf(BUFSIZE)
        if sink.out.reserve(count + 32, sink.out.size() + count + BUFSIZE) < 0:
            raise MemoryError
        if chunked:
            write_chunk_head(sink.out, count)
        sink.out.put_bytes(data)
        if chunked:
            sink.out.put(b"\r\n", 2)
        return 0

    cdef int put_end(self, Conn sink, object flow, bint chunked) except -1:
        cdef uint32_t held = self.trailers.size() if self.trailers is not None else 0
        if not chunked:
            return 0
        if sink.out is None:
            sink.out = new_buf(BUFSIZE)
        if sink.out.reserve(held + 8, sink.out.size() + held + BUFSIZE) < 0:
            raise MemoryError
        sink.out.put(b"0\r\n", 3)
        if held and (flow is None or flow.trailers):
            sink.out.put_from(self.trailers, 0, held)
        else:
            sink.out.put(b"\r\n", 2)
        if held:
            self.trailers.clear()
        return 0

    cdef int pause(self, object flow) except -1:
        """The flow keeps what it has for a while: nobody is late meanwhile."""
        self.timed_out = False
        return self.rest_until(flow.wait)

    cdef bint released(self, Conn sink, object flow, bint chunked) except -1:
        """Take what the flow may release now; False when that is nothing and there is only waiting."""
        cdef bytes data = flow.more(self.loop.now)
        self.put(sink, data, chunked)
        if data or not flow.held:
            return True
        self.pause(flow)
        return False

    # -- the request ---------------------------------------------------------------------------------

    cdef int pump_filtered_request(self) except -9:
        """1 all sent, 0 waiting, -1 the client failed (answered), -2 the server takes no more."""
        cdef Conn client = self.client
        cdef Conn upstream = self.upstream
        cdef object flow = self.up_flow
        cdef int64_t moved
        cdef int rounds = ROUNDS
        self.paced = False
        if self.trailers is None:
            self.trailers = Buf.__new__(Buf)
        while True:
            moved = upstream.flush()
            if moved <= 0:
                return 0 if moved == 0 else -2
            if flow.held:
                if not self.released(upstream, flow, self.up_chunked):
                    return 0
                continue
            if self.up_over:
                self.request_done = True
                return 1
            if self.up.done:
                if not self.up_last:
                    self.up_last = True
                    self.put(upstream, flow.push(b"", True, self.loop.now), self.up_chunked)
                if not flow.held:
                    self.put_end(upstream, flow, self.up_chunked)
                    self.up_over = True
                continue
            moved = self.up.piece(client.inb, BODYSIZE, self.trailers) if client.held() else 0
            if moved < 0:
                self.segment.bump(self.frontend.row, ERR_REQ, 1)
                self.error(400, b"P", b"D" if self.answered else b"H")
                return -1
            if moved:
                self.holding = False
                if self.up.slice_length:
                    self.fed = True
                    self.put(
                        upstream,
                        flow.push(client.inb.get(self.up.slice_start, self.up.slice_length), False, self.loop.now),
                        self.up_chunked,
                    )
                client.inb.skip(<uint32_t>moved)
                continue
            if client.ended:
                self.gave_up()
                return -1
            if not client.can_read:
                if not self.fed:
                    return 0
                self.fed = False
                self.put(upstream, flow.flush(self.loop.now), self.up_chunked)
                continue
            rounds -= 1
            if rounds == 0:
                self.loop.defer(self)
                return 0
            client.fill(BODYSIZE if self.up.total > BUFSIZE else BUFSIZE)

    # -- the response --------------------------------------------------------------------------------

    cdef int lost_client(self) except -9:
        self.count_abort(False)
        self.cut(b"C", b"D")
        return -1

    cdef int pump_filtered_response(self) except -9:
        """1 all sent, 0 waiting, -1 over (the stream is finished)."""
        cdef Conn client = self.client
        cdef object flow = self.down_flow
        cdef int result
        self.rounds = ROUNDS
        if self.request_done or self.up_flow is None:
            self.paced = False
        if self.trailers is None:
            self.trailers = Buf.__new__(Buf)
        while True:
            result = client.flush()
            if result < 0:
                return self.lost_client()
            if result == 0:
                return 0
            if flow.held:
                if not self.released(client, flow, self.down_chunked):
                    return 0
                continue
            if self.down_over:
                return 1
            result = self.read_response()
            if result <= 0:
                return result

    cdef int read_response(self) except -9:
        """Put one more piece of the server's body through the flow: 1, or as ``pump_filtered_response``."""
        cdef Conn upstream = self.upstream
        cdef Conn client = self.client
        cdef object flow = self.down_flow
        cdef Body body = self.down
        cdef int64_t moved
        if body.done or (body.kind == BODY_CLOSE and upstream.ended and not upstream.broken and not upstream.held()):
            if not self.down_last:
                self.down_last = True
                self.put(client, flow.push(b"", True, self.loop.now), self.down_chunked)
            if not flow.held:
                self.put_end(client, flow, self.down_chunked)
                self.down_over = True
            self.answered = True
            return 1
        moved = body.piece(upstream.inb, BODYSIZE, self.trailers) if upstream.held() else 0
        if moved < 0:
            self.bad_body()
            return -1
        if moved:
            if body.slice_length:
                self.fed = self.answered = True
                self.down_last = body.done  # said with the last bytes: who gets them may ask for more at once
                self.put(
                    client,
                    flow.push(upstream.inb.get(body.slice_start, body.slice_length), body.done, self.loop.now),
                    self.down_chunked,
                )
            upstream.inb.skip(<uint32_t>moved)
            return 1
        if upstream.ended:
            self.count_abort(True)
            self.cut(b"S", b"D")
            return -1
        if not upstream.can_read:
            if not self.fed:
                return 0
            self.fed = False
            self.put(client, flow.flush(self.loop.now), self.down_chunked)
            return 1
        self.rounds -= 1
        if self.rounds <= 0:
            self.loop.defer(self)
            return 0
        upstream.fill(BODYSIZE if body.total > BUFSIZE // 2 else BUFSIZE)
        return 1

    # -- what we answer ourselves --------------------------------------------------------------------

    cdef bytes local_piece(self):
        """The next piece of our own body; empty at its end."""
        cdef bytes piece
        if self.source is not None:
            return self.source.read(BODYSIZE)
        piece = self.local_body[self.given:self.given + BODYSIZE]
        self.given += len(piece)
        return piece

    cdef int stream_reply(self) except -9:
        """Our own body, piece by piece: it is long, or there is a flow."""
        cdef Conn client = self.client
        cdef object flow = self.down_flow
        cdef bytes piece
        cdef int result
        self.paced = False
        while True:
            result = client.flush()
            if result < 0:
                return self.cut(b"C", b"D")
            if result == 0:
                return 0
            self.answered = True
            if flow is not None and flow.held:
                if not self.released(client, flow, self.down_chunked):
                    return 0
                continue
            if self.down_over:
                self.finish(self.keep)
                return 0
            piece = self.local_piece() if not self.down_last else b""
            self.down_last = not piece
            if flow is not None:
                piece = flow.push(piece, not piece, self.loop.now)
            self.put(client, piece, self.down_chunked)
            if self.down_last and (flow is None or not flow.held):
                self.put_end(client, flow, self.down_chunked)
                self.down_over = True

    cdef int deliver_reply(self) except -9:
        if self.source is None and self.down_flow is None:
            return Answering.deliver_reply(self)
        return self.stream_reply()

    cdef uint32_t frame_request(self) except? 0xFFFFFFFF:
        """How the body leaves for the server: what to tell ``write_request``."""
        if self.up_flow is None:
            return 0
        self.up_chunked = self._req.framing == BODY_CHUNKED or self.up_flow.changes
        if not self.up_chunked:
            return 0
        self._req.unframe()
        return WRITE_CHUNK

    cdef uint32_t frame_response(self) except? 0xFFFFFFFF:
        cdef Response res = self._res
        if self.down_flow is None:
            return 0
        if self.mute or (res.framing == BODY_NONE and not self.local):
            self.end_flow(True)
            return 0
        if res.framing == BODY_TUNNEL:
            return 0
        self.down_chunked = res.framing == BODY_CHUNKED
        if self.down_flow.changes and res.framing != BODY_CLOSE and self._req.minor and res.minor:
            self.down_chunked = True
        if not self.down_chunked:
            return 0
        res.unframe()
        return WRITE_CHUNK
