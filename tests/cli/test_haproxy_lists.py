"""Maps, ACLs and process variables of a running process with two workers: whoever changes them, all know."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_haproxy_run import Place as Machine
from test_haproxy_run import eventually

RULES = """
    http-request set-map(virt@m) %[url_param(k)] %[url_param(v)] if { path /set }
    http-request del-map(virt@m) %[url_param(k)] if { path /del }
    http-request add-acl(virt@a) %[url_param(k)] if { path /ban }
    http-request del-acl(virt@a) %[url_param(k)] if { path /pardon }
    http-request set-var(proc.n) var(proc.n),add(1) if { path /count }
    http-request deny if { url_param(k) -m str -f virt@a }
    http-request deny if { url_param(z) -m str -i -f virt@a }
    http-request deny deny_status 429 if { path /word }
    http-request return status 200 content-type text/plain lf-string "<%[url_param(k),map(virt@m,none)] %[var(proc.n)]>" if { path -m beg / }
"""  # noqa: E501


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    made.write("set-var proc.n int(7)")
    text = (tmp_path / "cfg").read_text()
    (tmp_path / "cfg").write_text(text.replace("    http-request return", f"{RULES}    http-request return"))
    made.serving()
    yield made
    made.end()


def everywhere(machine: Machine, path: str, expected: bytes) -> bool:
    """Enough requests, each on a connection of its own, to meet both workers."""
    return all(expected in machine.get(path) for _ in range(12))


def test_what_a_rule_changes_is_seen_by_all(machine: Machine) -> None:
    assert everywhere(machine, "/?k=a", b"<none 7>")
    machine.get("/set?k=a&v=1")
    eventually(lambda: everywhere(machine, "/?k=a", b"<1 7>"), "both workers know the new key")
    assert machine.ask("show map virt@m").endswith(" a 1\n\n")
    machine.get("/del?k=a")
    eventually(lambda: everywhere(machine, "/?k=a", b"<none 7>"), "both workers forgot it")
    machine.get("/ban?k=a")
    eventually(lambda: everywhere(machine, "/?k=a", b" 403 "), "both workers deny")
    machine.get("/pardon?k=a")
    eventually(lambda: everywhere(machine, "/?k=a", b" 200 "), "both workers let pass")
    for _ in range(5):
        machine.get("/count?k=a")
    eventually(lambda: everywhere(machine, "/?k=a", b"<none 12>"), "both workers count")
    assert machine.ask("get var proc.n") == "proc.n: type=sint value=<12>\n\n"


def test_what_the_runtime_api_changes_is_seen_by_all(machine: Machine) -> None:
    machine.ask("add map virt@m <<\n" + "\n".join(f"key{n} value {n}" for n in range(3000)) + "\n")
    eventually(lambda: everywhere(machine, "/?k=key2999", b"<value 2999 7>"), "both workers have all keys")
    machine.ask("prepare map virt@m")
    machine.ask("add map @1 virt@m a b")
    assert everywhere(machine, "/?k=key5", b"<value 5 7>")
    machine.ask("commit map @1 virt@m")
    eventually(lambda: everywhere(machine, "/?k=key5", b"<none 7>"), "the new version counts")
    assert everywhere(machine, "/?k=a", b"<b 7>")
    machine.ask("experimental-mode on;set var proc.n str(x)")
    eventually(lambda: everywhere(machine, "/?k=a", b"<b x>"), "both workers have the variable")


def test_the_words_of_a_rule_itself_change_too(machine: Machine) -> None:
    shown = [one for one in machine.ask("show acl").splitlines() if "acl 'path'" in one]
    number = next(
        one.split()[0] for one in shown if machine.ask(f"show acl #{one.split()[0]}").endswith(" /word\n\n")
    )
    assert b" 200 " in machine.get("/other?k=a")
    assert machine.ask(f"add acl #{number} /other") == "\n"
    eventually(lambda: everywhere(machine, "/other?k=a", b" 429 "), "the rule knows the new word")
    assert everywhere(machine, "/word?k=a", b" 429 ")
    machine.ask(f"del acl #{number} /word")
    eventually(lambda: everywhere(machine, "/word?k=a", b" 200 "), "the rule forgot the old one")


def test_every_way_to_look_at_a_list_counts_its_entries(machine: Machine) -> None:
    machine.ask("add acl virt@a x")
    shown = machine.ask("show acl").splitlines()
    (line,) = (one for one in shown if "(virt@a)" in one)
    assert line.endswith(" entry_cnt=2")  # with and without -i
    numbers = [one.split()[0] for one in shown if "acl 'url_param'" in one]
    cases = [machine.ask(f"get acl #{number} y").split(",")[1] for number in numbers]
    assert cases == [" case=sensitive", " case=insensitive"]
