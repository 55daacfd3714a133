"""TLS of both edges with real certificates: who believes whom, and rotations without a restart."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from dandelion_contracts.channel import Tls, connect
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kernel.core.faults import Internal
from kernel.edge.admission import Admission
from kernel.edge.grpc import Rpc
from kernel.runtime.http_server import HttpLimits, http, listen
from kernel.runtime.loops import loop_factory
from sandbox.certificates import issue, new_authority
from tests.kit.certificates import DAY, NAMES, NOW, Files
from tests.kit.issuing import issuer_at, verifier_at
from tests.kit.notes import make_app
from tests.kit.until import until, within
from tools.speed import patience


@asynccontextmanager
async def both(files: Files, clients: bool = False, limits: HttpLimits | None = None) -> AsyncIterator[tuple[int, int]]:
    """Both edges with one TLS, as a process has them: the ports of HTTP and gRPC."""
    issuer_at(files.folder)
    tls = files.tls(clients)
    rpc = Rpc([], Admission(verifier_at(files.folder)), tls=tls)
    rpc_port = await rpc.start("127.0.0.1:0")
    bound, stop = listen("127.0.0.1", 0), asyncio.Event()
    role = http(make_app(files.folder, []), bound, limits=limits, grace_s=1, tls=tls)
    serving = asyncio.create_task(_run(role.serve, stop))
    try:
        await until(lambda: _listens(bound.getsockname()[1]))
        yield bound.getsockname()[1], rpc_port
    finally:
        stop.set()
        await serving
        await rpc.stop(0)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _run(serve: Callable[[asyncio.Event], Any], stop: asyncio.Event) -> None:
    await serve(stop)


def trusting(files: Files, ca: str = "ca.crt", own: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files[ca])
    if own:
        context.load_cert_chain(files[f"{own}.crt"], files[f"{own}.key"])
    return context


async def over_http(port: int, verify: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    """ "ok", or the name of the error that the client meets."""
    try:
        async with httpx.AsyncClient(verify=verify, trust_env=False, timeout=patience(20)) as client:
            return "ok" if (await client.get(f"https://{host}:{port}/healthz/live")).status_code == 200 else "status"
    except httpx.TransportError as error:
        return type(error).__name__


async def over_grpc(port: int, tls: Tls | None, host: str = "127.0.0.1") -> str:
    async with connect(f"{host}:{port}", tls=tls, deadline_s=patience(20)) as channel:
        try:
            found = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "ok" if found.status == health_pb2.HealthCheckResponse.SERVING else "status"


async def asked(
    files: Files, ports: tuple[int, int], ca: str = "ca.crt", own: str = "", name: str = ""
) -> tuple[str, str]:
    """What both edges answer to a client that believes `ca` and shows `own`."""
    shown = {"certificate_file": files[f"{own}.crt"], "key_file": files[f"{own}.key"]} if own else {}
    tls = Tls(ca_file=files[ca], server_name=name, **shown)
    return await over_http(ports[0], trusting(files, ca, own)), await over_grpc(ports[1], tls)


REFUSED = ("ConnectError", "UNAVAILABLE")


async def test_the_right_authority_is_believed(tmp_path: Path) -> None:
    files = Files(tmp_path)
    async with both(files) as ports:
        assert await asked(files, ports) == ("ok", "ok")
        assert await over_grpc(ports[1], Tls(files["ca.crt"]), "localhost") == "ok", "by name as by address"


async def test_another_authority_of_the_same_name_is_not(tmp_path: Path) -> None:
    files = Files(tmp_path)
    async with both(files) as ports:
        assert await asked(files, ports, "stranger.crt") == REFUSED


async def test_a_certificate_that_has_ended_is_refused(tmp_path: Path) -> None:
    files = Files(tmp_path, life=-DAY)
    async with both(files) as ports:
        assert await asked(files, ports) == REFUSED


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    files = Files(tmp_path, names=["ledger-rest"])
    async with both(files) as ports:
        assert await asked(files, ports) == REFUSED
        assert await over_grpc(ports[1], Tls(files["ca.crt"], server_name="ledger-rest")) == "ok", "the name asked for"


async def test_a_client_in_plaintext_is_refused(tmp_path: Path) -> None:
    files = Files(tmp_path)
    async with both(files) as ports:
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{ports[0]}/healthz/live")
        assert await over_grpc(ports[1], None) == "UNAVAILABLE"
        assert await asked(files, ports) == ("ok", "ok"), "and others go on"


@pytest.mark.parametrize(
    ("own", "answer"),
    [("gateway", "ok"), ("", "refused"), ("other", "refused"), ("ended", "refused")],
    ids=["its own", "none", "of another authority", "ended"],
)
async def test_a_server_that_asks_for_certificates_believes_its_clients_authority_only(
    tmp_path: Path, own: str, answer: str
) -> None:
    files = Files(tmp_path)
    async with both(files, clients=True) as ports:
        over = await asked(files, ports, own=own)
        if answer == "ok":
            assert over == ("ok", "ok")
        else:
            assert over[1] == "UNAVAILABLE"
            assert over[0] in {"ConnectError", "ReadError", "RemoteProtocolError"}, "TLS 1.3 says it after its own half"


async def test_a_rotation_needs_no_restart_and_ends_no_connection(tmp_path: Path) -> None:
    """First the certificate of a new authority, then the clients' authority."""
    files = Files(tmp_path)
    async with both(files, clients=True) as ports:
        async with httpx.AsyncClient(verify=trusting(files, own="gateway"), trust_env=False) as old:
            await old.get(f"https://127.0.0.1:{ports[0]}/healthz/live")
            files.ca = new_authority("edges", NOW)
            files.put("ca2.crt", files.ca.certificate)
            files.serve(issue(files.ca, NAMES, NOW))
            assert await asked(files, ports, "ca2.crt", "gateway") == ("ok", "ok")
            assert await asked(files, ports, "ca.crt", "gateway") == REFUSED
            kept = await old.get(f"https://127.0.0.1:{ports[0]}/healthz/live")
            assert kept.status_code == 200, "over the connection of before: a new one would not be believed"
        files.clients_ca = new_authority("gateway", NOW)
        files.put("clients.crt", files.clients_ca.certificate)
        files.pair("gateway2", issue(files.clients_ca, ["gateway"], NOW))
        assert await asked(files, ports, "ca2.crt", "gateway2") == ("ok", "ok")
        assert (await asked(files, ports, "ca2.crt", "gateway"))[1] == "UNAVAILABLE"


