"""The console's own port: encrypted where it has a certificate, and for those alone whom its authority knows."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from console import serving
from console.operations import operations
from console.settings import ConsoleSettings
from sandbox.certificates import Pair, issue, new_authority
from tests.kit.until import until
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
async def served(given: ConsoleSettings) -> AsyncIterator[int]:
    """A port of the console's own, with its certificate renewed beside it."""
    tls, port = serving.tls_of(given), free_port()
    assert tls is not None
    server = serving.server_of(operations(), "127.0.0.1", port, tls)
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(serving.renewed(given, tls))]

    async def started() -> bool:
        return server.started

    await until(started)
    try:
        yield port
    finally:
        server.should_exit = True
        await tasks[0]
        tasks[1].cancel()


async def test_only_callers_of_the_authority_are_served(folder: Path) -> None:
    async with served(settings(folder)) as port:
        address = f"https://localhost:{port}/healthz/ready"
        async with httpx.AsyncClient(verify=caller(folder, "gateway")) as known:
            assert (await known.get(address)).json() == {"ok": True}
        for name in (None, "stranger"):
            async with httpx.AsyncClient(verify=caller(folder, name)) as other:
                with pytest.raises(httpx.HTTPError):
                    await other.get(address)


async def test_a_renewed_certificate_is_served_without_a_restart(
    folder: Path, authority: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "RENEW_S", 0.02)
    async with served(settings(folder)) as port:
        first = await seen(folder, port)
        (folder / "own.crt").write_bytes(b"half")
        put(folder, "own", issue(authority, ["localhost"], NOW))

        async def changed() -> bool:
            return await seen(folder, port) != first

        await until(changed)


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
