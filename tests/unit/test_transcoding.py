"""Queries over HTTP: each has a rule, requests and answers have the JSON form of protobuf, bad input says what is wrong."""

import math
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import queries_pb2 as pb
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kernel.edge.admission import Admission
from kernel.edge.transcoding import answers, requests
from kernel.edge.transcoding.rules import _HTTP, rules_of
from tests.kit.both_edges import described, plain
from tests.kit.creators_over_http import Creators, served
from tests.kit.until import within

SERVICES = ("campaigns", "compliance", "discovery", "ledger", "metrics")
ALL = list({one.full_name: one for service in SERVICES for one in described(service)}.values())
METHODS = [method for one in ALL for method in one.methods]
SERVICE = pb.DESCRIPTOR.services_by_name["CreatorQueryService"]


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Creators, Admission]]:
    async with served(tmp_path) as made:
        yield made


@pytest.fixture
def client(serving: tuple[httpx.AsyncClient, Creators, Admission]) -> httpx.AsyncClient:
    return serving[0]


@pytest.fixture
def creators(serving: tuple[httpx.AsyncClient, Creators, Admission]) -> Creators:
    return serving[1]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_each_query_has_a_rule_and_an_answer_with_a_json_form(method: MethodDescriptor) -> None:
    found = [rule for rule in rules_of(method.containing_service) if rule.method.name == method.name]
    bodies = any(rule.verb == "POST" for rule in found)
    assert found, "give the new RPC a google.api.http option in proto/"
    answers.printer(method.output_type)
    for rule in found:
        names = {field.message_type.full_name for field in rule.left() if field.message_type is not None}
        assert rule.verb == "POST" or bodies or names <= {requests.TIME}


def test_no_two_queries_of_a_service_stand_in_one_place() -> None:
    for service in SERVICES:
        places = [(rule.verb, rule.path) for one in described(service) for rule in rules_of(one)]
        assert len(set(places)) == len(places)


def service_with(rule: str) -> ServiceDescriptor:
    """A service of one method with a rule of the kind and path given, e.g. "get /things/{thing_id}"."""
    verb, _, path = rule.partition(" ")
    file = FileDescriptorProto(
        name=f"t{random.random()}.proto", package="t", dependency=["google/protobuf/wrappers.proto"]
    )
    wrapped = ".google.protobuf.StringValue"
    method = MethodDescriptorProto(name="GetThing", input_type=wrapped, output_type=wrapped)
    if verb:
        setattr(method.options.Extensions[_HTTP], verb, path)
    file.service.add(name="Things").method.append(method)
    pool = DescriptorPool()
    from google.protobuf import wrappers_pb2

    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName("t.Things")


@pytest.mark.parametrize(
    "rule", ["", "get /things/{other}", "get things", "put /things", "post /things", "get /a/{value=x/*}"]
)
def test_a_rule_that_would_not_be_served_ends_the_start(rule: str) -> None:
    with pytest.raises(ValueError, match=r"t\.Things\.GetThing"):
        list(rules_of(service_with(rule)))
    assert [one.path for one in rules_of(service_with("get /things/{value}"))] == ["/things/{value}"]


def filled(message: Any, random_: random.Random, depth: int = 0) -> Any:
    """A message with every field set to something its type can be, some of it odd."""
    for field in message.DESCRIPTOR.fields:
        values = [] if depth > 4 or random_.random() < 0.2 else [_value(field, random_, depth) for _ in range(2)]
        if field.is_repeated:
            getattr(message, field.name).extend(values)
        elif values and field.message_type is not None:
            getattr(message, field.name).CopyFrom(values[0])
        elif values:
            setattr(message, field.name, values[0])
    return message


def _value(field: FieldDescriptor, random_: random.Random, depth: int) -> Any:
    if field.message_type is not None:
        made: Any = GetMessageClass(field.message_type)()
        if field.message_type.full_name == requests.TIME:
            made.FromMilliseconds(random_.randrange(2**41))
            return made
        if field.message_type.full_name == answers.ANY:
            made.Pack(filled(common.Receipt(), random_, depth + 1))
            return made
        return filled(made, random_, depth + 1)
    if field.enum_type is not None:
        return random_.choice([*field.enum_type.values_by_number, 999])
    scalars: dict[int, list[Any]] = {
        FieldDescriptor.CPPTYPE_STRING: ["", '口红 \x00 " \u2028', "x" * 50],
        FieldDescriptor.CPPTYPE_BOOL: [True, False],
        FieldDescriptor.CPPTYPE_INT32: [0, -(2**31), 2**31 - 1],
        FieldDescriptor.CPPTYPE_INT64: [0, -(2**63), 2**63 - 1, 2**53 + 1],
        FieldDescriptor.CPPTYPE_DOUBLE: [0.0, 1.5, 1e300, 0.1, math.nan, math.inf, -math.inf],
    }
    return random_.choice(scalars[field.cpp_type])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_answers_have_the_json_form_of_protobuf(method: MethodDescriptor) -> None:
    random_ = random.Random(7)
    for _ in range(20):
        message: Message = filled(GetMessageClass(method.output_type)(), random_)
        assert answers.plain(message) == plain(message)


async def test_parameters_become_the_message(client: httpx.AsyncClient, creators: Creators) -> None:
    asked = "text=%E5%8F%A3%E7%BA%A2&tiers=TIER_HEAD&tiers=TIER_KOC&followers_min=9007199254740993&tags=a&page_size=2"
    assert (await client.get(f"/creators?{asked}&format=FORMAT_VIDEO&excludeCampaignId=x")).status_code == 200
    expected = pb.SearchCreatorsRequest(
        text="口红", tiers=[common.TIER_HEAD, common.TIER_KOC], followers_min=2**53 + 1, tags=["a"], page_size=2,
        format=common.FORMAT_VIDEO, exclude_campaign_id="x",
    )  # fmt: skip
    assert creators.asked[-1] == expected
    body = {
        "text": "口红",
        "tiers": ["TIER_HEAD", 3],
        "followers_min": "9007199254740993",
        "tags": ["a"],
        "page_size": 2,
    }
    body |= {"format": "FORMAT_VIDEO", "excludeCampaignId": "x"}
    assert (await client.post("/creators/search", json=body)).status_code == 200
    assert creators.asked[-1] == expected


