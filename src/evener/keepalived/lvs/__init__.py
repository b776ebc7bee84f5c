"""LVS: virtual servers, decided without touching the kernel.

    plan        what is executed: services, real servers, checks; every default resolved
    ipvs        the words spoken with an engine: services and destinations as the kernel has them, and changes
    messages    events that reach a service, and the commands it answers with
    pool        the servers of one virtual server as they are now, and what the engine should have
    service     one virtual server: weights, quorum, sorry server (given an event, which commands)
    director    all of them: events in, changes of the engine and commands out
    diff        from the plan in force to a new one, with the least changes
    check_plan  what a check is, and what becomes of it
    probes      the kinds of attempts, each with all that is sent and wanted
    checking    when each check is made and what its outcome means (retries, alpha, warmup);
                checking_talks and checking_scripts hold the kinds that differ, courses says which is which
    smtp_talk   what is said to a mail server
    overrides   what an operator wants of a server at run time
    control     the commands of the control socket; picture, metrics: what it shows

An *engine* carries the changes out: ``host/netlink/ipvs`` in the kernel's IPVS table, ``host/nft`` in
nftables. What nftables is told is decided here, too:

    nft_support     what nftables can honour, and the nearest thing; choice: which engine runs what
    slots           schedulers as tables: which destination has which slot
    nft_table       the maps and chains that all services share; nft_direct: those of direct routing
    nft_rules       the chains and elements of one service
    nft_difference  the messages from what is loaded of a service to what shall be
    nft_state       all services, batch by batch; nft_counters: what they have carried
"""
