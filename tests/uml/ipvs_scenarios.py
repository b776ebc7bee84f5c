"""What both daemons are given in the test kernel: a configuration, and what happens to its servers.

``{up}`` is a check that succeeds while port 8081 of the machine listens, ``{up2}`` the same of 8082. Steps:
``down 8081``, ``up 8081`` close and open a port (``down 10.0.0.1@80`` at an address, and several at a time),
``ip ...`` changes the namespace, ``reload`` puts ``then`` in the place of ``text``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

USUAL = ("down 8081", "down 8082", "up 8082", "up 8081")
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf")


@dataclass(frozen=True)
class Scenario:
    name: str
    text: str
    steps: tuple[str, ...] = USUAL
    then: str = ""
    ports: tuple[int | str, ...] = (8081, 8082)
    watched: bool = False
    """What it tells scripts, FIFOs and the mail server is compared as well."""
    prepare: str = ""
    """Lines for ip(8), in the namespace, before the start."""
    sync: bool = False
    """The kernel's sync daemon and timeouts are compared as well."""
    words: tuple[str, ...] = ()
    """Of the command line."""

    def configuration(self, again: bool = False) -> str:
        text = self.then if again else self.text
        return text.replace("{up}", block(8081)).replace("{up2}", block(8082))


def block(port: int) -> str:
    lines = [
        "TCP_CHECK {",
        "connect_ip 127.0.0.1",
        f"connect_port {port}",
        "connect_timeout 1",
        "retry 0",
        "}",
    ]
    return "\n".join(lines)


def server(
    words: str = "",
    *,
    head: str = "10.9.0.1 80",
    scheduler: str = "wrr",
    method: str = "NAT",
    one: str = "",
    two: str = "",
    addresses: tuple[str, str] = ("10.9.1.1 80", "10.9.1.2 80"),
    protocol: str = "protocol TCP",
) -> str:
    """A virtual server with two real ones."""
    return f"""
virtual_server {head} {{
    delay_loop 1
    lvs_sched {scheduler}
    lvs_method {method}
    {protocol}
    {words}
    real_server {addresses[0]} {{
        {one}
        {{up}}
    }}
    real_server {addresses[1]} {{
        {two}
        {{up2}}
    }}
}}
"""


V6 = {"head": "fd00:9::1 80", "addresses": ("fd00:9:1::1 80", "fd00:9:1::2 80")}
GROUP = """
virtual_server_group web {
    10.9.0.3-5 80
    10.9.0.8/30 81
    10.9.0.250 82
    fwmark 7
}
"""


WAYS = (
    "NAT", "DR", "TUN", "TUN type ipip", "TUN type gue port 6080", "TUN type gue port 6080 csum",
    "TUN type gue port 6080 remcsum", "TUN type gre", "TUN type gre csum",
)  # fmt: skip


def many(name: str, servers: list[str]) -> Scenario:
    """Each server by an address of its own."""
    placed = (text.replace("10.9.0.1 80", f"10.9.0.{index} 80") for index, text in enumerate(servers, 1))
    return Scenario(name, "".join(placed), ("down 8081", "up 8081"))