WRONG = {
    "unknown=1": [("query", "unknown", "extra_forbidden")],
    "page_size=many": [("query", "page_size", "malformed")],
    "page_size=2147483648": [("query", "page_size", "malformed")],
    "page_size=1&page_size=2": [("query", "page_size", "malformed")],
    "followers_min=1.5": [("query", "followers_min", "malformed")],
    "tiers=HEAD": [("query", "tiers", "malformed")],
    "text=a%00b&tiers=x": [("query", "text", "malformed"), ("query", "tiers", "malformed")],
}


@pytest.mark.parametrize("asked", WRONG)
async def test_each_wrong_parameter_is_named(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(f"/creators?{asked}")
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "request.invalid")
    assert [(one["in"], one["field"], one["rule"]) for one in told["errors"]] == WRONG[asked]
    assert "many" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "body.malformed"),
        (b"[]", 422, "request.invalid"),
        (b'{"tiers": "TIER_HEAD"}', 422, "request.invalid"),
        (b'{"nothing": 1}', 422, "request.invalid"),
        (b'{"text": 5}', 422, "request.invalid"),
        (b'{"text": "' + b"x" * 70_000 + b'"}', 413, "body.too_large"),
        (b'{"tiers": ' + b"[" * 900 + b"]" * 900 + b"}", 422, "request.invalid"),
    ],
)
async def test_a_wrong_body_is_refused(client: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    answer = await client.post("/creators/search", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_post_has_its_fields_in_the_body_only(client: httpx.AsyncClient) -> None:
    answer = await client.post("/creators/search?page_size=2&fields=total", json={})
    assert [(one["in"], one["field"]) for one in answer.json()["errors"]] == [("query", "page_size")]


async def test_a_fault_is_its_problem_and_nobody_is_let_in_without_a_token(client: httpx.AsyncClient) -> None:
    missing = await client.get("/creators/nobody")
    assert (missing.status_code, missing.json()["code"]) == (404, "creator.unknown")
    assert missing.json()["facts"] == {"creator_id": "nobody"}
    assert (await client.get("/creators/x", headers={"Authorization": ""})).json()["code"] == "token.missing"


async def test_a_call_ends_at_its_deadline(client: httpx.AsyncClient) -> None:
    async with within(30):
        late = await client.get("/creators?text=slow", headers={"Grpc-Timeout": "50m"})
        assert (late.status_code, late.json()["code"]) == (504, "deadline.exceeded")
    wrong = await client.get("/creators", headers={"Grpc-Timeout": "soon"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "deadline.malformed")
    assert [requests.deadline_s(one) for one in (None, "9H", "20S")] == [10.0, 30.0, 20.0]


async def test_only_the_wanted_fields_are_told(client: httpx.AsyncClient) -> None:
    told = (await client.get("/creators?fields=hits.creator.creator_id,hits.reasons,total")).json()
    assert told == {"hits": [{"creator": {"creator_id": "ann"}, "reasons": ["text"]}] * 2, "total": "2"}
    for both in ("hits.creator.creator_id,hits.creator", "hits.creator,hits.creator.creator_id"):
        assert len((await client.get(f"/creators?fields={both}")).json()["hits"][0]["creator"]) > 10
    wrong = await client.get("/creators?fields=hits.nothing")
    assert (wrong.status_code, wrong.json()["facts"]["path"]) == (422, "hits.nothing")


async def test_who_has_the_answer_already_is_told_so(client: httpx.AsyncClient, creators: Creators) -> None:
    first = await client.get("/creators")
    known = {"If-None-Match": first.headers["etag"]}
    again = await client.get("/creators", headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert first.headers["cache-control"] == "private, no-cache"
    creators.version += 1  # the read model has moved on
    assert (await client.get("/creators", headers=known)).status_code == 200
    assert (await client.post("/creators/search", json={}, headers={"If-None-Match": "*"})).status_code == 200


async def test_limits_of_rates_are_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/creators/x")
    assert {"ratelimit", "ratelimit-policy"} <= {name.lower() for name in answer.headers}


async def test_the_document_has_types_and_examples(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    search = document["paths"]["/creators"]["get"]
    assert search["summary"] == "Search creators"
    parameters = {one["name"]: one for one in search["parameters"]}
    assert parameters["tiers"]["schema"]["items"]["enum"][1] == "TIER_HEAD"
    assert parameters["followers_min"]["schema"]["format"] == "int64"
    assert search["security"] == [{"bearer": []}]
    (content,) = search["responses"]["200"]["content"].items()
    assert content == (
        "application/json",
        {"schema": {"$ref": "#/components/schemas/dandelion.discovery.v1.SearchCreatorsResponse"}},
    )
    schemas = document["components"]["schemas"]
    creator = schemas["dandelion.discovery.v1.Creator"]
    assert creator["properties"]["registered_at"]["format"] == "date-time"
    watch = document["paths"]["/watch/creators/{creator_id}"]["get"]["responses"]["200"]["content"]
    assert list(watch) == ["text/event-stream"]
    body = document["paths"]["/creators/search"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "text" in body["properties"]
    assert set(references(document)) <= {f"#/components/schemas/{name}" for name in schemas}


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)
