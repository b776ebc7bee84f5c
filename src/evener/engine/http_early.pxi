# What ends a transaction early, see http.pyx.

cdef int interrupted(HttpStream stream) except -9:
    """A side was lost, a timer struck, a server was shut down. 1 when that settled the matter."""
    cdef bint reset = stream.client.broken
    if stream.state == TUNNEL:
        return 0
    if stream.killed():
        stream.cut(b"K" if stream.usable(stream.server) else b"D", b"D" if stream.answered else b"H")
        return 1
    if stream.client.late:
        stream.client.late = False
        if stream.state in (BODY, DRAIN, LOCAL):
            stream.cut(b"c", b"L" if stream.state == DRAIN else b"D")
            return 1
        stream.error(400 if stream.state == EXCHANGE else 408, b"c", b"H" if stream.state == EXCHANGE else b"R")
        return 0
    if reset and not (EXCHANGE <= stream.state < BODY and patient(stream)):
        return client_lost(stream, True)
    if stream.client.half and REACH <= stream.state <= BODY and abandoned(stream):
        if stream.state != BODY:
            return client_lost(stream, False)
        if stream.upstream is not None:
            stream.upstream.finish_writing()  # it may send the rest all the same
    if stream.upstream is not None and stream.upstream.late and stream.step == REACHED:
        stream.upstream.late = False
        if stream.state == EXCHANGE and not stream.retry(ON_TIMEOUT):
            stream.count(ERR_RES, 1)
            stream.tell(FAILURE, 1)
            stream.error(504, b"s", b"H")
        elif stream.state == BODY:
            stream.cut(b"s", b"D")
            return 1
    return 0


cdef bint abandoned(HttpStream stream) noexcept:
    """The client closed its side: with ``option abortonclose`` that means it does not wait any more."""
    if stream.backend is None or not stream.backend.abort_on_close or stream.local:
        return False
    if stream._req.flags & MSG_CONNECT:
        return False
    return (stream.up.done or stream.request_done) and stream.client.held() == stream.up_ok


cdef bint patient(HttpStream stream) noexcept:
    """Without ``option abortonclose`` nobody looks after a client while a server works: the answer finds it gone."""
    if stream.backend is None or stream.backend.abort_on_close or stream.local:
        return False
    if not stream.frontend.http and stream.frontend.on_content is not None:
        return False  # it is looked after from the inspection on
    return stream.up.done or stream.request_done


cdef int client_lost(HttpStream stream, bint reset) except -9:
    cdef char where = b"D"
    stream.count_abort(False)
    if stream.state < REACH:
        where = b"R"
        if stream._res is None:
            stream._res = Response.__new__(Response)  # for the log
            stream._res.status = 400
        if stream.data is not None and stream.data.tarpitted:  # to the end
            stream.stop_at(b"P", b"T")
            stream._res.status = <int>stream.data.tarpitted
    elif stream.state == REACH:
        where = b"Q" if stream.step == QUEUED or stream.step == ASSIGN else b"C"
        if where == b"Q":
            stream.m_queue = stream.loop.now
    elif stream.state == EXCHANGE:
        where = b"D" if reset and stream.request_done else b"H"
        stream.error(400, b"C", where)
        if not reset:
            return 0
        stream.finish(False)
        return 1
    elif stream.state == DRAIN:
        where = b"L"
    stream.cut(b"C", where)
    return 1


cdef int weigh_glitches(HttpStream stream) except -1:
    """A server may break rules: at three quarters of what is too often, its connection is not used again."""
    cdef int most = stream.backend.glitches
    if strange(stream._res, stream._req):
        stream.upstream.glitches += 1
    stream.server_glitches = stream.upstream.glitches
    if most and stream.server_glitches >= (3 * most + 1) // 4:
        stream.server_keeps = False
    return 0
