# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Bodies that nobody looks at: sent straight from the buffer they were received in, or through a pipe.

Decides how much is read at once, and when bytes go through the kernel alone (splice(2)): when at least BULK of
payload is known to follow, which needs no framing to be looked for. What a pipe took counts as passed
on: it can only be sent, and goes before anything that is read later.
"""

from libc.stdint cimport int64_t, uint32_t

from evener.engine.buffer cimport BODYSIZE, BUFSIZE
from evener.engine.conn cimport Conn, Upstream
from evener.engine.http1 cimport BODY_CLOSE, Body
from evener.engine.relay cimport BULK, ROUNDS
from evener.engine.segment cimport ERR_REQ


cdef class Pumping(Filtering):
    cdef int64_t soak_body(self, Conn source, Body body) except -9:
        """Take payload into a pipe; what ``Conn.soak`` says."""
        cdef int64_t got = source.soak(body.bulk())
        if got > 0:
            body.passed(got)
        return got

    cdef int pump_request(self) except -9:
        """1 all sent, 0 waiting, -1 the client failed (answered), -2 the server takes no more."""
        cdef Upstream upstream = self.upstream
        cdef Conn client = self.client
        cdef int64_t moved
        cdef int rounds = ROUNDS
        if self.request_done:
            return 1
        while True:
            if client.pipe is not None:
                moved = self.wring(client, upstream, False)
                if moved <= 0:
                    return 0 if moved == 0 else -2
                continue
            if not self.up.done:
                moved = self.up.advance(client.inb, <uint32_t>self.up_ok)
                if moved < 0:
                    client.glitches += 1
                    self.segment.bump(self.frontend.row, ERR_REQ, 1)
                    self.error(400, b"P", b"D" if self.answered else b"H")
                    return -1
                self.up_ok += moved
            if upstream.unsent() or self.up_ok > self.up_sent:
                if not upstream.can_write:
                    return 0
                moved = upstream.push(client.inb, <uint32_t>self.up_sent, <uint32_t>(self.up_ok - self.up_sent))
                if moved < 0:
                    return -2
                self.up_sent += moved
                if not self.holding:
                    self.drop_hold()
                if upstream.unsent() or self.up_ok > self.up_sent:
                    return 0
            if self.up.done:
                self.request_done = True
                return 1
            if client.ended:
                self.gave_up()
                return -1
            if not client.can_read:
                return 0
            rounds -= 1
            if rounds == 0:
                self.loop.defer(self)
                return 0
            if client.held() >= BUFSIZE // 2:
                self.drop_hold()
            if self.up.bulk() >= BULK and not self.holding:
                moved = self.soak_body(client, self.up)
                if moved >= -2:
                    continue
            client.fill(BODYSIZE if self.up.total > BUFSIZE else BUFSIZE)

    cdef int pump_response(self) except -9:
        """1 all sent, 0 waiting, -1 over (the stream is finished)."""
        cdef Upstream upstream = self.upstream
        cdef Conn client = self.client
        cdef int64_t moved
        cdef int rounds = ROUNDS
        while True:
            if upstream.pipe is not None:
                moved = self.wring(upstream, client, True)
                if moved == 0:
                    return 0
                if moved < 0:
                    return self.lost_client()
                continue  # until the pipe is empty or the kernel full
            if not self.down.done and upstream.held() > self.down_ok:
                moved = self.down.advance(upstream.inb, <uint32_t>self.down_ok)
                if moved < 0:
                    return self.bad_body()
                self.down_ok += moved
                if self.mute:
                    upstream.inb.skip(<uint32_t>self.down_ok)
                    self.down_ok = 0
            if client.unsent() or self.down_ok:
                if not client.can_write:
                    return 0
                moved = client.push(upstream.inb, 0, <uint32_t>self.down_ok)
                if moved < 0:
                    return self.lost_client()
                self.answered = True
                if moved:
                    upstream.inb.skip(<uint32_t>moved)
                    self.down_ok -= moved
                if client.unsent() or self.down_ok:
                    return 0
            if self.down.done:
                return 1
            if upstream.ended:
                if self.down.kind == BODY_CLOSE and not upstream.broken:
                    return 1
                self.count_abort(not upstream.shut)
                self.end_frame()
                self.cut(b"C" if upstream.shut else b"S", b"D")
                return -1
            if not upstream.can_read:
                return 0
            rounds -= 1
            if rounds == 0:
                self.loop.defer(self)
                return 0
            if self.down.bulk() >= BULK and not self.mute:
                moved = self.soak_body(upstream, self.down)
                if moved >= -2:
                    continue
            if upstream.fill(BODYSIZE if self.down.total > BUFSIZE // 2 else BUFSIZE) == 0:
                return 0

    cdef int end_frame(self) except -9:
        """The data of a whole chunk went on before the end of its frame came, which will not come any more."""
        cdef bytes rest = self.down.unframed()
        if rest and not self.mute:
            self.put(self.client, rest, False)
            self.client.flush()
        return 0

    cdef int pass_rest(self) except -9:
        """Send what was approved to the server if there is still one, else forget it: 1 all of it, 0 waiting."""
        cdef Upstream upstream = self.upstream
        cdef Conn client = self.client
        cdef int64_t moved = 1
        while upstream is not None and moved >= 0 and (client.pipe is not None or upstream.unsent() or self.up_ok):
            if client.pipe is not None:
                moved = self.wring(client, upstream, False)
                if moved == 0:
                    return 0
                continue
            if not upstream.can_write:
                return 0
            moved = upstream.push(client.inb, 0, <uint32_t>self.up_ok)
            if moved > 0:
                client.inb.skip(<uint32_t>moved)
                self.up_ok -= moved
        if moved < 0:
            self.server_keeps = False
            self.drop_upstream()
            self.release_slot()
        client.spill()
        if self.up_ok:
            client.inb.skip(<uint32_t>self.up_ok)
            self.up_ok = 0
        return 1

    cdef int drain(self) except -9:
        """The response is complete; read what is left of the request."""
        cdef Conn client = self.client
        cdef int64_t moved
        while True:
            if self.pass_rest() == 0:
                return 0
            moved = self.up.advance(client.inb, 0)
            if moved < 0:
                return self.cut(b"P", b"D")
            self.up_ok = moved
            if moved and self.pass_rest() == 0:
                return 0
            if self.up.done:
                return self.complete()
            if client.ended:
                self.count_abort(False)
                return self.cut(b"C", b"L")
            if not client.can_read or client.fill(BUFSIZE) == 0:
                return 0
