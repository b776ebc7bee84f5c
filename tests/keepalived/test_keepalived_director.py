"""Virtual servers from text: what a report, a reload and the end ask of the engine and of the world."""

# ruff: noqa: E501 - a configuration stands on one line
from __future__ import annotations

import errno
import random
import socket

import pytest
from kadtext import read

from evener.host.netlink.ipvs import request
from evener.keepalived.compile_lvs import compile_lvs
from evener.keepalived.lvs.check_plan import CheckId, Report
from evener.keepalived.lvs.director import Director, Step
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    Failure,
    SetDestination,
    SetService,
    singly,
)
from evener.keepalived.lvs.messages import Alert, Log, Run, Tell
from evener.keepalived.lvs.plan import CheckerPlan
from evener.keepalived.vrrp.plan import Family

CHECK = "TCP_CHECK {\n}"
UP, DOWN = Report(up=True), Report(up=False, mail="=> TCP CHECK failed on service <=")
MAIL = "smtp_server 10.0.0.25\nnotification_email {\na@example.com\n}\n"


def plan(
    words: str = "", reals: str = "12", real: str = CHECK, glob: str = "", head: str = "10.0.0.1 80"
) -> CheckerPlan:
    servers = "\n".join(f"real_server 10.0.1.{number} 80 {{\n{real}\n}}" for number in reals)
    text = f"global_defs {{\n{glob}\n}}\nvirtual_server {head} {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n{words}\n{servers}\n}}"
    configuration, _ = read(text)
    assert configuration is not None
    return compile_lvs(configuration)


def heard(director: Director, number: int, report: Report) -> Step:
    name = next(iter(director.services))
    return director.report(CheckId(name, socket.inet_aton(f"10.0.1.{number}"), 80, 0), report)


def shown(changes: tuple[Change, ...]) -> list[str]:
    """``+ s`` for a service that is added, ``~ 1 w0`` for the weight of a server..."""
    found = []
    for change in singly(changes):
        match change:
            case AddService() | SetService():
                found.append("+ s" if isinstance(change, AddService) else "~ s")
            case DeleteService():
                found.append("- s")
            case AddDestination(_, made) | SetDestination(_, made):
                sign = "+" if isinstance(change, AddDestination) else "~"
                found.append(f"{sign} {made.key.address[-1]} w{made.weight}")
            case DeleteDestination(_, place):
                found.append(f"- {place.address[-1]}")
    return found


def logged(step: Step) -> list[str]:
    return [command.message for command in step.commands if isinstance(command, Log)]


def told(step: Step) -> list[str]:
    return [command.line for command in step.commands if isinstance(command, Tell)]


VS, ONE, TWO = "[10.0.0.1]:tcp:80", "[10.0.1.1]:tcp:80", "[10.0.1.2]:tcp:80"


def test_start_loads_what_is_not_pessimistic() -> None:
    step = Director(plan()).start()
    assert shown(step.changes) == ["+ s", "+ 1 w1", "+ 2 w1"]
    assert logged(step) == [f"Gained quorum 1+0=1 <= 2 for VS {VS}"]
    assert told(step) == [f"VS {VS} UP"]
    assert shown(Director(plan("alpha")).start().changes) == ["+ s"]


def test_initial_states_of_servers_are_told_on_request() -> None:
    step = Director(plan(glob="rs_init_notifies")).start()
    assert told(step) == [f"RS {ONE} {VS} UP", f"RS {TWO} {VS} UP", f"VS {VS} UP"]


def test_a_server_fails_and_recovers() -> None:
    director = Director(plan())
    director.start()
    step = heard(director, 1, DOWN)
    assert shown(step.changes) == ["- 1"]
    assert logged(step) == [f"Removing service {ONE} from VS {VS}"]
    assert told(step) == [f"RS {ONE} {VS} DOWN"]
    step = heard(director, 1, UP)
    assert shown(step.changes) == ["+ 1 w1"]
    assert logged(step) == [f"Adding service {ONE} to VS {VS}"]