def settings() -> list[Scenario]:
    return [
        Scenario("usual", server()),
        Scenario("ipv6", server(**V6)),  # type: ignore[arg-type]
        Scenario("ipv6-persistent", server("persistence_timeout 50\npersistence_granularity 64", **V6)),  # type: ignore[arg-type]
        Scenario("weights", server(one="weight 5", two="weight 0")),
        Scenario("weight-of-all", server("weight 7", one="weight 3")),
        Scenario("thresholds", server(one="uthreshold 100\nlthreshold 10")),
        Scenario("persistent", server("persistence_timeout 50"), ("down 8081",)),
        Scenario("persistent-default", server("persistence_timeout"), ("down 8081",)),
        Scenario(
            "granularity",
            server("persistence_timeout 50\npersistence_granularity 255.255.255.0"),
            ("down 8081",),
        ),
        Scenario(
            "any-port", server("persistence_timeout 9", head="10.9.0.1", addresses=("10.9.1.1", "10.9.1.2"))
        ),
        Scenario(
            "engine",
            server("persistence_timeout 50\npersistence_engine sip", protocol="protocol UDP"),
            ("down 8081",),
        ),
        Scenario("udp", server("ops", protocol="protocol UDP"), ("down 8081", "up 8081")),
        Scenario("sctp", server(protocol="protocol SCTP"), ("down 8081",)),
        Scenario("flags-sh", server("sh-port\nsh-fallback", scheduler="sh"), ("down 8081",)),
        Scenario("flags-mh", server("mh-port", scheduler="mh"), ("down 8081",)),
        Scenario("flags", server("flag-1\nflag-3", scheduler="sh"), ("down 8081",)),
        Scenario("inhibit", server("inhibit_on_failure")),
        Scenario("inhibit-one", server(one="inhibit_on_failure")),
        Scenario("alpha", server("alpha"), ("down 8081", "up 8081")),
        Scenario("alpha-down", server("alpha"), ("up 8081", "up 8082"), ports=()),
        Scenario("alpha-inhibit", server("alpha\ninhibit_on_failure"), ("up 8081",), ports=()),
        Scenario("sorry", server("sorry_server 10.9.1.9 99")),
        Scenario("sorry-inhibit", server("sorry_server 10.9.1.9 99\nsorry_server_inhibit")),
        Scenario("sorry-method", server("sorry_server 10.9.1.9 80\nsorry_server_lvs_method DR")),
        Scenario("sorry-all-inhibit", server("sorry_server 10.9.1.9 99\ninhibit_on_failure")),
        Scenario(
            "sorry-alpha", server("alpha\nsorry_server 10.9.1.9 99"), ("up 8081", "down 8081"), ports=()
        ),
        Scenario("sorry-group", GROUP + server("sorry_server 10.9.1.9 99", head="group web")),
        Scenario("quorum", server("quorum 2\nsorry_server 10.9.1.9 99")),
        Scenario(
            "hysteresis",
            server("quorum 3\nhysteresis 1\nsorry_server 10.9.1.9 99", one="weight 3", two="weight 1"),
        ),
        Scenario(
            "fwmark", server(head="fwmark 9", method="DR", protocol="", addresses=("10.9.1.1", "10.9.1.2"))
        ),
        Scenario("fwmark-nat", server(head="fwmark 9", protocol=""), ("down 8081",)),
        Scenario(
            "fwmark-ipv6",
            server(
                "ip_family inet6",
                head="fwmark 9",
                method="DR",
                protocol="",
                addresses=("fd00:9:1::1", "fd00:9:1::2"),
            ),
        ),
        Scenario("group", GROUP + server(head="group web"), ("down 8081", "up 8081")),
        Scenario("group-dr", GROUP + server(head="group web", method="DR"), ("down 8081",)),
        Scenario("group-tun", GROUP + server(head="group web", method="TUN type gre"), ("down 8081",)),
        Scenario(
            "two-protocols",
            server() + server(protocol="protocol UDP", one="weight 4"),
            ("down 8081", "up 8081"),
        ),
        # The kernel of the tests has no module for it.
        Scenario("no-module", server(scheduler="twos", head="10.9.0.2 80") + server()),
        Scenario("flush", "global_defs {\nlvs_flush\n}\n" + server(), ("down 8081",)),
        Scenario("flush-on-stop", "global_defs {\nlvs_flush_on_stop\n}\n" + server(), ("down 8081",)),
        Scenario("flush-on-stop-vs", "global_defs {\nlvs_flush_on_stop VS\n}\n" + server(), ("down 8081",)),
    ]


def reloads() -> list[Scenario]:
    """A configuration and the one that takes its place."""
    usual = server("sorry_server 10.9.1.9 99", one="weight 2")
    changes = {
        "nothing": usual,
        "weight": usual.replace("weight 2", "weight 9"),
        "scheduler": usual.replace("wrr", "lc"),
        "server-gone": usual.replace("10.9.1.2 80", "10.9.1.3 80"),
        "sorry-gone": usual.replace("sorry_server 10.9.1.9 99", ""),
        "sorry-other": usual.replace("10.9.1.9", "10.9.1.8"),
        "virtual-gone": usual.replace("10.9.0.1 80", "10.9.0.2 80"),
        "virtual-more": usual + server(head="10.9.0.6 81"),
        "persistent": usual.replace("wrr", "wrr\npersistence_timeout 30"),
        "inhibit": usual.replace("weight 2", "weight 2\ninhibit_on_failure"),
        "quorum": usual.replace("wrr", "wrr\nquorum 3"),
    }
    made = [
        Scenario(f"reload-{name}", usual, ("down 8081", "reload", "up 8081"), then)
        for name, then in changes.items()
    ]
    # The original brings a server back that is down when its method changes: one that is up is changed.
    method = usual.replace("NAT", "DR")
    made.append(Scenario("reload-method", usual, ("reload", "down 8081", "up 8081"), method))
    group = GROUP + server(head="group web")
    # Debian's keepalived forgets to remove entries of a group that are gone: these are more.
    other = group.replace("fwmark 7", "fwmark 7\n    fwmark 8\n    10.9.0.20 83")
    made.append(Scenario("reload-group", group, ("down 8081", "reload", "up 8081"), other))
    return made


TELLS = """
global_defs {
    script_user root
    notification_email { admin@example.com }
    notification_email_from director@example.com
    smtp_server 127.0.0.1 25
    router_id director
    lvs_notify_fifo {folder}/lvs
    notify_fifo {folder}/all
    %s
}
"""
VIRTUAL_TELLS = """
    smtp_alert
    quorum_up "{folder}/tell quorum up"
    quorum_down "{folder}/tell quorum down"
    %s
"""
REAL_TELLS = """
        notify_up "{folder}/tell %(n)s up"
        notify_down "{folder}/tell %(n)s down"
"""


