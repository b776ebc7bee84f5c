"""Words of ``global`` that are kept as they stand: executed by ``tuning``, hints, and what is not executed.

The hints tune the inside of the original - pollers, thread groups, memory pools, how much is done in one
turn - where there is nothing like it here: they stay without effect, are accepted so that a file written for
the original is read without a word, and ``evener explain`` says so. Where a word would be felt from outside
it is executed, or planned and says so: what tunes TLS, HTTP/2, QUIC, Lua or peers is planned as those are.
"""

from __future__ import annotations

from typing import Final

from evener.haproxy.sections.global_checks import CHECKS
from evener.haproxy.sections.global_limits import SENTENCES
from evener.haproxy.sections.tables import acting, harmless, planned, refused

ACTING = """
close-spread-time 1+              | Time in which a soft stop closes connections; ``infinite``: it does not.
cpu-map 0+                        | Which processors workers run on.
busy-polling 0!                   | Workers never sleep: a little less latency for all of a processor.
harden.reject-privileged-ports.tcp 1+ | Connections of clients from ports below 1024 are dropped.
insecure-setuid-wanted 0          | Programs that are run may get rights by their owner; else they may not.
jwt.decrypt_alg_list 0+           | Algorithms of encrypted tokens that are used.
jwt.decrypt_enc_list 0+           | Encryptions of encrypted tokens that are used.
noreuseport 0                     | Two processes may not listen on one port (``SO_REUSEPORT``).
pp2-never-send-local 0            | Checks do not announce themselves as LOCAL in PROXY headers.
profiling.tasks 1+                | Measure what streams cost (``cpu_ns_tot``); ``auto`` does not here.
thread-hard-limit 1               | Most workers, whatever ``nbthread`` says.
tune.cli.max-payload-size 1       | Longest payload of a command of the runtime API.
tune.glitches.kill.cpu-usage 1    | Load from which on connections with too many glitches are killed.
tune.h1.be.glitches-threshold 0-1 | At three quarters of so many glitches a server's connection is left.
tune.h1.fe.glitches-threshold 0-1 | Glitches that kill a client's connection; three quarters end it.
tune.notsent-lowat.client 1       | Unsent data kept in client sockets.
tune.notsent-lowat.server 1       | Unsent data kept in server sockets.
tune.rcvbuf.backend 1             | Receive buffer of datagrams to servers.
tune.rcvbuf.client 1              | Receive buffer of client sockets.
tune.rcvbuf.frontend 1            | Receive buffer of datagrams from clients.
tune.rcvbuf.server 1              | Receive buffer of server sockets.
tune.renice.runtime 0-1           | Priority of the process.
tune.renice.startup 0-1           | Priority of the process while it starts.
tune.sndbuf.backend 1             | Send buffer of datagrams to servers.
tune.sndbuf.client 1              | Send buffer of client sockets.
tune.sndbuf.frontend 1            | Send buffer of datagrams to clients.
tune.sndbuf.server 1              | Send buffer of server sockets.
warn-blocked-traffic-after 1+     | Warn when a worker was busy with one thing for so long, after it.
tune.vars.check-max-size 0+       | Memory for variables of checks.
tune.vars.global-max-size 0+      | Memory for all variables.
tune.vars.proc-max-size 0+        | Memory for variables of the process.
tune.vars.reqres-max-size 0+      | Memory for variables of messages.
tune.vars.sess-max-size 0+        | Memory for variables of sessions.
tune.vars.txn-max-size 0+         | Memory for variables of transactions.
"""

CERTIFICATES = """
crt-base 1                        | Directory of certificates (``crt-store``).
key-base 1                        | Directory of keys (``crt-store``).
"""

