# The head parser: start lines and header lines, one byte looked at once. RFC 9112 2 to 5.
#
# A step function returns NEXT when it moved on, 0 when it needs more bytes, an Error below 0. ``pos`` is
# where it stands and ``mark`` where the current element began, both from the head of the input.

cdef enum Step:
    STEP_LEAD
    STEP_METHOD
    STEP_TARGET_GAP
    STEP_TARGET
    STEP_VERSION_GAP
    STEP_VERSION
    STEP_STATUS_GAP
    STEP_STATUS
    STEP_REASON_GAP
    STEP_REASON
    STEP_START_LF
    STEP_LINE
    STEP_NAME
    STEP_VALUE
    STEP_VALUE_LF
    STEP_FOLD
    STEP_LAST_LF
    STEP_DONE

cdef enum:
    NEXT = 1
    LONGEST_NAME = 255  # what HAProxy's own form of a head has room for
    CR = 13
    LF = 10


cdef inline int goto(Message m, uint8_t step) noexcept:
    m.step = step
    m.mark = m.pos
    return NEXT


cdef int step_lead(Buf b, Message m, uint8_t after) noexcept:
    """Empty lines before a start line are ignored (RFC 9112 2.2) and dropped from the input at once."""
    cdef uint32_t count = 0
    cdef int byte = b.at(0)
    while byte == LF or (byte == CR and b.at(count + 1) == LF):
        count += 1 if byte == LF else 2
        byte = b.at(count)
    b.skip(count)
    m.head_length += count
    m.pos = 0
    if byte < 0:
        return 0
    if byte == CR:
        m.pos = min(b.size(), 2)
        return 0 if b.at(1) < 0 else ERR_START
    return goto(m, after)


cdef int step_method(Buf b, Message m) noexcept:
    cdef int byte
    m.pos = b.run(m.pos, IS_TOKEN)
    byte = b.at(m.pos)
    if byte < 0:
        return 0
    if m.pos == 0 or (byte != 32 and byte != 9):
        return ERR_START
    m.first, m.first_length = 0, m.pos
    return goto(m, STEP_TARGET_GAP)


cdef int step_gap(Buf b, Message m, uint8_t after) noexcept:
    if b.at(m.pos) == 32 and b.at(m.pos + 1) > 32:
        m.pos += 1  # as most are
    else:
        m.pos = b.run(m.pos, IS_BLANK)
    return 0 if b.at(m.pos) < 0 else goto(m, after)


cdef int step_target(Buf b, Request m) noexcept:
    cdef int byte
    m.pos = b.run(m.pos, IS_LOOSE_TARGET if m.flags & MSG_UNSAFE else IS_TARGET)
    byte = b.at(m.pos)
    if byte < 0:
        return 0
    if m.pos == m.mark:
        return ERR_TARGET
    m.second, m.second_length = m.mark, m.pos - m.mark
    if byte == 32 or byte == 9:
        return goto(m, STEP_VERSION_GAP)
    if byte == CR or byte == LF:
        return goto(m, STEP_VERSION)
    return ERR_TARGET


cdef int set_version(Buf b, Message m) noexcept:
    """The version at ``mark``. Any HTTP/d.d is understood; the higher ones are spoken to as 1.1."""
    cdef uint32_t length = m.pos - m.mark
    cdef const uint8_t *version = b.readable(m.mark, length)
    cdef bint spelled = length == 8 and version is not NULL and memcmp(version, b"HTTP/", 5) == 0
    if spelled or (m.flags & MSG_UNSAFE and length == 8 and version is not NULL and version[4] == c"/"):
        if version[6] == c"." and 48 <= version[5] <= 57 and 48 <= version[7] <= 57:
            m.minor = 1 if version[5] > 49 or (version[5] == 49 and version[7] > 48) else 0
            if version[5] != 49 or version[7] > 49 or not spelled:
                m.seen_version = m.mark
            if version[5] == 48 or not (spelled or m.minor):
                m.third, m.third_length = m.mark, length
            return NEXT
    if not m.flags & MSG_UNSAFE:
        return ERR_VERSION
    m.minor = 0
    m.third, m.third_length = m.mark, length
    return NEXT


