# ruff: noqa: E501
"""The columns of ``show stat``: name, what rows have it, its tags and type, what it means.

Tags are the four letters of the typed form (management guide 9.2): origin, nature, scope and, last,
whether the value survives a restart. Kinds: F frontend, B backend, S server, L listener. The order is
that of the CSV; names from ``h2_headers_rcvd`` on are the extra counters behind the ``-`` column.
"""

from __future__ import annotations

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class StatField:
    position: int
    name: str
    kinds: str
    tags: str
    type: str
    doc: str

    def tags_for(self, kind: str) -> str:
        """The tags in a row of that kind: three columns differ between kinds."""
        return EXCEPTIONS.get((self.name, kind), self.tags)


EXCEPTIONS = {("rate_max", "B"): "MGPV", ("act", "B"): "MGPV", ("bck", "B"): "MGPV"}

EXTRA = "h2_headers_rcvd"
"""The first of the extra counters."""

_TABLE = """\
pxname|FBSL|KNSV|str|Proxy name
svname|FBSL|KNSV|str|Server name
qcur|BS|MGPV|u32|Number of current queued connections
qmax|BS|MMPV|u32|Highest value of queued connections encountered since process started
scur|FBSL|MGPV|u32|Number of current sessions on the frontend, backend or server
smax|FBSL|MMPV|u32|Highest value of current sessions encountered since process started
slim|FBSL|CLPV|u32|Frontend/listener/server's maxconn, backend's fullconn
stot|FBSL|MCPP|u64|Total number of sessions since process started
bin|FBSL|MCPP|u64|Total number of request bytes since process started
bout|FBSL|MCPP|u64|Total number of response bytes since process started
dreq|FBL|MCPP|u64|Total number of denied requests since process started
dresp|FBSL|MCPP|u64|Total number of denied responses since process started
ereq|FL|MCPP|u64|Total number of invalid requests since process started
econ|BS|MCPP|u64|Total number of failed connections to server since the worker process started
eresp|BS|MCPP|u64|Total number of invalid responses since the worker process started
wretr|BS|MCPP|u64|Total number of server connection retries since the worker process started
wredis|BS|MCPP|u64|Total number of server redispatches due to connection failures since the worker process started
status|FBSL|SGPV|str|Frontend/listen status: OPEN/WAITING/FULL/STOP; backend: UP/DOWN; server: last check status
weight|BS|MaPV|u32|Server's effective weight, or sum of active servers' effective weights for a backend
act|BS|SGPV|u32|Total number of active UP servers with a non-zero weight
bck|BS|SGPV|u32|Total number of backup UP servers with a non-zero weight
chkfail|S|MCPP|u64|Total number of failed individual health checks per server/backend, since the worker process started
chkdown|BS|MCPP|u64|Total number of failed checks causing UP to DOWN server transitions, per server/backend, since the worker process started
lastchg|BS|MAPP|u32|How long ago the last server state changed, in seconds
downtime|BS|MCPV|u32|Total time spent in DOWN state, for server or backend
qlimit|S|CGSV|u32|Limit on the number of connections in queue, for servers only (maxqueue argument)
pid|FBSL|KGPV|u32|Relative worker process number (1)
iid|FBSL|KGSV|u32|Frontend or Backend numeric identifier ('id' setting)
sid|FBSL|KGSV|u32|Server numeric identifier ('id' setting)
throttle|S|SAGV|u32|Throttling ratio applied to a server's maxconn and weight during the slowstart period (0 to 100%)
lbtot|BS|MCPP|u64|Total number of requests routed by load balancing since the worker process started (ignores queue pop and stickiness)
tracked|S|CGSV|str|Name of the other server this server tracks for its state
type|FBSL|CGSV|u32|Type of the object (Listener, Frontend, Backend, Server)
rate|FBS|MRPP|u32|Total number of sessions processed by this object over the last second (sessions for listeners/frontends, requests for backends/servers)
rate_lim|F|CLPV|u32|Limit on the number of sessions accepted in a second (frontend only, 'rate-limit sessions' setting)
rate_max|FBS|MMPV|u32|Highest value of sessions per second observed since the worker process started
check_status|S|MOPV|str|Status report of the server's latest health check, prefixed with '*' if a check is currently in progress
check_code|S|MOPV|u32|HTTP/SMTP/LDAP status code reported by the latest server health check
check_duration|S|MDPV|u64|Total duration of the latest server health check, in milliseconds
hrsp_1xx|FBS|MCPP|u64|Total number of HTTP responses with status 100-199 returned by this object since the worker process started
hrsp_2xx|FBS|MCPP|u64|Total number of HTTP responses with status 200-299 returned by this object since the worker process started
hrsp_3xx|FBS|MCPP|u64|Total number of HTTP responses with status 300-399 returned by this object since the worker process started
hrsp_4xx|FBS|MCPP|u64|Total number of HTTP responses with status 400-499 returned by this object since the worker process started
hrsp_5xx|FBS|MCPP|u64|Total number of HTTP responses with status 500-599 returned by this object since the worker process started
hrsp_other|FBS|MCPP|u64|Total number of HTTP responses with status <100, >599 returned by this object since the worker process started (error -1 included)
hanafail|S|MCPV|u32|Total number of failed checks caused by an "on-error" directive after an "observe" condition matched
req_rate|F|MRPP|u32|Number of HTTP requests processed over the last second on this object
req_rate_max|F|MMPV|u32|Highest value of http requests observed since the worker process started
req_tot|FBS|MCPP|u64|Total number of HTTP requests processed by this object since the worker process started
cli_abrt|BS|MCPP|u64|Total number of requests or connections aborted by the client since the worker process started
srv_abrt|BS|MCPP|u64|Total number of requests or connections aborted by the server since the worker process started
comp_in|FB|MCPP|u64|Total number of bytes submitted to the HTTP compressor for this object since the worker process started
comp_out|FB|MCPP|u64|Total number of bytes emitted by the HTTP compressor for this object since the worker process started
comp_byp|FB|MCPP|u64|Total number of bytes that bypassed HTTP compression for this object since the worker process started (CPU/memory/bandwidth limitation)
comp_rsp|FB|MCPP|u64|Total number of HTTP responses that were compressed for this object since the worker process started
lastsess|BS|MAPP|s32|How long ago some traffic was seen on this object on this worker process, in seconds
last_chk|S|MOPV|str|Short description of the latest health check report for this server (see also check_desc)
last_agt|S|MOPV|str|Short description of the latest agent check report for this server (see also agent_desc)
qtime|BS|MaPV|u32|Time spent in the queue, in milliseconds, averaged over the 1024 last requests (backend/server)
ctime|BS|MaPV|u32|Time spent waiting for a connection to complete, in milliseconds, averaged over the 1024 last requests (backend/server)
rtime|BS|MaPV|u32|Time spent waiting for a server response, in milliseconds, averaged over the 1024 last requests (backend/server)
ttime|BS|MaPV|u32|Total request+response time (request+queue+connect+response+processing), in milliseconds, averaged over the 1024 last requests (backend/server)
agent_status|S|MOPV|str|Status report of the server's latest agent check, prefixed with '*' if a check is currently in progress
agent_code|S|MOPV|u32|Status code reported by the latest server agent check
agent_duration|S|MDPV|u64|Total duration of the latest server agent check, in milliseconds
check_desc|S|MOPV|str|Textual description of the latest health check report for this server
agent_desc|S|MOPV|str|Textual description of the latest agent check report for this server
check_rise|S|CGSV|u32|Number of successful health checks before declaring a server UP (server 'rise' setting)
check_fall|S|CGSV|u32|Number of failed health checks before declaring a server DOWN (server 'fall' setting)
check_health|S|CGSV|u32|Current server health check level (0..fall-1=DOWN, fall..rise-1=UP)
agent_rise|S|CGSV|u32|Number of successful agent checks before declaring a server UP (server 'rise' setting)
agent_fall|S|CGSV|u32|Number of failed agent checks before declaring a server DOWN (server 'fall' setting)
agent_health|S|CGSV|u32|Current server agent check level (0..fall-1=DOWN, fall..rise-1=UP)
addr|SL|CGSV|str|Server's address:port, shown only if show-legends is set, or at levels oper/admin for the CLI
cookie|BS|CNSV|str|Backend's cookie name or Server's cookie value, shown only if show-legends is set, or at levels oper/admin for the CLI
mode|FBSL|CGSV|str|'mode' setting (tcp/http/health/cli/spop)
algo|B|CGSV|str|Backend's load balancing algorithm, shown only if show-legends is set, or at levels oper/admin for the CLI
conn_rate|F|MRPP|u32|Number of new connections accepted over the last second on the frontend for this worker process
conn_rate_max|F|MMPV|u32|Highest value of connections per second observed since the worker process started
conn_tot|FL|MCPP|u64|Total number of new connections accepted on this frontend since the worker process started
intercepted|F|MCPP|u64|Total number of HTTP requests intercepted on the frontend (redirects/stats/services) since the worker process started
dcon|FL|MCPP|u64|Total number of incoming connections blocked on a listener/frontend by a tcp-request connection rule since the worker process started
dses|FL|MCPP|u64|Total number of incoming sessions blocked on a listener/frontend by a tcp-request connection rule since the worker process started
wrew|FBSL|MCPP|u64|Total number of failed HTTP header rewrites since the worker process started
connect|BS|MCPP|u64|Total number of outgoing connection attempts on this backend/server since the worker process started
reuse|BS|MCPP|u64|Total number of reused connection on this backend/server since the worker process started
cache_lookups|FB|MCPP|u64|Total number of HTTP requests looked up in the cache on this frontend/backend since the worker process started
cache_hits|FB|MCPP|u64|Total number of HTTP requests not found in the cache on this frontend/backend since the worker process started
srv_icur|S|MGPV|u32|Current number of idle connections available for reuse on this server
src_ilim|S|CLPV|u32|Limit on the number of available idle connections on this server (server "pool_max_conn" directive)
qtime_max|BS|MMPV|u32|Maximum observed time spent in the queue, in milliseconds (backend/server)
ctime_max|BS|MMPV|u32|Maximum observed time spent waiting for a connection to complete, in milliseconds (backend/server)
rtime_max|BS|MMPV|u32|Maximum observed time spent waiting for a server response, in milliseconds (backend/server)
ttime_max|BS|MMPV|u32|Maximum observed total request+response time (request+queue+connect+response+processing), in milliseconds (backend/server)
eint|FBSL|MCPP|u64|Total number of internal errors since process started
idle_conn_cur|S|MGPV|u32|Current number of unsafe idle connections
safe_conn_cur|S|MGPV|u32|Current number of safe idle connections
used_conn_cur|S|MGPV|u32|Current number of connections in use
need_conn_est|S|MGPV|u32|Estimated needed number of connections
uweight|BS|MaPV|u32|Server's user weight, or sum of active servers' user weights for a backend
agg_server_status|B|MGPV|u32|Backend's aggregated gauge of servers' status
agg_server_check_status|B|MGPV|u32|[DEPRECATED] Backend's aggregated gauge of servers' status
agg_check_status|B|MGPV|u32|Backend's aggregated gauge of servers' state check status
srid|S|MCPV|u32|Server id revision, to prevent server id reuse mixups
sess_other|F|MCPV|u64|Total number of sessions other than HTTP since process started
h1sess|F|MCPP|u64|Total number of HTTP/1 sessions since process started
h2sess|F|MCPP|u64|Total number of HTTP/2 sessions since process started
h3sess|F|MCPP|u64|Total number of HTTP/3 sessions since process started
req_other|F|MCPP|u64|Total number of sessions other than HTTP processed by this object since the worker process started
h1req|F|MCPP|u64|Total number of HTTP/1 sessions processed by this object since the worker process started
h2req|F|MCPP|u64|Total number of hTTP/2 sessions processed by this object since the worker process started
h3req|F|MCPP|u64|Total number of HTTP/3 sessions processed by this object since the worker process started
proto|L|SGPV|str|Protocol
priv_idle_cur|S|MGPV|u32|Current number of private idle connections
reqbin|FBSL|MCPP|u64|Total number of request bytes received since process started
reqbout|FBSL|MCPP|u64|Total number of request bytes sent since process started
resbin|FBSL|MCPP|u64|Total number of response bytes received since process started
resbout|FBSL|MCPP|u64|Total number of response bytes sent since process started
cache_hint_hits|FB|MCPP|u64|Total number of HTTP requests for which a 103 Early Hints response was emitted from the cache on this frontend/backend since the worker process started
h2_headers_rcvd|FB|MCPV|u64|Total number of received HEADERS frames
h2_data_rcvd|FB|MCPV|u64|Total number of received DATA frames
h2_settings_rcvd|FB|MCPV|u64|Total number of received SETTINGS frames
h2_rst_stream_rcvd|FB|MCPV|u64|Total number of received RST_STREAM frames
h2_goaway_rcvd|FB|MCPV|u64|Total number of received GOAWAY frames
h2_detected_conn_protocol_errors|FB|MCPV|u64|Total number of connection protocol errors
h2_detected_strm_protocol_errors|FB|MCPV|u64|Total number of stream protocol errors
h2_rst_stream_resp|FB|MCPV|u64|Total number of RST_STREAM sent on detected error
h2_goaway_resp|FB|MCPV|u64|Total number of GOAWAY sent on detected error
h2_open_connections|FB|MGPV|u64|Count of currently open connections
h2_backend_open_streams|FB|MGPV|u64|Count of currently open streams
h2_total_connections|FB|MCPV|u64|Total number of connections
h2_backend_total_streams|FB|MCPV|u64|Total number of streams
ssl_sess|FBSL|MCPV|u64|Total number of ssl sessions established
ssl_reused_sess|FBSL|MCPV|u64|Total number of ssl sessions reused
ssl_failed_handshake|FBSL|MCPV|u64|Total number of failed handshake
ssl_ocsp_staple|FBSL|MCPV|u64|Total number of stapled OCSP responses
ssl_failed_ocsp_staple|FBSL|MCPV|u64|Total number of failed OCSP stapling (expired or error)
h1_open_connections|FB|MGPV|u64|Count of currently open connections
h1_open_streams|FB|MGPV|u64|Count of currently open streams
h1_total_connections|FB|MCPV|u64|Total number of connections
h1_total_streams|FB|MCPV|u64|Total number of streams
h1_bytes_in|FB|MCPV|u64|Total number of bytes received
h1_bytes_out|FB|MCPV|u64|Total number of bytes send
h1_spliced_bytes_in|FB|MCPV|u64|Total number of bytes received using kernel splicing
h1_spliced_bytes_out|FB|MCPV|u64|Total number of bytes sendusing kernel splicing
"""

FIELDS = tuple(StatField(position, *line.split("|", 4)) for position, line in enumerate(_TABLE.splitlines()))
