"""gRPC as an attacker speaks it: any bytes to any method."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import grpc

from attack.target import WAIT_S, Target, check_loopback
from cli.layout import SERVICES


def as_it_is(message: bytes) -> bytes:
    """No serializer: what an attacker sends need be no message."""
    return message


def methods() -> Iterator[tuple[str, Any]]:
    """(service, descriptor) of every RPC."""
    for service in SERVICES:
        described = import_module(f"dandelion.{service}.v1.queries_pb2").DESCRIPTOR
        for one in described.services_by_name.values():
            yield from ((service, method) for method in one.methods)


def asked(target: Target, service: str, method: Any, message: bytes, token: str) -> str:
    """The name of the status; of a stream the status of its first answer."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    path = f"/{method.containing_service.full_name}/{method.name}"
    with grpc.insecure_channel(check_loopback(target.address.rpc[service])) as channel:
        try:
            if method.server_streaming:
                stream: Any = channel.unary_stream(path, as_it_is, as_it_is)(message, timeout=2.0, metadata=metadata)
                next(iter(stream))
                stream.cancel()
            else:
                channel.unary_unary(path, as_it_is, as_it_is)(message, timeout=WAIT_S, metadata=metadata)
        except grpc.RpcError as error:
            return str(error.code().name)
        except StopIteration:
            return "OK"
    return "OK"
