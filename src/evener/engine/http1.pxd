# What the loop uses of the HTTP/1 codec. See http1.pyx for the theory of operation.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from evener.engine.buffer cimport Buf, Line, Lines

cdef enum Framing:
    BODY_NONE = 0
    BODY_LENGTH = 1
    BODY_CHUNKED = 2
    BODY_CLOSE = 3  # until the peer closes
    BODY_TUNNEL = 4  # not HTTP any more

cdef enum MessageFlag:
    MSG_CLOSE = 1  # Connection: close
    MSG_KEEP_ALIVE = 2  # Connection: keep-alive
    MSG_UPGRADE = 4  # Connection: upgrade, and an Upgrade line
    MSG_EXPECT = 8  # Expect: 100-continue
    MSG_LENGTH = 16  # a valid Content-Length
    MSG_CHUNKED = 32  # Transfer-Encoding: chunked
    MSG_HEAD = 64  # method HEAD
    MSG_CONNECT = 128  # method CONNECT
    MSG_BOTH = 256  # ambiguous framing was repaired (both lengths, chunked in 1.0...): close afterwards
    MSG_UNSAFE = 512  # accept-unsafe-violations-in-http-*: set by the caller before parsing
    MSG_COMPLETE = 1024  # the head was parsed
    MSG_RULE_CLOSE = 2048  # Connection: close, by a rule
    MSG_BAD_VERSION = 4096  # said once the head is there, as HAProxy does
    MSG_LOOKED = 8192  # only looked at, by rules about bytes: no matter what is made of it; set by the caller

cdef enum LineFlag:
    LINE_DELETED = 1
    LINE_ADDED = 2  # by a rule
    LINE_WIRE = 4  # the line that frames the body: written whatever rules do to it
    LINE_PLAIN = 8  # "name: value" CRLF lie together in the store
    LINE_BAD = 16  # invalid name under MSG_UNSAFE: to be dropped
    LINE_HIDDEN = 32  # seen by rules, and not written
    LINE_TRAILERS = 64  # a TE line: whatever else it says, "trailers" is written

cdef enum Known:
    KNOWN_OTHER = 0
    KNOWN_CONNECTION
    KNOWN_LENGTH
    KNOWN_ENCODING
    KNOWN_HOST
    KNOWN_UPGRADE
    KNOWN_EXPECT
    KNOWN_TE
    KNOWN_SOCKET_KEY
    KNOWN_SOCKET_ACCEPT

cdef enum WriteFlag:
    WRITE_CLOSE = 1  # add connection: close
    WRITE_KEEP_ALIVE = 2  # add connection: keep-alive
    WRITE_UPGRADE = 4  # add connection: upgrade (and keep the upgrade lines)
    WRITE_DECHUNK = 8  # drop transfer-encoding: the body is forwarded decoded (HTTP/1.0 peer)
    WRITE_CHUNK = 16  # add transfer-encoding: chunked: the body will be chunked by us
    WRITE_NO_BODY = 32  # write_reply: content-length, but no body (answer to HEAD)
    WRITE_CASED = 64  # names as h1-case-adjust wants them

cdef enum Error:
    # what parsing and Body.advance return below zero; ``error_status`` turns them into an HTTP status
    ERR_START = -1  # start line
    ERR_TARGET = -2
    ERR_VERSION = -3
    ERR_NAME = -4
    ERR_VALUE = -5
    ERR_LENGTH = -6
    ERR_ENCODING = -7
    ERR_HOST = -8
    ERR_TOO_MANY = -9
    ERR_TOO_LARGE = -10
    ERR_CHUNK = -11
    ERR_TRAILER = -12
    ERR_UNSUPPORTED = -13  # a request HAProxy answers with 501 / 422 (see error_status)
    ERR_MEMORY = -14
    ERR_START_TOO_LARGE = -15  # the start line alone exceeds what a head may take: 414
    ERR_PAYLOAD = -16  # a body where HTTP/1.0 expects none: 413
    ERR_PREFACE = -17  # HTTP/2 without asking, which we do not speak: 405

cdef class Message:
    cdef Buf store  # start line and every name and value, offsets from 0
    cdef Lines lines
    cdef readonly uint32_t flags
    cdef readonly uint8_t framing  # Framing of the body, as received
    cdef readonly int64_t length  # Content-Length, -1 when there is none
    cdef readonly uint32_t head_length  # bytes the head took on the wire, with leading empty lines
    cdef public int minor
    cdef int32_t trimmed  # bytes taken from values while they were read
    cdef uint32_t weight  # bytes the head would take when written
    cdef uint32_t limit  # and may at most: the body received beside it has its share of a buffer
    cdef void share(self, uint32_t body) noexcept
    cdef int64_t counted(self) noexcept  # its bytes as the original counts them in logs
    cdef uint32_t first, first_length  # method | reason
    cdef uint32_t second, second_length  # target | status as received
    cdef uint32_t third, third_length  # the version, when it is not HTTP/1.x
    cdef uint32_t seen, seen_length  # the target as it was before rules changed it (the method lies at 0)
    cdef uint32_t seen_method, seen_version
    # the parser's place, relative to the head of the input
    cdef uint8_t step
    cdef bint touched
    cdef uint32_t pos, mark, start_end

    cdef void reset(self) noexcept  # ready to parse the next message; flags are cleared too
    cdef bint persistent(self) noexcept  # its sender will keep the connection open afterwards
    cdef bint edited(self) noexcept  # a rule changed something
    cdef int find(self, const uint8_t *name, uint32_t length, uint32_t begin) noexcept  # index of a live line, -1
    cdef int keep(self, bytes data) except -1  # offset in the store of a copy
    cdef int replace_slot(self, uint32_t *offset, uint32_t *length, bytes data) except -1
    cdef void drop(self, Line *line) noexcept
    cdef bytes value_of(self, Line *line)
    cdef void unframe(self) noexcept  # the line that frames the body is not written: the writer adds its own
    cpdef bytes get(self, bytes name)
    cpdef list all(self, bytes name)
    cpdef list items(self)
    cpdef int add(self, bytes name, bytes value) except -1
    cpdef int set(self, bytes name, bytes value) except -1
    cpdef int remove(self, bytes name) except -1