def test_inhibited_servers_stay_with_weight_zero() -> None:
    director = Director(plan("inhibit_on_failure"))
    director.start()
    step = heard(director, 1, DOWN)
    assert shown(step.changes) == ["~ 1 w0"]
    assert logged(step) == [f"Disabling service {ONE} of VS {VS}"]
    assert shown(heard(director, 1, UP).changes) == ["~ 1 w1"]


def test_quorum_with_hysteresis_and_a_sorry_server() -> None:
    director = Director(plan("quorum 2\nhysteresis 1\nsorry_server 10.0.1.9 80", reals="123"))
    step = director.start()
    assert shown(step.changes) == ["+ s", "+ 1 w1", "+ 2 w1", "+ 3 w1"]
    assert logged(step) == [f"Gained quorum 2+1=3 <= 3 for VS {VS}"]
    assert shown(heard(director, 1, DOWN).changes) == ["- 1"]
    assert shown(heard(director, 2, DOWN).changes) == ["- 2"]
    step = heard(director, 3, DOWN)
    assert shown(step.changes) == ["+ 9 w1", "- 3"]
    assert logged(step)[1:] == [
        f"Lost quorum 2-1=1 > 0 for VS {VS}",
        f"Adding sorry server [10.0.1.9]:tcp:80 to VS {VS}",
        f"Removing alive servers from the pool for VS {VS}",
    ]
    assert shown(heard(director, 1, UP).changes) == []  # not enough: the sorry server goes on alone
    assert shown(heard(director, 2, UP).changes) == []
    step = heard(director, 3, UP)
    assert shown(step.changes) == ["+ 1 w1", "+ 2 w1", "+ 3 w1", "- 9"]
    assert told(step) == [f"RS [10.0.1.3]:tcp:80 {VS} UP", f"VS {VS} UP"]


def test_a_dynamic_weight_counts_for_the_quorum() -> None:
    director = Director(plan("quorum 5\nweight 3"))
    director.start()
    step = heard(director, 1, Report(up=True, weight=1))
    assert shown(step.changes) == ["~ 1 w1"]
    assert logged(step) == [
        f"Changing weight from 3 to 1 for active service {ONE} of VS {VS}",
        f"Lost quorum 5-0=5 > 4 for VS {VS}",
    ]


def test_mail_is_about_changes_of_state_only_where_that_is_asked_for() -> None:
    two = f"{CHECK}\nTCP_CHECK {{\nconnect_port 81\n}}"
    for words, expected in (("", 2), ("no_checker_emails", 1)):
        director = Director(plan("smtp_alert", real=two, glob=MAIL + words))
        director.start()
        step = heard(director, 1, DOWN)
        name = next(iter(director.services))
        again = director.report(CheckId(name, socket.inet_aton("10.0.1.1"), 80, 1), DOWN)
        alerts = [command for command in (*step.commands, *again.commands) if isinstance(command, Alert)]
        assert len(alerts) == expected
        assert alerts[0] == Alert(f"Realserver {ONE} of virtual server {VS} - DOWN", DOWN.mail)


def test_quorum_mail_has_the_form_of_the_original() -> None:
    director = Director(plan("smtp_alert", reals="1", glob=MAIL))
    alerts = [command for command in director.start().commands if isinstance(command, Alert)]
    assert alerts == [Alert(f"Virtualserver {VS} - UP", "=> Starting with quorum up 1+0=1 <= 1 <=")]
    alerts = [command for command in heard(director, 1, DOWN).commands if isinstance(command, Alert)]
    assert alerts[0] == Alert(f"Virtualserver {VS} - DOWN", "=> Lost quorum 1+0=1 <= 0 <=")


def test_a_reload_sends_only_differences() -> None:
    director = Director(plan())
    director.start()
    assert shown(director.use(plan()).changes) == []
    assert shown(director.use(plan("lvs_sched wrr", reals="13")).changes) == ["~ s", "+ 3 w1", "- 2"]
    assert shown(director.use(plan("lvs_sched wrr\nweight 4", reals="13")).changes) == ["~ 1 w4", "~ 3 w4"]
    step = director.use(plan(reals="13", head="10.0.0.2 80"))
    assert shown(step.changes) == ["- s", "+ s", "+ 1 w1", "+ 3 w1"]
    assert f"Removing Virtual Server {VS}" in logged(step)