HINTS = """
cpu-affinity 0+                   | Which CPUs thread groups are bound to.
cpu-policy 1+                     | How threads are spread over CPUs.
cpu-set 0+                        | Which CPUs are used.
expose-deprecated-directives 0    | Allow deprecated words; they are as allowed as others.
expose-experimental-directives 0  | Allow experimental words; they are as allowed as others.
force-cfg-parser-pause 1          | Wait while reading.
insecure-fork-wanted 0!           | Allow external commands; they are.
max-threads-per-group 1           | Size of thread groups.
maxzlibmem 1                      | Memory for compression.
no-memory-trimming 0              | Keep freed memory.
noepoll 0                         | Do not use epoll.
noevports 0                       | Do not use event ports.
nogetaddrinfo 0                   | Do not use getaddrinfo.
nokqueue 0                        | Do not use kqueue.
nopoll 0                          | Do not use poll.
numa-cpu-mapping 0-9!             | Keep to one NUMA node.
prealloc-fd 0                     | Grow the descriptor table at start.
quick-exit 0                      | Leave without freeing memory.
strict-limits 0!                  | Fail when limits cannot be set.
stress-level 1                    | Make rare events frequent, for tests.
thread-group 1+                   | Threads of a group.
thread-groups 1                   | How many groups there are; workers share everything.
tune.applet.zero-copy-forwarding 1 | Copy less in internal services.
tune.buffers.limit 0-1            | Most buffers.
tune.buffers.reserve 0-1          | Buffers kept for emergencies.
tune.bufsize.large 1              | Size of large buffers.
tune.bufsize.small 1              | Size of small buffers.
tune.defaults.purge 0-1           | Forget unused defaults sections after reading.
tune.disable-fast-forward 0       | Forward through every layer.
tune.disable-zero-copy-forwarding 0 | Copy while forwarding.
tune.epoll.mask-events 0-1        | Events that epoll does not report.
tune.events.max-events-at-once 1  | Events handled in one turn.
tune.fail-alloc 0-1               | Fail allocations, for tests.
tune.fd.edge-triggered 1          | Use edge-triggered events.
tune.fd.tables 1                  | Descriptor tables per group.
tune.h1.zero-copy-fwd-recv 1      | Copy less while receiving.
tune.h1.zero-copy-fwd-send 1      | Copy less while sending.
tune.idletimer 1                  | Idle time after which buffers are resized.
tune.listener.default-shards 1    | How listeners are spread over threads.
tune.listener.multi-queue 1       | How threads share an accept queue.
tune.max-checks-per-thread 0-1    | Checks at once per thread.
tune.max-rules-at-once 1          | Rules evaluated in one turn.
tune.maxaccept 1                  | Connections accepted in one turn.
tune.maxpollevents 1              | Events reported in one turn.
tune.memory.hot-size 1            | Memory kept per thread.
tune.pattern.cache-size 1         | Cache of pattern lookups.
tune.pool-high-fd-ratio 1         | Descriptors above which idle connections are not kept.
tune.pool-low-fd-ratio 1          | Descriptors below which idle connections may be taken over.
tune.pt.zero-copy-forwarding 1    | Copy less in tunnels.
tune.recv_enough 1                | Bytes after which a read is not tried again.
tune.ring.queues 0-1              | Queues of rings.
tune.runqueue-depth 1             | Tasks run in one turn.
tune.sched.low-latency 1          | Prefer latency to throughput.
tune.takeover-other-tg-connections 1 | Take idle connections of other groups.
"""

PLANNED = """
mworker-max-reloads 1             | Reloads after which an old worker is ended.
shm-stats-file 1+                 | Share counters between processes by a file.
shm-stats-file-max-objects 1+     | Size of that file.
tune.ssl.keylog 1                 | Make session secrets available.
acme.scheduler 1                  | Whether certificates are renewed.
cluster-secret 1                  | Secret shared by a cluster.
dns-accept-family 1               | Address families that are looked up.
httpclient.resolvers.disabled 1   | Whether the HTTP client resolves names.
httpclient.resolvers.id 1         | Resolvers of the HTTP client.
httpclient.resolvers.prefer 1     | Address family the HTTP client prefers.
httpclient.retries 1              | Retries of the HTTP client.
httpclient.ssl.ca-file 1          | Authorities of the HTTP client.
httpclient.ssl.verify 1           | Verification of the HTTP client.
httpclient.timeout.connect 1      | Connect timeout of the HTTP client.
lua-load 1+                       | Load a Lua file.
lua-load-per-thread 1+            | Load a Lua file in each thread.
lua-prepend-path 1-2              | Where Lua looks for modules.
maxsslconn 1                      | Most TLS connections.
maxsslrate 1                      | Most TLS sessions per second.
ocsp-update.disable 0+            | Whether OCSP responses are updated.
ocsp-update.httpproxy 1           | Proxy for OCSP updates.
ocsp-update.maxdelay 1+           | Longest time between two OCSP updates.
ocsp-update.mindelay 1+           | Shortest time between two OCSP updates.
ocsp-update.mode 0+               | Which certificates' OCSP responses are updated.
"""

