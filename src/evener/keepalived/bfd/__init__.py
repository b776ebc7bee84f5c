"""BFD (RFC 5880, asynchronous mode) between this node and its neighbours: decisions, no sockets.

plan       the sessions as they are executed
messages   what may happen to a session, and what it asks for
session    the state machine of one session: a table
sessions   all of them: which session a packet is for, what is dropped and why
"""