def test_a_reload_remembers_who_is_down() -> None:
    director = Director(plan())
    director.start()
    heard(director, 1, DOWN)
    assert shown(director.use(plan("weight 2")).changes) == ["~ 2 w2"]
    assert shown(heard(director, 1, UP).changes) == ["+ 1 w2"]


def test_what_the_engine_refused_is_tried_again() -> None:
    director = Director(plan())
    changes = list(singly(director.start().changes))
    director.failed([Failure(changes[1], errno.ENOMEM, "")])
    assert shown(director.use(plan()).changes) == ["+ 1 w1"]
    director.failed([Failure(changes[0], errno.ENOENT, "")])
    assert shown(director.use(plan()).changes) == ["+ s", "+ 1 w1", "+ 2 w1"]


SCRIPTS = 'quorum_down "/bin/true d"\nquorum_up "/bin/true u"'


def test_the_end() -> None:
    director = Director(plan(SCRIPTS))
    director.start()
    step = director.stop()
    assert shown(step.changes) == ["- s"]
    assert logged(step) == [f"Shutting down service {real} from VS {VS}" for real in (ONE, TWO)]
    assert told(step) == []
    director = Director(plan(SCRIPTS + "\nomega"))
    director.start()
    step = director.stop()
    assert told(step) == [f"RS {ONE} {VS} DOWN", f"RS {TWO} {VS} DOWN", f"VS {VS} DOWN"]
    assert [command.program.argv for command in step.commands if isinstance(command, Run)] == [
        ("/bin/true", "d")
    ]


def test_the_end_with_a_flush_says_nothing_of_servers() -> None:
    for word in ("", "VS"):
        director = Director(plan(SCRIPTS + "\nomega", glob=f"lvs_flush_on_stop {word}"))
        director.start()
        step = director.stop()
        assert (shown(step.changes), logged(step), told(step)) == (["- s"], [], [f"VS {VS} DOWN"])


def test_a_group_is_one_virtual_server_with_many_services() -> None:
    text = (
        "virtual_server_group g {\n10.0.0.1-3 80\nfwmark 5\n}\nvirtual_server group g {\nlvs_sched rr\n"
        "lvs_method DR\nprotocol TCP\nreal_server 10.0.1.1 80 {\n}\n}"
    )
    configuration, _ = read(text)
    assert configuration is not None
    director = Director(compile_lvs(configuration))
    added = [
        change.destination.key.port
        for change in singly(director.start().changes)
        if isinstance(change, AddDestination)
    ]
    assert added == [80, 80, 80, 0]
    step = director.use(compile_lvs(read(text.replace("10.0.0.1-3", "10.0.0.1-2"))[0]))  # type: ignore[arg-type]
    assert shown(step.changes) == ["- s"]
    assert logged(step) == ["VS [[10.0.0.3]:tcp:80] in group g no longer exists"]


def test_checks_go_to_the_port_that_is_written() -> None:
    """Packets go to that of the virtual server, or of the client: only NAT changes ports."""
    for head, sent_to in (("10.0.0.1 80", 80), ("fwmark 7", 0)):
        text = f"virtual_server {head} {{\nlvs_sched rr\nlvs_method DR\nprotocol TCP\nreal_server 10.0.1.1 8080 {{\n{CHECK}\n}}\n}}"
        configuration, _ = read(text)
        assert configuration is not None
        (real,) = compile_lvs(configuration).virtual_servers[0].real_servers
        assert real.port == sent_to
        assert str(real.checks[0].probe.route) == "[10.0.1.1]:8080"  # type: ignore[attr-defined]


def test_a_group_of_both_families() -> None:
    """With tunnels only; each service has a mask of its own family."""
    text = "virtual_server_group g {\nfd00::1 80\n10.0.0.1 80\n}\nvirtual_server group g {\nlvs_sched rr\nlvs_method TUN\nprotocol TCP\nreal_server fd00::9 80 {\n}\n}"
    configuration, _ = read(text)
    assert configuration is not None
    made = list(singly(Director(compile_lvs(configuration)).start().changes))
    prefixes = {c.service.key.family: c.service.prefix for c in made if isinstance(c, AddService)}
    assert prefixes == {Family.INET6: 128, Family.INET: 32}
    assert all(request(change) for change in made)


