# Where a body ends: RFC 9112 6 and 7.1. Chunk framing is checked byte by byte; sizes are forwarded as they would
# be written here, without extensions (RFC 9112 7.1.1: who does not know them drops them).

cdef enum ChunkStep:
    CHUNK_FIRST  # at the first digit of a size
    CHUNK_SIZE
    CHUNK_BLANK  # between the size and an extension
    CHUNK_EXTENSION
    CHUNK_LF
    CHUNK_DATA
    CHUNK_DATA_CR
    CHUNK_DATA_LF
    TRAILERS
    CHUNK_BAD


cdef enum:
    LONG = 65536  # bytes after which a body of unknown length counts as a long one
    JOINED = 15360  # small chunks that came together leave as one of up to that size


cdef inline uint32_t longest_lines() noexcept:
    """Bytes of a size's line, or of all trailers: they have to fit a buffer with what is before them."""
    return BUFSIZE - 64


cdef inline int hex_digit(int byte) noexcept:
    if 48 <= byte <= 57:
        return byte - 48
    if 97 <= (byte | 32) <= 102:
        return (byte | 32) - 87
    return -1


cdef int size_text(uint8_t *text, uint64_t size) noexcept:
    """The line of a chunk's size, capitals and no leading zeros; how long it is."""
    cdef int digits = 1, index
    while digits < 16 and size >> (4 * digits):
        digits += 1
    for index in range(digits):
        text[index] = (<const uint8_t *> b"0123456789ABCDEF")[size >> (4 * (digits - 1 - index)) & 15]
    text[digits] = CR
    text[digits + 1] = LF
    return digits + 2


cdef uint32_t next_chunk(Buf b, uint32_t at, uint32_t *size) noexcept:
    """Where the data begin of the chunk after the data that end at ``at``; 0 for the last one, or if not all is plain
    to see."""
    cdef uint32_t held = b.size(), first = at + 2
    cdef int digit
    size[0] = 0
    if at + 5 > held or b.at(at) != CR or b.at(at + 1) != LF:
        return 0
    at = first
    digit = hex_digit(b.at(at))
    while digit >= 0 and size[0] <= JOINED and at < first + 32:
        size[0] = size[0] << 4 | <uint32_t> digit
        at += 1
        digit = hex_digit(b.at(at))
    while b.at(at) == 32 or b.at(at) == 9:
        at += 1
    if b.at(at) == c";":
        while b.at(at) >= 32 or b.at(at) == 9:
            at += 1
    if size[0] == 0 or at + 1 >= held or b.at(at) != CR or b.at(at + 1) != LF:
        return 0
    return at + 2


