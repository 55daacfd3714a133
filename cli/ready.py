"""Whether a service answers that it is ready: by its own word, over HTTP and gRPC."""

import json
import urllib.error
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def http_ready(url: str) -> bool:
    """Whether the readiness probe below the base URL says so."""
    try:
        with urllib.request.urlopen(f"{url}/healthz/ready", timeout=5) as answer:
            return bool(json.load(answer).get("ok"))
    except (urllib.error.URLError, OSError, ValueError):
        return False


async def rpc_ready(target: str) -> bool:
    """Whether gRPC's own health service says SERVING."""
    async with grpc.aio.insecure_channel(target) as channel:
        try:
            request = health_pb2.HealthCheckRequest()
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
