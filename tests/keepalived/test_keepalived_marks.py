"""nftables_ipvs: groups become services of marks, which they keep."""

from __future__ import annotations

import socket

from kadtext import read

from evener.keepalived.compile_lvs import compile_lvs
from evener.keepalived.lvs.choice import served
from evener.keepalived.lvs.ipvs import ServiceKey
from evener.keepalived.lvs.marks import Marks
from evener.keepalived.lvs.plan import CheckerPlan, Marking
from evener.keepalived.vrrp.plan import Family

SERVER = """
virtual_server {head} {{
    lvs_sched rr
    lvs_method NAT
    {words}
    real_server 10.1.0.1 80 {{
    }}
}}
"""
WEB = "virtual_server_group web {\n10.0.0.1-3 80\n10.0.0.9 81\n}\n"


def plan(*servers: tuple[str, str], groups: str = WEB, words: str = "nftables_ipvs") -> CheckerPlan:
    text = f"global_defs {{\n{words}\n}}\n{groups}"
    text += "".join(SERVER.format(head=head, words=more) for head, more in servers)
    configuration, _ = read(text)
    assert configuration is not None
    return compile_lvs(configuration)


def given(made: CheckerPlan) -> tuple[list[list[ServiceKey]], dict[str, int]]:
    assert made.options.marking is not None
    after, marked = Marks(made.options.marking).use(made)
    return [list(each.members) for each in after.virtual_servers], {
        str(key): mark for key, mark in marked.items()
    }


def mark(number: int, family: Family = Family.INET) -> ServiceKey:
    return ServiceKey(family, 0, b"", 0, number)


def test_a_group_is_one_service_for_each_protocol() -> None:
    members, marked = given(plan(("group web", "protocol TCP"), ("group web", "protocol UDP")))
    assert members == [[mark(1000)], [mark(1001)]]
    assert marked["[10.0.0.2]:tcp:80"] == 1000 and marked["[10.0.0.9]:udp:81"] == 1001
    assert len(marked) == 8


def test_others_stay_what_they_are() -> None:
    own = plan(("group web", "protocol TCP"), groups="virtual_server_group web {\n10.0.0.1 80\nfwmark 7\n}\n")
    members, marked = given(own)
    assert members == [list(own.virtual_servers[0].members)] and marked == {}
    members, marked = given(plan(("10.0.0.1 80", "protocol TCP")))
    assert members[0][0].address == socket.inet_aton("10.0.0.1") and marked == {}


def test_groups_keep_their_marks_over_a_reload() -> None:
    both = plan(("group web", "protocol TCP"), ("group web", "protocol UDP"))
    marks = Marks(Marking(first=5))
    marks.use(both)
    after, _ = marks.use(plan(("group web", "protocol UDP")))
    assert after.virtual_servers[0].members == (mark(6),)


def test_the_words() -> None:
    assert plan(words="").options.marking is None
    assert plan(words="nftables_ipvs").options.marking == Marking("keepalived_ipvs", -1, 1000)
    words = "nftables_ipvs lb\nnftables_ipvs_priority -7\nnftables_ipvs_start_fwmark 77"
    assert plan(words=words).options.marking == Marking("lb", -7, 77)


def test_the_picture_says_it() -> None:
    made = plan(("group web", "protocol TCP"))
    found = served(made.virtual_servers[0], made.options, True)
    assert found.services == 1 and "nftables_ipvs" in found.why
    assert served(made.virtual_servers[0], made.options, False).services == 4


def test_buffers_and_namespace() -> None:
    words = "lvs_netlink_cmd_rcv_bufs 4000\nlvs_netlink_monitor_rcv_bufs 5000\n"
    made = plan(words=f"{words}lvs_netlink_monitor_rcv_bufs_force true").options
    assert (made.buffers.command.size, made.buffers.command.force) == (4000, False)
    assert (made.buffers.monitor.size, made.buffers.monitor.force) == (5000, True)
    assert made.namespace is None
    configuration, _ = read("net_namespace_ipvs lb\n")
    assert configuration is not None and compile_lvs(configuration).options.namespace == "lb"
