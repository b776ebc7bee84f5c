"""The words of every section that is a block, by the section: for those who list or explain words."""

from __future__ import annotations

from typing import Final

from evener.haproxy.sections.forms import MODULES, form_of

LISTED: Final = {section: form_of(section).words.registry for section in MODULES}
