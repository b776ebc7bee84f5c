"""Words of HAProxy that are refused here, as by the build that evener follows, and why.

They have pages, so that somebody who meets them in a file learns what they are. Each row: name | form | what
it is.
"""

from __future__ import annotations

from typing import Final

DEVICES: Final = """
51degrees-data-file | <path> | The file with the device descriptions of 51Degrees.
51degrees-property-name-list | <name>... | The properties that are looked up.
51degrees-property-separator | <character> | What stands between the values of ``51d.all`` and ``51d.single``.
51degrees-cache-size | <number> | How many descriptions are kept at hand.
51degrees-use-performance-graph | { on \\p off } | Look descriptions up in the graph made for speed.
51degrees-use-predictive-graph | { on \\p off } | Look descriptions up in the graph that guesses.
51degrees-drift | <number> | How far a part of the User-Agent may have moved.
51degrees-difference | <number> | How much a part of the User-Agent may differ.
51degrees-allow-unmatched | { on \\p off } | Answer with default values for unknown devices.
deviceatlas-json-file | <path> | The file with the device descriptions of DeviceAtlas.
deviceatlas-log-level | <number> | How much that library says.
deviceatlas-properties-cookie | <name> | The cookie with properties that the client told.
deviceatlas-separator | <character> | What stands between the values.
wurfl-data-file | <path> | The file with the device descriptions of WURFL.
wurfl-information-list | <capability>... | The capabilities that are looked up.
wurfl-information-list-separator | <character> | What stands between the values of ``wurfl-get-all``.
wurfl-patch-file | <path>... | Files that change the descriptions.
wurfl-cache-size | <size> | How many descriptions are kept at hand.
"""

TUNING: Final = """
debug.counters | { on \\p off } | Count rare events of the code, for developers.
profiling.memory | { on \\p off } | Count what each part of the program allocates.
tune.zlib.memlevel | <1..9> | Memory that zlib takes for each compressed answer.
tune.zlib.windowsize | <8..15> | Size of zlib's window, as a power of two.
"""

QUIC: Final = """
listen | { on \\p off } | Whether QUIC listeners open at all.
be.cc.cubic-min-losses, fe.cc.cubic-min-losses | <number> | Losses before the cubic algorithm slows down.
be.cc.hystart, fe.cc.hystart | { on \\p off } | Leave the slow start before packets are lost.
be.cc.max-frame-loss, fe.cc.max-frame-loss | <number> | How often a frame may be lost.
be.cc.max-win-size, fe.cc.max-win-size | <size> | How much may be on its way at once.
be.cc.reorder-ratio, fe.cc.reorder-ratio | <percent> | How much reordering is taken for no loss.
be.max-idle-timeout, fe.max-idle-timeout | <time> | How long a connection may be silent.
be.sec.glitches-threshold, fe.sec.glitches-threshold | <number> | Faults of the peer that end a connection.
fe.sec.retry-threshold | <number> | Half-open connections from which on clients must prove their address.
fe.sock-per-conn | { default-on \\p force-off } | A socket for each connection.
be.stream.data-ratio, fe.stream.data-ratio | <percent> | The share of the window that one stream may have.
be.stream.max-concurrent, fe.stream.max-concurrent | <number> | Streams that may be open at once.
fe.stream.max-total | <number> | Streams of a connection before it is ended.
be.stream.rxbuf, fe.stream.rxbuf | <size> | Memory for what a stream receives.
be.tx.pacing, fe.tx.pacing | { on \\p off } | Send at an even pace instead of in bursts.
be.tx.udp-gso, fe.tx.udp-gso | { on \\p off } | Let the kernel cut datagrams.
mem.tx-max | <size> | Memory for what all connections have sent and not seen acknowledged.
zero-copy-fwd-send | { on \\p off } | Send without copying what was received.
"""
"""Behind ``tune.quic.``; those with a comma are two words, for servers and for clients."""

MASTER: Final = """
@!<pid> | @!<pid> [<command>] | Ask the worker with that process number.
@<relative pid> | @<number> [<command>] | Ask the worker with that number, @1 being the current one.
@master | @master [<command>] | Ask the master itself.
_getsocks | _getsocks | Hand the listening sockets over to a new process.
_loadstatus | _loadstatus | What the last reload said, asked by the master.
_send_status | _send_status | A worker tells the master that it is ready.
hard-reload | hard-reload | Reload, and end the old worker at once.
mcli-debug-mode | mcli-debug-mode | More commands for developers on the master's socket.
reload | reload | Read the configuration again and start a new worker with it.
show proc | show proc [debug] | The master, its workers and its programs.
"""

SAMPLES: Final = """
51d.all | 51d.all(<property>,...) | Properties of the device, from several headers. | fetch
51d.single | 51d.single(<property>,...) | Properties of the device, from a User-Agent. | converter
da-csv-conv | da-csv-conv(<property>,...) | Properties of the device, from a User-Agent. | converter
set-cookie | set-cookie([<name>]) | An old name of ``res.cook``, which is the one to write. | fetch
"""
