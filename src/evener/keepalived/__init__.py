"""keepalived.conf: read, understood, and turned into what the VRRP process executes.

    files    reader, comments, parameters, sequences, include, files    text -> logical lines
    lines    shape, grammar (Lark)                                      lines -> statements
    words    declare, arguments, addresses, tracks, scripts, routes     the vocabulary's parts
             blocks/ checkers/ trackers/, ir                            one field per keyword: the IR
    meaning  statements, ends, complete*, resolve                       statements -> Configuration
    uses     print, compile, instance_facts                             canonical text; the plan
    vrrp/                                                               the state machines

``resolve.load`` is the way in. Adding a keyword is adding a field to the dataclass of its block; what the
original says about a wrong value stands beside it. Checks that look at several keywords are in
``complete*`` (after everything was read) or ``ends`` (at the closing brace).
"""
