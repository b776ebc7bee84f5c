"""The command line of keepalived: its words, its messages, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evener.cli import keepalived_args
from evener.cli.keepalived import main, placed, run_options, test_code
from evener.cli.keepalived_args import UsageError, parse
from evener.keepalived.plan import DaemonPlan
from evener.keepalived.vrrp.plan import GlobalOptions, VrrpPlan

test_code.__test__ = False  # type: ignore[attr-defined]

NOWHERE = "vrrp_instance A {\ninterface nope0\nvirtual_router_id 9\nvirtual_ipaddress {\n10.1.0.1/24\n}\n}\n"
GOOD = "global_defs {\ndynamic_interfaces\n}\n" + NOWHERE


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "k.conf"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["-nlf", "x"], {"dont-fork": None, "log-console": None, "use-file": "x"}),
        (["-fx"], {"use-file": "x"}),
        (["--use-file=x", "-t"], {"use-file": "x", "config-test": None}),
        (["--use-file", "x", "-tLOG"], {"use-file": "x", "config-test": "LOG"}),
        (["--config-test=L", "extra"], {"config-test": "L"}),
        (["--log-c"], {"log-console": None}),
        (["-t", "LOG", "-n"], {"config-test": None, "dont-fork": None}),
        (["--", "-n"], {}),
    ],
)
def test_words(words: list[str], given: dict[str, str | None]) -> None:
    assert parse(words).given == given


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bogus"], "Unknown option --bogus"),
        (["-f"], "Missing parameter for option -f"),
        (["--use-file"], "Missing parameter for option --use-file"),
        (["-Z"], "Unknown option -Z"),
        (["--log"], "Unknown option --log"),
        (["--dont-fork=1"], "Unknown option --dont-fork=1"),
    ],
)
def test_wrong_words(words: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=message):
        parse(words)
    assert main(words) == 1
    assert capfd.readouterr().err == message + "\n"


def test_no_letter_is_used_twice() -> None:
    shorts = [option.short for option in keepalived_args.OPTIONS if option.short]
    assert len(shorts) == len(set(shorts))


@pytest.mark.parametrize(
    ("name", "number"), [("STOP", "15"), ("RELOAD", "1"), ("DATA", "10"), ("JSON", "36")]
)
def test_signum(name: str, number: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([f"--signum={name}"]) == 0
    assert capfd.readouterr().out == number + "\n"


def test_an_unknown_signal(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--signum=TDATA"]) == 1
    assert capfd.readouterr().err == "Unknown sigfunc TDATA\n"


def test_version_and_help_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-v"]) == 0
    said = capfd.readouterr()
    assert said.out == ""
    assert "evener" in said.err
    assert main(["-h"]) == 0
    assert "--use-file" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (GOOD, 0, ""),
        ("", 0, ""),
        ("include nope\n", 0, "Config files missing 'nope'."),
        ("bogus\n", 5, "Unknown keyword 'bogus'"),
        (NOWHERE, 5, "Non-existent interface"),
        (GOOD.replace(" 9", ""), 2, "*** Configuration line starting `virtual_router_id`"),
        ("includem nope\n", 6, "Config files missing 'nope'."),
        ("vrrp_script s {\nscript /usr/bin/env\n}\n" + GOOD, 6, "SECURITY VIOLATION"),
        ("$A=$A\nx $A\n", 2, "Parameter definitions refer to each other endlessly"),
    ],
)
def test_exit_codes_of_a_test(
    text: str, code: int, said: str, conf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    conf.write_text(text)
    assert main(["-t", "-f", str(conf)]) == code
    printed = capfd.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert bool(printed.err) == bool(said)


def test_a_missing_file_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nope"
    assert main(["-t", "-f", str(path)]) == 6
    assert capfd.readouterr().err == f"Config files missing '{path}'.\n"


def test_a_missing_file_passes_where_the_original_is_imitated(tmp_path: Path) -> None:
    assert main(["-t", "--strict-compat", "-f", str(tmp_path / "none")]) == 0


def test_messages_are_repeated_where_the_original_is_imitated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "k.conf"
    text = (
        "bogus\nglobal_defs {\n nope\n}\nvrrp_instance A {\n virtual_router_id 9\n interface eth0\n wrong\n"
    )
    path.write_text(text, encoding="ascii")
    main(["-t", "--strict-compat", "-f", str(path)])
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if "bogus" in line] == [
        "(Line 1) Unknown keyword 'bogus'",
        *[f"({path}: Line 1) Unknown keyword 'bogus'"] * 3,
    ]
    assert [line for line in lines if "nope" in line] == ["(Line 3) Unknown keyword 'nope'"]
    assert [line for line in lines if "wrong" in line] == [f"({path}: Line 8) Unknown keyword 'wrong'"]
    assert lines.count("There are 1 missing '}'s or extra '{'s") == 4
    assert lines[0].startswith("(Line 1)"), "the parent speaks first"


def test_messages_go_to_the_log_file(conf: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    conf.write_text("bogus\n")
    log = tmp_path / "log"
    assert main([f"-t{log}", "-f", str(conf)]) == 5
    assert capfd.readouterr().err == ""
    assert log.read_text() == f"({conf}: Line 1) Unknown keyword 'bogus'\n"


def test_the_config_id_selects_lines(conf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    conf.write_text("@foo bogus\n")
    assert main(["-t", "-f", str(conf), "-i", "foo"]) == 5
    assert main(["-t", "-f", str(conf), "--config-id=bar"]) == 0
    assert "bogus" in capfd.readouterr().err


def test_the_dump_is_a_configuration(conf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "-f", str(conf)]) == 0
    dumped = capfd.readouterr().out
    conf.write_text(dumped)
    assert main(["-d", "-f", str(conf)]) == 0
    assert capfd.readouterr().out == dumped


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, 6),
        (NOWHERE, 2),
        (GOOD.replace(" 9", ""), 2),
        (GOOD + GOOD.replace(" A", " B"), 2),
    ],
)
def test_what_cannot_be_run(
    text: str | None, code: int, conf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if text is None:
        conf.unlink()
    else:
        conf.write_text(text)
    words = ["-n", "-l", "-G", "-f", str(conf), "-p", str(conf) + ".pid", "-r", str(conf) + ".vrrp"]
    assert main(words) == code
    assert capfd.readouterr().err


@pytest.mark.parametrize("words", [["-S", "local9"], ["-u", "999"], ["-S", "x"]])
def test_values_that_make_no_sense(words: list[str], conf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-n", "-G", "-f", str(conf), *words]) == 1
    assert "Invalid" in capfd.readouterr().err


def test_checking_imports_nothing_of_the_runtime(conf: Path) -> None:
    code = (
        "import sys; from evener.cli.keepalived import main\n"
        f"main(['-t', '-f', {str(conf)!r}])\n"
        "print([m for m in ('scapy', 'pyroute2', 'rich', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=60
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("directory", "instance", "words", "expected"),
    [
        (None, None, [], ("/run/keepalived.pid", "/run/keepalived_vrrp.pid")),
        ("keepalived", None, [], ("/run/keepalived/keepalived.pid", "/run/keepalived/vrrp.pid")),
        ("keepalived", "x", [], ("/run/keepalived/keepalived_x.pid", "/run/keepalived/vrrp_x.pid")),
        ("keepalived/ns", None, ["-p/p"], ("/p", "/run/keepalived/ns/vrrp.pid")),
    ],
)
def test_where_pid_files_are(
    directory: str | None, instance: str | None, words: list[str], expected: tuple[str, str]
) -> None:
    plan = DaemonPlan(VrrpPlan(options=GlobalOptions(pid_directory=directory, instance=instance)))
    options = parse(words)
    made = placed(options, run_options(options), plan)
    assert (str(made.pid_file), str(made.pid_files["vrrp"])) == expected


def test_a_namespace_that_does_not_exist(conf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    conf.write_text("net_namespace no-such-namespace\n" + GOOD)
    assert main(["-t", "-f", str(conf)]) == 5
    assert capfd.readouterr().err == "Failed to open /run/netns/no-such-namespace\n"
    assert main(["-t", "-s", "../x", "-f", str(conf)]) == 5
    assert "is no name of a network namespace" in capfd.readouterr().err


def test_names_of_iproute_are_looked_up_where_the_configuration_says(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for directory, name in (("usr", "green"), ("etc", "blue")):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "rt_tables").write_text(f"77 {name}\n", encoding="ascii")
    path = tmp_path / "k.conf"
    settings = f"global_defs {{\n iproute_usr_dir {tmp_path}/usr\n iproute_etc_dir {tmp_path}/etc\n}}\n"
    lines = [f" from 10.0.0.0/8 table {name} preference 1\n" for name in ("green", "blue")]
    rules = f"static_rules {{\n{''.join(lines)}}}\n"
    path.write_text(settings + rules, encoding="ascii")
    assert main(["-t", "-f", str(path)]) == 0
    path.write_text(rules, encoding="ascii")
    assert main(["-t", "-f", str(path)]) == 5
    assert "green" in capfd.readouterr().err


def test_an_interface_that_is_missing_does_not_stop_checks(conf: Path) -> None:
    """-C: the original does not even read about VRRP then."""
    from evener.cli.keepalived import runnable

    conf.write_text(NOWHERE)
    ran = {words: runnable(parse([*words, "-f", str(conf)]), lambda line: None)[0] for words in ((), ("-C",))}
    assert ran[()] is None
    assert ran[("-C",)] is not None
