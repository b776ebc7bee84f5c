# What is open in this worker, for ``show fd``. Part of core.pyx.


cdef tuple door_facts(Door door):
    cdef Listener listener = door.listener
    return "listener", (door.fd, door.generation, 0, 0, 0, 0), listener.frontend.name, b"", listener.family, 0, 0, 0


cdef tuple client_facts(Client client):
    client.look_up()
    return (
        "front", facts_of(client), client.frontend.name, b"", client.listener.family, client.dst_port,
        client.src_port, client.requests,
    )


cdef tuple upstream_facts(Upstream upstream):
    cdef Server server = upstream.server
    return "back", facts_of(upstream), b"", server.name, server.family, 0, 0, upstream.requests


def descriptors_of(Loop loop):
    """``Engine.descriptors``."""
    cdef Task task
    cdef list found = []
    for task in loop.tasks:
        if task is None or task.fd < 0:
            continue
        if isinstance(task, Client):
            found.append(client_facts(<Client>task))
        elif isinstance(task, Upstream):
            found.append(upstream_facts(<Upstream>task))
        elif isinstance(task, Door):
            found.append(door_facts(<Door>task))
        else:
            found.append(("pipe", (task.fd, task.generation, 0, 0, 0, 0), b"", b"", 0, 0, 0, 0))
    return found
