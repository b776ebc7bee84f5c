"""The words of scripts: both quotes, escapes, and who runs them."""

from __future__ import annotations

import pytest
from kadtext import instance, read

from evener.keepalived.scripts import User, raw_words, unescape
from evener.text.diagnostic import Severity


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/a b c", ["/a", "b", "c"]),
        ("/a 'b c'", ["/a", "b c"]),
        (r"/a b\ c", ["/a", "b c"]),
        (r"/a \x41\101\n\cA\q", ["/a", "AA\n\x01q"]),
        (r"""/a '\"s p\"' x""", ["/a", '"s p"', "x"]),
        (r"' spaces\\x20f\x69le '", [r" spaces\x20file "]),
        ("/a ''", ["/a", ""]),
        ("", []),
    ],
)
def test_unescape(text: str, words: list[str]) -> None:
    assert unescape(text) == words


def test_raw_words_keep_their_quotes() -> None:
    assert raw_words("""n "a 'b c'" user""") == ["n", "\"a 'b c'\"", "user"]


def test_a_script_with_user_and_group() -> None:
    configuration, _ = read(instance("""notify "/p 'a b' c" root :adm"""))
    assert configuration is not None
    command = configuration.vrrp_instance[0].notify
    assert command is not None
    assert command.argv == ("/p", "a b", "c")
    assert command.user == User("root", "adm", True)


def test_words_after_a_script_that_takes_no_user() -> None:
    configuration, found = read("vrrp_script c {\nscript /p -x\n}\n")
    assert configuration is not None
    command = configuration.vrrp_script[0].script
    assert command is not None
    assert command.argv == ("/p",)
    assert [(d.code, d.severity) for d in found] == [("words-after-script", Severity.NOTICE)]
