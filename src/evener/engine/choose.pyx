# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True
# cython: nonecheck=True, cdivision=True
"""Which server: in turn, least loaded, drawn at random, or the one a hash finds; and how much it may get.

Knows nothing of queues' order nor of connections (see reach.pyx): it claims a slot or says that there is
none. A choice looks at servers as the shared segment shows them at this moment.
"""

from bisect import bisect_left

from libc.stdlib cimport rand

from evener.engine.kernel cimport wall_clock
from evener.engine.proxies cimport Backend
from evener.engine.stream cimport Timeouts
from evener.engine.segment cimport (
    CUR, LAST_SESSION, LB_TOTAL, MAX, MAXCONN, Q_CUR, Q_SEEN, ROTATION, SESS_RATE, SESS_RATE_MAX, SHUTDOWN_EPOCH,
    TOTAL, USABLE, WEIGHT, Segment,
)

cdef enum:
    MOST_WEIGHT = 4096  # of a server, in the units of WEIGHT


cdef class Choosing(Stream):
    cdef bint usable(self, Server server) noexcept:
        return self.segment.load(server.row, USABLE) != 0

    cdef bint others(self, Server server) except -1:
        cdef Server other
        for other in self.backend.rotation:
            if other is not server and self.usable(other):
                return True
        return False

    cdef int64_t limit_of(self, Server server) noexcept:
        """How many it may serve now; between minconn and maxconn it follows the load of the backend."""
        cdef int64_t limit = self.segment.load(server.row, MAXCONN) or server.maxconn
        cdef int64_t load
        if server.minconn > 0 and self.backend.fullconn > 0 and limit > server.minconn:
            load = self.segment.load(self.backend.row, CUR)
            if load < self.backend.fullconn:
                return max(<int64_t>server.minconn, load * limit // self.backend.fullconn)
        return limit

    cdef bint full(self, Server server) except -1:
        cdef int64_t limit = self.limit_of(server)
        if limit <= 0:
            return False
        if server.queue and server.queue[0] is not self:
            return True
        return self.segment.load(server.row, CUR) >= limit

    cdef int take(self, Server server) except -9:
        """Claim a slot of the server: 1, or 0 when it has none, or others wait for it."""
        if server.queue and server.queue[0] is not self and self.limit_of(server) > 0:
            return 0
        return self.claim(server)

    cdef int claim(self, Server server) except -9:
        cdef Segment segment = self.segment
        cdef int row = server.row
        if not segment.claim(row, CUR, self.limit_of(server)):
            return 0
        self.server = server
        self.slot = True
        segment.lift(row, MAX, segment.load(row, CUR))
        segment.bump(row, TOTAL, 1)
        segment.lift(row, SESS_RATE_MAX, segment.tick(row, SESS_RATE, 1, self.loop.now))
        segment.store(row, LAST_SESSION, <int64_t>wall_clock())
        if self.balanced:
            self.count(LB_TOTAL, 1)
        self.shutdown_seen = segment.load(row, SHUTDOWN_EPOCH)
        if self.avoid is not None and server is not self.avoid:
            self.redispatched = True
        self.m_queue = self.loop.now
        self.chosen()
        return 1

    cdef int any_server(self) except -9:
        if self.backend.least:
            return self.least_loaded()
        if self.backend.draws:
            return self.random_draw()
        return self.next_in_rotation()

    cdef int random_draw(self) except -9:
        """The least loaded of some; when that one is full, all of them count as full."""
        cdef Segment segment = self.segment
        cdef list rotation = self.backend.rotation
        cdef Py_ssize_t count = len(rotation), tried, start
        cdef Server server, best = None
        cdef int draw
        for draw in range(self.backend.draws):
            start = rand() % count
            for tried in range(count):
                server = <Server>rotation[(start + tried) % count]
                if self.usable(server) and server is not self.avoid:
                    break
            else:
                break
            if best is None or self.lighter(server, best):
                best = server
        if best is None:
            best = self.avoid
        if best is None or not self.usable(best):
            return -1
        return 0 if segment.load(best.row, Q_CUR) else self.take(best)

    cdef bint lighter(self, Server one, Server other) noexcept:
        """Whether it has less to do for its weight: fewer connections or, with as many, fewer new ones."""
        cdef Segment segment = self.segment
        cdef int64_t weight = segment.load(one.row, WEIGHT), others = segment.load(other.row, WEIGHT)
        cdef int64_t load = segment.load(one.row, CUR) * others - segment.load(other.row, CUR) * weight
        if load == 0:
            load = segment.tick(one.row, SESS_RATE, 0, self.loop.now) * others
            load -= segment.tick(other.row, SESS_RATE, 0, self.loop.now) * weight
        return load < 0

    cdef Server on_ring(self, int64_t hash):
        """The server of the nearest point, or of the next one along the ring that takes the request."""
        cdef list points = self.backend.points, servers = self.backend.rotation
        cdef Py_ssize_t count = len(points), after = bisect_left(points, hash), before, tried
        cdef Server server = None
        after = 0 if after == count else after
        before = after - 1 if after else count - 1
        if (hash - <int64_t>points[before]) & 0xFFFFFFFF <= (<int64_t>points[after] - hash) & 0xFFFFFFFF:
            after = before
        for tried in range(2 * count - after):
            server = <Server>servers[(after + tried) % count]
            if self.usable(server) and server is not self.avoid and self.fits(server):
                return server
        return server if self.usable(server) else None

    cdef bint fits(self, Server server) except -1:
        """Whether a hashed request may go there: not too far above the average, not full."""
        cdef Backend backend = self.backend
        cdef Segment segment = self.segment
        cdef Server other
        cdef int64_t limit, served, weight, all_served = 0, total = 0, before = 0, slots
        served = segment.load(server.row, CUR)
        if backend.affinity:
            limit = self.limit_of(server)
            if backend.affinity == 1 and limit > 0 and served >= limit:
                return False
            if backend.affinity == 2 and limit > 0 and server.maxqueue and (
                served + segment.load(server.row, Q_CUR) >= limit + server.maxqueue
            ):
                return False
        if not backend.balance_factor:
            return True
        for other in backend.servers:
            all_served += segment.load(other.row, CUR)
            if other is server:
                before = total
            if self.usable(other):
                total += segment.load(other.row, WEIGHT)
        if total <= 0:
            return True
        # as many slots as the factor asks for, rounded up, shared out by weight without a remainder
        slots = ((all_served + 1) * backend.balance_factor + 99) // 100
        weight = segment.load(server.row, WEIGHT)
        limit = weight * (slots // total)
        limit += (before + weight) * (slots % total) // total - before * (slots % total) // total
        return served < max(limit, 1)

    cdef int next_in_rotation(self) except -9:
        """The server whose turn it is. One that is passed over, being full or avoided, has had its turn."""
        cdef list rotation = self.backend.rotation
        cdef Py_ssize_t count = len(rotation), tried
        cdef int64_t start = 0, lead = self.backend.lead
        cdef Server server, spare = None
        cdef int result = -1
        if not self.backend.first:
            start = max(self.segment.bump(self.backend.row, ROTATION, 1) - 1 - self.backend.since, 0)
            if start >= count and lead < count:
                start = lead + (start - lead) % (count - lead)
        for tried in range(count):
            server = <Server>rotation[<Py_ssize_t>((start + tried) % count)]
            if not self.usable(server):
                continue
            if server is self.avoid:
                spare = server
                continue
            if self.take(server):
                self.pass_over(start, tried, True)
                return 1
            result = 0
        if spare is not None:
            result = self.take(spare)
        if result == 0:
            self.pass_over(start, count, False)
        return result

    cdef int pass_over(self, int64_t start, Py_ssize_t passed, bint taken) except -1:
        """Where the next one begins. With all of them full, servers of one weight line up anew, the last in front."""
        cdef Backend backend = self.backend
        cdef Py_ssize_t place
        if backend.first:
            return 0
        if taken:
            if passed:
                self.segment.bump(backend.row, ROTATION, passed)
            return 0
        if backend.table:
            self.segment.bump(backend.row, ROTATION, -1)
            return 0
        if len(set(backend.rotation)) == passed:
            backend.rotation = [
                backend.rotation[<Py_ssize_t>((start + place) % passed)] for place in range(passed - 1, -1, -1)
            ]
            backend.lead = 0
        backend.since = self.segment.load(backend.row, ROTATION)
        return 0

    cdef int least_loaded(self) except -9:
        """The fewest connections for the weight; among equals the one that was touched the longest ago.

        A server whose own queue has room is as good as one with a slot: 2 says that ``server`` is to be waited
        for. What waits for it weighs as much as when it was touched.
        """
        cdef Segment segment = self.segment
        cdef list servers = self.backend.rotation
        cdef Py_ssize_t count = len(servers), tried
        cdef int64_t key, weight, turn, best_key = 0, best_turn = 0
        cdef Server server, best, spare
        cdef int result = -1
        cdef int attempt
        for attempt in range(3):
            best = spare = None
            for tried in range(count):
                server = <Server>servers[tried]
                weight = segment.load(server.row, WEIGHT)
                if not self.usable(server) or weight <= 0:
                    continue
                result = 0
                if server is self.avoid:
                    spare = server
                    continue
                if self.full(server) and not self.may_wait(server):
                    continue
                key = segment.load(server.row, CUR) + segment.load(server.row, Q_SEEN)
                # what it would have with one more, in HAProxy's units; idle servers are all alike
                key = (key + 1) * MOST_WEIGHT // weight if key else 0
                turn = segment.load(server.row, ROTATION)
                if best is None or key < best_key or (key == best_key and turn < best_turn):
                    best, best_key, best_turn = server, key, turn
            best = best if best is not None else spare
            if best is None:
                return result
            if self.take(best):
                self.touch(best)
                return 1
            if self.may_wait(best):
                self.server = best
                return 2
        return result

    cdef bint may_wait(self, Server server) noexcept:
        """Whether it has all it may serve, and its own queue (``maxqueue``) has room."""
        cdef Segment segment = self.segment
        cdef int64_t waiting
        if server.maxqueue <= 0:
            return False
        waiting = segment.load(server.row, CUR) + segment.load(server.row, Q_CUR)
        return waiting < self.limit_of(server) + server.maxqueue

    cdef void touch(self, Server server) noexcept:
        self.segment.store(server.row, ROTATION, self.segment.bump(self.backend.row, ROTATION, 1))
        self.segment.store(server.row, Q_SEEN, self.segment.load(server.row, Q_CUR))

    cdef int chosen(self) except -1:
        """A slot of ``server`` is ours."""
        return 0

    def set_timeout(self, str kind, int64_t milliseconds):
        if self.timeouts is None:
            self.timeouts = Timeouts()
        setattr(self.timeouts, kind, milliseconds)

    def get_timeout(self, str kind):
        return -1 if self.timeouts is None else getattr(self.timeouts, kind)
