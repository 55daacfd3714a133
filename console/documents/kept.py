"""The services' documents, fetched from them and kept for a while: they change with a release."""

import json
import time
from collections.abc import Callable

from console.calls.clients import Services
from console.calls.problems import Problem
from console.documents.document import Document

KEPT_S = 300.0
PATH = "/openapi.json"


class Documents:
    """One document a service."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock = services, clock
        self._kept: dict[str, tuple[Document, float]] = {}

    async def of(self, service: str, token: str) -> Document:
        """Raises Problem for an unknown service, and for one that is away or gives no document."""
        if service not in self._services.names:
            raise Problem("not_found", "page.not_found")
        kept, until = self._kept.get(service, (None, 0.0))
        if kept is not None and self._clock() < until:
            return kept
        answer = await self._services.exchange(service, "GET", PATH, token)
        try:
            found = Document(service, json.loads(answer.body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Problem("unavailable", "service.internal", {"service": service}) from error
        self._kept[service] = found, self._clock() + KEPT_S
        return found
