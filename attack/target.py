"""The platform that is attacked: one that `make up` runs on this machine, and no other."""

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from cli.commands.demo import address_of
from cli.layout import SERVICES, Layout, NoPlatform, running
from cli.story.market import Address, Who, named
from kernel.core.faults import Refused

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
WAIT_S = 30.0
"""Time for one answer, and for a busy platform to have time for one."""
STAFF = {"ledger": "finance", "compliance": "reviewer", "discovery": "operator", "metrics": "operator"}
"""Role of staff by the service whose routes it may call; campaigns is called as a brand."""


class Gone(Exception):
    """The platform answers no more: the worst that an attack can do."""


def check_loopback(url: str) -> str:
    """`url` itself; raises Refused `attack.not_this_machine` for a host that is not this machine's loopback address."""
    host = urlsplit(url if "//" in url else f"//{url}").hostname
    if host not in LOOPBACK:
        raise Refused("attack.not_this_machine", host=host, do="attack a platform that `make up` runs on this machine")
    return url


@dataclass(slots=True)
class Target:
    """Addresses of the platform, and callers that its development issuer makes. A caller is new as often as its rate asks for."""

    address: Address
    folder: Path
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=WAIT_S, follow_redirects=False))
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        for url in (*self.address.http.values(), *self.address.rpc.values()):
            check_loopback(url)

    def stranger(self, role: str = "brand") -> Who:
        """Somebody of an organisation that nobody has heard of."""
        number = next(self._numbers)
        return Who(f"mallory-{number}", named("attack", self.folder, time.time_ns(), number), role)

    def token(self, role: str = "brand") -> str:
        return self.address.issue(self.stranger(role))

    def staff(self, role: str) -> str:
        return self.address.issue(Who(f"{role}-{next(self._numbers)}", "platform", role))

    def caller(self, service: str) -> str:
        """A token that gets as far as the commands of a service."""
        return self.staff(STAFF[service]) if service in STAFF else self.token("brand")

    def document(self, service: str) -> dict[str, Any]:
        """The service's OpenAPI document."""
        found: dict[str, Any] = self.send(service, "GET", "/openapi.json").json()
        return found

    def send(self, service: str, method: str, path: str, token: str = "", **asked: Any) -> httpx.Response:
        """One request; waits as it is told while the platform is busy, unless not `patient`. Raises Gone without an answer."""
        headers: Mapping[str, str] = {"Idempotency-Key": f"attack-{next(self._numbers)}-{time.time_ns()}"}
        headers = {**headers, **({"Authorization": f"Bearer {token}"} if token else {}), **asked.pop("headers", {})}
        until = time.monotonic() + (WAIT_S if asked.pop("patient", True) else 0.0)
        while True:
            try:
                answer = self.client.request(method, self.address.http[service] + path, headers=headers, **asked)
            except httpx.TransportError as error:
                raise Gone(f"{service} {method} {path}: {type(error).__name__}") from error
            if answer.status_code not in (429, 503) or time.monotonic() >= until:
                return answer
            time.sleep(min(2.0, float(answer.headers.get("Retry-After", "0.2"))))

    def close(self) -> None:
        self.client.close()


def target_in(folder: Path) -> Target:
    """The platform that runs from a folder; raises NoPlatform where none does."""
    layout = Layout.load(folder)
    if running(folder) is None:
        raise NoPlatform(folder)
    return Target(address_of(layout), folder)


def operations(target: Target) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(service, method, path, operation) of every route."""
    for service in SERVICES:
        for path, item in target.document(service)["paths"].items():
            for method, operation in item.items():
                yield service, method.upper(), path, operation