@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Body:
    def __cinit__(self, int kind=0, int64_t length=-1):
        self.begin(kind, length)

    cdef void begin(self, int kind, int64_t length) noexcept:
        self.kind = <uint8_t> kind
        self.left = <uint64_t> length if kind == BODY_LENGTH and length > 0 else 0
        self.total = self.trailing = 0
        self.step = CHUNK_FIRST
        self.line = self.slice_start = self.slice_length = 0
        self.done = kind == BODY_NONE or (kind == BODY_LENGTH and self.left == 0)

    cdef int size_byte(self, int byte) noexcept:
        """The line of a chunk's size; it ends by CR LF and nothing else, or requests could hide in it."""
        cdef int digit
        self.line += 1
        if self.line > BUFSIZE:
            return ERR_CHUNK
        if self.step <= CHUNK_SIZE:
            digit = hex_digit(byte)
            if digit >= 0:
                if self.left >> 48:
                    return ERR_CHUNK  # HAProxy's bound: 2^52 - 1
                self.left = self.left << 4 | <uint64_t> digit
                self.step = CHUNK_SIZE
                return NEXT
            if self.step == CHUNK_FIRST:
                return ERR_CHUNK
        elif self.step == CHUNK_EXTENSION:
            if byte == CR:
                self.step = CHUNK_LF
            elif byte < 32 and byte != 9:
                return ERR_CHUNK
            return NEXT
        if byte == CR:
            self.step = CHUNK_LF
        elif byte == c";":
            self.step = CHUNK_EXTENSION
        elif byte == 32 or byte == 9:
            self.step = CHUNK_BLANK
        else:
            return ERR_CHUNK
        return NEXT

    cdef int64_t size_line(self, Buf b, uint32_t start) noexcept:
        """The line of a chunk's size once all of it is there, else 0; how long it is in ``b`` afterwards."""
        cdef uint32_t at = start
        cdef int verdict
        while at < b.size():
            verdict = self.frame_byte(b.at(at))
            at += 1
            if verdict < 0 or at - start > longest_lines():
                self.step = CHUNK_BAD
                return ERR_CHUNK
            if self.step > CHUNK_LF:
                return self.plain_size(b, start, at)
        self.step = CHUNK_FIRST
        self.left = self.line = 0
        return 0

    cdef int64_t plain_size(self, Buf b, uint32_t start, uint32_t end) noexcept:
        """Write the size anew: no leading zeros, blanks or extensions, capitals."""
        cdef uint8_t text[18]
        cdef int length = size_text(text, self.left)
        b.overwrite(start, text, length)
        if start + length < end:
            b.move(start + length, end, b.size() - end)
            b.truncate(b.size() - (end - start - length))
        return length

    cdef int64_t join(self, Buf b, uint32_t start, uint32_t line) noexcept:
        """Have the chunks that follow this one, as far as they are there, become part of it; how long its size line is then."""
        cdef uint8_t text[18]
        cdef uint32_t held = b.size(), source = start + line, end, target, size, count, follows
        cdef uint64_t all_of_it = self.left
        cdef int more = 0, length
        end = source + <uint32_t> self.left
        while end < held:
            follows = next_chunk(b, end, &size)
            if follows == 0 or all_of_it + size > JOINED:
                break
            all_of_it += size
            more += 1
            end = min(held, follows + size)
        if more == 0:
            return line
        # the frames that go are longer than what the size grows by: nothing is written where it is still to be read
        length = size_text(text, all_of_it)
        target, count = start + <uint32_t> length, <uint32_t> self.left
        while True:
            follows = next_chunk(b, source + count, &size) if more else 0
            b.move(target, source, count)
            target += count
            if more == 0:
                break
            source, count = follows, min(size, held - follows)
            more -= 1
        b.move(target, end, held - end)
        b.truncate(target + held - end)
        b.overwrite(start, text, length)
        self.left = all_of_it
        return length

    cdef int64_t trailer_lines(self, Buf b, uint32_t start) noexcept:
        """The trailers with the empty line after them once all of them are there, else 0; their length afterwards.

        They are read like the lines of a head and leave as those do, so that no next hop can read them differently.
        """
        cdef Request lines
        cdef int verdict = NEXT
        if b.at(start) == CR and b.at(start + 1) == LF:
            self.done = True
            return 2
        lines = Request.__new__(Request)
        lines.step, lines.pos = STEP_LINE, start
        while verdict == NEXT and lines.step != STEP_DONE:
            verdict = step_header(b, lines)
        if verdict != NEXT:
            return 0 if verdict == 0 and b.size() - start <= longest_lines() else ERR_TRAILER
        if lines.pos - start > longest_lines():
            return ERR_TRAILER
        self.done = True
        return self.plain_trailers(b, start, lines)

    cdef bint allowed_trailer(self, Buf b, Line *line) noexcept:
        """One that speaks of framing has at least to be well formed: that much HAProxy wants as well."""
        cdef int known = known_name(b.readable(line.name, line.name_length), line.name_length)
        if known == KNOWN_LENGTH:
            return line.value_length and b.run(line.value, IS_DIGIT) >= line.value + line.value_length
        return known != KNOWN_ENCODING or b.equals_nocase(line.value, line.value_length, b"chunked", 7)

    cdef int64_t plain_trailers(self, Buf b, uint32_t start, Message read) noexcept:
        """Write the lines anew if they are not all as they would be written here."""
        cdef Line *line
        cdef uint32_t index, size = 2
        cdef bint plain = True
        cdef Buf text
        for index in range(read.lines.count):
            line = read.lines.at(index)
            if not self.allowed_trailer(b, line):
                return ERR_TRAILER
            size += line.name_length + line.value_length + 4
            plain = plain and line.flags & LINE_PLAIN
        self.trailing = size - 2 - 4 * read.lines.count
        if plain and size == read.pos - start:
            return size
        text = Buf.__new__(Buf)
        if text.reserve(size + b.size(), 8 * BUFSIZE) < 0:
            return ERR_MEMORY
        for index in range(read.lines.count):
            line = read.lines.at(index)
            text.put_from(b, line.name, line.name_length)
            text.put(b": ", 2)
            text.put_from(b, line.value, line.value_length)
            text.put(b"\r\n", 2)
        text.put(b"\r\n", 2)
        text.put_from(b, read.pos, b.size() - read.pos)
        b.truncate(start)
        if b.reserve(text.size(), 2 * BODYSIZE) < 0:
            return ERR_MEMORY
        b.put_from(text, 0, text.size())
        return size

    cdef int frame_byte(self, int byte) noexcept:
        if self.step < CHUNK_LF:
            return self.size_byte(byte)
        if self.step >= TRAILERS:
            return ERR_CHUNK
        if byte != (CR if self.step == CHUNK_DATA_CR else LF):
            return ERR_CHUNK
        if self.step == CHUNK_DATA_CR:
            self.step = CHUNK_DATA_LF
        elif self.step == CHUNK_DATA_LF:
            self.step = CHUNK_FIRST
        else:
            self.step = CHUNK_DATA if self.left else TRAILERS
        self.line = 0
        return NEXT

    cdef int64_t chunked(self, Buf b, uint32_t offset, uint32_t most) noexcept:
        cdef uint32_t at = offset, held = b.size()
        cdef int verdict
        cdef int64_t line
        while at < held and not self.done:
            if self.step == CHUNK_DATA:
                if most == 0:
                    break
                self.slice_start = at
                self.slice_length = <uint32_t> min(min(<uint64_t> (held - at), self.left), <uint64_t> most)
                self.left -= self.slice_length
                self.total += self.slice_length
                if self.left == 0:
                    self.step = CHUNK_DATA_CR
                return at + self.slice_length - offset
            if self.step == CHUNK_FIRST:
                line = self.size_line(b, at)
                if line <= 0:
                    return line if line < 0 else at - offset
                if self.left == 0:
                    return self.last_chunk(b, at, <uint32_t> line, offset)
                if at + <uint32_t> line >= b.size():  # a size does not leave before its data
                    self.step = CHUNK_FIRST
                    self.left = self.line = 0
                    return at - offset
                if self.left < JOINED:
                    line = self.join(b, at, <uint32_t> line)
                at += <uint32_t> line
                held = b.size()
                continue
            verdict = self.frame_byte(b.at(at))
            if verdict < 0:
                self.step = CHUNK_BAD
                return verdict
            at += 1
        return at - offset

    cdef int64_t last_chunk(self, Buf b, uint32_t start, uint32_t line, uint32_t offset) noexcept:
        """The last size line leaves with the trailers: a body that is cut before their end has no end."""
        cdef int64_t lines = self.trailer_lines(b, start + line)
        if lines < 0:
            self.step = CHUNK_BAD
            return lines
        if lines == 0:
            self.step = CHUNK_FIRST
            self.line = line = 0
        return start + line + lines - offset

    cdef bytes unframed(self):
        """What the data still lack that went last: a chunk that is complete ends so wherever the connection does."""
        if self.kind != BODY_CHUNKED or self.step < CHUNK_DATA_CR or self.step > CHUNK_DATA_LF:
            return b""
        return b"\r\n" if self.step == CHUNK_DATA_CR else b"\n"

    cdef int64_t slice(self, Buf b, uint32_t offset, uint32_t most) noexcept:
        cdef uint32_t held = 0 if b is None else b.size()
        self.slice_start = self.slice_length = 0
        if self.done or offset >= held:
            return 0
        if self.kind == BODY_CHUNKED:
            return self.chunked(b, offset, most)
        self.slice_start = offset
        self.slice_length = min(held - offset, most)
        if self.kind == BODY_LENGTH:
            self.slice_length = <uint32_t> min(<uint64_t> self.slice_length, self.left)
            self.left -= self.slice_length
            self.done = self.left == 0
        self.total += self.slice_length
        return self.slice_length

    cdef int64_t bulk(self) noexcept:
        if self.kind == BODY_LENGTH or (self.kind == BODY_CHUNKED and self.step == CHUNK_DATA):
            return <int64_t> self.left
        # One that the end of the connection ends may be short: it has to show that it is not.
        return 1 << 30 if self.kind == BODY_CLOSE and self.total >= LONG else 0

    cdef void passed(self, int64_t count) noexcept:
        self.total += <uint64_t> count
        if self.kind == BODY_CLOSE:
            return
        self.left -= min(<uint64_t> count, self.left)
        if self.left == 0:
            if self.kind == BODY_CHUNKED:
                self.step = CHUNK_DATA_CR
            else:
                self.done = True

    cdef int64_t next_slice(self, Buf b, uint32_t offset) noexcept:
        return self.slice(b, offset, 0xFFFFFFFF)

    cdef int64_t piece(self, Buf b, uint32_t most, Buf trailers) noexcept:
        """``slice`` from the head of ``b``, for who frames the payload anew: what follows the last chunk is kept."""
        cdef uint32_t at = 0
        cdef int verdict
        cdef int64_t lines
        if self.kind != BODY_CHUNKED or self.done:
            return self.slice(b, 0, most)
        self.slice_length = 0
        while at < b.size() and not self.done:
            if self.step == CHUNK_DATA:
                return at + self.chunked(b, at, most)
            if self.step == TRAILERS:
                lines = self.trailer_lines(b, at)
                if lines > 0 and (trailers.reserve(<uint32_t> lines, 2 * BUFSIZE) < 0 or trailers.put_from(b, at, <uint32_t> lines) < 0):
                    lines = ERR_TRAILER
                return lines if lines < 0 else at + lines
            verdict = self.frame_byte(b.at(at))
            if verdict < 0:
                self.step = CHUNK_BAD
                return verdict
            at += 1
        return at

    cdef int64_t advance(self, Buf b, uint32_t offset) noexcept:
        cdef int64_t moved, count = 0
        while True:
            moved = self.slice(b, offset + <uint32_t> count, 0xFFFFFFFF)
            if moved < 0:
                return moved
            if moved == 0:
                return count
            count += moved

    cdef int64_t decode(self, Buf b, uint32_t offset, Buf out) noexcept:
        cdef int64_t moved, count = 0
        if out is None:
            return ERR_MEMORY
        while True:
            moved = self.slice(b, offset + <uint32_t> count, out.room())
            if moved < 0:
                return moved
            if self.slice_length and out.put_from(b, self.slice_start, self.slice_length) < 0:
                return ERR_MEMORY
            if moved == 0:
                return count
            count += moved

    cdef tuple preview(self, Buf b, uint32_t offset):
        """The payload held from ``offset``, and whether that is all of it; the state does not move."""
        cdef Body other = Body.__new__(Body)
        cdef Buf out
        other.kind, other.done, other.left, other.step = self.kind, self.done, self.left, self.step
        other.line = self.line
        if b is None or offset >= b.size():
            return b"", bool(self.done)
        out = new_buf(b.size() - offset)
        other.decode(b, offset, out)
        return out.get(0, out.size()), bool(other.done)
