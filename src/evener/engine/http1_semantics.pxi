# What the lines of a head mean to a proxy: connection options, body length, host, upgrade. RFC 9110 7.6, 9112 6.

cdef struct Seen:
    int length  # index of the Content-Length line kept, -1
    uint64_t said  # the length it says
    int encoding  # index of the last Transfer-Encoding line, -1
    int host
    bint chunked  # the last coding is chunked
    bint other  # there is a coding we do not know
    bint upgrade  # a protocol is proposed
    bint socket  # and it is websocket
    bint socket_key
    bint connection  # there is a Connection line
    bint te


cdef uint32_t next_token(Buf s, uint32_t at, uint32_t end, uint32_t *start, uint32_t *length) noexcept:
    """The list element at ``at``, without surrounding blanks; returns where the next one begins, > end after the last."""
    cdef int comma = s.find(at, end - at, c",")
    cdef uint32_t stop = end if comma < 0 else at + <uint32_t> comma
    cdef uint32_t last = stop
    while at < last and s.at(at) in (32, 9):
        at += 1
    while last > at and s.at(last - 1) in (32, 9):
        last -= 1
    start[0], length[0] = at, last - at
    return stop + 1


cdef int connection_option(Buf s, uint32_t at, uint32_t length) noexcept:
    if s.equals_nocase(at, length, b"close", 5):
        return MSG_CLOSE
    if s.equals_nocase(at, length, b"keep-alive", 10):
        return MSG_KEEP_ALIVE
    if s.equals_nocase(at, length, b"upgrade", 7):
        return MSG_UPGRADE
    return 0


cdef bint is_http2(Buf s, uint32_t at, uint32_t length) noexcept:
    return s.equals_nocase(at, length, b"h2c", 3) or s.equals_nocase(at, length, b"h2", 2)


cdef void read_connection(Message m, Line *line) noexcept:
    cdef uint32_t at = line.value, end = line.value + line.value_length, start = 0, length = 0
    while at <= end:
        at = next_token(m.store, at, end, &start, &length)
        m.flags |= connection_option(m.store, start, length)


cdef void read_upgrade(Message m, Line *line, Seen *seen) noexcept:
    cdef uint32_t at = line.value, end = line.value + line.value_length, start = 0, length = 0
    while at <= end:
        at = next_token(m.store, at, end, &start, &length)
        if length and not is_http2(m.store, start, length):
            seen.upgrade = True
            if m.store.equals_nocase(start, length, b"websocket", 9):
                seen.socket = True


cdef void strip(Message m, Line *line, uint32_t options) noexcept:
    """Takes list elements away: these connection options, or the HTTP/2 protocols when ``options`` is 0."""
    cdef uint32_t at = line.value, end = line.value + line.value_length, out = line.value
    cdef uint32_t start = 0, length = 0, kept = 0, taken = 0
    cdef bint away
    while at <= end:
        at = next_token(m.store, at, end, &start, &length)
        if options:
            away = length == 0 or connection_option(m.store, start, length) & options
        else:
            away = length == 0 or is_http2(m.store, start, length)
        if away:
            taken += 1
            continue
        if kept and taken:
            m.store.overwrite(out, b",", 1)
            out += 1
        if taken:
            m.store.move(out, start, length)
            out += length
        else:
            out = start + length
        kept += 1
    if kept == 0:
        m.drop(line)
    elif taken:
        shorten(m, line, line.value, out - line.value)


cdef void shorten(Message m, Line *line, uint32_t value, uint32_t length) noexcept:
    m.weight -= min(m.weight, line.value_length - length)
    line.value, line.value_length = value, length
    line.flags &= ~LINE_PLAIN


cdef int read_length(Message m, uint32_t index, Seen *seen) noexcept:
    """Repeated equal values count once (RFC 9112 6.3); anything but digits is refused."""
    cdef Line *line = m.lines.at(index)
    cdef uint32_t at = line.value, end = line.value + line.value_length, start = 0, length = 0, digit
    cdef uint64_t value, byte
    while at <= end:
        at = next_token(m.store, at, end, &start, &length)
        if length == 0 or m.store.run(start, IS_DIGIT) < start + length:
            return ERR_LENGTH
        value = 0
        for digit in range(start, start + length):
            byte = <uint64_t> (m.store.at(digit) - 48)
            if value > (UINT64_MAX - byte) // 10:
                return ERR_LENGTH
            value = value * 10 + byte
        if m.flags & MSG_LENGTH and value != seen.said:
            return ERR_LENGTH
        m.flags |= MSG_LENGTH
        seen.said = value
        m.length = <int64_t> min(value, <uint64_t> INT64_MAX)  # more than anybody will ever send
    if seen.length >= 0:
        m.drop(line)
        return NEXT
    seen.length = <int> index
    while length > 1 and m.store.at(start) == 48:
        start += 1
        length -= 1
    if length != line.value_length:
        shorten(m, line, start, length)
    return NEXT


