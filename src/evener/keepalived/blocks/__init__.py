"""The blocks of keepalived.conf as dataclasses: each field is a keyword, and the IR of its value.

A keyword is declared with ``word`` (executed), ``planned`` (read, kept, and the user is told) or
``collected`` (values add up). The modules ``common``, ``instance_checks``, ``process_settings``,
``vrrp_settings`` and ``service_settings`` hold parts of blocks.
"""
