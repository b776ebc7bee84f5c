"""Netlink conversations. ``wire`` writes and reads the messages; the sockets are ours and simple.

A library for this (pyroute2) takes half a second to import and 10 MB of each process, and its clients bring
an event loop of their own, which has no place in a process that must send an advert to the centisecond.
"""