cdef int read_encoding(Message m, uint32_t index, Seen *seen, bint loose) noexcept:
    """``chunked`` must come last and once (RFC 9112 6.1); ``loose`` are the responses of an unsafe server."""
    cdef Line *line = m.lines.at(index)
    cdef uint32_t at = line.value, end = line.value + line.value_length, start = 0, length = 0
    if seen.encoding >= 0:
        m.drop(m.lines.at(seen.encoding))
    seen.encoding = <int> index
    while at <= end:
        at = next_token(m.store, at, end, &start, &length)
        if length == 0 and loose:
            continue
        if length == 0 or (seen.chunked and not loose):
            return ERR_ENCODING
        if m.store.equals_nocase(start, length, b"chunked", 7):
            seen.chunked = True
        elif seen.chunked:
            return ERR_ENCODING
        else:
            seen.other = True
    return NEXT


cdef int read_host(Message m, uint32_t index, Seen *seen) noexcept:
    cdef Line *line = m.lines.at(index)
    cdef Line *first
    if seen.host >= 0:
        first = m.lines.at(seen.host)
        if not m.store.same_nocase(first.value, first.value_length, line.value, line.value_length):
            return ERR_HOST
        m.drop(line)
        return NEXT
    seen.host = <int> index
    return NEXT if valid_host(m.store, line.value, line.value_length) else ERR_HOST


cdef int read_line(Message m, uint32_t index, Seen *seen, bint request) noexcept:
    cdef Line *line = m.lines.at(index)
    if line.known == KNOWN_LENGTH:
        return read_length(m, index, seen)
    if line.known == KNOWN_ENCODING:
        return read_encoding(m, index, seen, not request and m.flags & MSG_UNSAFE)
    if line.known == KNOWN_HOST:
        return read_host(m, index, seen) if request else NEXT
    if line.known == KNOWN_CONNECTION:
        seen.connection = True
        read_connection(m, line)
    elif line.known == KNOWN_UPGRADE:
        read_upgrade(m, line, seen)
    elif line.known == KNOWN_EXPECT:
        if m.store.equals_nocase(line.value, line.value_length, b"100-continue", 12):
            m.flags |= MSG_EXPECT
    elif line.known == KNOWN_TE:
        seen.te = True
    elif line.known == KNOWN_SOCKET_KEY:
        seen.socket_key = line.value_length == 24
    return NEXT


cdef int read_lines(Message m, Seen *seen, bint request) noexcept:
    cdef Line *line
    cdef const uint8_t *name
    cdef uint32_t index
    cdef int verdict
    seen.length = seen.encoding = seen.host = -1
    seen.chunked = seen.other = seen.upgrade = seen.socket = seen.socket_key = False
    seen.connection = seen.te = False
    for index in range(m.lines.count):
        line = m.lines.at(index)
        name = m.store.readable(line.name, line.name_length)
        if name is NULL:
            return ERR_NAME
        line.known = <uint8_t> known_name(name, line.name_length)
        if line.known:
            verdict = read_line(m, index, seen, request)
            if verdict < 0:
                return verdict
    return NEXT


cdef bint accepts_trailers(Message m, Line *line) noexcept:
    cdef uint32_t at = line.value, end = line.value + line.value_length, start = 0, length = 0
    while at <= end:
        at = next_token(m.store, at, end, &start, &length)
        if m.store.equals(start, length, b"trailers", 8):
            return True
    return False


cdef void strip_te(Message m) noexcept:
    """Only ``TE: trailers`` passes a proxy that knows no other coding (RFC 9110 10.1.4); rules see all of it."""
    cdef Line *line
    cdef uint32_t index
    for index in range(m.lines.count):
        line = m.lines.at(index)
        if line.known == KNOWN_TE:
            line.flags &= ~LINE_PLAIN
            line.flags |= LINE_TRAILERS if accepts_trailers(m, line) else LINE_HIDDEN


cdef void strip_hops(Message m, Seen *seen, bint request) noexcept:
    """RFC 9110 7.6.1. An upgrade goes on only when it is both proposed and named as a connection option."""
    cdef Line *line
    cdef uint32_t index, options = MSG_CLOSE | MSG_KEEP_ALIVE
    if request and not seen.upgrade:
        m.flags &= ~MSG_UPGRADE
    if request and not m.flags & MSG_UPGRADE:
        options |= MSG_UPGRADE
    for index in range(m.lines.count):
        line = m.lines.at(index)
        if line.flags & LINE_DELETED:
            continue
        if line.known == KNOWN_CONNECTION:
            strip(m, line, options)
        elif line.known == KNOWN_UPGRADE:
            if m.flags & MSG_UPGRADE or not request:
                strip(m, line, 0)
            else:
                m.drop(line)