LATER = """
h2-workaround-bogus-websocket-clients 0 | Do not announce websockets over HTTP/2.
harden.reject-privileged-ports.quic 1+ | Drop datagrams from privileged ports.
limited-quic 0                    | Use QUIC with a limited library.
noktls 0                          | Do not let the kernel encrypt.
tune.h2.be.glitches-threshold 0-1 | Glitches after which a server connection is closed.
tune.h2.be.initial-window-size 0-1 | First window of server streams.
tune.h2.be.max-concurrent-streams 0-1 | Streams per server connection.
tune.h2.be.max-frames-at-once 0-1 | Frames handled in one turn.
tune.h2.be.rxbuf 1                | Receive buffer of server streams.
tune.h2.fe.glitches-threshold 0-1 | Glitches after which a client connection is closed.
tune.h2.fe.initial-window-size 0-1 | First window of client streams.
tune.h2.fe.max-concurrent-streams 0+ | Streams per client connection.
tune.h2.fe.max-frames-at-once 0-1 | Frames handled in one turn.
tune.h2.fe.max-rst-at-once 0-1    | Resets handled in one turn.
tune.h2.fe.max-total-streams 0-1  | Streams after which a client connection is closed.
tune.h2.fe.rxbuf 1                | Receive buffer of client streams.
tune.h2.header-table-size 1       | Size of the table of header compression.
tune.h2.initial-window-size 0-1   | First window of streams.
tune.h2.log-errors 1              | Which errors of HTTP/2 are logged.
tune.h2.max-concurrent-streams 0-1 | Streams per connection.
tune.h2.max-frame-size 1          | Largest frame.
tune.h2.zero-copy-fwd-send 1      | Copy less while sending.
tune.peers.max-updates-at-once 1  | Updates sent in one turn.
tune.streams-elasticity 1         | How much windows grow.
tune.ssl.cachesize 1              | Entries of the session cache.
tune.ssl.capture-buffer-size 1    | How much of the client hello is kept.
tune.ssl.capture-cipherlist-size 1 | Former name of the same.
tune.ssl.force-private-cache 0    | Do not share the session cache.
tune.ssl.hard-maxrecord 1         | Largest record, always.
tune.ssl.keyupdate-rate-limit 1   | Most key updates.
tune.ssl.lifetime 1               | How long sessions may be resumed.
tune.ssl.maxrecord 1              | Largest record at first.
tune.ssl.ocsp-update.maxdelay 1+  | Longest time between two OCSP updates.
tune.ssl.ocsp-update.mindelay 1+  | Shortest time between two OCSP updates.
tune.ssl.ssl-ctx-cache-size 1     | Entries of the cache of generated certificates.
tune.lua.bool-sample-conversion 1 | How Lua sees booleans.
tune.lua.burst-timeout 1+         | Longest uninterrupted run of Lua.
tune.lua.forced-yield 0+          | Instructions after which Lua yields.
tune.lua.log.loggers 1            | Whether Lua logs to the loggers.
tune.lua.log.stderr 1             | Whether Lua logs to standard error.
tune.lua.maxmem 1+                | Memory for Lua.
tune.lua.openlibs 1               | Libraries for Lua.
tune.lua.service-timeout 1+       | Longest run of a Lua service.
tune.lua.session-timeout 1+       | Longest run of a Lua action.
tune.lua.task-timeout 1+          | Longest run of a Lua task.
"""

TLS = """
ca-base 1                         | Directory of authorities.
issuers-chain-path 1              | Directory of chains.
ssl-default-bind-ciphers 1        | Default of ciphers on bind lines.
ssl-default-bind-ciphersuites 1   | Default of ciphersuites on bind lines.
ssl-default-bind-client-sigalgs 1 | Default of client-sigalgs on bind lines.
ssl-default-bind-curves 1         | Default of curves on bind lines.
ssl-default-bind-options 1+       | Default TLS options of bind lines.
ssl-default-bind-sigalgs 1        | Default of sigalgs on bind lines.
ssl-default-server-ciphers 1      | Default of ciphers on server lines.
ssl-default-server-ciphersuites 1 | Default of ciphersuites on server lines.
ssl-default-server-client-sigalgs 1 | Default of client-sigalgs on server lines.
ssl-default-server-curves 1       | Default of curves on server lines.
ssl-default-server-options 1+     | Default TLS options of server lines.
ssl-default-server-sigalgs 1      | Default of sigalgs on server lines.
ssl-dh-param-file 1               | File of Diffie-Hellman parameters.
ssl-load-extra-del-ext 0+         | How names of extra files are made.
ssl-load-extra-files 1+           | Which extra files are loaded with a certificate.
ssl-mode-async 0+                 | Asynchronous TLS.
ssl-passphrase-cmd 0+             | Command that gives pass phrases.
ssl-propquery 1+                  | Properties of algorithms.
ssl-provider 1+                   | Provider of algorithms.
ssl-provider-path 1+              | Where providers are.
ssl-security-level 1+             | Security level of the TLS library.
ssl-server-verify 1               | Default of verify on server lines.
ssl-skip-self-issued-ca 0+        | Leave out self-issued authorities.
tune.ssl.default-dh-param 1       | Size of Diffie-Hellman parameters.
"""

GONE = """
nbproc | nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on multi-processor machines if available.
tune.chksize | option 'tune.chksize' is not supported any more (tune.bufsize is used instead).
tune.ssl.certificate-compression | 'tune.ssl.certificate-compression' is not supported by your TLS library. It is known to work only with OpenSSL >= 3.2.0.
ssl-engine | 'ssl-engine' is not supported (built without USE_ENGINE or with -DOPENSSL_NO_ENGINE).
"""  # noqa: E501

TABLE: Final = (
    *acting(CERTIFICATES, checks=CHECKS, missing=SENTENCES),
    *acting(ACTING, checks=CHECKS, missing=SENTENCES),
    *harmless(HINTS, checks=CHECKS, missing=SENTENCES),
    *planned(LATER, checks=CHECKS, missing=SENTENCES),
    *planned(TLS, checks=CHECKS, missing=SENTENCES),
    *planned(PLANNED, checks=CHECKS, missing=SENTENCES),
    *refused(GONE),
)
