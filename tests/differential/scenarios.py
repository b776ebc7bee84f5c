"""All scenarios."""

from typing import Final

import answers
import cuts
import found
import hostile
import later
import messages
import more
import policy
import told
from pair import Scenario

ALL: Final[list[Scenario]] = [
    *messages.ALL,
    *answers.ALL,
    *policy.ALL,
    *hostile.ALL,
    *more.ALL,
    *later.ALL,
    *cuts.ALL,
    *found.FOUND_SCENARIOS,
    *told.TOLD_SCENARIOS,
]
