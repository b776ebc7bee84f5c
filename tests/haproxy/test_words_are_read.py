"""A word that is neither planned nor without effect is read by whoever executes: nothing is silently ignored.

Derived from the source: the name of the field in which a word is kept must be spoken of somewhere outside the
vocabulary and the checks of configurations. A name that other things bear as well is not found out this way.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import evener
from evener.haproxy.sections.bind import OPTIONS as BIND
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL
from evener.haproxy.sections.log_sections import BLOCKS
from evener.haproxy.sections.proxy import VOCABULARY as PROXY
from evener.haproxy.sections.server import OPTIONS as SERVER
from evener.vocab.blocks import Slot, vocabulary

ROOT = Path(evener.__file__).parent
#: Folders that say which words there are, and the other product.
SPEAKING = ("haproxy/sections/", "keepalived/", "vocab/", "desk/")
#: Words that are executed where this test does not look, and where that is.
ELSEWHERE = {
    "default-path": "the reader",
    "option accept-invalid-http-request": "read as option accept-unsafe-violations-in-http-request",
    "option accept-invalid-http-response": "read as option accept-unsafe-violations-in-http-response",
    "compression algo-res": "Compression.responses",
    "compression type-req": "Compression.request_types",
    "compression type-res": "Compression.response_types",
}


def executing() -> Iterator[Path]:
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(SPEAKING) and "crosscheck" not in name:
            yield path


def spoken() -> set[str]:
    """Attributes that are asked for, and words that may name one (``getattr``)."""
    names: set[str] = set()
    for path in executing():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
    return names


def acted_on() -> Iterator[Slot]:
    blocks = (*BLOCKS.values(),)
    for words in (PROXY, GLOBAL, BIND, SERVER, *(vocabulary(block) for block in blocks)):
        for slot in words:
            word = slot.keyword
            if slot.path and word.effect and not word.planned and not word.facts.get("refused"):
                yield slot


def test_every_word_that_is_executed_is_read() -> None:
    names = spoken()
    unread = {slot.keyword.name for slot in acted_on() if slot.path[-1] not in names}
    assert unread == set(ELSEWHERE)
