"""Metrics' HTTP API keeps what its OpenAPI document says, for good and for bad input; log and topic are stand-ins here."""

import atexit
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from kernel.core.clock import system_clock
from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.faults import NotFound
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.limits import Rate
from kernel.edge.page_tokens import PageTokens
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App
from kernel.processors.keyset import Page
from kernel.runtime.health import Health
from kernel.runtime.wakeup import Wakeup
from services.metrics.domain.attribution import Placement
from services.metrics.domain.link.link import LinkCode
from services.metrics.reads.registry import Known, Registry
from services.metrics.rest import make_api
from services.metrics.tables import PLACEMENT
from tests.unit.metrics.given import PLACE, RED

FOLDER = Path(tempfile.mkdtemp(prefix="dandelion-metrics-"))
atexit.register(shutil.rmtree, FOLDER)
ISSUER = Issuer.at(FOLDER, "https://issuer.test", "dandelion")


class Written:
    """A writer over no log: everything was appended."""

    async def execute(self, stream: str, command: object, meta: Meta) -> Receipt:
        return Receipt(stream, 1, 1, "metrics:1:0")


class Sent:
    """A bus that acknowledges everything."""

    async def producer(self) -> "Sent":
        return self

    async def send(self, batches: object, deadline_s: float) -> None: ...


class OneDeal:
    """A registry in which every other deliverable is the caller's."""

    async def placement(self, content_id: str, brand_id: str) -> Placement:
        if content_id > "8":
            raise NotFound("deliverable.not_found")
        return PLACE

    reported = Registry.reported

    async def observed(self, content_ids: Iterable[str], actor: Actor) -> dict[str, Known]:
        return {}

    async def link(self, code: str) -> LinkCode:
        if code > "a":
            raise NotFound("link.unknown_code")
        ids = (PLACE.campaign_id, PLACE.collaboration_id, PLACE.deliverable_id, PLACE.creator_id)
        return LinkCode(code, RED, RED, *ids, "https://shop.example/")


class OneOrder:
    """A read model with one order; every other id is nobody's."""

    async def order(self, order_id: str, actor: Actor) -> dict[str, Any]:
        if order_id > "8":
            raise NotFound("order.not_found")
        texts = ("brand_id", "order_number", "currency", "source", "source_id", "touch_id", *PLACEMENT, "model")
        numbers = ("amount_minor", "refunded_minor", "items", "window_s", "passed_over", "version")
        row: dict[str, Any] = {**dict.fromkeys(texts, ""), **dict.fromkeys(numbers, 1), "order_id": order_id}
        times = dict.fromkeys(("ordered_at", "recorded_at"), system_clock())
        return {**row, **times, "status": "standing", "evidence": "[]", "new_customer": True}

    async def page(self, *asked: object) -> Page:
        return Page([])


async def reached(token: str, projection: str) -> None: ...


async def now() -> Any:
    return system_clock()


RECORDED = SimpleNamespace(
    name="order.recorded@1", data=(Path(__file__).parents[2] / "unit/metrics/golden/order.recorded@1.json").read_bytes()
)


async def recorded_once(streams: object, until: int) -> list[SimpleNamespace]:
    """Every stream of the log has the same order."""
    return [RECORDED]


STAND_IN = SimpleNamespace(
    admission=Admission(
        Verifier(str(FOLDER / "jwks.json"), "https://issuer.test", "dandelion"),
        AdmissionLimits(Rate(10_000, 10_000), Rate(10_000, 10_000), Rate(10_000, 10_000)),
    ),
    fingerprint_key=b"k" * 32,
    page_tokens=PageTokens({"1": b"k" * 32}),
    health=Health(),
    settings=SimpleNamespace(
        attribution_window_s=3600,
        order_limit_major=10_000_000,
        counter_limit=10**10,
        click_window_s=60,
        clicks_per_s=10_000,
        clicks_burst=10_000,
        clicks_per_address=10_000,
        clicks_per_address_in_all=10_000,
        live_requests=100,
        links_per_tenant=10_000,
        requests_per_link=10_000,
        requests_per_tenant=10_000,
        sites_per_tenant=10_000,
        coupons_per_tenant=10_000,
    ),
    writer=Written(),
    bus=Sent(),
    database=None,
    progress=Wakeup(),
    log=SimpleNamespace(now=now, load=recorded_once),
    at_least=reached,
)


class NoSites:
    async def page(self, *asked: object) -> Page:
        return Page([])


with (
    patch("services.metrics.rest.Registry", lambda *_: OneDeal()),
    patch("services.metrics.rpc.orders.OrderReads", lambda *_: OneOrder()),
    patch("services.metrics.rpc.sites.SiteReads", lambda *_: NoSites()),
):
    API = make_api(cast(App, STAND_IN))
FREE = (
    "/contents/{content_id}/payable/{metric}/release", "/engagement", "/links/{link_id}", "/orders", "/sites",
    "/sites/{host}", "/sites/{host}/look",
)  # fmt: skip
"""Their rules say more than a JSON schema can: times not in the future, CSV with a header, plain https hosts, signed tokens."""
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", API)


@SCHEMA.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_conformance(case: schemathesis.Case[Any]) -> None:
    token = ISSUER.issue("bella", RED, "brand")
    free = case.operation.path in FREE
    case.call_and_validate(
        headers={"Authorization": f"Bearer {token}"},
        allow_redirects=False,
        excluded_checks=[positive_data_acceptance] if free else [],
    )
