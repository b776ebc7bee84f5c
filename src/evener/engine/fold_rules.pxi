# Rules: changes of headers, conditions, order, switching. Part of fold.pyx.

@cython.final
cdef class HeaderNode(Node):
    cdef int change
    cdef bint response
    cdef bytes name
    cdef bytes constant
    cdef ValueNode value  # unless constant

    cdef int run(self, Stream stream) except -9:
        cdef Message message = stream._res if self.response else stream._req
        cdef bytes value
        if message is None:
            return <int>self.plain(stream)
        if self.change == REMOVE:
            message.remove(self.name)
            return 0
        value = self.constant if self.constant is not None else <bytes?>self.value.get(stream)
        if self.change == SET:
            message.remove(self.name)
        message.add(self.name, value)
        return 0


@cython.final
cdef class StoreNode(Node):
    cdef str name
    cdef ValueNode value

    cdef int run(self, Stream stream) except -9:
        cdef object value = self.value.get(stream)
        if value is not None:
            if stream._vars is None:
                stream._vars = {}
            stream._vars[self.name] = value
        return 0


@cython.final
cdef class TrackNode(Node):
    cdef int number
    cdef ValueNode value
    cdef object pack, track
    cdef bint request

    cdef int run(self, Stream stream) except -9:
        cdef list slots = stream.tracked
        cdef object value, entry
        if slots is not None and self.number < len(slots) and slots[self.number] is not None:
            return 0
        value = self.value.get(stream)
        if value is None:
            return 0
        entry = self.track(self.pack(value), self.request)
        if entry is None:
            return 0
        if slots is None:
            slots = stream.tracked = []
        while len(slots) <= self.number:
            slots.append(None)
        slots[self.number] = entry
        return 0


@cython.final
cdef class WhenNode(Node):
    cdef CheckNode check
    cdef Node rule

    cdef int run(self, Stream stream) except -9:
        return self.rule.run(stream) if self.check.run(stream) else 0


@cython.final
cdef class RulesNode(Node):
    cdef tuple parts

    cdef int run(self, Stream stream) except -9:
        cdef object part
        cdef int verdict
        for part in self.parts:
            verdict = (<Node>part).run(stream)
            if verdict:
                return 0 if verdict == ACCEPTED else verdict
        return 0


@cython.final
cdef class SequenceNode(Node):
    cdef Node first, second

    cdef int run(self, Stream stream) except -9:
        cdef int verdict = self.first.run(stream)
        return verdict if verdict else self.second.run(stream)


@cython.final
cdef class ChoiceNode(Node):
    """One switching rule; ``run`` gives the index, -1 for none."""
    cdef int index
    cdef CheckNode check  # None always holds

    cdef int run(self, Stream stream) except -9:
        cdef object chosen
        if self.plain is not None:
            chosen = self.plain(stream)
            return -1 if chosen is None else <int>chosen
        return self.index if self.check is None or self.check.run(stream) else -1


cdef enum:
    NOBODY = -2  # phases.NOBODY


@cython.final
cdef class SwitchNode(Node):
    cdef tuple choices

    cdef int run(self, Stream stream) except -9:
        cdef object choice
        cdef int index
        for choice in self.choices:
            index = (<ChoiceNode>choice).run(stream)
            if index == NOBODY:
                return 0
            if index >= 0:
                if index >= len(stream.loop.backends):
                    raise IndexError("no such backend")
                stream.wanted_backend = index
                return 0
        return 0
