"""The converters of haproxy.cfg (manual section 7.3.1): one declaration each, a file per family.

A converter turns one sample into another and knows nothing else, except for a few that look at the
transaction (variables, captures) or at the rest of the configuration (``nbsrv``, ``srv_is_up``). What
arrives is anything a client may send: every converter gives a value or None ("no sample") for whatever
bytes it is handed, and none raises. Everything an argument decides is decided in the factory, so that the
closure it returns is all that runs.

Names and types are those of the original's own list (``-dKcnv``) and are compared with it by a test.
"""
