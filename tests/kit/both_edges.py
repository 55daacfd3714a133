"""One question asked over gRPC and over HTTP, and the two answers in one form, so that they can be compared."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import grpc
import httpx
from dandelion.campaigns.v1 import queries_pb2 as campaigns
from dandelion.compliance.v1 import queries_pb2 as compliance
from dandelion.discovery.v1 import queries_pb2 as discovery
from dandelion.history.v1 import queries_pb2 as history
from dandelion.ledger.v1 import queries_pb2 as ledger
from dandelion.metrics.v1 import queries_pb2 as metrics
from dandelion.operations.v1 import queries_pb2 as operations
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo

from kernel.edge.grpc_errors import STATUS as RPC_STATUS
from kernel.edge.http_errors import STATUS as HTTP_STATUS
from kernel.edge.transcoding.rules import Rule
from tests.kit.rpc_notes import details
from tools.speed import patience

MODULES = {
    "campaigns": campaigns, "compliance": compliance, "discovery": discovery, "ledger": ledger, "metrics": metrics,
}  # fmt: skip


def described(service: str) -> list[ServiceDescriptor]:
    """Descriptors of a service's query services: its own, and those of every service."""
    modules = (MODULES[service], history, operations)
    return [one for module in modules for one in module.DESCRIPTOR.services_by_name.values()]


@dataclass(frozen=True)
class Heard:
    """An answer: the kind of the fault ("" for none), its code and facts, or the message in the JSON form of protobuf."""

    kind: str
    code: str
    told: Any


def plain(message: Message) -> dict[str, Any]:
    """The JSON form as google.protobuf writes it, with the names of proto/ and every field."""
    told: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return told


async def over_grpc(channel: grpc.aio.Channel, rule: Rule, request: Message, token: str) -> Heard:
    unary = channel.unary_unary(
        f"/{rule.method.containing_service.full_name}/{rule.method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(rule.method.output_type).FromString,
    )
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    try:
        return Heard("", "", plain(await unary(request, metadata=metadata, timeout=patience(20))))
    except grpc.aio.AioRpcError as error:
        (info,) = details(error, ErrorInfo)
        kinds = {kind for kind, code in RPC_STATUS.items() if code is error.code()}
        return Heard("/".join(sorted(kinds)), info.reason, dict(info.metadata))


async def over_http(client: httpx.AsyncClient, base: str, rule: Rule, request: Message, token: str) -> Heard:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await asked(client, base, rule, request, headers)
    told = answer.json()
    if answer.status_code == 200:
        return Heard("", "", told)
    kinds = {kind for kind, status in HTTP_STATUS.items() if status == answer.status_code}
    assert told["kind"] in kinds, answer.text
    same = {kind for kind, code in RPC_STATUS.items() if code is RPC_STATUS[told["kind"]]}
    facts = {name: _text(value) for name, value in told["facts"].items()}
    return Heard("/".join(sorted(same)), told["code"], facts)


async def asked(
    client: httpx.AsyncClient, base: str, rule: Rule, request: Message, headers: dict[str, str]
) -> httpx.Response:
    """The request of a rule, as its message has it."""
    given = MessageToDict(request, preserving_proto_field_name=True)
    path = rule.path
    for name in rule.variables:
        path = path.replace(f"{{{name}}}", quote(given.pop(name, "-"), safe=""))
    if rule.verb == "POST":
        return await client.post(base + path, json=given, headers=headers)
    params = {
        name: [_text(one) for one in value] if isinstance(value, list) else _text(value)
        for name, value in given.items()
    }
    return await client.get(base + path, params=params, headers=headers)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | None) else str(value)
