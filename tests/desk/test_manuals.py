"""Manual pages: as the vocabulary says, complete, and clean for groff."""

import shutil
import subprocess
from pathlib import Path

import pytest

from evener.cli.manuals import PAGES, write_manuals
from evener.desk import roff
from evener.desk.explain import all_pages

MAN = Path(__file__).parents[2] / "man"


@pytest.mark.parametrize("name", PAGES)
def test_not_stale(name: str) -> None:
    made = PAGES[name]()
    again = "the manual pages are stale: run 'evener man man' at the top of the project"
    assert (MAN / name).read_text(encoding="ascii") == made, again


def test_every_word_has_its_entry() -> None:
    for product, name in (("haproxy", "evener-haproxy.cfg.5"), ("keepalived", "evener-keepalived.conf.5")):
        lines = set((MAN / name).read_text(encoding="ascii").splitlines())
        for page in all_pages(product):
            assert roff.bold(page.signature) in lines, page.name


def test_every_option_has_its_entry() -> None:
    from evener.cli.keepalived_args import OPTIONS

    text = (MAN / "keepalived.8").read_text(encoding="ascii")
    for option in OPTIONS:
        assert roff.escape(f"--{option.long}") in text
    text = (MAN / "evener.1").read_text(encoding="ascii")
    for command in ("check", "compile", "run", "explain", "man"):
        assert f".SS {command}\n" in text


@pytest.mark.parametrize("name", PAGES)
def test_groff_has_no_complaint(name: str) -> None:
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-z", str(MAN / name)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_is_a_request_by_accident() -> None:
    hostile = ".so /etc/passwd"
    for text in (hostile, "'br", "a\n.br", "\\n(.g", "caf\xe9 ~^`'\""):
        lines = [line for made in (roff.escape(text), *roff.prose(text)) for line in made.split("\n")]
        assert not any(line.startswith((".", "'")) for line in lines)
        assert all(line.isascii() for line in lines)
    assert roff.escape("\\") == "\\e"


def test_check_names_what_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_manuals(tmp_path, check=True) == 1
    assert write_manuals(tmp_path, check=False) == 0
    assert write_manuals(tmp_path, check=True) == 0
    (tmp_path / "haproxy.1").write_text("old", encoding="ascii")
    capsys.readouterr()
    assert write_manuals(tmp_path, check=True) == 1
    assert capsys.readouterr().err == f"{tmp_path}/haproxy.1 is stale\n"
