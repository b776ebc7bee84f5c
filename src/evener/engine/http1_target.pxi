# Request targets and the Host line: RFC 9112 3.2, RFC 3986 6.2.3. Rare but for the first test of check_target.

cdef struct Authority:
    uint32_t begin  # without user information
    uint32_t length
    uint32_t name_length  # without port
    uint32_t end  # where the authority ends in the target
    int64_t port  # -1 no colon, 0 an empty port, -2 not a number


cdef bint valid_host(Buf s, uint32_t at, uint32_t length) noexcept:
    """Bytes that could end a host, or are none; brackets only around an address in front."""
    cdef uint32_t end = at + length
    cdef int byte, close
    if length and s.at(at) == c"[":
        close = s.find(at, length, c"]")
        if close < 0:
            return False
        while at < end and s.at(at) != c"]":
            at += 1
            byte = s.at(at)
            if byte <= 32 or byte >= 127 or byte in b"#,/?@[\\":
                return False
        at += 1
    while at < end:
        byte = s.at(at)
        if byte <= 32 or byte >= 127 or byte in b"#,/?@[\\]":
            return False
        at += 1
    return True


cdef uint32_t scheme_length(Request m) noexcept:
    """Bytes before ``://``, 0 when the target is not in absolute form."""
    cdef uint32_t length = 0
    cdef int byte = m.store.at(m.second)
    if not (65 <= byte <= 90 or 97 <= byte <= 122):
        return 0
    while length < m.second_length and (65 <= (byte & 0xDF) <= 90 or 48 <= byte <= 57 or byte in (43, 45, 46)):
        length += 1
        byte = m.store.at(m.second + length)
    if length + 3 > m.second_length or not m.store.equals(m.second + length, 3, b"://", 3):
        return 0
    return length


cdef void find_authority(Buf s, uint32_t at, uint32_t end, Authority *found) noexcept:
    cdef uint32_t index
    cdef int byte
    found.begin = at
    found.end = at
    while found.end < end and s.at(found.end) not in (47, 63, 35):  # / ? #
        if s.at(found.end) == c"@":
            found.begin = found.end + 1
        found.end += 1
    found.length = found.end - found.begin
    found.name_length = found.length
    found.port = -1
    index = found.end
    while index > found.begin and s.at(index - 1) != c":" and s.at(index - 1) != c"]":
        index -= 1
    if index == found.begin or s.at(index - 1) == c"]":
        return
    found.name_length = index - 1 - found.begin
    found.port = 0
    for index in range(index, found.end):
        byte = s.at(index)
        if byte < 48 or byte > 57 or found.port > 9999999 or (found.port == 0 and index > found.end - 1):
            found.port = -2
            return
        if byte == 48 and found.port == 0:
            found.port = -2  # a port has no leading zero...
            if index + 1 == found.end:
                found.port = 1 << 40  # ...but may be the number 0, which is nobody's default
            return
        found.port = found.port * 10 + byte - 48


cdef int64_t default_port(Request m, uint32_t scheme) noexcept:
    if m.store.equals_nocase(m.second, scheme, b"http", 4):
        return 80
    if m.store.equals_nocase(m.second, scheme, b"https", 5):
        return 443
    return -1


cdef bint host_agrees(Request m, Authority *wanted, Line *host, bint has_default, int64_t port) noexcept:
    """Equal but for a default or empty port on either side."""
    cdef Authority given
    cdef bint implied
    if m.store.same_nocase(wanted.begin, wanted.length, host.value, host.value_length):
        return True
    find_authority(m.store, host.value, host.value + host.value_length, &given)
    if not m.store.same_nocase(wanted.begin, wanted.name_length, given.begin, given.name_length):
        return False
    implied = given.port == 0 or given.port == -1 or (port > 0 and given.port == port)
    return has_default and implied