cdef void reread_connection(Message m) noexcept:
    """Rules may write a Connection line as well: what it says of the connection is done, and said by ourselves."""
    cdef uint32_t at, end, start = 0, length = 0
    cdef int index = m.find(b"connection", 10, 0)
    cdef Line *line
    while index >= 0:
        line = m.lines.at(index)
        at, end = line.value, line.value + line.value_length
        while at <= end:
            at = next_token(m.store, at, end, &start, &length)
            if connection_option(m.store, start, length) & MSG_CLOSE:
                m.flags |= MSG_RULE_CLOSE
        strip(m, line, MSG_CLOSE | MSG_KEEP_ALIVE)
        index = m.find(b"connection", 10, index + 1)


cdef void settle_encoding(Message m, Seen *seen) noexcept:
    """The one Transfer-Encoding line says ``chunked`` and wins over a length (RFC 9112 6.3)."""
    cdef Line *line
    if seen.encoding < 0:
        return
    line = m.lines.at(seen.encoding)
    if not seen.chunked:
        m.drop(line)
        return
    m.flags |= MSG_CHUNKED
    if m.store.equals(line.value, line.value_length, b"chunked", 7):
        pass
    elif m.store.overwrite(line.value, b"chunked", 7) == 0:  # at least as long, or it would not be chunked
        m.trimmed += <int32_t> (line.value_length - 7)
        shorten(m, line, line.value, 7)
    if m.flags & MSG_LENGTH:
        m.drop(m.lines.at(seen.length))
        m.flags &= ~MSG_LENGTH
        if not TRUST_BOTH:
            m.flags |= MSG_BOTH
        m.length = -1
        seen.length = -1
    if m.minor == 0:
        m.flags |= MSG_BOTH  # a 1.0 sender may mean something else by it: RFC 9112 6.1


cdef void frame_lines(Message m, Seen *seen, bint wanted) noexcept:
    """Marks the line that frames the body so that no rule can change it, or drops both where none may be."""
    cdef Line *line
    if seen.encoding >= 0:
        line = m.lines.at(seen.encoding)
        if not line.flags & LINE_DELETED:
            if wanted:
                line.flags |= LINE_WIRE
            else:
                m.drop(line)
    if seen.length >= 0:
        line = m.lines.at(seen.length)
        if wanted:
            line.flags |= LINE_WIRE
        elif not line.flags & LINE_DELETED:
            m.drop(line)
            m.trimmed += line.name_length + line.value_length  # it was received


cdef bint ANY_PAYLOAD = False, TRUST_BOTH = False


def configure(bint any_payload=False, bint trust_both=False) -> None:
    """``h1-accept-payload-with-any-method`` and ``h1-do-not-close-on-insecure-transfer-encoding``."""
    global ANY_PAYLOAD, TRUST_BOTH
    ANY_PAYLOAD = any_payload
    TRUST_BOTH = trust_both


cdef int understand_request(Request m) noexcept:
    cdef Seen seen
    cdef int verdict = read_lines(m, &seen, True)
    if verdict < 0 or m.flags & MSG_BAD_VERSION:
        return min(verdict, ERR_VERSION)
    if seen.other and not seen.chunked:
        return ERR_ENCODING
    if m.method_is(b"PRI", 3) and not m.flags & MSG_LOOKED:
        return ERR_START  # reserved, so that no HTTP/1 agent takes an HTTP/2 preface for a request: RFC 9113 3.4
    if m.method_is(b"HEAD", 4):
        m.flags |= MSG_HEAD
    elif m.method_is(b"CONNECT", 7):
        m.flags |= MSG_CONNECT
    if seen.connection or seen.upgrade:
        strip_hops(m, &seen, True)
    if m.flags & MSG_UPGRADE and seen.socket and not seen.socket_key and not m.flags & (MSG_UNSAFE | MSG_LOOKED):
        return ERR_VALUE
    if seen.te:
        strip_te(m)
    settle_encoding(m, &seen)
    frame_lines(m, &seen, not m.flags & MSG_CONNECT)
    if m.flags & MSG_CONNECT:
        if m.flags & (MSG_CHUNKED | MSG_LENGTH):
            m.flags = (m.flags | MSG_BOTH) & ~(MSG_CHUNKED | MSG_LENGTH)  # a CONNECT has no body (RFC 9110 9.3.6)
    elif m.flags & MSG_CHUNKED:
        m.framing = BODY_CHUNKED
    elif m.length > 0:
        m.framing = BODY_LENGTH
    verdict = check_target(m, seen.host)
    if verdict == NEXT and not m.flags & MSG_LOOKED:
        if m.minor == 0 and m.framing != BODY_NONE and not ANY_PAYLOAD and rarely_a_body(m):
            return ERR_PAYLOAD
        if seen.other:
            return ERR_UNSUPPORTED
    return verdict


