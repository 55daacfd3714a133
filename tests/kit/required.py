"""What a run of pytest must have: DANDELION_REQUIRE names it (kafka, postgres, deploy, browser, docker, disk,
faketime), with commas between.

What is missing and named there fails its tests; what is missing and not named skips them, with the reason.
"""

import os
from typing import NoReturn

import pytest

REQUIRE = "DANDELION_REQUIRE"


def is_required(name: str) -> bool:
    return name in os.environ.get(REQUIRE, "").replace(" ", "").split(",")


def without(name: str, reason: object) -> NoReturn:
    """Fails or skips the test that needs what cannot be had."""
    if is_required(name):
        pytest.fail(f"{REQUIRE} names {name}, but: {reason}", pytrace=False)
    pytest.skip(f"no {name}: {reason}")
