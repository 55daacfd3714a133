"""The console's own port: encrypted where it has a certificate, and for those alone whom its authority knows."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from console import serving
from console.calls.clients import Services
from console.calls.problems import Problem
from console.crowding import LivePerAddress
from console.operations import operations
from console.settings import SERVICES, ConsoleSettings
from kernel.edge.incoming import principal_of
from kernel.runtime.http_server import HttpLimits
from sandbox.certificates import Pair, issue, new_authority
from tests.kit.until import until, within
from tools.servers.places import free_port

NOW = datetime.now(UTC)


def put(folder: Path, name: str, pair: Pair) -> tuple[str, str]:
    (folder / f"{name}.crt").write_bytes(pair.certificate)
    (folder / f"{name}.key").write_bytes(pair.key)
    return str(folder / f"{name}.crt"), str(folder / f"{name}.key")


def caller(folder: Path, name: str | None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=folder / "authority.crt")
    if name:
        made.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return made


def settings(folder: Path) -> ConsoleSettings:
    return ConsoleSettings(
        tls_certificate_file=folder / "own.crt",
        tls_key_file=folder / "own.key",
        tls_client_ca_file=folder / "callers.crt",
    )


@pytest.fixture
def authority() -> Pair:
    return new_authority("edges", NOW)


@pytest.fixture
def folder(tmp_path: Path, authority: Pair) -> Path:
    callers = new_authority("callers", NOW)
    put(tmp_path, "authority", authority)
    put(tmp_path, "callers", callers)
    put(tmp_path, "own", issue(authority, ["localhost"], NOW))
    put(tmp_path, "gateway", issue(callers, ["gateway"], NOW))
    put(tmp_path, "stranger", issue(authority, ["stranger"], NOW))
    return tmp_path


@asynccontextmanager
async def served(
    given: ConsoleSettings, app: ASGIApp | None = None, limits: HttpLimits | None = None
) -> AsyncIterator[int]:
    """A port of the console's own."""
    port, stop = free_port(), asyncio.Event()
    role = serving.pages(given.model_copy(update={"port": port}), app or operations(), limits)
    serves = asyncio.ensure_future(role.serve(stop))
    await until(lambda: is_open(port))
    try:
        yield port
    finally:
        stop.set()
        await serves


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def test_only_callers_of_the_authority_are_served(folder: Path) -> None:
    async with served(settings(folder)) as port:
        address = f"https://localhost:{port}/healthz/ready"
        async with httpx.AsyncClient(verify=caller(folder, "gateway")) as known:
            assert (await known.get(address)).json() == {"ok": True}
        for name in (None, "stranger"):
            async with httpx.AsyncClient(verify=caller(folder, name)) as other:
                with pytest.raises(httpx.HTTPError):
                    await other.get(address)


async def test_a_renewed_certificate_is_served_without_a_restart(folder: Path, authority: Pair) -> None:
    async with served(settings(folder)) as port:
        first = await seen(folder, port)
        (folder / "own.crt").write_bytes(b"half")
        assert await seen(folder, port) == first, "a half-written pair waits"
        put(folder, "own", issue(authority, ["localhost"], NOW))
        assert await seen(folder, port) != first


async def test_services_are_called_with_the_certificate_that_lies_there_now(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stranger's is refused; once the gateway's lies in its place, calls go through."""
    monkeypatch.setattr(serving, "RENEW_S", 0.02)
    async with served(settings(folder)) as port:
        addresses = ",".join(f"{name}=https://localhost:{port}" for name in SERVICES)
        mine = {"certificate_file": folder / "stranger.crt", "key_file": folder / "stranger.key"}
        given = ConsoleSettings(http=addresses, ca_file=folder / "authority.crt", **mine)  # type: ignore[arg-type]
        services = Services(given)
        renewing = asyncio.create_task(serving.renewed(given, services))
        stub = services.campaigns
        try:
            assert not await is_let_in(services)
            (folder / "stranger.crt").write_bytes(b"half")
            for kind in ("key", "crt"):
                (folder / f"stranger.{kind}").write_bytes((folder / f"gateway.{kind}").read_bytes())
            await until(lambda: is_let_in(services))
            assert services.campaigns is not stub, "queries have new channels too"
        finally:
            renewing.cancel()
            await services.close()


async def is_let_in(services: Services) -> bool:
    try:
        return (await services.exchange("campaigns", "GET", "/healthz/ready", "token")).status == 200
    except Problem:
        return False


@pytest.mark.parametrize(
    "text", [b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", b""]
)
async def test_a_request_that_is_never_whole_ends(text: bytes) -> None:
    limits = HttpLimits(head_s=0.05, body_s=0.05)
    async with served(ConsoleSettings(), asks_for_body, limits) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text)
        async with within(30):
            assert b"408" in (await reader.read())[:20]
        writer.close()


async def asks_for_body(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


def test_the_usual_limits_of_the_port_are_those_of_the_edge() -> None:
    """Nobody has all connections; a proxy that is named, which brings many visitors, may."""
    limits = serving.limits_of(ConsoleSettings(trusted_proxies="10.1.2.3, 10.9.0.0/24"))
    assert (limits.head_s, limits.body_s, limits.connections_per_address) == (10, 20, 200)
    assert [limits.is_exempt(one) for one in ("10.1.2.3", "10.9.0.7", "10.1.2.4")] == [True, True, False]


def test_a_wide_network_of_proxies_is_refused() -> None:
    with pytest.raises(ValidationError, match="wider than /24"):
        ConsoleSettings(trusted_proxies="10.0.0.0/8")


async def test_one_address_leaves_room_for_others() -> None:
    """Two places an address; of IPv6 one visitor's whole network is one address. A place is free again after its answer."""
    free, begun = asyncio.Event(), list[str]()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["client"][0])
        await free.wait()
        await PlainTextResponse("done")(scope, receive, send)

    crowd = LivePerAddress(slow, principal_of, 2)
    asked = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"]
    tasks = [asyncio.create_task(status_of(crowd, one)) for one in asked]

    async def all_came() -> bool:
        return len(begun) == 5

    await until(all_came)
    free.set()
    assert await asyncio.gather(*tasks) == [200, 200, 503, 200, 200, 200, 503]
    assert await status_of(crowd, "192.0.2.1") == 200


async def status_of(app: ASGIApp, address: str) -> int:
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
        return (await client.get("/")).status_code


async def seen(folder: Path, port: int) -> bytes:
    """The certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("localhost", port, ssl=caller(folder, "gateway"))
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(True)
    writer.close()
    return shown


def test_without_a_certificate_a_proxy_ends_tls_before_it() -> None:
    assert serving.tls_of(ConsoleSettings()) is None
    with pytest.raises(OSError, match="No such file"):
        serving.tls_of(ConsoleSettings(tls_certificate_file=Path("/nowhere.crt"), tls_key_file=Path("/nowhere.key")))