cdef bint rarely_a_body(Request m) noexcept:
    """Agents of HTTP/1.0 may not look for a body here, and take it for the next request."""
    return m.method_is(b"GET", 3) or m.method_is(b"HEAD", 4) or m.method_is(b"DELETE", 6)


cdef int frame_response(Response m, Request request) noexcept:
    """RFC 9112 6.3, in its order."""
    cdef bint connect = request is not None and request.method_is(b"CONNECT", 7)
    if m.status == 101 or (connect and 200 <= m.status <= 299):
        return BODY_TUNNEL
    if m.status < 200 and m.status >= 100 or m.status == 204 or m.status == 304:
        return BODY_NONE
    if request is not None and request.method_is(b"HEAD", 4):
        return BODY_NONE
    if m.flags & MSG_CHUNKED:
        return BODY_CHUNKED
    if m.flags & MSG_LENGTH:
        return BODY_LENGTH if m.length > 0 else BODY_NONE
    return BODY_CLOSE


cdef int understand_response(Response m, Request request) noexcept:
    cdef Seen seen
    cdef int verdict = read_lines(m, &seen, False)
    cdef bint empty
    if verdict < 0 or m.flags & MSG_BAD_VERSION:
        return min(verdict, ERR_VERSION)
    if seen.other or (seen.encoding >= 0 and not seen.chunked and not m.flags & MSG_UNSAFE):
        return ERR_ENCODING
    if m.status == 101:
        # nobody asked to switch, or the answer does not say so: not an answer to this request
        if request is None or not request.flags & MSG_UPGRADE or not m.flags & MSG_UPGRADE:
            return ERR_START
        if seen.socket and not m.flags & MSG_UNSAFE and m.find(b"sec-websocket-accept", 20, 0) < 0:
            return ERR_VALUE
    if seen.connection:
        strip_hops(m, &seen, False)
    if seen.te:
        strip_te(m)
    settle_encoding(m, &seen)
    m.framing = frame_response(m, request)
    # no length belongs on 1xx and 204 (RFC 9110 8.6), nor before a tunnel
    empty = m.framing == BODY_TUNNEL or m.status == 204 or 100 <= m.status < 200
    frame_lines(m, &seen, not empty)
    if m.first_length == 0:
        return default_reason(m)
    return NEXT


REASONS = {
    100: b"Continue", 101: b"Switching Protocols", 200: b"OK", 201: b"Created", 202: b"Accepted",
    203: b"Non-Authoritative Information", 204: b"No Content", 205: b"Reset Content", 206: b"Partial Content",
    300: b"Multiple Choices", 301: b"Moved Permanently", 302: b"Found", 303: b"See Other", 304: b"Not Modified",
    305: b"Use Proxy", 307: b"Temporary Redirect", 308: b"Permanent Redirect", 400: b"Bad Request",
    401: b"Unauthorized", 402: b"Payment Required", 403: b"Forbidden", 404: b"Not Found", 405: b"Method Not Allowed",
    406: b"Not Acceptable", 407: b"Proxy Authentication Required", 408: b"Request Timeout", 409: b"Conflict",
    410: b"Gone", 411: b"Length Required", 412: b"Precondition Failed", 413: b"Request Entity Too Large",
    414: b"Request-URI Too Long", 415: b"Unsupported Media Type", 416: b"Requested Range Not Satisfiable",
    417: b"Expectation Failed", 418: b"I'm a teapot", 422: b"Unprocessable Content", 425: b"Too Early",
    426: b"Upgrade Required", 428: b"Precondition Required", 429: b"Too Many Requests",
    431: b"Request Header Fields Too Large", 500: b"Internal Server Error", 501: b"Not Implemented",
    502: b"Bad Gateway", 503: b"Service Unavailable", 504: b"Gateway Timeout", 505: b"HTTP Version Not Supported",
}
CLASSES = {1: b"Informational", 2: b"Success", 3: b"Redirection", 4: b"Client Error", 5: b"Server Error"}


def reason_of(int status) -> bytes:
    """The phrase for a status that came without one."""
    return REASONS.get(status) or CLASSES.get(status // 100, b"Other")


cdef int default_reason(Response m) noexcept:
    try:
        m.replace_slot(&m.first, &m.first_length, reason_of(m.status))
        m.trimmed -= <int32_t> m.first_length  # not received
        m.touched = False
    except Exception:
        return ERR_MEMORY
    return NEXT