@cython.final
cdef class Request(Message):
    cdef bint method_is(self, const uint8_t *name, uint32_t length) noexcept  # as it stands now

@cython.final
cdef class Response(Message):
    cdef public int status

@cython.final
cdef class Body:
    cdef readonly uint8_t kind
    cdef readonly bint done  # the body ends right after what was approved
    cdef readonly uint64_t total  # payload bytes approved
    cdef readonly uint64_t trailing  # bytes of trailers' names and values
    cdef uint64_t left
    cdef uint8_t step
    cdef uint32_t line  # bytes of the current size line
    cdef uint32_t slice_start, slice_length  # payload found by the last ``next_slice``

    cdef void begin(self, int kind, int64_t length) noexcept
    cdef int size_byte(self, int byte) noexcept
    cdef int64_t size_line(self, Buf b, uint32_t start) noexcept
    cdef int64_t plain_size(self, Buf b, uint32_t start, uint32_t end) noexcept
    cdef int64_t join(self, Buf b, uint32_t start, uint32_t line) noexcept
    cdef int64_t trailer_lines(self, Buf b, uint32_t start) noexcept
    cdef bint allowed_trailer(self, Buf b, Line *line) noexcept
    cdef int64_t plain_trailers(self, Buf b, uint32_t start, Message read) noexcept
    cdef int64_t last_chunk(self, Buf b, uint32_t start, uint32_t line, uint32_t offset) noexcept
    cdef bytes unframed(self)
    cdef int frame_byte(self, int byte) noexcept
    cdef int64_t chunked(self, Buf b, uint32_t offset, uint32_t most) noexcept
    # Payload that follows the approved bytes as it is: it need not be looked at. ``passed``: it went on unseen.
    cdef int64_t bulk(self) noexcept
    cdef void passed(self, int64_t count) noexcept
    # Looks at what b holds from offset on. Returns how many further bytes may be forwarded verbatim, 0 when
    # more is needed (or when done), an Error below 0. CLOSE and TUNNEL approve everything and are never done.
    cdef int64_t advance(self, Buf b, uint32_t offset) noexcept
    cdef int64_t slice(self, Buf b, uint32_t offset, uint32_t most) noexcept  # next_slice, at most that much payload
    # The same in smaller steps: consumes framing and at most one run of payload, which lies at
    # slice_start (from b.head), slice_length.
    cdef int64_t next_slice(self, Buf b, uint32_t offset) noexcept
    # The same from the head of b, keeping trailers, with the empty line that ends them, in ``trailers``.
    cdef int64_t piece(self, Buf b, uint32_t most, Buf trailers) noexcept
    # Appends to ``out`` the payload only; returns the bytes of b consumed (stops when out is full), or an Error.
    cdef int64_t decode(self, Buf b, uint32_t offset, Buf out) noexcept
    cdef tuple preview(self, Buf b, uint32_t offset)  # (payload: bytes, complete: bool) without moving on; for txn.body()

# > 0 length of the head at b.head (the caller skips it; the message keeps its own copy), 0 more is needed,
# < 0 an Error. Call again with the same message after more bytes arrived; b may have been compacted meanwhile.
cdef int parse_request(Buf b, Request m) noexcept
# ``request`` is the one answered: it decides whether there is a body (HEAD, CONNECT, upgrade). May be None.
cdef int parse_response(Buf b, Response m, Request request) noexcept
# Whether a head is one only because violations are accepted.
cdef bint strange(Message m, Request request) except -1
# 0, or ERR_TOO_LARGE (nothing written) when out cannot hold it
cdef int write_request(Buf out, Request m, uint32_t how) noexcept
cdef int write_response(Buf out, Response m, uint32_t how) noexcept
# Appends a local reply, growing ``out`` as needed; content-length is added unless status forbids it: where the
# headers have one, whatever its value, or first.
cdef int write_reply(Buf out, int status, bytes reason, object headers, bytes body, uint32_t how) except -1
# The connection line a message needs, as HAProxy adds it: ``keep`` says whether the connection it travels on
# stays open; ``asker_minor`` is the version of the request for a response, the message's own for a request.
cdef void reread_connection(Message m) noexcept  # what rules said about the connection becomes flags
cdef uint32_t connection_flags(Message m, int asker_minor, bint keep) noexcept
cdef bint closes_in_place(Message m) noexcept
cdef int write_chunk_head(Buf out, uint64_t length) noexcept  # hex CRLF; the caller adds the data and CRLF
cdef int error_status(int error) noexcept  # 400, 413, 422, 501 ... for a request
cdef uint32_t path_start(Request m) noexcept  # where the path begins in the target, its end when there is none
