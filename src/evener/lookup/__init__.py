"""Large sets, held natively: texts, keys to search for, networks. They know nothing of what they are for.

Each is one block of memory that is written once and never again, so that processes forked later share it
(a Python object is written to whenever somebody looks at it). What is to be forgotten is marked in a
``bytearray`` that the caller owns: one byte for each number, not zero for what does not count any more.

Numbers are places in the sequence a set was made from; ``-1`` says that nothing was found.
"""
