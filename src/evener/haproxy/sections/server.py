"""``server``, ``default-server`` and ``server-template``: the options of a server.

The fields are the options evener acts on; the others stand in ``server_table``. A server starts from
the options of ``default-server`` as they stand when its line is read. Times are milliseconds; None
means not said, and then the manual's default holds (``inter`` 2s, ``fall`` 3, ``rise`` 2).
"""

from __future__ import annotations

from collections.abc import Mapping

from evener.haproxy.addresses import SERVER, Address, Allow
from evener.haproxy.sections.namespaces import ServerNamespace
from evener.haproxy.sections.proxy_fields import ProxyField, ProxyFieldArgument, ProxyOptions
from evener.haproxy.sections.server_table import TABLE
from evener.haproxy.sections.server_values import (
    Count,
    Delay,
    Guid,
    InitAddr,
    Number,
    Observe,
    Port,
    ServerId,
    SocksAddress,
    Weight,
)
from evener.haproxy.sections.source import SourceAddress, SourceArgument
from evener.haproxy.sections.values import AddressText, Loose, OneOf, Password, Time
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Flag, Text
from evener.vocab.blocks import Harmless, Known, Planned, Repeat, block, keyword, spans, vocabulary

_DELAY = "'{name}' expects a delay as argument."
_OBSERVE = "'observe' expects one of 'none', 'layer4', 'layer7' but got '{got}'"
_ON_ERROR = (
    "'on-error' expects one of 'fastinter', 'fail-check', 'sudden-death' or 'mark-down' but got '{got}'"
)
_INIT_STATE = "'init-state' expects one of 'none', 'fully-up', 'up', 'down', or 'fully-down' but got '{got}'"
_HASH_KEY = "'hash-key' has to be 'id', 'id32', 'guid', 'addr', or 'addr-port'"
_SOURCE = (
    "'source' expects <addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, "
    "and 'interface' <name> as argument."
)