cdef bint is_version_byte(int byte) noexcept:
    return 48 <= byte <= 57 or 65 <= byte <= 90 or byte == 46 or byte == 47


cdef int step_version(Buf b, Message m, bint request) noexcept:
    cdef const uint8_t *usual = b.readable(m.mark, 9)
    cdef int byte
    if usual is not NULL and memcmp(usual, b"HTTP/1.1", 8) == 0 and usual[8] == (CR if request else 32):
        m.pos = m.mark + 8
        m.minor = 1
        return goto(m, STEP_START_LF if request else STEP_STATUS_GAP)
    byte = b.at(m.pos)
    while is_version_byte(byte):
        m.pos += 1
        byte = b.at(m.pos)
    if byte < 0:
        return 0
    if request:
        if byte != CR and byte != LF:
            return ERR_VERSION
        if m.pos == m.mark:
            return end_ancient(b, m)
    elif byte != 32 and byte != 9:
        return ERR_VERSION
    if set_version(b, m) < 0 and not m.flags & MSG_LOOKED:
        m.flags |= MSG_BAD_VERSION
    if not request:
        return goto(m, STEP_STATUS_GAP)
    return goto(m, STEP_START_LF)


cdef int end_ancient(Buf b, Message m) noexcept:
    """HTTP/0.9: no version, no header. Only GET, only when violations are accepted."""
    if not m.flags & (MSG_UNSAFE | MSG_LOOKED) or not b.equals(m.first, m.first_length, b"GET", 3):
        return ERR_VERSION
    if b.at(m.pos) == CR:
        if b.at(m.pos + 1) < 0:
            m.pos = m.mark
            return 0
        if b.at(m.pos + 1) != LF:
            return ERR_VERSION
        m.pos += 1
    m.minor = 0
    m.pos += 1
    m.start_end = m.pos
    m.step = STEP_DONE
    return NEXT


cdef int step_status(Buf b, Response m) noexcept:
    """At most three digits, or a 16 bit number when violations are accepted."""
    cdef uint32_t end = b.run(m.pos, IS_DIGIT)
    cdef uint32_t index
    cdef int byte, status = 0
    m.pos = end
    if end - m.mark > (5 if m.flags & MSG_UNSAFE else 3):
        return ERR_START
    byte = b.at(end)
    if byte < 0:
        return 0
    if end == m.mark or (byte != 32 and byte != 9 and byte != CR and byte != LF):
        return ERR_START
    for index in range(m.mark, end):
        status = status * 10 + b.at(index) - 48
    if status > UINT16_MAX:
        return ERR_START
    m.status = status
    m.second, m.second_length = m.mark, end - m.mark
    return goto(m, STEP_REASON_GAP)


cdef int step_reason(Buf b, Response m) noexcept:
    m.pos = b.run(m.pos, IS_LOOSE)
    if b.at(m.pos) < 0:
        return 0
    m.first, m.first_length = m.mark, m.pos - m.mark
    return goto(m, STEP_START_LF)


cdef int step_lf(Buf b, Message m, uint8_t after, int error) noexcept:
    """At CR LF, or a bare LF (RFC 9112 2.2 lets a recipient take it, and HAProxy does)."""
    cdef int byte = b.at(m.pos)
    if byte == CR:
        byte = b.at(m.pos + 1)
        if byte < 0:
            return 0
        if byte != LF:
            return error
        m.pos += 1
    elif byte != LF:
        return 0 if byte < 0 else error
    m.pos += 1
    if after == STEP_LINE:
        m.start_end = m.pos
    return goto(m, after)


