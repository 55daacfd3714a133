"""How many random histories a state machine runs: a fixed budget, so many times as long as DANDELION_HISTORIES says.

A mutant of the rules is noticed within the usual budget; `make test HISTORIES=20` looks further where a rule is new.
"""

import os

VARIABLE = "DANDELION_HISTORIES"


def histories(usually: int) -> int:
    return usually * int(os.environ.get(VARIABLE) or 1)
