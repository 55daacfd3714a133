"""Every command route and every RPC, asked by strangers about what exists and about what does not: the answers are the same.

Bodies and ids are those of test_strangers.py; in the second question every id is one that is nowhere.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict

from cli.story.plan import DEALS
from kernel.core.ids import derived_id, split_stream
from tests.e2e.test_strangers import (
    OPEN_RPC,
    PUBLIC_RPC,
    STRANGERS,
    TOLD_TO_ALL,
    Stage,
    body_for,
    filled,
    methods,
    operations,
    request_of,
    stage,
)
from tools.speed import patience

__all__ = ["stage"]
KEPT = {"POST /orders/{order_id}/refunds", "POST /orders/{order_id}/amendments"}
"""Kept for an order that is still to come: like a PUT they begin what is not there yet."""
OPEN = {"POST /campaigns/{campaign_id}/apply"}
"""Of a campaign that recruits in the open everybody may know."""


def nowhere(ids: Mapping[str, str]) -> dict[str, str]:
    """Streams are nowhere under their own category."""
    return {name: _nowhere(name, value) for name, value in ids.items()}


def _nowhere(name: str, value: str) -> str:
    other = derived_id("nowhere", name, value)
    return f"{split_stream(value)[0]}-{other}" if name == "stream" else other


def bare(value: Any, ids: Mapping[str, str]) -> Any:
    """What was said, without the ids that were asked for; a stream's id has another one in it."""
    text = json.dumps(value, sort_keys=True)
    for one in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(one, "<id>")
    return text


def with_ids(body: Any, ids: Mapping[str, str], mine: str) -> Any:
    """The body about these ids, with names of the stranger's own that it has not used before."""
    if not isinstance(body, dict):
        return body
    named = {**ids, "order_number": mine, "code": mine[:13]}
    return {name: named.get(name, value) if isinstance(value, str) else value for name, value in body.items()}


@dataclass(frozen=True)
class Asked:
    """One route, asked as one stranger about ids that are there and about ids that are not."""

    stage: Stage
    service: str
    method: str
    path: str
    body: Any
    name: str

    async def offence(self, client: httpx.AsyncClient) -> str:
        """How the two answers differ; empty when they do not."""
        there, none = await asyncio.gather(
            self.said(client, self.stage.ids), self.said(client, nowhere(self.stage.ids))
        )
        return "" if there == none else f"{self.method} {self.path} as {self.name}: {there} but {none}"

    async def said(self, client: httpx.AsyncClient, ids: Mapping[str, str]) -> tuple[int, str]:
        """A PUT begins under an id of the stranger's own: whoever chooses one that is taken learns that, whosever it is."""
        mine = derived_id("mine", self.name, self.path, ids["campaign_id"])
        chosen = dict.fromkeys(ids, mine) if self.method == "PUT" else ids
        headers = {
            "Idempotency-Key": f"not-there-{mine}",
            "Authorization": f"Bearer {self.stage.address.issue(STRANGERS[self.name])}",
        }
        url = self.stage.address.http[self.service] + filled(self.path, chosen)
        answer = await client.request(self.method, url, headers=headers, json=with_ids(self.body, ids, mine))
        while answer.status_code == 429:  # a stranger that asks too fast waits as it is told
            await asyncio.sleep(float(answer.headers["Retry-After"]))
            answer = await client.request(self.method, url, headers=headers, json=with_ids(self.body, ids, mine))
        if answer.status_code < 400:
            return answer.status_code, ""
        shown = answer.json()
        shown.pop("instance", None)
        return answer.status_code, bare(shown, ids)


async def test_a_command_on_what_is_not_yours_is_one_on_what_is_not_there(stage: Stage) -> None:
    asked: list[Asked] = []
    for service, method, path, schema in await operations(stage.address):
        if f"{method} {path}" not in KEPT | OPEN:
            body = await asyncio.to_thread(body_for, schema, method, path)
            asked += [Asked(stage, service, method, path, body, name) for name in STRANGERS]
    assert len(asked) > 150
    async with httpx.AsyncClient(timeout=patience(30), limits=httpx.Limits(max_connections=16)) as client:
        offences = [one for one in await asyncio.gather(*(each.offence(client) for each in asked)) if one]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize("name", ["another brand", "another creator", "an agency without mandate"])
async def test_a_question_about_what_is_not_yours_is_one_about_what_is_not_there(stage: Stage, name: str) -> None:
    brand, token, offences = DEALS[0].brand.tenant, stage.address.issue(STRANGERS[name]), []
    of_brand = dict.fromkeys(("brand_id", "tenant", "owner", "owner_id"), brand)
    for service, method in methods():
        recruited = method.name in OPEN_RPC and "brand" not in name
        if method.name in PUBLIC_RPC | TOLD_TO_ALL or recruited:
            continue
        said = []
        async with grpc.aio.insecure_channel(stage.address.rpc[service]) as channel:
            for change in (dict, nowhere):
                ids = change({**stage.ids_in(service), "payee_id": stage.ids["creator_id"], **of_brand})
                said.append(await heard(channel, method, request_of(method, ids, {}), token, ids))
        if said[0] != said[1]:
            offences.append(f"{method.name}: {said[0]} but {said[1]}")
    assert not offences, "\n".join(offences)


async def heard(channel: grpc.aio.Channel, method: Any, request: Any, token: str, ids: Mapping[str, str]) -> Any:
    """Code, text, and what is shown but for how far the read model is."""
    from google.protobuf.message_factory import GetMessageClass

    unary = channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    try:
        answer = await unary(request, metadata=(("authorization", f"Bearer {token}"),), timeout=patience(20))
    except grpc.aio.AioRpcError as error:
        return error.code().name, bare(error.details(), ids)
    shown = MessageToDict(answer)
    shown.pop("page", None)
    shown.pop("asOf", None)
    return "OK", bare(shown, ids)
