"""The native data plane: sockets, buffers, messages, connections. Knows no keyword.

    transport   bytes in and out of a descriptor (plain now; TLS is another class of the same shape)
    codec       HTTP/1 heads and bodies <-> messages (HTTP/2 is another)
    stream      one transaction between a client and a server connection: the ``Txn`` policy sees
    loop        epoll, timers, listeners, pools; one per worker process
    table       stick tables: keys and what is counted of each, shared by all workers
    segment     the shared memory that all workers and the control process count in

The compiler sets up Frontend, Backend and Server objects and hangs policy callbacks on them; a phase
without a callback costs nothing.
"""
