"""Whatever stands on a line is answered with diagnostics: every keyword with odd arguments."""

import random
from pathlib import Path

import pytest
from config_text import DEFAULTS, read
from test_examples import FAMILIES

from evener.text.diagnostic import FatalConfiguration
from evener.vocab.blocks import Keyword

ODD = (
    "x", "0", "-1", "+", "1_0", "\u0663", "99999999999999999999", "'{'", "}", "(", ")", "a(b", "%[", "%[x]",
    "%{+Q}",
    "if", "unless", "!", "or", "fd@99999999999999999999", "@", ":", "[", "[::1", "/", "unix@", "1-", "-1-2",
    "1:2:3",
    "'\\x00'", "len", "table", "status", "from", "name", "none", "\xe9", "5sx", "1,2,,3", "check", "addr",
    "size",
)  # fmt: skip


def lines(word: Keyword, chance: random.Random) -> list[str]:
    made = [word.name]
    for _ in range(6):
        made.append(" ".join([word.name, *chance.choices(ODD, k=chance.randint(1, 4))]))
    for example in word.ok:
        words = example.split()
        words[chance.randrange(min(1, len(words) - 1), len(words))] = chance.choice(ODD)
        made.append(" ".join(words))
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_odd_arguments(family: str, tmp_path: Path) -> None:
    chance = random.Random(family)
    odd = [line for word in FAMILIES[family].registry for line in lines(word, chance)]
    for start in range(0, len(odd), 40):
        some = odd[start : start + 40]
        if family == "proxy":
            text = "".join(f"listen l{n}\n  bind :80\n  {line}\n" for n, line in enumerate(some))
        elif family == "global":
            text = "global\n" + "".join(f"  {line}\n" for line in some)
        elif family == "bind":
            text = "listen l\n" + "".join(f"  bind :80 {line}\n" for line in some)
        else:
            text = "listen l\n" + "".join(f"  server s{n} 127.0.0.1 {line}\n" for n, line in enumerate(some))
        try:
            read(f"defaults{DEFAULTS}{text}", tmp_path)
        except FatalConfiguration as fatal:
            assert str(fatal)  # collected, and there was no way to go on
