"""Virtual servers in nftables, where the kernel has no IPVS or the user prefers it.

    socket      a netfilter netlink socket: transactions and dumps
    engine      carries out changes of ``keepalived.lvs.nft_state``, reads counters
    conntrack   finds and ends connections

What is loaded is decided in ``keepalived/lvs/nft_*``.
"""
