"""The pages of keepalived.conf: every keyword of every block, named with the blocks that lead to it."""

from __future__ import annotations

from evener.desk.pages import Page, keyword_page
from evener.keepalived.declare import declarations
from evener.keepalived.ir import Configuration

PRODUCT = "keepalived"
TOP = "outermost level"


def keepalived_pages() -> list[Page]:
    """One page per keyword and block. The family is the block; blocks come in the order of the vocabulary."""
    pages: dict[tuple[str, str], Page] = {}
    for path, word in declarations(Configuration):
        block = " ".join(path) or TOP
        pages[block, word.name] = keyword_page(PRODUCT, block, word, (block,))
    return list(pages.values())