cdef int retarget(Request m, Authority *a) noexcept:
    """Leaves a default port out of the target, and gives a target without path its slash."""
    cdef uint32_t end = m.second + m.second_length
    cdef uint32_t start = m.store.size(), tail = end - a.end
    cdef uint32_t keep = a.begin + (a.name_length if a.port >= 0 else a.length) - m.second
    cdef int failed
    if m.store.reserve(keep + tail + 1, 8 * BUFSIZE) < 0:
        return ERR_MEMORY
    failed = m.store.put_from(m.store, m.second, keep)
    if tail == 0:
        failed |= m.store.put_byte(c"/")
    failed |= m.store.put_from(m.store, a.end, tail)
    if failed:
        return ERR_MEMORY
    m.second, m.second_length = start, m.store.size() - start
    return NEXT


cdef int check_absolute(Request m, int host, uint32_t scheme) noexcept:
    cdef Authority a
    cdef Line *line
    cdef int64_t port = default_port(m, scheme)
    cdef bint default
    find_authority(m.store, m.second + scheme + 3, m.second + m.second_length, &a)
    default = a.port == 0 or (port > 0 and a.port == port)
    if not m.flags & MSG_UNSAFE and not valid_host(m.store, a.begin, a.length):
        return ERR_TARGET
    if host >= 0:
        line = m.lines.at(host)
        if not m.flags & MSG_UNSAFE and not host_agrees(m, &a, line, default or a.port == -1, port):
            return ERR_HOST
        if default:
            m.weight += a.name_length
            m.weight -= min(m.weight, line.value_length)
            line.value, line.value_length = a.begin, a.name_length
            line.flags &= ~LINE_PLAIN
    if default or a.end == m.second + m.second_length:
        if not default:
            a.port = -1
        return retarget(m, &a)
    return NEXT


cdef bint port_of_digits(Buf s, Authority *a) noexcept:
    """Whether there is a port, whatever number its digits are; and no path behind it."""
    cdef uint32_t at = a.begin + a.name_length + 1
    return a.port != -1 and at < a.end and s.run(at, IS_DIGIT) >= a.end


cdef int check_connect(Request m, int host) noexcept:
    """Authority form, with a port (RFC 9112 3.2.3); 80 and 443 may be left out of Host, and are."""
    cdef Authority a
    cdef Line *line
    cdef bint default, strict = not m.flags & MSG_UNSAFE
    find_authority(m.store, m.second, m.second + m.second_length, &a)
    if strict and not port_of_digits(m.store, &a):
        return ERR_TARGET
    if host < 0:
        return NEXT
    default = a.port == 80 or a.port == 443
    line = m.lines.at(host)
    if strict and not host_agrees(m, &a, line, default, a.port):
        return ERR_HOST
    if default and line.value_length == a.length:
        shorten(m, line, line.value, a.name_length)
    return NEXT


cdef bint knows_resource(Request m) noexcept:
    """Methods that are about a resource, for which the asterisk is none; of others nobody knows."""
    return (
        m.method_is(b"GET", 3) or m.method_is(b"HEAD", 4) or m.method_is(b"POST", 4) or m.method_is(b"PUT", 3)
        or m.method_is(b"DELETE", 6) or m.method_is(b"TRACE", 5)
    )


cdef int check_target(Request m, int host) noexcept:
    cdef uint32_t scheme
    if m.flags & MSG_CONNECT:
        return check_connect(m, host)
    if m.store.at(m.second) == c"/":
        return NEXT
    if m.second_length == 1 and m.store.at(m.second) == c"*":
        return ERR_TARGET if knows_resource(m) else NEXT
    scheme = scheme_length(m)
    return check_absolute(m, host, scheme) if scheme else ERR_TARGET


cdef uint32_t path_start(Request m) noexcept:
    """Where the path begins, from the start of the target; its end when there is none."""
    cdef Authority a
    cdef uint32_t scheme
    if m.store.at(m.second) == c"/":
        return 0
    if m.store.at(m.second) == c"*":
        return m.second_length
    scheme = scheme_length(m)
    if scheme == 0:
        return m.second_length
    find_authority(m.store, m.second + scheme + 3, m.second + m.second_length, &a)
    return a.end - m.second
