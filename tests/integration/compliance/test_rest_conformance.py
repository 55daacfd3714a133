"""Compliance's HTTP API keeps what its OpenAPI document says, for good and for bad input; the log is a stand-in here."""

import atexit
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, settings

from kernel.core.decider import Meta
from kernel.core.events import Receipt
from kernel.core.faults import Refused
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.limits import Rate
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App
from kernel.runtime.health import Health
from services.compliance.rest import make_api

FOLDER = Path(tempfile.mkdtemp(prefix="dandelion-compliance-"))
atexit.register(shutil.rmtree, FOLDER)
ISSUER = Issuer.at(FOLDER, "https://issuer.test", "dandelion")


class Unwritten:
    """A writer over no log: nothing was ever opened."""

    async def execute(self, stream: str, command: object, meta: Meta) -> Receipt:
        raise Refused("review.not_opened", status="new")


STAND_IN = SimpleNamespace(
    admission=Admission(
        Verifier(str(FOLDER / "jwks.json"), "https://issuer.test", "dandelion"),
        AdmissionLimits(Rate(10_000, 10_000), Rate(10_000, 10_000), Rate(10_000, 10_000)),
    ),
    fingerprint_key=b"k" * 32,
    health=Health(),
    settings=SimpleNamespace(live_requests=100),
    writer=Unwritten(),
)
API = make_api(cast(App, STAND_IN))
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", API)


@SCHEMA.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_conformance(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {ISSUER.issue('rita', 'platform', 'reviewer')}"})