def telling(name: str, settings: str = "", words: str = "", **more: Any) -> Scenario:
    made = {"one": REAL_TELLS % {"n": "one"}, "two": REAL_TELLS % {"n": "two"}}
    said = {False: words, True: more.get("then_words", words)}
    texts = {
        again: TELLS % settings + more.get("group", "") + server(
            VIRTUAL_TELLS % said[again], head=more.get("head", "10.9.0.1 80"), **{**made, **again_words}
        )
        for again, again_words in ((False, {}), (True, more.get("then", {})))
    }  # fmt: skip
    steps = more.get("steps", ("down 8081", "down 8082", "up 8082", "up 8081"))
    return Scenario(
        name, texts[False], steps, texts[True], ports=more.get("ports", (8081, 8082)), watched=True
    )


def told() -> list[Scenario]:
    """What scripts, FIFOs and the mail server hear."""
    other = {"addresses": ("10.9.1.1 80", "10.9.1.3 80")}
    return [
        telling("tells"),
        telling("tells-omega", words="omega\nquorum 2\nsorry_server 10.9.1.9 99"),
        telling("tells-hysteresis", words="quorum 2\nhysteresis 1\nomega"),
        telling("tells-changes-only", "no_checker_emails", "omega"),
        telling("tells-group", group=GROUP, head="group web", words="omega"),
        telling("tells-inhibit", words="inhibit_on_failure\nsorry_server 10.9.1.9 99\nsorry_server_inhibit"),
        # Where servers go that the quorum depends on, the original says DOWN and, with others in their place,
        # never UP again.
        telling("tells-reload", words="omega", steps=("reload", "down 8081", "up 8081"), then=other),
        telling(
            "tells-reload-sorry",
            words="sorry_server 10.9.1.9 99",
            then_words="sorry_server 10.9.1.8 99",
            steps=("down 8081", "down 8082", "reload", "up 8082"),
        ),
        telling(
            "tells-reload-no-sorry",
            words="sorry_server 10.9.1.9 99",
            then_words="",
            steps=("down 8081", "down 8082", "reload", "up 8082"),
        ),
        telling("tells-reload-down", steps=("down 8082", "reload", "up 8082"), then=other),
    ]


DUMMY = "link add d0 type dummy\nlink set d0 multicast on up\naddress add 10.5.0.1/24 dev d0\n"
INSTANCE = """
vrrp_instance one {
    interface d0
    virtual_router_id 51
    priority 200
    advert_int 0.2
    virtual_ipaddress { 10.5.0.100/24 }
}
"""


def synchronised(name: str, words: str, *steps: str, then: str = "", instance: str = INSTANCE) -> Scenario:
    def text(words: str) -> str:
        settings = f"lvs_sync_daemon {words}\nlvs_timeouts tcp 100 udp {30 + len(words)}"
        return f"global_defs {{\n{settings}\n}}\n{instance}{server()}"

    return Scenario(name, text(words), steps or ("down 8081",), text(then), prepare=DUMMY, sync=True)


MISC = """
        MISC_CHECK {
            misc_path "/usr/bin/ip link show d0"
            misc_timeout 5
            %s
        }
"""


def by_programs() -> list[Scenario]:
    """Checks by programs: a server is up while there is a link d0."""
    steps = ("ip link add d0 type dummy", "ip link del d0", "ip link add d0 type dummy")
    root = "global_defs {\nscript_user root\n}\n"
    return [
        Scenario("misc", root + server(one=MISC % ""), steps),
        Scenario("misc-alpha", root + server("alpha", one=MISC % ""), steps),
        Scenario("misc-alpha-there", root + server("alpha", one=MISC % ""), steps[1:], prepare=DUMMY),
        Scenario("misc-alpha-omega", root + server("alpha\nomega\nquorum 2", one=MISC % ""), steps),
        Scenario("misc-dynamic", root + server(one=MISC % "misc_dynamic"), steps[:2]),
    ]


def directors() -> list[Scenario]:
    """Virtual servers and VRRP in one daemon."""
    here = INSTANCE + server("ha_suspend", head="10.5.0.100 80")
    return [
        synchronised("sync", "d0 one"),
        synchronised("sync-words", "d0 one id 7 maxlen 1300 port 8849 ttl 3 group 224.0.0.82"),
        synchronised("sync-fault", "d0 one", "ip link set d0 down", "ip link set d0 up"),
        synchronised("sync-reload", "d0 one id 3", "reload", then="d0 one id 4"),
        Scenario("suspended", server("ha_suspend"), prepare=DUMMY),
        Scenario(
            "ha-suspend", here, ("down 8081", "ip address del 10.5.0.100/24 dev d0", "up 8081"), prepare=DUMMY
        ),
        Scenario("ha-here", server("ha_suspend", head="10.5.0.1 80"), prepare=DUMMY),
    ]


SCENARIOS = [
    many("schedulers", [server(scheduler=name) for name in SCHEDULERS]),
    many("methods", [server(method=way) for way in WAYS]),
    *settings(),
    *reloads(),
    *told(),
    *directors(),
    *by_programs(),
]
