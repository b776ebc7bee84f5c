# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Log lines written without Python: the items of the usual formats that are numbers, names, dates and states.

An item is written here only while its text cannot differ from the closure's; whatever is unusual (an
address that is no IPv4, a byte that must be encoded, something rules have noted) is the closure's to write.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

cimport cython

from evener.engine.buffer cimport Buf, new_buf
from evener.engine.http1 cimport Request
from evener.engine.kernel cimport MSG_DONTWAIT, MSG_NOSIGNAL, iovec, msghdr, sendmsg, wall_clock
from evener.engine.segment cimport CUR, PROCESS
from evener.engine.stream cimport Stream

from evener.haproxy import dates
from evener.haproxy.aliases import Kept
from evener.haproxy.log_style import encode_url

cdef enum:
    LONGEST = 1 << 20

cdef enum Code:
    TEXT  # a constant
    CLOSURE
    CLIENT_IP, CLIENT_PORT, FRONTEND_IP, FRONTEND_PORT
    FRONTEND, BACKEND, SERVER
    ACCEPT_DATE, REQUEST_DATE
    HANDSHAKE, IDLE, REQUEST, QUEUE, CONNECT, RESPONSE, ACTIVE, TOTAL
    STATUS, BYTES_SENT, BYTES_READ
    PROCESS_CONNS, FRONTEND_CONNS, BACKEND_CONNS, SERVER_CONNS, RETRIES, SERVER_QUEUE, BACKEND_QUEUE
    STATE, STATE_COOKIE, COOKIE
    REQUEST_LINE

cdef dict CODES = {
    "ci": CLIENT_IP, "cp": CLIENT_PORT, "fi": FRONTEND_IP, "fp": FRONTEND_PORT,
    "f": FRONTEND, "ft": FRONTEND, "b": BACKEND, "s": SERVER, "t": ACCEPT_DATE, "tr": REQUEST_DATE,
    "Th": HANDSHAKE, "Ti": IDLE, "TR": REQUEST, "Tw": QUEUE, "Tc": CONNECT, "Tr": RESPONSE,
    "Ta": ACTIVE, "Tt": TOTAL, "ST": STATUS, "B": BYTES_SENT, "U": BYTES_READ,
    "ac": PROCESS_CONNS, "fc": FRONTEND_CONNS, "bc": BACKEND_CONNS, "sc": SERVER_CONNS, "rc": RETRIES,
    "sq": SERVER_QUEUE, "bq": BACKEND_QUEUE, "ts": STATE, "tsc": STATE_COOKIE, "CC": COOKIE, "CS": COOKIE,
    "r": REQUEST_LINE,
}

cdef uint8_t[256] SAFE  # bytes of a request line that encode_url leaves alone
for _byte in range(256):
    SAFE[_byte] = encode_url(bytes((_byte,))) == bytes((_byte,))


cdef bint persists(Stream stream) noexcept:
    if stream.backend is None:
        return stream.frontend.persists
    return stream.backend.persists


@cython.final
cdef class Part:
    cdef int code
    cdef bint quoted
    cdef bytes text
    cdef object plain


