"""keepalived's MIBs: KEEPALIVED-MIB, VRRP-MIB (RFC 2787) and VRRPv3-MIB (RFC 6527).

``mib.py`` is the mechanism (tables of columns, read from a state), ``agent.py`` the subagent's side of a
session with the master agent; the tables are declarations, a file per family. Nothing here is loaded unless a
configuration enables SNMP.
"""