cdef int plain_lines(Buf b, Message m) noexcept:
    """Most lines need no steps."""
    cdef uint32_t colon = 0, end = 0
    cdef Line *line
    while m.lines.count + 1 < MAXHDR and b.plain_line(m.pos, &colon, &end) and colon - m.pos <= LONGEST_NAME:
        line = m.lines.append()
        if line is NULL:
            return ERR_MEMORY
        line.name, line.name_length = m.pos, <uint16_t> (colon - m.pos)
        line.value, line.value_length = colon + 2, end - colon - 2
        line.flags |= LINE_PLAIN
        m.pos = end + 2
    return goto(m, STEP_LINE)


cdef int step_line(Buf b, Message m) noexcept:
    cdef Line *line
    cdef int byte
    if plain_lines(b, m) < 0:
        return ERR_MEMORY
    byte = b.at(m.pos)
    if byte < 0:
        return 0
    if byte == CR or byte == LF:
        return goto(m, STEP_LAST_LF)
    if m.lines.count + 1 >= MAXHDR:
        return ERR_TOO_MANY
    line = m.lines.append()
    if line is NULL:
        return ERR_MEMORY
    line.name = m.pos
    return goto(m, STEP_NAME)


cdef int step_name(Buf b, Message m) noexcept:
    cdef Line *line = m.lines.at(m.lines.count - 1)
    cdef int byte
    if line is NULL:
        return ERR_MEMORY
    m.pos = b.run_token(m.pos)
    byte = b.at(m.pos)
    while m.flags & MSG_UNSAFE and byte >= 0 and byte != 58 and byte != LF:
        line.flags |= LINE_BAD
        m.pos = b.run_token(m.pos + 1)
        byte = b.at(m.pos)
    if byte < 0:
        return 0
    if byte != 58 or m.pos == m.mark or m.pos - m.mark > LONGEST_NAME:
        return ERR_NAME
    line.name_length = <uint16_t> (m.pos - m.mark)
    m.pos += 1
    line.value = m.pos
    return goto(m, STEP_VALUE)


cdef int step_value(Buf b, Message m) noexcept:
    cdef int byte
    m.pos = b.run(m.pos, IS_LOOSE if m.flags & MSG_UNSAFE else IS_FIELD)
    byte = b.at(m.pos)
    if byte < 0:
        return 0
    if byte != CR and byte != LF:
        return ERR_VALUE
    return goto(m, STEP_VALUE_LF)


cdef int step_fold(Buf b, Message m) noexcept:
    """A line that starts with a blank continues the value: RFC 9112 5.2 allows to replace the fold by spaces."""
    cdef Line *line = m.lines.at(m.lines.count - 1)
    cdef int byte = b.at(m.pos)
    cdef uint32_t end
    if byte < 0:
        return 0
    end = m.pos - 1
    if b.at(end - 1) == CR:
        end -= 1
    if byte == 32 or byte == 9:
        b.fill_blank(end, m.pos - end)
        return goto(m, STEP_VALUE)
    if line.flags & LINE_BAD:
        m.lines.drop_last()
        return goto(m, STEP_LINE)
    while line.value < end and b.at(line.value) in (32, 9):
        line.value += 1
    while end > line.value and b.at(end - 1) in (32, 9):
        end -= 1
    line.value_length = end - line.value
    if line.value == line.name + line.name_length + 2 and end + 2 == m.pos and b.at(line.value - 1) == 32:
        if b.at(end) == CR:
            line.flags |= LINE_PLAIN
    return goto(m, STEP_LINE)


cdef int step_header(Buf b, Message m) noexcept:
    if m.step == STEP_NAME:
        return step_name(b, m)
    if m.step == STEP_VALUE:
        return step_value(b, m)
    if m.step == STEP_VALUE_LF:
        return step_lf(b, m, STEP_FOLD, ERR_VALUE)
    if m.step == STEP_FOLD:
        return step_fold(b, m)
    if m.step == STEP_LINE:
        return step_line(b, m)
    return step_lf(b, m, STEP_DONE, ERR_NAME)


