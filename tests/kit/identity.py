"""The stand-in for an identity provider in this process, and a browser with the client that sent it there."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from kernel.edge.tokens.dev_issuer import Issuer
from sandbox.identity.app import make_identity
from sandbox.identity.flows import challenge_of
from sandbox.identity.settings import IdentitySettings
from tests.kit.issuing import Hand

URL, CONSOLE = "http://127.0.0.1:8111", "http://127.0.0.1:8100"
BACK = f"{CONSOLE}/signed-in"


class Browser:
    """Who signs in, and the client that sent them."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http, self.verifier = http, secrets.token_urlsafe(48)

    def asked(self, **changes: str | None) -> dict[str, str]:
        given = {
            "response_type": "code", "client_id": "console", "redirect_uri": BACK, "scope": "openid profile", "state": "s-1",
            "nonce": "n-1", "code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256", **changes,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    async def chosen(self, person: str = "bella", asked: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the client hears at its address."""
        answer = await self.http.post("/authorize", data={**(asked or self.asked()), "person": person})
        return told(answer)

    async def exchanged(self, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code", "client_id": "console", "code": code, "redirect_uri": BACK,
            "code_verifier": self.verifier, **changes,
        }  # fmt: skip
        return await self.http.post("/token", data=form)

    async def signed_in(self, person: str = "bella") -> dict[str, Any]:
        answer = await self.exchanged((await self.chosen(person))["code"])
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def refreshed(self, token: str) -> httpx.Response:
        return await self.http.post(
            "/token", data={"grant_type": "refresh_token", "client_id": "console", "refresh_token": token}
        )


def told(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    to = urlsplit(answer.headers["location"])
    assert f"{to.scheme}://{to.netloc}{to.path}" == BACK
    return {name: value for name, (value,) in parse_qs(to.query).items()}


def refused(answer: httpx.Response) -> str:
    assert answer.status_code in (400, 401), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["error"])


@asynccontextmanager
async def provider(folder: Path, clock: Hand | None = None, **settings: Any) -> AsyncIterator[Browser]:
    Issuer.at(folder / "issuer", URL, "dandelion")
    made = IdentitySettings(key_file=folder / "issuer" / "key.pem", **settings)
    app = make_identity(made, *([clock] if clock else []))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as http,
    ):
        yield Browser(http)
