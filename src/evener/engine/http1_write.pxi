# Heads onward. Names go out in lower case, "name: value" CRLF; what frames the body is never a rule's to change.


CASE = {}
"""Header names as they are to be spelled, by their spelling in small letters (``h1-case-adjust``)."""


def adjust_case(names) -> None:
    """For all messages written with CASED from now on: (in small letters, as wanted)."""
    CASE.clear()
    CASE.update(names)


cdef inline bint withheld(Line *line, uint32_t how) noexcept:
    if line.known == KNOWN_LENGTH or line.known == KNOWN_ENCODING:
        return not line.flags & LINE_WIRE or (line.known == KNOWN_ENCODING and how & WRITE_DECHUNK)
    return line.flags & (LINE_DELETED | LINE_HIDDEN)


cdef int write_value(Buf out, Message m, Line *line) noexcept:
    if line.flags & LINE_TRAILERS:
        return out.put(b"trailers", 8)
    return out.put_from(m.store, line.value, line.value_length)


cdef int write_line(Buf out, Message m, Line *line, uint32_t how) noexcept:
    cdef int failed
    if withheld(line, how):
        return 0
    if line.flags & LINE_PLAIN:
        return out.put_from(m.store, line.name, line.name_length + line.value_length + 4)
    failed = out.put_from(m.store, line.name, line.name_length)
    failed |= out.put(b": ", 2)
    failed |= write_value(out, m, line)
    return failed | out.put(b"\r\n", 2)


cdef int write_lines(Buf out, Message m, uint32_t how) noexcept:
    cdef uint32_t index
    cdef int failed = 0
    if how & WRITE_CASED:
        return write_cased(out, m, how)
    for index in range(m.lines.count):
        if how & WRITE_CHUNK and m.lines.at(index).known == KNOWN_ENCODING:
            failed |= out.put(b"transfer-encoding: chunked\r\n", 28)  # where it was said before
            how &= ~<uint32_t>WRITE_CHUNK
            continue
        failed |= write_line(out, m, m.lines.at(index), how)
    return failed | write_end(out, how)


cdef int write_cased(Buf out, Message m, uint32_t how) noexcept:
    """The same for peers that want names spelled in their way. Names change no length."""
    cdef uint32_t index
    cdef Line *line
    cdef Buf end = None
    cdef bytes name
    cdef int failed = 0
    try:
        for index in range(m.lines.count):
            line = m.lines.at(index)
            if withheld(line, how):
                continue
            name = m.store.get(line.name, line.name_length)
            failed |= out.put_bytes(<bytes?>CASE.get(name, name))
            failed |= out.put(b": ", 2)
            failed |= write_value(out, m, line)
            failed |= out.put(b"\r\n", 2)
        end = new_buf(128)
        failed |= write_end(end, how)
        for added in end.get(0, end.size()).splitlines(True):
            name, colon, value = added.partition(b":")
            failed |= out.put_bytes(CASE.get(name, name) + colon + value)
        return failed
    except Exception:
        return ERR_MEMORY


cdef int write_end(Buf out, uint32_t how) noexcept:
    cdef int failed = 0
    if how & WRITE_CHUNK:
        failed |= out.put(b"transfer-encoding: chunked\r\n", 28)
    if how & WRITE_UPGRADE:
        failed |= out.put(b"connection: upgrade\r\n", 21)
    if how & WRITE_CLOSE:
        failed |= out.put(b"connection: close\r\n", 19)
    elif how & WRITE_KEEP_ALIVE:
        failed |= out.put(b"connection: keep-alive\r\n", 24)
    return failed | out.put(b"\r\n", 2)


cdef int write_version(Buf out, Message m) noexcept:
    if m.third_length:
        return out.put_from(m.store, m.third, m.third_length)
    return out.put(b"HTTP/1.1" if m.minor else b"HTTP/1.0", 8)


cdef int room_for_head(Buf out, Message m) noexcept:
    """What the lines hidden from rules weigh is not in ``weight``; two of them at most, and what is added, fit in 256."""
    cdef uint32_t wanted = m.weight + 256
    return out.reserve(wanted, out.size() + wanted)


cdef int write_request(Buf out, Request m, uint32_t how) noexcept:
    cdef uint32_t before
    cdef int failed
    if out is None or m is None or room_for_head(out, m) < 0:
        return ERR_TOO_LARGE
    before = out.size()
    failed = out.put_from(m.store, m.first, m.first_length)
    failed |= out.put_byte(32)
    failed |= out.put_from(m.store, m.second, m.second_length)
    failed |= out.put_byte(32)
    failed |= write_version(out, m)
    failed |= out.put(b"\r\n", 2)
    failed |= write_lines(out, m, how)
    if failed:
        out.truncate(before)
        return ERR_TOO_LARGE
    return 0


