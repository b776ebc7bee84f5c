# What has come of a transaction before its end, and what an answer of our own is worth, see http_answer.pyx.
# ``option logasap`` tells it.


cdef void count_own(Answering stream) noexcept:
    """Counted as if a server had sent it, but not what is no answer to a request: there is no stream for it yet."""
    if not stream.blunt and (stream.applet is None or stream.blamed is not None):
        stream._bytes_out += stream._res.counted() + len(stream.local_body)
        if stream._res.flags & MSG_CLOSE:  # a page's own "connection: close" is another's in the end
            stream._bytes_out += 15


cdef int64_t worth(bytes head):
    """What ``counted`` says of a whole head."""
    return len(head) + 15 - 4 * (head.count(b"\r\n") - 2)


cdef int64_t come_in(Answering stream) noexcept:
    cdef Body up = stream.up
    cdef int64_t end = up.kind == BODY_CHUNKED and up.done
    return <int64_t>stream._bytes_in + stream.head_bytes_in + <int64_t>(up.total + up.trailing) + end


cdef int64_t come_out(Answering stream) except -1:
    cdef Body down = stream.down
    cdef int64_t come = <int64_t>stream._bytes_out + stream.head_bytes_out + <int64_t>down.total
    cdef int64_t waits = 0 if down.done else <int64_t>stream.upstream.held()
    if stream._res is not None and stream._res.framing == BODY_CHUNKED:
        waiting, whole = down.preview(stream.upstream.inb, 0)
        return come + len(waiting) + bool(whole)
    return come + (min(waits, <int64_t>down.left) if down.kind == BODY_LENGTH else waits)


def in_chunks(bytes body) -> bytes:
    return b"%X\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
