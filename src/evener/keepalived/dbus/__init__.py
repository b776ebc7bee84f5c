"""keepalived on the DBus: what is there, what a call means, which signals are sent. Decisions, no sockets.

    objects        which objects there are, at which paths, from the plan of the VRRP process
    introspection  their description in XML
    service        the objects and the states of their instances: calls to answers, events to signals

``host/dbus_process`` is the connection to the bus, ``host/vrrp_bus`` the VRRP process's end of it.
"""
