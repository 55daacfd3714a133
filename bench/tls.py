"""What TLS costs on the edges: `python -m bench.tls` measures each edge with and without it in turn and prints the table.

The server is a process of its own (`python -m bench.tls <folder> <port>`) with four ports; a figure is CPU time of the server for
one request over connections that stay, or for one new connection with its first request. The route answers fixed JSON, so the
difference is TLS and nothing else.
"""

import asyncio
import os
import ssl
import statistics
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from dandelion_contracts.channel import Tls, connect

from bench.edge import answered
from bench.edge_server import fixed
from bench.grpc_server import EMPTY, add_empty
from bench.measure import cpu_s, interleaved, say
from cli.layout import ROOT
from kernel.core.clock import system_clock
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.grpc import Rpc, RpcService
from kernel.edge.limits import Rate
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime import http_server, roles
from kernel.runtime.tls.material import EdgeTls, TlsFiles
from sandbox.certificates import issue, new_authority
from tools.servers.places import free_port
from tools.servers.run import Process

CLIENTS, REQUESTS, CONNECTIONS, CALLS = 16, 8_000, 400, 3_000
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
START_S = 60.0
Round = Callable[[], Awaitable[float]]


def make(folder: Path) -> None:
    """A token issuer, and certificates for the server and for its caller."""
    authority, now = new_authority("bench", system_clock()), system_clock()
    (folder / "ca.crt").write_bytes(authority.certificate)
    for name in ("server", "caller"):
        pair = issue(authority, ["127.0.0.1"], now)
        (folder / f"{name}.crt").write_bytes(pair.certificate)
        (folder / f"{name}.key").write_bytes(pair.key)
    Issuer.at(folder, "bench", "bench")


async def serve(folder: Path, port: int) -> int:
    """HTTP in plaintext and with TLS, then gRPC in the same order."""
    tls = EdgeTls(TlsFiles(folder / "server.crt", folder / "server.key", folder / "ca.crt"))
    endless = Rate(1e6, 1_000_000)
    admission = Admission(Verifier(str(folder / "jwks.json"), "bench", "bench"), AdmissionLimits(endless, endless))
    limits = http_server.HttpLimits(connections_per_address=2_000)
    made = []
    for number, given in enumerate((None, tls)):
        bound = http_server.listen("127.0.0.1", port + number)
        made.append(http_server.http(fixed, bound, limits=limits, tls=given))
        rpc = Rpc([RpcService(EMPTY, add_empty)], admission, tls=given)
        made.append(rpc.role(f"127.0.0.1:{port + 2 + number}"))
    return await roles.run(made)


class Bench:
    """The server's ports and its pid, and what a caller shows."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self.port, self.pid, self._token = port, pid, Issuer.at(folder, "bench", "bench").issue("bench", "bench")
        self.context = ssl.create_default_context(cafile=folder / "ca.crt")
        self.context.load_cert_chain(folder / "caller.crt", folder / "caller.key")
        self.tls = Tls(folder / "ca.crt", folder / "caller.crt", folder / "caller.key")

    async def _each_us(self, count: int, one: Callable[[int], Awaitable[None]]) -> float:
        """CPU time of the server for each of `count`, shared out among CLIENTS."""
        before_s = cpu_s([self.pid])
        await asyncio.gather(*[one(count // CLIENTS) for _ in range(CLIENTS)])
        return (cpu_s([self.pid]) - before_s) / count * 1e6

    def requests(self, encrypted: bool) -> Round:
        async def one(count: int) -> None:
            reader, writer = await self._open(encrypted)
            for _ in range(count):
                writer.write(REQUEST)
                await answered(reader)
            writer.close()

        return lambda: self._each_us(REQUESTS, one)

    def connections(self, encrypted: bool) -> Round:
        async def one(count: int) -> None:
            for _ in range(count):
                reader, writer = await self._open(encrypted)
                writer.write(REQUEST)
                await answered(reader)
                writer.close()

        return lambda: self._each_us(CONNECTIONS, one)

    async def _open(self, encrypted: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = self.context if encrypted else None
        return await asyncio.open_connection("127.0.0.1", self.port + encrypted, ssl=context)

    def calls(self, encrypted: bool) -> Round:
        async def measured() -> float:
            target = f"127.0.0.1:{self.port + 2 + encrypted}"
            async with connect(target, token=self._token, tls=self.tls if encrypted else None) as channel:

                async def one(count: int) -> None:
                    ask = channel.unary_unary(f"/{EMPTY}/Ask", bytes, bytes)
                    for _ in range(count):
                        await ask(b"")

                return await self._each_us(CALLS, one)

        return measured


async def measure(folder: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "bench.tls", str(folder), str(port)]
    process = Process(command, folder / "server.log", env={"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'contracts'}"})
    process.start()
    try:
        bench = Bench(folder, port, process.pid())
        await _ready(bench)
        rows: list[tuple[str, Callable[[bool], Round]]] = [
            ("HTTP, a request over a connection that stays", bench.requests),
            ("HTTP, a new connection and its request", bench.connections),
            ("gRPC, an empty call over a connection that stays", bench.calls),
        ]
        sys.stdout.write("| path | plaintext | TLS, certificates on both sides | more |\n| --- | --- | --- | --- |\n")
        for path, made in rows:
            say(path)
            mine, others = await interleaved(made(True), made(False))
            more = statistics.median(a - b for a, b in zip(mine, others, strict=True))
            figures = (statistics.median(others), statistics.median(mine))
            sys.stdout.write(f"| {path} | {figures[0]:.0f} us | {figures[1]:.0f} us | {more:+.0f} us |\n")
    finally:
        process.close()


async def _ready(bench: Bench) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                await bench.calls(True)()
                await bench.requests(True)()
                return
            except (OSError, grpc.aio.AioRpcError):
                await asyncio.sleep(0.1)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        roles.main(serve(Path(sys.argv[1]), int(sys.argv[2])))
    with TemporaryDirectory() as place:
        make(Path(place))
        asyncio.run(measure(Path(place)))
