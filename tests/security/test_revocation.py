"""A revoked token is refused within seconds by HTTP, gRPC and open streams; other tokens go on."""

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from grpc.aio import AbortError

from cli.embedded import WIRED, migrate_all
from cli.layout import Layout
from cli.open_services import open_services
from kernel.core.faults import Unauthenticated
from kernel.edge.admission import Admission
from kernel.edge.grpc_calls import CallEdge
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.claims import Revoked
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.revocations import Revocations
from tests.deploy.conftest import ROOT
from tests.deploy.page import OPERATE, blocks
from tests.kit.issuing import ACME, EVIL, issuer_at, verifier_at
from tests.kit.until import until

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path, lambda: NOON)


@pytest.fixture
def verifier(tmp_path: Path, issuer: Issuer) -> Verifier:
    return verifier_at(tmp_path, lambda: NOON)


def jti(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["jti"])


async def code_of(verifier: Verifier, token: str) -> str:
    try:
        await verifier.verify(token)
    except Unauthenticated as refused:
        return refused.code
    return ""


LATER = NOON.timestamp() + 1


@pytest.mark.parametrize(
    ("how", "stopped"),
    [("token", {"first"}), ("subject", {"first", "second"}), ("tenant", {"first", "second", "colleague"})],
)
async def test_a_revoked_token_is_refused_also_after_it_was_seen(
    issuer: Issuer, verifier: Verifier, how: str, stopped: set[str]
) -> None:
    tokens = {
        "first": issuer.issue("eve", ACME, "brand"), "second": issuer.issue("eve", ACME, "brand"),
        "colleague": issuer.issue("ann", ACME, "brand"), "stranger": issuer.issue("bob", EVIL, "brand"),
    }  # fmt: skip
    assert {await code_of(verifier, one) for one in tokens.values()} == {""}
    verifier.revoke(
        {
            "token": Revoked(tokens=frozenset({jti(tokens["first"])})),
            "subject": Revoked(subjects={"eve": LATER}),
            "tenant": Revoked(tenants={ACME: LATER}),
        }[how]
    )
    assert {name for name, one in tokens.items() if await code_of(verifier, one) == "token.revoked"} == stopped
    verifier.revoke(Revoked(subjects={"eve": NOON.timestamp()}, tenants={ACME: NOON.timestamp()}))
    assert {await code_of(verifier, one) for one in tokens.values()} == {""}, "a token issued afterwards is good"


class Call:
    """A call's context: who calls, and what was sent."""

    def __init__(self, token: str) -> None:
        self.token, self.sent, self.code = token, list[str](), ""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def time_remaining(self) -> None:
        return None

    async def write(self, item: str) -> None:
        self.sent.append(item)

    async def abort(self, _status: object, message: str, _trailing: object = ()) -> None:
        self.code = message.partition(" ")[0]
        raise AbortError(message)


async def asking() -> AsyncIterator[str]:
    yield "question"


async def test_an_open_stream_ends_with_its_token_and_no_other_does(issuer: Issuer, verifier: Verifier) -> None:
    edge = CallEdge(Admission(verifier))

    async def silence(_request: str, _context: object) -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "1"

    calls = {name: Call(issuer.issue(name, ACME, "brand")) for name in ("eve", "ann")}
    handle = edge._stream("/silence", silence)
    streams = {name: asyncio.create_task(handle(asking(), call)) for name, call in calls.items()}
    await until(lambda: _open(edge, 2))
    verifier.revoke(Revoked(subjects={"eve": LATER}))
    with pytest.raises(AbortError):
        await streams["eve"]
    assert calls["eve"].code == "token.revoked"
    assert not streams["ann"].done()
    streams["ann"].cancel()
    await asyncio.gather(*streams.values(), return_exceptions=True)


async def _open(edge: CallEdge, count: int) -> bool:
    return len(edge.admission.open.open) == count


async def test_a_message_is_not_sent_once_the_token_is_revoked(issuer: Issuer, verifier: Verifier) -> None:
    edge, call = CallEdge(Admission(verifier)), Call(issuer.issue("eve", ACME, "brand"))

    async def news(_request: str, _context: object) -> AsyncIterator[str]:
        verifier.watchers.clear()
        verifier.revoke(Revoked(subjects={"eve": LATER}))
        yield "secret"

    with pytest.raises(AbortError):
        await edge._stream("/news", news)(asking(), call)
    assert (call.code, call.sent) == ("token.revoked", [])


async def test_the_operators_command_reaches_every_service(tmp_path: Path) -> None:
    """The command of the operators' page writes to each database, and the loop of each edge tells its verifier."""
    layout = Layout.at(tmp_path)
    await migrate_all(layout)
    layout.save(0, "embedded")
    typed = next(one for block in blocks("sh", OPERATE) for one in block.commands() if "dandelion revoke" in one)
    told = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", *shlex.split(typed)[1:], "--data", str(layout.folder), cwd=ROOT
    )
    assert await told.wait() == 0
    async with open_services(layout) as apps:
        assert {app.service.name for app in apps} == set(WIRED)
        for app in apps:
            stop, heard = asyncio.Event(), list[Revoked]()

            def tell(found: Revoked, stop: asyncio.Event = stop, heard: list[Revoked] = heard) -> None:
                heard.append(found)
                stop.set()

            await Revocations(app.database, 86_400, tell).run(stop)
            assert set(heard[0].subjects) == {"eve"}
            await app.roles(["rpc"])
            assert set(app.admission.verifier._revoked.subjects) == {"eve"}, "before the first request"
