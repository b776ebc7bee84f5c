# ruff: noqa: E501
"""The lines of ``show info``: name, tags, type, what it means. Tags as in ``stat_fields``.

Positions have gaps where the original has lines that only some builds print.
"""

from __future__ import annotations

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class InfoField:
    position: int
    name: str
    tags: str
    type: str
    doc: str


_TABLE = """\
0|Name|POSV|str|Product name
1|Version|POSV|str|Product version
2|Release_date|POSV|str|Date of latest source code update
3|Nbthread|CGSV|u32|Number of started threads (global.nbthread)
4|Nbproc|CGSV|u32|Number of started worker processes (historical, always 1)
5|Process_num|KGPV|u32|Relative worker process number (1)
6|Pid|SGPV|u32|This worker process identifier for the system
7|Uptime|MDPV|str|How long ago this worker process was started (days+hours+minutes+seconds)
8|Uptime_sec|MDPV|u32|How long ago this worker process was started (seconds)
9|Memmax_MB|CLPV|u32|Worker process's hard limit on memory usage in MB (-m on command line)
10|PoolAlloc_MB|MGPV|u32|Amount of memory allocated in pools (in MB)
11|PoolUsed_MB|MGPV|u32|Amount of pool memory currently used (in MB)
12|PoolFailed|MCPV|u32|Number of failed pool allocations since this worker was started
13|Ulimit-n|CLPV|u32|Hard limit on the number of per-process file descriptors
14|Maxsock|CLPV|u32|Hard limit on the number of per-process sockets
15|Maxconn|CLPV|u32|Hard limit on the number of per-process connections (configured or imposed by Ulimit-n)
16|Hard_maxconn|CLPV|u32|Hard limit on the number of per-process connections (imposed by Memmax_MB or Ulimit-n)
17|CurrConns|MGPV|u32|Current number of connections on this worker process
18|CumConns|MCPV|u32|Total number of connections on this worker process since started
19|CumReq|MCPV|u32|Total number of requests on this worker process since started
20|MaxSslConns|MMPV|u32|Hard limit on the number of per-process SSL endpoints (front+back), 0=unlimited
21|CurrSslConns|MGPV|u32|Current number of SSL endpoints on this worker process (front+back)
22|CumSslConns|MCPV|u32|Total number of SSL endpoints on this worker process since started (front+back)
23|Maxpipes|CLPV|u32|Hard limit on the number of pipes for splicing, 0=unlimited
24|PipesUsed|MGPV|u32|Current number of pipes in use in this worker process
25|PipesFree|MGPV|u32|Current number of allocated and available pipes in this worker process
26|ConnRate|MRPV|u32|Number of front connections created on this worker process over the last second
27|ConnRateLimit|CLPV|u32|Hard limit for ConnRate (global.maxconnrate)
28|MaxConnRate|MMPV|u32|Highest ConnRate reached on this worker process since started (in connections per second)
29|SessRate|MRPV|u32|Number of sessions created on this worker process over the last second
30|SessRateLimit|CLPV|u32|Hard limit for SessRate (global.maxsessrate)
31|MaxSessRate|MRPV|u32|Highest SessRate reached on this worker process since started (in sessions per second)
32|SslRate|MRPV|u32|Number of SSL connections created on this worker process over the last second
33|SslRateLimit|CLPV|u32|Hard limit for SslRate (global.maxsslrate)
34|MaxSslRate|MMPV|u32|Highest SslRate reached on this worker process since started (in connections per second)
35|SslFrontendKeyRate|MGPV|u32|Number of SSL keys created on frontends in this worker process over the last second
36|SslFrontendMaxKeyRate|MMPV|u32|Highest SslFrontendKeyRate reached on this worker process since started (in SSL keys per second)
37|SslFrontendSessionReuse_pct|MGPV|u32|Percent of frontend SSL connections which did not require a new key
38|SslBackendKeyRate|MRPV|u32|Number of SSL keys created on backends in this worker process over the last second
39|SslBackendMaxKeyRate|MMPV|u32|Highest SslBackendKeyRate reached on this worker process since started (in SSL keys per second)
40|SslCacheLookups|MCPV|u32|Total number of SSL session ID lookups in the SSL session cache on this worker since started
41|SslCacheMisses|MCPV|u32|Total number of SSL session ID lookups that didn't find a session in the SSL session cache on this worker since started
42|CompressBpsIn|MRPV|u32|Number of bytes submitted to the HTTP compressor in this worker process over the last second
43|CompressBpsOut|MRPV|u32|Number of bytes emitted by the HTTP compressor in this worker process over the last second
44|CompressBpsRateLim|CLPV|u32|Limit of CompressBpsOut beyond which HTTP compression is automatically disabled
47|Tasks|MGPV|u32|Total number of tasks in the current worker process (active + sleeping)
48|Run_queue|MGPV|u32|Total number of active tasks+tasklets in the current worker process
49|Idle_pct|MaPV|u32|Percentage of last second spent waiting in the current worker thread
50|node|COSV|str|Node name (global.node)
51|description|COSV|str|Node description (global.description)
52|Stopping|MGPV|u32|1 if the worker process is currently stopping, otherwise zero
53|Jobs|MGPV|u32|Current number of active jobs on the current worker process (frontend connections, master connections, listeners)
54|Unstoppable Jobs|MGPV|u32|Current number of unstoppable jobs on the current worker process (master connections)
55|Listeners|MGPV|u32|Current number of active listeners on the current worker process
56|ActivePeers|MGPV|u32|Current number of verified active peers connections on the current worker process
57|ConnectedPeers|MGPV|u32|Current number of peers having passed the connection step on the current worker process
58|DroppedLogs|MGPV|u32|Total number of dropped logs for current worker process since started
59|BusyPolling|MGPV|u32|1 if busy-polling is currently in use on the worker process, otherwise zero (config.busy-polling)
60|FailedResolutions|MGPV|u32|Total number of failed DNS resolutions in current worker process since started
61|TotalBytesOut|MGPV|u64|Total number of bytes emitted by current worker process since started
62|TotalSplicedBytesOut|MGPV|u64|Total number of bytes emitted by current worker process through a kernel pipe since started
63|BytesOutRate|MRPV|u64|Number of bytes emitted by current worker process over the last second
64|DebugCommandsIssued|MGPV|u32|Number of debug commands issued on this process (anything > 0 is unsafe)
65|CumRecvLogs|MCPV|u32|Total number of log messages received by log-forwarding listeners on this worker process since started
66|Build info|POSV|str|Build info
67|Memmax_bytes|CLPV|u32|Worker process's hard limit on memory usage in bytes (-m on command line)
68|PoolAlloc_bytes|MGPV|u64|Amount of memory allocated in pools (in bytes)
69|PoolUsed_bytes|MGPV|u64|Amount of pool memory currently used (in bytes)
70|Start_time_sec|MDPV|u32|Start time in seconds
71|Tainted|SGPV|str|Experimental features used
72|TotalWarnings|MCPV|u32|Total warnings issued
73|MaxconnReached|MCPV|u32|Number of times an accepted connection resulted in Maxconn being reached
74|BootTime_ms|MDPV|u32|How long ago it took to parse and process the config before being ready (milliseconds)
75|Niced_tasks|MGPV|u32|Total number of active tasks+tasklets in the current worker process (Run_queue) that are niced
76|CurrStreams|MGPV|u64|Current number of streams on this worker process
77|CumStreams|MGPV|u64|Total number of streams created on this worker process since started
78|BlockedTrafficWarnings|MGPV|u32|Total number of warnings issued about traffic being blocked by too slow a task
79|PatternsAdded|MGPV|u64|Total number of patterns added (acl/map entries)
80|PatternsFreed|MGPV|u64|Total number of patterns freed (acl/map entries)
81|NbThreadGroups|CGSV|u32|Number of started thread groups (global.thread-groups)
"""


def _field(line: str) -> InfoField:
    position, name, tags, kind, doc = line.split("|", 4)
    return InfoField(int(position), name, tags, kind, doc)


FIELDS = tuple(_field(line) for line in _TABLE.splitlines())
