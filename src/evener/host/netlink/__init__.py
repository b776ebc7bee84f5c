"""Netlink conversations. pyroute2 writes and reads the messages; the sockets are ours and simple.

pyroute2's own clients bring an event loop of their own, which has no place in a process that must send
an advert to the centisecond; its message classes do not.
"""