@block("server option", TABLE)
@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of one server. None: not said."""

    id: int | None = keyword(
        ServerId(), "A number for the server, unique in the proxy.", ok=("id 5",), bad=("id 0", "id x")
    )
    weight: int = keyword(
        Weight(), "Share of the traffic.", ok=("weight 10",), bad=("weight 300",), default=1
    )
    backup: bool = keyword(
        Flag(), "Only used when no other server is left.", ok=("backup",), bad=("backup x",),
        default=False, undo="no-backup",
    )  # fmt: skip
    disabled: bool = keyword(
        Flag(), "Starts in maintenance.", ok=("disabled",), bad=("disabled x",), default=False, undo="enabled"
    )
    maxconn: int | None = keyword(
        Number(), "Most connections to the server; more wait in the queue.",
        ok=("maxconn 100",), bad=("maxconn 1 x",),
    )  # fmt: skip
    minconn: int | None = keyword(
        Number(), "Limit of connections at low load; grows to maxconn with the backend's.",
        ok=("minconn 10",), bad=("minconn 1 x",),
    )  # fmt: skip
    maxqueue: int | None = keyword(
        Number(), "Longest queue of the server.", ok=("maxqueue 10",), bad=("maxqueue 1 x",),
    )  # fmt: skip
    strict_maxconn: bool = keyword(
        Flag(), "maxconn counts connections as well, idle ones included.",
        ok=("strict-maxconn",), bad=("strict-maxconn x",), default=False,
    )  # fmt: skip
    slowstart: int | None = keyword(
        Delay(), "How long a recovered server takes to get its full weight.",
        ok=("slowstart 20s",), bad=("slowstart x",), missing=_DELAY,
    )  # fmt: skip
    cookie: str | None = keyword(
        Text("<value>"), "Value of the persistence cookie that names this server.",
        ok=("cookie s1",), bad=("cookie",), missing="'cookie' expects <value> as argument.",
    )  # fmt: skip
    non_stick: bool = keyword(
        Flag(), "Never stored in stick tables.", ok=("non-stick",), bad=("non-stick x",),
        default=False, undo="stick",
    )  # fmt: skip
    redir: str | None = keyword(
        Text("<prefix>"), "Redirect GET and HEAD to that prefix instead of forwarding.",
        ok=("redir http://static",), bad=("redir",), missing="'redir' expects <prefix> as argument.",
    )  # fmt: skip
    check: bool = keyword(
        Flag(), "Check the server's health.", ok=("check",), bad=("check x",), default=False, undo="no-check"
    )
    inter: int | None = keyword(
        Delay(1, "agent-inter"), "Time between two checks.",
        ok=("inter 2s",), bad=("inter x", "inter 0", "inter"),
        missing=_DELAY,
    )  # fmt: skip
    fastinter: int | None = keyword(
        Delay(1, "agent-inter"), "Time between checks while the state changes.",
        ok=("fastinter 1s",), bad=("fastinter x",), missing=_DELAY,
    )  # fmt: skip
    downinter: int | None = keyword(
        Delay(1, "agent-inter"), "Time between checks while the server is down.",
        ok=("downinter 5s",), bad=("downinter x",), missing=_DELAY,
    )  # fmt: skip
    rise: int | None = keyword(
        Count(), "Successes in a row that bring a server up.", ok=("rise 2",), bad=("rise 0", "rise x")
    )
    fall: int | None = keyword(
        Count(), "Failures in a row that take a server down.", ok=("fall 3",), bad=("fall 0",)
    )
    port: int | None = keyword(
        Port(), "Port that checks connect to.", ok=("port 8080",), bad=("port", "port 1 x"),
    )  # fmt: skip
    addr: Address | None = keyword(
        AddressText(SERVER & ~Allow.LATER),
        "Address that checks connect to.",
        ok=("addr 127.0.0.1",),
        bad=("addr 1:x",),
        missing="'addr' expects <ipv4|ipv6> as argument.",
    )
    healthcheck: str | None = keyword(
        Text("<name>"), "The healthcheck section that says how this server is checked.",
        ok=("healthcheck probe",), bad=("healthcheck",),
        missing="'healthcheck' expects a healthcheck name as argument.", needs="healthcheck probe",
    )  # fmt: skip
    socks4: Address | None = keyword(
        SocksAddress(SERVER & ~Allow.LATER), "Connect through that SOCKS4 proxy.",
        ok=("socks4 127.0.0.1:1080",), bad=("socks4", "socks4 127.0.0.1:x"),
        missing="'socks4' expects <addr>:<port> as argument.",
    )  # fmt: skip
    tcp_md5sig: str | None = keyword(
        Password(), "Sign segments with that TCP MD5 key (RFC 2385).",
        ok=("tcp-md5sig secret",), bad=("tcp-md5sig",),
    )  # fmt: skip
    check_via_socks4: bool = keyword(
        Flag(), "Checks go through the SOCKS4 proxy of the server's line.",
        ok=("check-via-socks4",), bad=("check-via-socks4 x",), default=False,
    )  # fmt: skip
    check_send_proxy: bool = keyword(
        Flag(), "Checks begin with a PROXY header.", ok=("check-send-proxy",), bad=("check-send-proxy x",),
        default=False, undo="no-check-send-proxy",
    )  # fmt: skip
    observe: str | None = keyword(
        Observe(), "Take errors of the traffic as failed checks.",
        ok=("observe layer7",), bad=("observe layer9",), wrong=_OBSERVE,
        missing="'observe' expects <mode> as argument.",
    )  # fmt: skip
    on_error: str | None = keyword(
        OneOf("fastinter", "fail-check", "sudden-death", "mark-down"), "What error-limit errors do.",
        ok=("on-error mark-down",), bad=("on-error cry",), wrong=_ON_ERROR,
    )  # fmt: skip
    error_limit: int | None = keyword(
        Count("error-limit has to be > 0."), "Errors in a row that on-error waits for.",
        ok=("error-limit 10",), bad=("error-limit 0",),
    )  # fmt: skip
    on_marked_down: str | None = keyword(
        OneOf("shutdown-sessions"), "What happens to the sessions of a server that goes down.",
        ok=("on-marked-down shutdown-sessions",), bad=("on-marked-down cry",),
        wrong="'on-marked-down' expects 'shutdown-sessions' but got '{got}'",
    )  # fmt: skip
    on_marked_up: str | None = keyword(
        OneOf("shutdown-backup-sessions"), "What happens to backup servers' sessions when it comes up.",
        ok=("on-marked-up shutdown-backup-sessions",), bad=("on-marked-up cry",),
        wrong="'on-marked-up' expects 'shutdown-backup-sessions' but got '{got}'",
    )  # fmt: skip
    track: str | None = keyword(
        Text("[<backend>/]<server>"), "Take over the state of another server.",
        ok=("track l2/s2",), bad=("track",),
        missing="'track' expects [<proxy>/]<server> as argument.",
    )  # fmt: skip
    init_state: str | None = keyword(
        OneOf("none", "fully-up", "up", "down", "fully-down"), "State before the first check.",
        ok=("init-state down",), bad=("init-state tired",), wrong=_INIT_STATE,
    )  # fmt: skip
    init_addr: tuple[str, ...] | None = keyword(
        InitAddr(), "How the address is found at start.",
        ok=("init-addr last,libc,none",), bad=("init-addr guess",),
    )  # fmt: skip
    agent_check: bool = keyword(
        Flag(), "Ask an agent beside the server for its state.",
        ok=("agent-check agent-port 9",), bad=("agent-check x",), default=False, undo="no-agent-check",
    )  # fmt: skip
    agent_inter: int | None = keyword(
        Delay(1),
        "Time between two questions to the agent.",
        ok=("agent-inter 5s",),
        bad=("agent-inter x",),
        missing="'agent-inter' expects a delay as argument.",
    )
    agent_port: int | None = keyword(
        Loose(),
        "Port of the agent.",
        ok=("agent-port 9",),
        bad=("agent-port",),
        missing="'agent-port' expects a port number as argument.",
    )
    agent_addr: Address | None = keyword(
        AddressText(SERVER & ~Allow.LATER, "parsing agent-addr failed. Check if '{got}' is correct address."),
        "Address of the agent.",
        ok=("agent-addr 127.0.0.1",),
        bad=("agent-addr 1:x",),
        missing="'agent-addr' expects an address as argument.",
    )
    agent_send: str | None = keyword(
        Text("<string>"),
        "What the agent is told first.",
        ok=("agent-send hi",),
        bad=("agent-send",),
        missing="'agent-send' expects a string as argument.",
    )
    log_bufsize: int | None = keyword(
        Loose(1), "Bytes of messages that may wait for a log server on a connection.",
        ok=("log-bufsize 65536",), bad=("log-bufsize 0", "log-bufsize"), wrong="log-bufsize has to be > 0.",
        missing="'log-bufsize' expects an integer argument.",
    )  # fmt: skip
    log_proto: str | None = keyword(
        OneOf("legacy", "octet-count"), "How messages are framed on a log server's stream.",
        ok=("log-proto octet-count",), bad=("log-proto x",),
        wrong="'log-proto' expects one of 'legacy' or 'octet-count' but got '{got}'",
    )  # fmt: skip
    send_proxy: bool = keyword(
        Flag(), "Begin with a PROXY header, version 1.", ok=("send-proxy",), bad=("send-proxy x",),
        default=False, undo="no-send-proxy",
    )  # fmt: skip
    send_proxy_v2: bool = keyword(
        Flag(), "Begin with a PROXY header, version 2.", ok=("send-proxy-v2",), bad=("send-proxy-v2 x",),
        default=False, undo="no-send-proxy-v2",
    )  # fmt: skip
    send_proxy_v2_ssl: bool = keyword(
        Planned(Flag()), "Version 2 with what is known of TLS.",
        ok=("send-proxy-v2-ssl",), bad=("send-proxy-v2-ssl x",),
        default=False, undo="no-send-proxy-v2-ssl",
    )  # fmt: skip
    send_proxy_v2_ssl_cn: bool = keyword(
        Planned(Flag()), "Version 2 with the name in the client's certificate.",
        ok=("send-proxy-v2-ssl-cn",), bad=("send-proxy-v2-ssl-cn x",),
        default=False, undo="no-send-proxy-v2-ssl-cn",
    )  # fmt: skip
    proxy_v2_options: tuple[str, ...] | None = keyword(
        ProxyOptions(), "Fields of the version 2 header; those about TLS are not sent yet.",
        ok=("proxy-v2-options unique-id,crc32c",), bad=("proxy-v2-options", "proxy-v2-options x"),
    )  # fmt: skip
    proxy_fields: tuple[ProxyField, ...] = keyword(
        ProxyFieldArgument(), "Add a field to the version 2 header, with a log format as value.",
        ok=("send-proxy-v2 set-proxy-v2-tlv-fmt(0x20) %[src]",),
        bad=("set-proxy-v2-tlv-fmt(256) x", "set-proxy-v2-tlv-fmt(x) y", "set-proxy-v2-tlv-fmt(2) %[no]"),
        name="set-proxy-v2-tlv-fmt", repeat=Repeat.COLLECT,
    )  # fmt: skip
    pool_max_conn: int | None = keyword(
        Loose(-1), "Most idle connections kept; -1 is unlimited.",
        ok=("pool-max-conn 5",), bad=("pool-max-conn -2",), wrong="'pool-max-conn' must be >= -1",
        missing="'pool-max-conn' expects <value> as argument.",
    )  # fmt: skip
    pool_low_conn: int | None = keyword(
        Harmless(Loose()), "Idle connections below which none are taken over; workers never do that here.",
        ok=("pool-low-conn 5",), bad=("pool-low-conn",),
        missing="'pool-low-conn' expects <value> as argument.",
    )  # fmt: skip
    pool_purge_delay: int | None = keyword(
        Time("unexpected character '{char}' in argument to <{name}>."),
        "How often half of the idle connections are closed.",
        ok=("pool-purge-delay 5s",), bad=("pool-purge-delay x",),
        missing="'pool-purge-delay' expects <value> as argument.",
    )  # fmt: skip
    pool_conn_name: str | None = keyword(
        Text("<expression>"), "Names connections: a pooled one serves only requests with the same name.",
        ok=("pool-conn-name src",), bad=("pool-conn-name",),
        missing="'pool-conn-name' expects <value> as argument",
    )  # fmt: skip
    max_reuse: int | None = keyword(
        Harmless(Loose(-1)), "Requests after which an HTTP/2 connection is not used again.",
        ok=("max-reuse 100",), bad=("max-reuse -2",), wrong="'max-reuse' must be >= -1",
        missing="'max-reuse' expects <value> as argument.",
    )  # fmt: skip
    source: SourceAddress | None = keyword(
        SourceArgument(_SOURCE, "'source {got}' : {error}"), "Address that connections come from.",
        ok=("source 127.0.0.1",), bad=("source",),
    )  # fmt: skip
    namespace: str | None = keyword(
        ServerNamespace(), "Network namespace to connect from.", ok=("namespace *",),
        bad=("namespace", "namespace no-such-namespace"),
    )  # fmt: skip
    hash_key: str | None = keyword(
        OneOf("id", "id32", "guid", "addr", "addr-port"), "What places a server on the consistent hash ring.",
        ok=("hash-key addr",), bad=("hash-key name",), wrong=_HASH_KEY,
    )  # fmt: skip
    guid: str | None = keyword(
        Guid(), "An identifier that stays the same across reloads.",
        ok=("guid s1",), bad=("guid", "guid a/b"), missing="'guid' : expects an argument",
    )  # fmt: skip
    tfo: bool = keyword(Flag(), "TCP fast open.", ok=("tfo",), bad=("tfo x",), default=False)
    tcp_ut: int | None = keyword(
        Time("'tcp-ut' : expects a positive delay in milliseconds"),
        "How long sent data may stay unacknowledged.", ok=("tcp-ut 30s",), bad=("tcp-ut x",),
        missing="'tcp-ut' : missing TCP User Timeout value",
    )  # fmt: skip
    known: tuple[Known, ...] = ()
    spans: Mapping[str, Span] = spans()


OPTIONS = vocabulary(ServerOptions)