cdef int step_request(Buf b, Request m) noexcept:
    if m.step == STEP_LEAD:
        return step_lead(b, m, STEP_METHOD)
    if m.step == STEP_METHOD:
        return step_method(b, m)
    if m.step == STEP_TARGET_GAP:
        return step_gap(b, m, STEP_TARGET)
    if m.step == STEP_TARGET:
        return step_target(b, m)
    if m.step == STEP_VERSION_GAP:
        return step_gap(b, m, STEP_VERSION)
    if m.step == STEP_VERSION:
        return step_version(b, m, True)
    return step_lf(b, m, STEP_LINE, ERR_START)


cdef int step_response(Buf b, Response m) noexcept:
    if m.step == STEP_LEAD:
        return step_lead(b, m, STEP_VERSION)
    if m.step == STEP_VERSION:
        return step_version(b, m, False)
    if m.step == STEP_STATUS_GAP:
        return step_gap(b, m, STEP_STATUS)
    if m.step == STEP_STATUS:
        return step_status(b, m)
    if m.step == STEP_REASON_GAP:
        return step_gap(b, m, STEP_REASON)
    if m.step == STEP_REASON:
        return step_reason(b, m)
    return step_lf(b, m, STEP_LINE, ERR_START)


cdef int bounded(Message m, int verdict) noexcept:
    """A head may take the buffer less what rules may add; a start line that does not even fit the buffer is told apart.

    What it takes is what HAProxy's own form of it does: its words, 8 bytes for each block of them and 40 for all.
    The verdict depends on positions only, so that it does not depend on how the bytes were cut.
    """
    if m.head_length + (m.start_end if m.start_end else m.pos) >= BUFSIZE:
        return ERR_START_TOO_LARGE
    if m.head_length + m.pos >= BUFSIZE:
        return ERR_TOO_LARGE
    if verdict == NEXT and m.pos + 5 * m.lines.count + 96 > BUFSIZE - MAXREWRITE:
        if m.counted() + 8 * (m.lines.count + 2) + 40 > BUFSIZE - MAXREWRITE:
            return ERR_TOO_LARGE
    return verdict


cdef int keep_head(Buf b, Message m) noexcept:
    """The complete head goes to the message's own store; positions stay the same."""
    if m.store.reserve(m.pos + 128, 8 * BUFSIZE) < 0 or m.store.put_from(b, 0, m.pos) < 0:
        return ERR_MEMORY
    m.flags |= MSG_COMPLETE
    m.head_length += m.pos
    m.weight = m.pos
    return NEXT


cdef int parse_request(Buf b, Request m) noexcept:
    cdef int verdict = NEXT
    if b is None or m is None or m.flags & MSG_COMPLETE:
        return ERR_START
    while verdict == NEXT and m.step != STEP_DONE:
        verdict = step_header(b, m) if m.step >= STEP_LINE else step_request(b, m)
    verdict = bounded(m, verdict)
    if verdict == NEXT:
        verdict = keep_head(b, m)
        if verdict == NEXT:
            verdict = understand_request(m)
            if verdict == ERR_START and b.equals(0, 24, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24):
                verdict = ERR_PREFACE
            m.seen, m.seen_length, m.seen_method = m.second, m.second_length, m.first_length
    return m.pos if verdict == NEXT else verdict


cdef int parse_response(Buf b, Response m, Request request) noexcept:
    cdef int verdict = NEXT
    if b is None or m is None or m.flags & MSG_COMPLETE:
        return ERR_START
    while verdict == NEXT and m.step != STEP_DONE:
        verdict = step_header(b, m) if m.step >= STEP_LINE else step_response(b, m)
    verdict = bounded(m, verdict)
    if verdict == NEXT:
        verdict = keep_head(b, m)
        if verdict == NEXT:
            verdict = understand_response(m, request)
    return m.pos if verdict == NEXT else verdict
