"""The attempts of health checks: sockets, programs and time, for the courses of ``keepalived/lvs``.

    house       every check of a plan; what a reload changes, and who is told
    task        one check: its course, its timer and its attempt
    attempt     what an attempt is; kinds says which class makes which
    sockets     a socket as a route asks for it
    stream      a connection: TCP_CHECK, and what web (HTTP_GET), tls (SSL_GET) and smtp build on
    datagram    UDP_CHECK, DNS_CHECK and PING_CHECK
    misc        MISC_CHECK, by way of the script helper
    regexes     patterns in bodies, for a bounded time
    hashing     what genhash does

One process, one loop, no thread: an attempt never waits, reads a bounded piece at a time, and is over when
its time is.
"""
