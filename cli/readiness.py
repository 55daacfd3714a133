"""Readiness probes of a service: its `/healthz/ready` over HTTP, and the standard gRPC health service."""

import json
import urllib.error
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def http_ready(url: str) -> bool:
    """Whether `/healthz/ready` below the base URL answers ok."""
    try:
        with urllib.request.urlopen(f"{url}/healthz/ready", timeout=5) as answer:
            return bool(json.load(answer).get("ok"))
    except (urllib.error.URLError, OSError, ValueError):
        return False


async def rpc_ready(target: str) -> bool:
    """Whether the gRPC health service answers SERVING."""
    async with grpc.aio.insecure_channel(target) as channel:
        try:
            request = health_pb2.HealthCheckRequest()
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
