# The codec from Python: for tests, ``trace`` and ``replay``. Slow and simple.

ERRORS = {
    ERR_START: "start-line", ERR_TARGET: "request-target", ERR_VERSION: "version", ERR_NAME: "header-name",
    ERR_VALUE: "header-value", ERR_LENGTH: "content-length", ERR_ENCODING: "transfer-encoding", ERR_HOST: "host",
    ERR_TOO_MANY: "too-many-headers", ERR_TOO_LARGE: "head-too-large", ERR_CHUNK: "chunk", ERR_TRAILER: "trailer",
    ERR_PAYLOAD: "payload",
    ERR_UNSUPPORTED: "unsupported-coding", ERR_MEMORY: "memory", ERR_START_TOO_LARGE: "start-line-too-large",
}
CLOSE, KEEP_ALIVE, UPGRADE, DECHUNK, CHUNK = WRITE_CLOSE, WRITE_KEEP_ALIVE, WRITE_UPGRADE, WRITE_DECHUNK, WRITE_CHUNK
CASED = WRITE_CASED
FLAGS = {
    "close": MSG_CLOSE, "keep-alive": MSG_KEEP_ALIVE, "upgrade": MSG_UPGRADE, "expect": MSG_EXPECT,
    "length": MSG_LENGTH, "chunked": MSG_CHUNKED, "head": MSG_HEAD, "connect": MSG_CONNECT, "both": MSG_BOTH,
}
NONE, LENGTH, CHUNKED, UNTIL_CLOSE, TUNNEL = BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_CLOSE, BODY_TUNNEL


cdef bint is_token(int byte) noexcept:
    return CLASS_OF[byte & 255] & IS_TOKEN != 0


cdef uint8_t[256] CLASS_OF
for _byte in range(256):
    CLASS_OF[_byte] = IS_TOKEN if _byte < 128 and (chr(_byte).isalnum() or _byte in b"!#$%&'*+-.^_`|~") else 0


cdef int feed(Message m, Buf b, Request request) noexcept:
    if isinstance(m, Request):
        return parse_request(b, <Request> m)
    return parse_response(b, <Response> m, request)


cdef bint strange(Message m, Request request) except -1:
    cdef Message probe = Request.__new__(Request) if isinstance(m, Request) else Response.__new__(Response)
    cdef int verdict = feed(probe, m.store, request)
    return verdict < 0 and verdict != ERR_VERSION  # HTTP/0.9 is old, not strange


def parse(Message m not None, bytes data not None, int piece=0, bint unsafe=False, Request request=None) -> int:
    """Feeds ``data`` in pieces of that size (0: at once) until a verdict: the length of the head in ``data``,
    0 when it is incomplete, or an error below 0."""
    cdef Buf b = Buf.__new__(Buf)
    cdef int verdict = 0, at = 0, size = len(data)
    m.reset()
    if unsafe:
        m.flags |= MSG_UNSAFE
    b.ensure(size + 1)
    while verdict == 0 and at < size:
        step = min(piece, size - at) if piece else size
        b.put_bytes(data[at:at + step])
        at += step
        verdict = feed(m, b, request)
        b.compact()
    return verdict if verdict <= 0 else <int> m.head_length


cdef object complete(Message m, bytes data, bint unsafe, Request request):
    cdef int verdict = parse(m, data, 0, unsafe, request)
    if verdict <= 0:
        raise ValueError(ERRORS.get(verdict, "incomplete head"))
    return m


def parse_request_bytes(bytes data, int piece=0, bint unsafe=False):
    """A Request, 0 when incomplete, or an error number below 0 (a key of ERRORS)."""
    cdef Request m = Request.__new__(Request)
    cdef int verdict = parse(m, data, piece, unsafe)
    return m if verdict > 0 else verdict


def parse_response_bytes(bytes data, int piece=0, bint unsafe=False, Request request=None):
    """A Response, 0 when incomplete, or an error number below 0 (a key of ERRORS)."""
    cdef Response m = Response.__new__(Response)
    cdef int verdict = parse(m, data, piece, unsafe, request)
    return m if verdict > 0 else verdict


def to_bytes(Message m not None, uint32_t how=0) -> bytes:
    """The head as it would be sent, with the flags CLOSE, KEEP_ALIVE, UPGRADE, DECHUNK, CHUNK."""
    cdef Buf out = Buf.__new__(Buf)
    cdef int failed
    if isinstance(m, Request):
        failed = write_request(out, <Request> m, how)
    else:
        failed = write_response(out, <Response> m, how)
    if failed:
        raise BufferError("message head too large")
    return out.get(0, out.size())


def reply_bytes(int status, bytes reason=b"", headers=(), bytes body=b"", uint32_t how=0) -> bytes:
    """A local reply as it would be sent."""
    cdef Buf out = Buf.__new__(Buf)
    write_reply(out, status, reason, headers, body, how)
    return out.get(0, out.size())


def connection_line(Message m not None, int asker_minor, bint keep) -> int:
    """The flag for ``to_bytes`` that says what becomes of the connection, 0 when nothing need be said."""
    return connection_flags(m, asker_minor, keep)


def status_of(int error) -> int:
    """The HTTP status a request error is answered with."""
    return error_status(error)


def body_bytes(int kind, int64_t length, bytes data not None, int piece=0, bint decode=False):
    """Reads a body in pieces; returns (bytes approved, done, total payload, error or 0)."""
    cdef Body body = Body(kind, length)
    cdef Buf b = Buf.__new__(Buf), out = Buf.__new__(Buf)
    cdef int64_t moved
    cdef list taken = []
    cdef int at = 0, size = len(data)
    b.ensure(size + 1)
    out.ensure(size + 1)
    while at < size and not body.done:
        step = min(piece, size - at) if piece else size
        b.put_bytes(data[at:at + step])
        at += step
        moved = body.decode(b, 0, out) if decode else body.advance(b, 0)
        if moved < 0:
            return b"".join(taken), False, body.total, moved
        taken.append(b.get(0, moved) if not decode else out.get(0, out.size()))
        out.clear()
        b.skip(moved)
    return b"".join(taken), bool(body.done), body.total, 0


def preview_bytes(int kind, int64_t length, bytes data not None):
    """What ``txn.body()`` shows of a body of which ``data`` was received: (payload, complete)."""
    cdef Buf b = new_buf(len(data) + 1)
    b.put_bytes(data)
    return Body(kind, length).preview(b, 0)
