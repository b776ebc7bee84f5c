# ruff: noqa: E501
"""Commands of the original that are known here and not executed yet: using one says so.

They are not listed by ``help``, so that nobody is led to them.
"""

from __future__ import annotations

from evener.haproxy.runtime_api import planned

_TABLE = """\
abort ssl ca-file|abort ssl ca-file <cafile>|abort a transaction for a CA file
abort ssl cert|abort ssl cert <certfile>|abort a transaction for a certificate file
abort ssl crl-file|abort ssl crl-file <crlfile>|abort a transaction for a CRL file
acme challenge_ready|acme challenge_ready <certfile> domain <domain>|notify HAProxy that the ACME challenge is ready
acme renew|acme renew <certfile>|renew a certificate using the ACME protocol
acme status|acme status|show status of certificates configured with ACME
add ssl ca-file|add ssl ca-file <cafile> <payload>|add a certificate into the CA file
add ssl crt-list|add ssl crt-list <list> <cert> [opts]*|add to crt-list file <list> a line <cert> or a payload
commit ssl ca-file|commit ssl ca-file <cafile>|commit a CA file
commit ssl cert|commit ssl cert <certfile>|commit a certificate file
commit ssl crl-file|commit ssl crl-file <crlfile>|commit a CRL file
debug counters|debug counters [?|all|bug|cnt|chk|glt]*|dump/reset rare event counters
del ssl ca-file|del ssl ca-file <cafile>|delete an unused CA file
del ssl cert|del ssl cert <certfile>|delete an unused certificate file
del ssl crl-file|del ssl crl-file <crlfile>|delete an unused CRL file
del ssl crt-list|del ssl crt-list <list> <cert[:line]>|delete a line <cert> from crt-list file <list>
dump ssl cert|dump ssl cert <certfile>|dump the SSL certificates in PEM format
new ssl ca-file|new ssl ca-file <cafile>|create a new CA file to be used in a crt-list
new ssl cert|new ssl cert <certfile>|create a new certificate file to be used in a crt-list or a directory
new ssl crl-file|new ssl crl-file <crlfile>|create a new CRL file to be used in a crt-list
set ssl ca-file|set ssl ca-file <cafile> <payload>|replace a CA file
set ssl cert|set ssl cert <certfile> <payload>|replace a certificate file
set ssl crl-file|set ssl crl-file <crlfile> <payload>|replace a CRL file
set ssl ocsp-response|set ssl ocsp-response <resp|payload>|update a certificate's OCSP Response from a base64-encode DER
set ssl tls-key|set ssl tls-key [id|file] <key>|set the next TLS key for the <id> or <file> listener to <key>
show peers|show peers [dict|-] [section]|dump some information about all the peers or this peers section
show resolvers|show resolvers [id]|dumps counters from all resolvers section and associated name servers
show ssl ca-file|show ssl ca-file [<cafile>[:<index>]]|display the SSL CA files used in memory, or the details of a <cafile>, or a single certificate of index <index> of a CA file <cafile>
show ssl cert|show ssl cert [<certfile>]|display the SSL certificates used in memory, or the details of a file
show ssl crl-file|show ssl crl-file [<crlfile[:<index>>]]|display the SSL CRL files used in memory, or the details of a <crlfile>, or a single CRL of index <index> of CRL file <crlfile>
show ssl crt-list|show ssl crt-list [-n] [<list>]|show the list of crt-lists or the content of a crt-list file <list>
show ssl ocsp-response|show ssl ocsp-response [[text|base64] id]|display the IDs of the OCSP responses used in memory, or the details of a single OCSP response (in text or base64 format)
show ssl ocsp-updates|show ssl ocsp-updates|display information about the next 'nb' ocsp responses that will be updated automatically
show ssl providers|show ssl providers|show loaded SSL providers
debug dev abort|debug dev abort|end the process at once
debug dev bug|debug dev bug|end the process as a bug would
debug dev check|debug dev check|complain as a check of the code would
debug dev close|debug dev close <fd> [hard]|close a descriptor
debug dev deadlock|debug dev deadlock [nbtask]|make tasks wait for each other
debug dev fd|debug dev fd|look for descriptors that are not known
debug dev hex|debug dev hex <addr> [len]|show memory
debug dev loop|debug dev loop <ms> [isolated|warn]|keep a thread busy
debug dev panic|debug dev panic|end the process as the watchdog would
debug dev sched|debug dev sched {task|tasklet} [k=v]*|stress the scheduler
debug dev stream|debug dev stream [k=v]*|show or change a stream
debug dev sym|debug dev sym <addr>|name the function at an address
debug dev task|debug dev task <ptr> ["wake" | "expire" | "kill"]|show or wake a task
debug dev tkill|debug dev tkill [thr] [sig]|send a signal to a thread
debug dev warn|debug dev warn|complain once
debug dev write|debug dev write [size]|write that many bytes in return
httpclient|httpclient <method> <URI>|send a request with the built-in client
show ssl sni|show ssl sni [-f <frontend>] [-A]|display the list of SNI and their corresponding filename
show tls-keys|show tls-keys [id|*]|show tls keys references or dump tls ticket keys when id specified
show trace|show trace [<module>]|show live tracing state
trace|trace [<module>|0] [cmd [args...]]|manage live tracing (empty to list, 0 to stop all)
update ssl ocsp-response|update ssl ocsp-response <certfile>|send ocsp request and update stored ocsp response
"""

for _line in _TABLE.splitlines():
    _name, _, _rest = _line.partition("|")
    _form, _, _doc = _rest.rpartition("|")
    planned(_name, _form, _doc)
