# Values: samples, what converters make of them, and texts put together from them. Part of fold.pyx.

cdef extern from *:
    """
    static PyObject *new_pair(PyObject *cls, PyObject *first, PyObject *second) {
        PyObject *made = ((PyTypeObject *)cls)->tp_alloc((PyTypeObject *)cls, 2);
        if (made != NULL) {
            PyTuple_SET_ITEM(made, 0, Py_NewRef(first));
            PyTuple_SET_ITEM(made, 1, Py_NewRef(second));
        }
        return made;
    }
    """
    object new_pair(object cls, object first, object second)  # of a class of named tuples


cdef class ValueNode:
    """Base of all; by itself a closure that could not be folded."""
    cdef readonly object plain

    def __init__(self, plain):
        self.plain = plain

    def __call__(self, txn):
        return self.get(<Stream>txn) if isinstance(txn, Stream) else self.plain(txn)

    cdef object get(self, Stream stream):
        return self.plain(stream)


cdef ValueNode as_value(object closure):
    return <ValueNode>closure if isinstance(closure, ValueNode) else ValueNode(closure)


@cython.final
cdef class SampleNode(ValueNode):
    """A fetch: the text itself, of several values the last."""
    cdef int place
    cdef bytes name

    cdef object get(self, Stream stream):
        cdef Message message = stream._res if self.place >= RESPONSE_VALUES else stream._req
        cdef uint32_t at = 0, length = 0
        cdef Line *line
        cdef int index, last = -1
        if message is None:
            return self.plain(stream)
        if self.place < REQUEST_VALUES:
            return message.store.get(at, length) if locate(<Request>message, self.place, &at, &length) else None
        index = message.find(<const uint8_t *>PyBytes_AS_STRING(self.name), <uint32_t>PyBytes_GET_SIZE(self.name), 0)
        while index >= 0:
            last = index
            index = message.find(
                <const uint8_t *>PyBytes_AS_STRING(self.name), <uint32_t>PyBytes_GET_SIZE(self.name), index + 1
            )
        if last < 0:
            return None
        line = message.lines.at(last)
        if self.place == REQUEST_VALUES or self.place == RESPONSE_VALUES:
            if message.store.find(line.value, line.value_length, c",") >= 0:
                return self.plain(stream)
        return message.value_of(line)


@cython.final
cdef class ClientNode(ValueNode):
    """The client's address."""

    cdef object get(self, Stream stream):
        cdef bytes packed = stream._src_ip
        if packed is None:
            stream.client.look_up()
            packed = stream.client.src_ip
        return packed or None


@cython.final
cdef class VariableNode(ValueNode):
    cdef str name

    cdef object get(self, Stream stream):
        return None if stream._vars is None else stream._vars.get(self.name)


cdef enum:
    APPLY = 0  # a function of the value
    APPLY_IN = 1  # of the value and the transaction
    LABEL = 2  # a sample with the value's type
    CHOOSE = 3  # the function for the type of a sample


@cython.final
cdef class StepNode:
    cdef int how
    cdef object function  # a type to LABEL, a dict to CHOOSE


@cython.final
cdef class ChainNode(ValueNode):
    cdef ValueNode first
    cdef tuple steps

    cdef object get(self, Stream stream):
        cdef object step, value = self.first.get(stream)
        for step in self.steps:
            if value is None:
                return None
            value = taken(<StepNode>step, value, stream)
        return value


cdef object taken(StepNode step, object value, Stream stream):
    cdef object function = step.function
    if step.how == LABEL:
        return new_pair(Sample, function, value)
    if step.how == APPLY_IN:
        return function(value, stream)
    if step.how == CHOOSE:
        kind, value = value
        function = (<dict>function).get(kind)
        if function is None or function is identity:
            return None if function is None else value
    return function(value)


cdef StepNode step_of(object function, bint with_txn, object nature):
    cdef StepNode step = StepNode.__new__(StepNode)
    step.how = APPLY_IN if with_txn else APPLY if nature is None else CHOOSE if type(nature) is dict else LABEL
    step.function = function if nature is None else nature
    return step


@cython.final
cdef class WrittenNode(ValueNode):
    """A value as it stands in a header."""
    cdef ValueNode value
    cdef bytes missing
    cdef object encode

    cdef object get(self, Stream stream):
        cdef object found = self.value.get(stream)
        cdef const uint8_t *text
        cdef Py_ssize_t index
        if not found:
            return self.missing
        if self.encode is None or type(found) is not bytes:
            return found if self.encode is None else self.encode(found)
        text = <const uint8_t *>PyBytes_AS_STRING(found)
        for index in range(PyBytes_GET_SIZE(found)):
            if text[index] == 127 or (text[index] < 32 and text[index] != 9):
                return self.encode(found)
        return found


@cython.final
cdef class JoinedNode(ValueNode):
    cdef tuple parts  # bytes or ValueNode

    cdef object get(self, Stream stream):
        cdef object part
        cdef bytes text, whole = None
        for part in self.parts:
            text = <bytes?>part if type(part) is bytes else <bytes?>(<ValueNode>part).get(stream)
            whole = text if whole is None else whole + text
        return whole
