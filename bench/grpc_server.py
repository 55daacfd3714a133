"""The server of the gRPC row, a process of its own: discovery's queries, and beside them a method that answers nothing."""

import sys
from functools import partial
from pathlib import Path

import grpc
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from grpc.aio import Server

from bench.place import layout_of
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.grpc import Rpc, RpcService
from kernel.edge.limits import Rate
from kernel.runtime import roles
from services.discovery.reads import reads_of
from services.discovery.rpc import CreatorQueries
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import open_app

EMPTY = "bench.Empty"


async def nothing(_request: bytes, _context: object) -> bytes:
    return b""


def add_empty(server: Server) -> None:
    handlers = {"Ask": grpc.unary_unary_rpc_method_handler(nothing)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EMPTY, handlers),))


async def serve(folder: Path, port: int) -> int:
    app = open_app(DiscoverySettings(**layout_of(folder).settings("discovery")))  # type: ignore[arg-type]  # as texts
    queries = CreatorQueries(app, reads_of(app))
    services = [
        RpcService(
            pb.DESCRIPTOR.services_by_name["CreatorQueryService"].full_name,
            partial(grpc_pb.add_CreatorQueryServiceServicer_to_server, queries),
        ),
        RpcService(EMPTY, add_empty),
    ]
    endless = Rate(1e6, 1_000_000)
    rpc = Rpc(services, Admission(app.admission.verifier, AdmissionLimits(endless, endless)))
    return await roles.run([*await app.roles(["project"]), rpc.role(f"127.0.0.1:{port}")])


if __name__ == "__main__":
    roles.main(serve(Path(sys.argv[1]), int(sys.argv[2])))
