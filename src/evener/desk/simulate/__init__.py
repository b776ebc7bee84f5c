"""Elections in virtual time: the state machines of any number of nodes, and a script of mishaps.

    scenario   the text of the mishaps -> actions
    world      nodes, their links and clocks; runs the routers and carries packets between them
    timeline   who was in which state when, and who held which address
    verdict    the invariants: never two masters that hear each other, never none for longer than needed
    terminal, svg   pictures of a timeline

Nothing here touches the machine: the routers are the ones the daemon runs, the packets are real, and time is
a number. That is why an election can be looked at before it happens.
"""
