"""LVS: virtual servers, decided without touching the kernel.

    plan        what is executed: services, real servers, checks; every default resolved
    ipvs        the words spoken with an engine: services and destinations as the kernel has them, and changes
    messages    events that reach a service, and the commands it answers with
    service     one virtual server: weights, quorum, sorry server (given an event, which commands)
    diff        from the plan in force to a new one, with the least changes
    checking    when each check is made and what its outcome means (retries, alpha, warmup)

An *engine* carries the changes out: ``host/netlink/ipvs`` in the kernel's IPVS table,
``host/nft`` in nftables.
"""