async def test_files_that_do_not_fit_leave_those_of_before_in_use(tmp_path: Path) -> None:
    files = Files(tmp_path)
    async with both(files) as ports:
        other = issue(files.ca, NAMES, NOW)
        files.put("server.crt", other.certificate)
        assert await asked(files, ports) == ("ok", "ok"), "the key of before is not its key"
        files["server.key"].unlink()
        assert await asked(files, ports) == ("ok", "ok"), "away for a moment"
        files.put("server.key", other.key)
        assert await asked(files, ports) == ("ok", "ok")
        assert ssl.PEM_cert_to_DER_cert(other.certificate.decode()) == await _served(ports[0])


async def _served(port: int) -> bytes | None:
    """The certificate that the HTTP edge shows now."""
    context = ssl._create_unverified_context()  # looks only
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return shown


def test_an_edge_does_not_start_on_files_that_do_not_fit(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.put("server.key", issue(files.ca, NAMES, NOW).key)
    with pytest.raises(Internal, match=r"tls\.unreadable"):
        files.tls()
    files["server.key"].unlink()
    with pytest.raises(Internal, match=r"tls\.unreadable"):
        files.tls()


async def test_handshakes_that_never_end_hold_nobody_up_and_end_themselves(tmp_path: Path) -> None:
    """They count as connections that wait: the oldest is closed for a client that comes with a whole request."""
    files = Files(tmp_path)
    limits = HttpLimits(head_s=600, connections=6, connections_per_address=5)
    async with both(files, limits=limits) as ports:
        silent = [await asyncio.open_connection("127.0.0.1", ports[0]) for _ in range(20)]
        assert await over_http(ports[0], trusting(files)) == "ok"
        async with within(20):
            ended = await asyncio.gather(*[reader.read() for reader, _ in silent[:14]])
        assert set(ended) == {b""}
        for _, writer in silent:
            writer.close()
    async with both(files, limits=HttpLimits(head_s=0.2)) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
        writer.write(b"\x16\x03\x01")
        async with within(20):
            assert await reader.read() == b""
        writer.close()


LOOPS = pytest.mark.parametrize("factory", [loop_factory(), None], ids=["as processes run", "asyncio's own"])


@LOOPS
def test_a_crowd_that_speaks_at_once_is_served(tmp_path: Path, factory: Any) -> None:
    """The first bytes are there before the server looks: none of them is lost."""
    files = Files(tmp_path)

    async def crowd() -> None:
        async with both(files, clients=True) as ports:
            context = trusting(files, own="gateway")
            said = await asyncio.gather(*[_spoken(ports[0], context) for _ in range(48)])
            assert set(said) == {b"HTTP/1.1 200 OK\r\n"}

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(crowd())


async def _spoken(port: int, context: ssl.SSLContext) -> bytes:
    async with within(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return line


@LOOPS
def test_a_stopping_server_does_not_wait_for_a_handshake(tmp_path: Path, factory: Any) -> None:
    files = Files(tmp_path)

    async def stopped() -> None:
        async with within(20), both(files, limits=HttpLimits(head_s=600)) as ports:
            assert await asked(files, ports) == ("ok", "ok")
            reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
            assert await over_http(ports[0], trusting(files)) == "ok", "so the one before was accepted"
        assert await reader.read() == b""
        writer.close()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(stopped())


async def test_half_of_a_tls_setting_is_refused_by_the_client(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with pytest.raises(ValueError, match="both or not at all"):
        connect("127.0.0.1:1", tls=Tls(certificate_file=files["gateway.crt"]))
    with pytest.raises(ValueError, match="in plaintext"):
        connect("ledger.example.com:443", token="secret")
    await connect("ledger.example.com:443", plaintext=True).close(None)
