"""Every command route and every RPC, tried as everyone it does not concern, on objects that exist: nothing moves, nothing shows.

The platform is the embedded one after a small story. Bodies are made from the OpenAPI document, so a new route is in the
matrix the moment it exists.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
import schemathesis
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, Phase, given, settings

from cli.commands.demo import address_of
from cli.layout import SERVICES
from cli.platform import Embedded
from cli.story.market import Address, Who, named
from cli.story.plan import DEALS
from kernel.core.ids import derived_id
from tests.kit.both_edges import described
from tests.kit.keeping import kept
from tests.kit.story import embedded_stores
from tools.speed import patience

STRANGERS = {
    "another brand": Who("mallory", named("nobody", "brand"), "brand"),
    "another creator": Who("mallory", named("nobody", "creator"), "creator"),
    "an agency without mandate": Who("mallory", named("nobody", "agency"), "agency"),
    "an auditor": Who("anna", "platform", "auditor"),
}
OWN_AND_NEW = {"PUT /deposits/{deposit_id}", "PUT /links/{link_id}", "PUT /coupons/{coupon_id}"}
"""Creations that anybody of the right role may make for themselves: on a taken id they are refused, checked below."""
MAY_ASK = {
    "POST /checks", "POST /creators/search", "POST /creators/facets", "POST /creators/batch", "POST /campaigns/batch",
    "POST /campaigns/{campaign_id}/apply", "POST /exports",
}  # fmt: skip
"""Reads nothing that belongs to anybody; finds creators, who show themselves to all; leaves out what the caller may not see;
applies to a campaign that recruits in the open (creators only)."""
STREAMS = {
    "campaigns": "application", "compliance": "review", "discovery": "creator", "ledger": "deposit", "metrics": "order",
}  # fmt: skip
"""A category of each service whose streams have parties."""
QUIET = {401, 403, 404, 409, 422}


@dataclass(frozen=True)
class Stage:
    """The platform after its story, and ids that exist there by path parameter."""

    platform: Embedded
    address: Address
    ids: Mapping[str, str]

    def ids_in(self, service: str) -> Mapping[str, str]:
        """The ids, and a published stream of this service."""
        category = STREAMS[service]
        query = f"SELECT stream FROM log_events WHERE stream LIKE '{category}-%' ORDER BY position LIMIT 1"
        return {**self.ids, "stream": str(self.one(service, query))}

    def heads(self) -> dict[str, int]:
        """The log position of every service: what any accepted command would move."""
        return {name: self.one(name, "SELECT head FROM log") for name in SERVICES}

    def appended(self, since: Mapping[str, int]) -> list[tuple[str, str, int, str, dict[str, Any]]]:
        """(service, stream, version, tenant, meta) of every event after the given heads."""
        query = "SELECT stream, version, tenant, meta FROM log_events WHERE position > {}"
        return [
            (name, stream, version, tenant, json.loads(meta))
            for name, head in since.items()
            for stream, version, tenant, meta in self.rows(name, query.format(head))
        ]

    def rows(self, service: str, query: str) -> list[Any]:
        path = self.platform.layout.stores.databases[service].partition("///")[2]
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return connection.execute(query).fetchall()

    def one(self, service: str, query: str) -> Any:
        found = self.rows(service, query)
        assert found, f"the story left nothing for: {query}"
        return found[0][0]


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    told = await embedded_stores(tmp_path_factory.mktemp("platform"))
    with Embedded.start(told.folder) as platform:
        await platform.wait()
        address = address_of(platform.layout)
        bare = Stage(platform, address, {})
        ids = _ids(bare)
        yield Stage(platform, address, {**ids, **await kept(address, DEALS[0].brand, ids["creator_id"])})


COUNTED = "number IN (SELECT content FROM cells)"
"""Of a content: somebody has counted something of it."""


def _ids(stage: Stage) -> dict[str, str]:
    def of(service: str, category: str) -> str:
        query = f"SELECT stream FROM log_events WHERE stream LIKE '{category}-%' ORDER BY position DESC LIMIT 1"
        return str(stage.one(service, query)).partition("-")[2]

    return {
        "campaign_id": DEALS[0].id,
        "application_id": of("campaigns", "application"),
        "collaboration_id": of("campaigns", "collaboration"),
        "creator_id": of("discovery", "creator"),
        "review_id": of("compliance", "review"),
        "order_id": of("metrics", "order"),
        "link_id": of("metrics", "link"),
        "coupon_id": of("metrics", "coupon"),
        "deliverable_id": str(stage.one("campaigns", "SELECT deliverable_id FROM deliverables LIMIT 1")),
        "content_id": str(stage.one("metrics", f"SELECT content_id FROM contents WHERE {COUNTED} LIMIT 1")),
    }


async def operations(address: Address) -> list[tuple[str, str, str, Any]]:
    """(service, method, path, schema of the service) of every command route; reading a schema costs a second."""
    found = []
    async with httpx.AsyncClient(timeout=patience(30)) as client:
        for service in SERVICES:
            document = (await client.get(f"{address.http[service]}/openapi.json")).json()
            schema = schemathesis.openapi.from_dict(document)
            for path, item in document["paths"].items():
                found += [(service, verb.upper(), path, schema) for verb in ("put", "post", "delete") if verb in item]
    assert len(found) > 40
    return found


def body_for(schema: Any, method: str, path: str) -> Any:
    """The simplest valid body, or None."""
    asked = schema.raw_schema["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    if not asked.get("application/json", {}).get("schema"):
        return None
    operation = schema[path][method]
    found: list[Any] = []
    quick = settings(
        max_examples=1, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), deadline=None,
    )  # fmt: skip

    @quick
    @given(operation.as_strategy())
    def draw(case: Any) -> None:
        found.append(case.body)

    draw()
    return found[0]


def filled(path: str, ids: Mapping[str, str]) -> str:
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", ids.get(name, named("nothing", name)))
    return path


async def test_no_command_of_a_stranger_moves_anything(stage: Stage) -> None:
    """Anonymous, forged and wrong parties: 401, 403, 404, or refused as it stands; the logs stand still."""
    before, wrong = stage.heads(), []
    async with httpx.AsyncClient(timeout=patience(30)) as client:
        for service, method, path, schema in await operations(stage.address):
            body = await asyncio.to_thread(body_for, schema, method, path)
            for name, who in {"anonymous": None, "forged": None, **STRANGERS}.items():
                token = {"anonymous": "", "forged": "Bearer x.y.z"}.get(name) or (
                    f"Bearer {stage.address.issue(who)}" if who else ""
                )
                headers = {
                    "Idempotency-Key": f"strange-{derived_id(name, path)}",
                    **({"Authorization": token} if token else {}),
                }
                url = stage.address.http[service] + filled(path, stage.ids_in(service))
                answer = await client.request(method, url, headers=headers, json=body)
                route = f"{method} {path}"
                if answer.status_code in QUIET or route in OWN_AND_NEW | MAY_ASK:
                    continue
                wrong.append(f"{route} as {name}: {answer.status_code} {answer.text[:120]}")
    assert not wrong, "\n".join(wrong)
    assert intrusions(stage, before) == []


def intrusions(stage: Stage, before: Mapping[str, int]) -> list[str]:
    """What strangers set in motion, at once or through a process, beyond new streams of their own.

    Anybody may begin something for themselves (OWN_AND_NEW) and apply to a campaign that recruits in the open; then the
    stream is new and theirs, or the application's. Nothing that stood there before has moved.
    """
    appended = stage.appended(before)
    strangers = {who.name for who in STRANGERS.values()}
    theirs = {meta["correlation"] for *_, meta in appended if meta["actor"] in strangers}
    assert theirs, "the strangers' own beginnings must be among what is looked at"
    own = {who.tenant for who in STRANGERS.values()}
    new = {(service, stream) for service, stream, version, *_ in appended if version == 1}
    return [
        f"{service}: {stream}@{version} of {tenant} by {meta['actor']}"
        for service, stream, version, tenant, meta in appended
        if meta["correlation"] in theirs
        and ((service, stream) not in new or not (tenant in own or stream.startswith("application-")))
    ]


async def test_a_taken_id_cannot_be_taken_over(stage: Stage) -> None:
    mallory = STRANGERS["another brand"]
    link = {"campaign_id": stage.ids["campaign_id"], "target_url": "https://evil.test"}
    async with httpx.AsyncClient(timeout=patience(30)) as client:
        headers = {"Authorization": f"Bearer {stage.address.issue(mallory)}", "Idempotency-Key": "take-it-over"}
        url = f"{stage.address.http['metrics']}/links/{stage.ids['link_id']}"
        assert (await client.put(url, json=link, headers=headers)).status_code in QUIET


def methods() -> Iterator[tuple[str, Any]]:
    """(service, method descriptor) of every unary RPC of the query services."""
    for service in SERVICES:
        for one in described(service):
            yield from ((service, method) for method in one.methods if not method.server_streaming)


def request_of(method: Any, ids: Mapping[str, str], tenants: Mapping[str, str]) -> Any:
    """The request with every id field set to something that exists and belongs to others."""
    from google.protobuf.message_factory import GetMessageClass

    request = GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        value = {**ids, **tenants}.get(field.name.removesuffix("s") if field.is_repeated else field.name)
        if value and field.type == FieldDescriptor.TYPE_STRING:
            getattr(request, field.name).append(value) if field.is_repeated else setattr(request, field.name, value)
    return request


async def call(channel: grpc.aio.Channel, method: Any, request: Any, token: str) -> tuple[str, Any]:
    from google.protobuf.message_factory import GetMessageClass

    answer_type = GetMessageClass(method.output_type)
    unary = channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=answer_type.FromString,
    )
    try:
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return "OK", await unary(request, metadata=metadata, timeout=patience(20))
    except grpc.aio.AioRpcError as error:
        return error.code().name, None


PUBLIC_RPC = {"SearchCreators", "CountCreators", "GetCreator", "BatchGetCreators", "SimilarCreators", "GetContact"}
PUBLIC_RPC |= {"GetAuthenticity", "GetCreatorFigures", "GetMediaKit"}
"""Creators show themselves to everybody who has an account; of a contact a stranger sees whether it is verified and shown."""


OPEN_RPC = {"GetCampaign", "BatchGetCampaigns", "ListCampaigns", "ListBriefVersions"}
"""A campaign that recruits in the open is shown to creators and agencies, without its budget, and so is what its brief was."""

TOLD_TO_ALL = {
    "ListSearchFields",
    "ListFeePolicies",
    "ListReferenceRates",
    "ListRulePacks",
    "ListRules",
    "ListRuleChanges",
}
"""The platform's fees, the rates of the tax office, and the rules: everybody who has an account may know them."""


