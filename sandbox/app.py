"""The stand-ins as one HTTP app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from sandbox import mailbox, platform, profiles, psp, web
from sandbox.settings import SandboxSettings
from sandbox.store import Store
from sandbox.webhooks import Sender

WEBHOOK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The app, and the parts that a test waits for."""

    app: FastAPI
    psp: psp.Psp
    sender: Sender
    store: Store

    def resume(self) -> None:
        """On the loop that serves: goes on with what an earlier process had begun."""
        self.psp.resume()

    async def close(self) -> None:
        await self.psp.close()
        await self.sender.close()
        self.store.close()


def make_sandbox(settings: SandboxSettings, webhooks_to: httpx.AsyncBaseTransport | None = None) -> Sandbox:
    """`webhooks_to` replaces the network towards the receiver of webhooks."""
    sender = Sender(
        settings.webhook_url,
        settings.webhook_secret,
        httpx.AsyncClient(timeout=WEBHOOK_TIMEOUT_S, transport=webhooks_to, follow_redirects=False),
    )
    store = Store(settings.store)
    provider = psp.Psp(settings, sender, store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        made.resume()
        yield
        await made.close()

    app = FastAPI(title="Dandelion sandbox", description=__doc__ or "", lifespan=lifespan, docs_url="/")

    @app.get("/healthz/ready", tags=["operations"])
    async def ready() -> dict[str, bool]:
        return {"ok": True}

    app.include_router(psp.router(provider, settings))
    app.include_router(platform.router(settings, store))
    app.include_router(profiles.router(settings, store))
    app.include_router(mailbox.router(settings, store))
    app.include_router(web.router(store))
    made = Sandbox(app, provider, sender, store)
    return made