cdef int put_status(Buf out, int status) noexcept:
    return out.put_decimal(<uint64_t> (status if status >= 0 else 500))


cdef int write_response(Buf out, Response m, uint32_t how) noexcept:
    cdef uint32_t before
    cdef int failed
    if out is None or m is None or room_for_head(out, m) < 0:
        return ERR_TOO_LARGE
    before = out.size()
    failed = write_version(out, m)
    failed |= out.put_byte(32)
    if m.status < 100 and m.second_length:
        failed |= out.put_from(m.store, m.second, m.second_length)  # a status that is none: as it came
    else:
        failed |= put_status(out, m.status)
    failed |= out.put_byte(32)
    failed |= out.put_from(m.store, m.first, m.first_length)
    failed |= out.put(b"\r\n", 2)
    failed |= write_lines(out, m, how)
    if failed:
        out.truncate(before)
        return ERR_TOO_LARGE
    return 0


cdef uint32_t connection_flags(Message m, int asker_minor, bint keep) noexcept:
    """Said only where it differs from what the version means by itself (RFC 9112 9.3); not beside an ``upgrade``."""
    if m.flags & MSG_UPGRADE:
        return 0
    if keep:
        if m.flags & MSG_BOTH and m.minor == 0:
            return 0
        return WRITE_KEEP_ALIVE if m.minor == 0 or asker_minor == 0 else 0
    return WRITE_CLOSE if m.minor else 0


cdef bint closes_in_place(Message m) noexcept:
    """A page that says ``connection: close`` says it where it stands; False: it does not say so."""
    cdef Line *line
    cdef uint32_t index
    for index in range(m.lines.count):
        line = m.lines.at(index)
        if line.known == KNOWN_CONNECTION and m.store.equals_nocase(line.value, line.value_length, b"close", 5):
            line.flags &= ~LINE_DELETED
            return True
    return False


cdef int write_reply(Buf out, int status, bytes reason, object headers, bytes body, uint32_t how) except -1:
    cdef bytes head
    cdef bint empty = 100 <= status < 200 or status == 204 or status == 304
    cdef list lines = [b"HTTP/1.1 %03d %s\r\n" % (max(0, status), one_line(reason or reason_of(status)))]
    cdef bint sized = status >= 200
    cdef Py_ssize_t place = 1
    for name, value in headers:
        name = bytes(name).lower()
        if name == b":1.0":
            lines[0] = b"HTTP/1.0" + lines[0][8:]
        elif name == b":close":
            sized = False
        elif name == b"content-length":
            place = len(lines)
        if name not in (b"content-length", b"transfer-encoding") and is_name(name):
            lines.append(b"%s: %s\r\n" % (name, one_line(value).strip(b" \t")))
    if sized:
        lines.insert(place, b"content-length: %d\r\n" % (0 if empty else len(body or b"")))
    head = b"".join(lines)
    if empty or how & WRITE_NO_BODY or body is None:
        body = b""
    if out.reserve(<uint32_t> (len(head) + len(body) + 128), <uint32_t> (out.size() + len(head) + len(body) + 128)) < 0:
        raise MemoryError
    if out.put_bytes(head) < 0 or write_end(out, how) < 0 or out.put_bytes(body) < 0:
        raise MemoryError
    return 0


def one_line(bytes value) -> bytes:
    """A line end inside a value would start a new header: RFC 9110 5.5 has it replaced by a space."""
    return value.translate(LINE_ENDS)


def is_name(bytes name) -> bool:
    return len(name) > 0 and all([is_token(byte) for byte in name])


LINE_ENDS = bytes(32 if byte in (0, 10, 13) else byte for byte in range(256))


cdef int write_chunk_head(Buf out, uint64_t length) noexcept:
    if out is None or out.room() < 18:
        return ERR_TOO_LARGE
    return out.put_hex(length) | out.put(b"\r\n", 2)


cdef int error_status(int error) noexcept:
    if error == ERR_START_TOO_LARGE:
        return 414
    if error == ERR_TOO_LARGE:
        return 431
    if error == ERR_UNSUPPORTED:
        return 422
    if error == ERR_PAYLOAD:
        return 413
    if error == ERR_PREFACE:
        return 405
    return 500 if error == ERR_MEMORY else 400
