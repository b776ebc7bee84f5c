"""LVS: virtual servers, decided without touching the kernel.

    plan        what is executed: services, real servers, checks; every default resolved
    ipvs        the words spoken with an engine: services and destinations as the kernel has them, and changes
    messages    events that reach a service, and the commands it answers with
    service     one virtual server: weights, quorum, sorry server (given an event, which commands)
    diff        from the plan in force to a new one, with the least changes
    check_plan  what a check is, and what becomes of it
    probes      the kinds of attempts, each with all that is sent and wanted
    checking    when each check is made and what its outcome means (retries, alpha, warmup);
                checking_talks and checking_scripts hold the kinds that differ, courses says which is which
    smtp_talk   what is said to a mail server

An *engine* carries the changes out: ``host/netlink/ipvs`` in the kernel's IPVS table,
``host/nft`` in nftables.
"""
