"""The attempts of health checks: sockets, programs and time, for the courses of ``keepalived/lvs``.

    house       every check of a plan, its timer and its attempt; what a reload changes
    attempt     what an attempt is, and which class makes which
    sockets     a socket as a route asks for it
    stream      a connection: TCP_CHECK, and what HTTP, SSL and SMTP build on

One process, one loop, no thread: an attempt never waits, reads a bounded piece at a time, and is over when
its time is.
"""
