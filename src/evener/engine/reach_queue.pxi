# The queue for a slot, see reach.pyx.

cdef int enqueue(Reaching stream, Server server) except -9:
    """Wait for a slot of that server, or of any; 1 if one came free while we queued up."""
    cdef Backend backend = stream.backend
    cdef int row = backend.row if server is None else server.row
    cdef int64_t length
    cdef int64_t timeout = backend.timeout_queue or backend.timeout_connect
    cdef object queue = backend.queue if server is None else server.queue
    cdef Py_ssize_t place
    if stream.in_queue:
        return 0
    if server is not None and server.maxqueue > 0 and stream.segment.load(row, Q_CUR) >= server.maxqueue:
        stream.count(ERR_CONN, 1)
        stream.server = server
        return stream.give_up(b"S", b"Q", 503)
    if stream.timeouts is not None:
        timeout = stream.time_limit(timeout, stream.timeouts.queue)
    stream.in_queue = True
    stream.waiting_for = server
    stream.rank = stream.priority + stream.loop.now
    place = len(queue)
    while place and (<Reaching>queue[place - 1]).rank > stream.rank:
        place -= 1
    queue.insert(place, stream)
    length = stream.segment.bump(row, Q_CUR, 1)
    stream.segment.lift(row, Q_MAX, length)
    stream.passed = stream.segment.load(row, Q_PASSED)
    if server is not None:
        stream.server = server
    backend.collect()
    stream.step = QUEUED
    if timeout:
        stream.loop.arm(stream, stream.loop.now + timeout)
    return requeue(stream)


cdef int requeue(Reaching stream) except -9:
    cdef Server server = stream.waiting_for
    cdef int result = 0
    if stream.timed_out:
        stream.timed_out = False
        stream.leave_queue()
        stream.m_queue = stream.loop.now
        stream.count(ERR_CONN, 1)
        return stream.give_up(b"s", b"Q", 503)
    if server is not None and not stream.usable(server) and not stream.segment.load(server.row, ACTIVE):
        stream.leave_queue()
        stream.server = None
        stream.step = ASSIGN
        return 1
    if server is not None:
        result = stream.take(server)
    elif stream.backend.queue[0] is stream:
        result = stream.any_server()
        if result == 2:  # it would only wait in another queue
            stream.server = None
            return 0
    if result < 0:
        stream.leave_queue()
        return stream.give_up(b"S", b"C", 503)
    if result:
        stream.leave_queue(True)
    return result


cdef int pass_on(Reaching stream, Server server) except -1:
    """The slot is for who waits for this server, or for any, and comes first: before our end is told, where it does
    not count as the heir's yet."""
    cdef Backend backend = stream.backend
    cdef Reaching heir, other
    while stream.usable(server) and (server.queue or backend.queue):
        heir = <Reaching>server.queue[0] if server.queue else None
        other = <Reaching>backend.queue[0] if backend.queue else None
        if heir is None or (other is not None and other.rank < heir.rank):
            heir = other
        if not heir.claim(server):
            break
        heir.heir = True
        stream.segment.bump(server.row, HEIRS, 1)
        heir.leave_queue(True)
        if backend.least:
            stream.touch(server)
        stream.loop.defer(heir)
    stream.loop.defer(backend)
    return 0


cdef bint tell_unbound(Reaching stream, bint connecting) except -1:
    """A connection could not leave from where it should; one that was to be made, only if no port was left."""
    if connecting and stream.lost_fault != EADDRINUSE and stream.lost_fault != EADDRNOTAVAIL:
        return False
    if stream.loop.on_unbound is not None:
        try:
            stream.loop.on_unbound(stream.backend.index, connecting)
        except Exception as error:
            stream.loop.report(error)
    return True


cdef bint crowded(Reaching stream) except -1:
    """``strict-maxconn``: whether the server has all its connections, and none of them is to spare."""
    cdef Server server = stream.server
    cdef int64_t limit = stream.limit_of(server)
    cdef Upstream idle
    if limit <= 0:
        return False
    for idle in server.pool[:]:
        if stream.segment.load(server.row, USED_CUR) + stream.segment.load(server.row, IDLE_CUR) < limit:
            return False
        idle.close()
    return stream.segment.load(server.row, USED_CUR) + stream.segment.load(server.row, IDLE_CUR) >= limit
