"""One caller takes all it can get: half a request, streams, calls at once. The others are served meanwhile."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import grpc

from attack.rpc import as_it_is, methods
from attack.tally import Tally
from attack.target import Gone, Target, check_loopback
from cli.layout import SERVICES

HALF = b"POST /checks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
MOST = 1_000
"""Sockets and streams at once, however large the scale: the attacker's own machine is the platform's."""
VICTIMS = 5


def served(target: Target, tally: Tally, what: str) -> None:
    """Somebody else asks each service, and is answered."""
    for service in SERVICES:
        for _ in range(VICTIMS):
            try:
                answer = target.send(service, "GET", "/openapi.json", target.token("brand"))
                tally.check(answer.status_code == 200, f"during {what} {service} answers {answer.status_code}")
            except Gone as gone:
                tally.check(False, f"during {what}: {gone}")


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    count = min(MOST, 100 * scale)
    say(f"{count} half requests")
    for service in SERVICES:
        with half_requests(target.address.http[service], count):
            served(target, tally, f"half requests to {service}")
    say(f"{count} streams")
    for service, method in methods():
        if method.server_streaming:
            with streams(target, service, method, count):
                served(target, tally, f"streams of {method.name}")
    say(f"{count} calls at once")
    limited = calls_at_once(target, count * 10)
    tally.check(limited > 0, f"{count * 10} calls of one principal at once: none was told to wait")
    served(target, tally, "a flood of one principal")


@contextmanager
def half_requests(url: str, count: int) -> Iterator[None]:
    """Connections that begin a request and never end it."""
    parts = urlsplit(check_loopback(url))
    with ExitStack() as opened:
        for _ in range(count):
            try:
                one = opened.enter_context(socket.create_connection((str(parts.hostname), int(parts.port or 80)), 2))
                one.sendall(HALF)
            except OSError:  # the server has its limits
                break
        yield


@contextmanager
def streams(target: Target, service: str, method: Any, count: int) -> Iterator[None]:
    """As many watches of one token as the server lets it open."""
    metadata = (("authorization", f"Bearer {target.caller(service)}"),)
    path = f"/{method.containing_service.full_name}/{method.name}"
    with grpc.insecure_channel(check_loopback(target.address.rpc[service])) as channel:
        watch = channel.unary_stream(path, as_it_is, as_it_is)
        opened: list[Any] = [watch(b"", metadata=metadata, timeout=60) for _ in range(count)]
        yield
        for one in opened:
            one.cancel()


def calls_at_once(target: Target, count: int) -> int:
    """How many calls of one principal were told to wait."""
    token, limited, lock = target.token("brand"), [0], threading.Lock()
    headers = {"Authorization": f"Bearer {token}"}

    def one(_: int) -> None:
        answer = target.client.get(f"{target.address.http['metrics']}/sites", headers=headers)
        if answer.status_code == 429 and "retry-after" in answer.headers:
            with lock:
                limited[0] += 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(count)))
    return limited[0]