def test_a_real_server_without_a_port_has_that_of_its_virtual_server() -> None:
    for method in ("NAT", "DR"):
        text = f"virtual_server 10.0.0.1 80 {{\nlvs_sched rr\nlvs_method {method}\nprotocol TCP\nreal_server 10.0.1.1 {{\n}}\n}}"
        configuration, _ = read(text)
        assert configuration is not None
        (real,) = compile_lvs(configuration).virtual_servers[0].real_servers
        assert (real.port, real.shown) == (80, "[10.0.1.1]:tcp:80")


@pytest.mark.parametrize(
    ("glob", "virtual", "own", "mails"),
    [
        ("", "", "", (False, True)),
        ("", "smtp_alert off", "", (False, True)),
        ("", "smtp_alert", "smtp_alert off", (True, False)),
        ("smtp_alert off", "", "", (False, False)),
        ("smtp_alert off", "", "smtp_alert", (False, True)),
        ("smtp_alert", "", "", (True, True)),
        ("smtp_alert\nsmtp_alert_checker off", "", "", (False, False)),
    ],
)
def test_who_sends_mail(glob: str, virtual: str, own: str, mails: tuple[bool, bool]) -> None:
    """Seen in keepalived: a real server does unless it is forbidden, a virtual server where it is asked to."""
    text = f"global_defs {{\n{glob}\n}}\nvirtual_server 10.0.0.5 80 {{\nprotocol TCP\n{virtual}\n"
    configuration, _ = read(f"{text}real_server 10.0.0.7 80 {{\n{own}\n}}\n}}\n")
    assert configuration is not None
    (made,) = compile_lvs(configuration).virtual_servers
    assert (made.mail, made.real_servers[0].mail) == mails


SERVERS = "".join(f"real_server 10.1.0.{n} 80 {{\n%s\nTCP_CHECK {{\n}}\n}}\n" for n in range(1, 7))


@pytest.mark.parametrize(
    "virtual", ["", "sorry_server 10.2.0.1 80", "sorry_server 10.1.0.1 80\nsorry_server_inhibit"]
)
@pytest.mark.parametrize("own", ["", "inhibit_on_failure"])
@pytest.mark.parametrize("method", ["NAT", "DR"])
def test_the_table_follows_every_report(virtual: str, own: str, method: str) -> None:
    """Whether one server is looked at or all: what the engine was told is what it should have."""
    head = f"virtual_server 10.0.0.5 80 {{\nprotocol TCP\nlvs_method {method}\nquorum 3\n{virtual}\n"
    configuration, _ = read(f"{head}{SERVERS % ((own,) * 6)}}}\n")
    assert configuration is not None
    made = compile_lvs(configuration)
    director = Director(made)
    director.start()
    (service,) = director.services.values()
    held = {key: dict(destinations) for key, (_, destinations) in director.table.items()}
    chance = random.Random(5)
    for _ in range(120):
        real = chance.choice(made.virtual_servers[0].real_servers)
        weight = chance.choice((None, None, 0, 7))
        report = Report(chance.random() < 0.5, weight=weight)
        name = CheckId(service.plan.name, real.address, real.port, 0)
        for change in director.report(name, report).changes:
            carry_out(held, change)
        wanted = {key: dict(destinations) for key, (_, destinations) in service.pool.desired().items()}
        assert held == wanted
        assert {key: dict(found) for key, (_, found) in director.table.items()} == wanted


def carry_out(held: dict, change: object) -> None:
    match change:
        case AddDestination(key, destination) | SetDestination(key, destination):
            held[key][destination.key] = destination
        case DeleteDestination(key, place):
            del held[key][place]
        case _:
            raise AssertionError(change)


def test_a_report_that_changes_nothing_asks_nothing() -> None:
    director = Director(plan())
    director.start()
    (before,) = director.table.values()
    virtual = director.plan.virtual_servers[0]
    real = virtual.real_servers[0]
    step = director.report(CheckId(virtual.name, real.address, real.port, 0), Report(True, first=True))
    assert step == Step()
    assert next(iter(director.table.values())) is before
