"""Who signs a test's tokens, and who checks them: one issuer and one audience for all tests of the edge."""

from pathlib import Path
from typing import Any

from kernel.core.clock import Clock, system_clock
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer

ISSUER, AUDIENCE = "https://issuer.test", "dandelion"


def issuer_at(folder: Path, clock: Clock = system_clock) -> Issuer:
    """The issuer whose key and key set stand in the folder."""
    return Issuer.at(folder, ISSUER, AUDIENCE, clock)


def verifier_at(folder: Path, clock: Clock = system_clock, **options: Any) -> Verifier:
    """A verifier that trusts the issuer of the folder; `options` are those of Verifier."""
    return Verifier(str(folder / "jwks.json"), ISSUER, AUDIENCE, clock=clock, **options)