@pytest.mark.parametrize("name", ["anonymous", "another brand", "another creator", "an agency without mandate"])
async def test_no_query_shows_a_stranger_anything(stage: Stage, name: str) -> None:
    brand = DEALS[0].brand.tenant
    secrets = {value for key, value in stage.ids.items() if key != "creator_id"} | {brand}
    who, wrong = STRANGERS.get(name), []
    token = stage.address.issue(who) if who else ""
    for service, method in methods():
        if name != "anonymous" and method.name in PUBLIC_RPC:
            continue
        async with grpc.aio.insecure_channel(stage.address.rpc[service]) as channel:
            request = request_of(
                method,
                {**stage.ids_in(service), "payee_id": stage.ids["creator_id"]},
                {"brand_id": brand, "tenant": brand, "owner": brand, "owner_id": brand},
            )
            asked = json.dumps(MessageToDict(request))
            code, answer = await call(channel, method, request, token)
        if name == "anonymous" and code != "UNAUTHENTICATED":
            wrong.append(f"{method.name}: {code}")
        said = MessageToDict(answer) if answer is not None else {}
        said.pop("page", None)
        shown = json.dumps(said)
        leaks = {secret for secret in secrets if secret in shown and secret not in asked}
        recruited = method.name in OPEN_RPC and "brand" not in name and "reservedMinor" not in shown
        many = len(shown) > 40 and method.name not in TOLD_TO_ALL
        if (leaks or many) and not (recruited and '"budgetMinor"' not in shown):
            wrong.append(f"{method.name} as {name} shows {shown[:300]}")
    assert not wrong, "\n".join(wrong)
