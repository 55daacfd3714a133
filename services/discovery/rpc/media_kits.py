"""Media kits: what is shown of a creator, and the addresses it is shared at."""

from dandelion.discovery.v1 import media_kit_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp

from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from services.discovery.documents.kits import Kit, KitReads, Link, token_of
from services.discovery.projections import MEDIA_KITS_PROJECTION
from services.discovery.publish.media_kits import wire_figure
from services.discovery.rpc.asked import Asked


class MediaKitQueries(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Everybody signed in sees kits that are shown; addresses are the creator's."""

    async def GetMediaKit(self, request: pb.GetMediaKitRequest, context: RpcContext) -> pb.GetMediaKitResponse:  # noqa: N802
        """The version that is shown now."""
        await self._app.at_least(request.at_least, MEDIA_KITS_PROJECTION.name)
        kit = await self._kits().kit(request.creator_id, caller(), self._clock())
        return pb.GetMediaKitResponse(kit=_kit(kit))

    async def GetMediaKitLinks(  # noqa: N802
        self, request: pb.GetMediaKitLinksRequest, context: RpcContext
    ) -> pb.GetMediaKitLinksResponse:
        """The addresses, each with its openings."""
        await self._app.at_least(request.at_least, MEDIA_KITS_PROJECTION.name)
        actor = caller()
        found = await self._kits().links(request.creator_id, actor)
        key = self._app.fingerprint_key if actor.tenant == request.creator_id else None
        return pb.GetMediaKitLinksResponse(links=[_link(one, key) for one in found])

    def _kits(self) -> KitReads:
        return KitReads(self._app.database, self._reads)


def _kit(kit: Kit) -> pb.MediaKit:
    return pb.MediaKit(
        creator_id=kit.creator_id,
        version=kit.version,
        published_at=stamp(kit.published_at),
        sections=kit.sections,
        figures=map(wire_figure, kit.figures),
        examples=kit.examples,
    )


def _link(link: Link, key: bytes | None) -> pb.MediaKitLink:
    return pb.MediaKitLink(
        link_id=link.link_id,
        label=link.label,
        token=token_of(key, link.link_id) if key else "",
        shared_at=stamp(link.shared_at),
        expires_at=stamp(link.expires_at),
        revoked_at=stamp(link.revoked_at),
        openings=link.openings,
        opened_at=stamp(link.opened_at),
        days=[pb.OpeningsOfDay(day=day, openings=count) for day, count in link.by_day],
    )