@cython.final
cdef class LineNode:
    """A closure that writes a line, and the same without Python for a stream of the engine."""

    cdef readonly object plain
    cdef list parts
    cdef int64_t second
    cdef bytes date
    cdef uint32_t longest  # of a request line

    def __call__(self, txn):
        return self.write(<Stream>txn) if isinstance(txn, Stream) else self.plain(txn)

    cdef bytes write(self, Stream stream):
        cdef Buf out = new_buf(2048)
        self.fill(out, stream)
        return out.get(0, out.size())

    cdef int fill(self, Buf out, Stream stream) except -1:
        cdef object part
        for part in self.parts:
            self.item(out, <Part>part, stream)
        return 0

    cdef int item(self, Buf out, Part part, Stream stream) except -1:
        cdef int code = part.code
        if code == TEXT:
            return self.put(out, part.text)
        if out.room() < 128 and out.reserve(128, LONGEST) < 0:
            raise MemoryError
        if code == CLOSURE or not (
            self.number(out, code, stream) or self.name(out, code, stream)
            or (code == REQUEST_LINE and self.request(out, part, stream))
        ):
            return self.put(out, part.plain(stream))
        return 0

    cdef int put(self, Buf out, bytes text) except -1:
        if out.put_bytes(text) < 0:
            if out.reserve(<uint32_t>min(len(text), LONGEST), LONGEST) < 0 or out.put_bytes(text) < 0:
                raise MemoryError
        return 0

    cdef bint number(self, Buf out, int code, Stream stream) except -1:
        cdef int64_t value
        if code == HANDSHAKE:
            value = stream.t_handshake
        elif code == IDLE:
            value = stream.m_first - stream.m_idle if stream.m_first else -1
        elif code == REQUEST:
            value = stream.m_head - stream.m_first if stream.m_head else -1
        elif code == QUEUE:
            value = stream.m_queue - stream.m_head if stream.m_queue else -1
        elif code == CONNECT:
            value = stream.m_connect - stream.m_queue if stream.m_connect else -1
        elif code == RESPONSE:
            value = stream.m_response - stream.m_connect if stream.m_response else -1
        elif code == ACTIVE:
            value = stream.m_end - (stream.m_first or stream.m_idle) if stream.m_end else -2
        elif code == TOTAL:
            value = stream.m_end - stream.m_idle + stream.t_handshake if stream.m_end else -2
        elif code == STATUS:
            value = stream._res.status if stream._res is not None else -1
        elif code == BYTES_SENT:
            value = <int64_t>stream._bytes_out if stream.m_end else -2
        elif code == BYTES_READ:
            value = <int64_t>stream._bytes_in if stream.m_end else stream.bytes_in
        elif code == PROCESS_CONNS:
            value = stream.segment.load(PROCESS, CUR)
        elif code == FRONTEND_CONNS:
            value = stream.segment.load(stream.frontend.row, CUR)
        elif code == BACKEND_CONNS:
            value = stream.segment.load(stream.backend.row, CUR) if stream.backend is not None else 0
        elif code == SERVER_CONNS:
            value = stream.on_server() if stream.server is not None else 0
        elif code == RETRIES:
            if stream.redispatched:
                out.put_byte(c"+")
            value = stream.retries
        elif code == SERVER_QUEUE:
            value = stream.srv_queue
        elif code == BACKEND_QUEUE:
            value = stream.be_queue
        elif code == CLIENT_PORT:
            if stream._src_port >= 0 or stream._src_ip is not None:
                return False
            stream.client.look_up()
            value = stream.client.src_port
        elif code == FRONTEND_PORT:
            if stream._dst_port >= 0 or stream._dst_ip is not None:
                return False
            stream.client.look_up()
            value = stream.client.dst_port
        else:
            return False
        if value < -1:
            return False  # still going on
        if value < 0:
            out.put_byte(c"-")
            value = -value
        out.put_decimal(<uint64_t>value)
        return True

    cdef bint name(self, Buf out, int code, Stream stream) except -1:
        if code == FRONTEND:
            self.put(out, stream.frontend.name)
        elif code == BACKEND:
            self.put(out, stream.backend.name if stream.backend is not None else stream.frontend.name)
        elif code == SERVER:
            if stream.server is None and stream.data is not None:
                return False
            self.put(out, stream.server.name if stream.server is not None else stream.applet or b"<NOSRV>")
        elif code == CLIENT_IP:
            stream.client.look_up()
            return stream._src_ip is None and address(out, stream.client.src_ip)
        elif code == FRONTEND_IP:
            stream.client.look_up()
            return stream._dst_ip is None and address(out, stream.client.dst_ip)
        elif code == ACCEPT_DATE:
            self.moment(out, stream.client.accepted)
        elif code == REQUEST_DATE:
            self.moment(out, stream.started)
        elif code == STATE:
            self.state(out, stream)
        elif code == STATE_COOKIE:
            if stream.data is not None or (stream.cause != c"-" and persists(stream)):
                return False
            self.state(out, stream)
            out.put(b"--", 2)
        elif code == COOKIE:
            if stream.data is not None:
                return False
            out.put_byte(c"-")
        else:
            return False
        return True

    cdef void state(self, Buf out, Stream stream) noexcept:
        out.put_byte(<uint8_t>stream.cause)
        out.put_byte(<uint8_t>stream.ended_at)

    cdef int moment(self, Buf out, double when) except -1:
        """``09/Jul/2014:14:31:50.123``; the second's text is kept while it lasts."""
        cdef int64_t milliseconds = <int64_t>(when * 1000)
        cdef int64_t second = milliseconds // 1000
        cdef uint32_t rest = <uint32_t>(milliseconds - second * 1000)
        if second != self.second or self.date is None:
            self.date = dates.log_local(float(second)).partition(b".")[0] + b"."
            self.second = second
        self.put(out, self.date)
        out.put_byte(<uint8_t>(48 + rest // 100))
        out.put_byte(<uint8_t>(48 + rest // 10 % 10))
        out.put_byte(<uint8_t>(48 + rest % 10))
        return 0

    cdef bint request(self, Buf out, Part part, Stream stream) except -1:
        cdef Request req = stream._req
        cdef uint32_t before = out.size(), start, index
        cdef const uint8_t *text
        if req is None or req.first_length == 0:
            return False
        start = before + part.quoted
        if out.reserve(req.store.size() + 32, LONGEST) < 0:
            raise MemoryError
        if part.quoted:
            out.put_byte(c'"')
        if req.seen_length:  # a rule or a normalisation changed it
            out.put_from(req.store, 0, req.seen_method)
            out.put_byte(32)
            out.put_from(req.store, req.seen, req.seen_length)
        else:
            out.put_from(req.store, req.first, req.first_length)
            out.put_byte(32)
            out.put_from(req.store, req.second, req.second_length)
        out.put_byte(32)
        if req.third_length:
            out.put_from(req.store, req.third, req.third_length)
        elif req.seen_version:
            out.put_from(req.store, req.seen_version, 8)
        else:
            out.put(b"HTTP/1.1" if req.minor else b"HTTP/1.0", 8)
        if out.size() - start > self.longest:
            out.truncate(before)
            return False
        text = out.readable(start, out.size() - start)
        for index in range(out.size() - start):
            if not SAFE[text[index]]:
                out.truncate(before)
                return False
        if part.quoted:
            out.put_byte(c'"')
        return True


cdef bint address(Buf out, bytes packed) except -1:
    cdef int index
    if packed is None or len(packed) != 4:
        return False
    for index in range(4):
        if index:
            out.put_byte(c".")
        out.put_decimal(<uint8_t>packed[index])
    return True


def fold_line(plain, parts):
    """``haproxy.fold.Fold.line``."""
    cdef LineNode node = LineNode.__new__(LineNode)
    cdef Part part
    node.plain = plain
    node.longest = Kept.longest
    node.parts = []
    for given in parts:
        part = Part.__new__(Part)
        if isinstance(given, bytes):
            part.code, part.text = TEXT, given
        elif isinstance(given, tuple):
            name, quoted, part.plain = given
            part.code, part.quoted = CODES.get(name, CLOSURE), quoted
            if quoted and part.code != REQUEST_LINE:
                part.code = CLOSURE
        else:
            part.code, part.plain = CLOSURE, given
        node.parts.append(part)
    return node


@cython.final
cdef class Receiver:
    """A ``syslog.Direct``."""
    cdef int socket
    cdef bytes head
    cdef uint32_t most
    cdef object other  # takes what the socket does not

    cdef int send(self, Buf line) except -1:
        cdef iovec[3] parts
        cdef msghdr message
        cdef uint32_t size = line.size(), longest = self.most - 1
        parts[0].iov_base = <char *>PyBytes_AS_STRING(self.head)
        parts[0].iov_len = min(PyBytes_GET_SIZE(self.head), longest)
        parts[1].iov_base = <void *>line.readable(0, size)
        parts[1].iov_len = min(size, longest - parts[0].iov_len)
        parts[2].iov_base = <char *>b"\n"
        parts[2].iov_len = 1
        memset(&message, 0, sizeof(message))
        message.msg_iov, message.msg_iovlen = parts, 3
        if sendmsg(self.socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0:
            self.other(self.head, line.get(0, size))
        return 0


@cython.final
cdef class LogNode:
    """The closure that writes a line at the end, and the same without Python for a stream of the engine."""
    cdef readonly object plain
    cdef object outlet
    cdef int level
    cdef LineNode line
    cdef Buf out
    cdef int64_t second  # the one that the receivers' heads are of
    cdef list receivers  # None: the closure's

    def __call__(self, txn):
        return self.run(<Stream>txn) if isinstance(txn, Stream) else self.plain(txn)

    cdef int run(self, Stream stream) except -9:
        cdef int64_t now = <int64_t>wall_clock()
        cdef object one
        if stream.data is not None or stream.backend is None:
            return <int>self.plain(stream)
        if now != self.second:
            self.receivers = receivers_of(self.outlet.direct(self.level))
            self.second = now
        if self.receivers is None:
            return <int>self.plain(stream)
        self.out.clear()
        self.line.fill(self.out, stream)
        if self.out.size() == 0:
            return 0  # a line of nothing is no line
        for one in self.receivers:
            (<Receiver>one).send(self.out)
        return 0


cdef list receivers_of(object given):
    cdef Receiver made
    cdef list found = []
    if given is None:
        return None
    for number, head, most, other in given:
        made = Receiver.__new__(Receiver)
        made.socket, made.head, made.most, made.other = number, <bytes?>head, most, other
        if made.most < 1:
            return None
        found.append(made)
    return found


def fold_log(plain, outlet, int level, line):
    """``haproxy.fold.Fold.log``."""
    cdef LogNode node
    if not isinstance(line, LineNode):
        return plain
    node = LogNode.__new__(LogNode)
    node.plain, node.outlet, node.level, node.line = plain, outlet, level, line
    node.out, node.second = new_buf(2048), -1
    return node
