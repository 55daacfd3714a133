"""A media kit's figures in their public form. The events of a `kit-` stream are private: kits are asked for."""

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import media_kit_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from services.discovery.domain.media_kit.commands import Figure


def wire_figure(figure: Figure) -> pb.KitFigure:
    return pb.KitFigure(
        section=figure.section,
        name=figure.name,
        value=figure.value,
        unit=number(pb.FigureUnit, figure.unit),
        currency=figure.currency,
        provenance=number(common.Provenance, figure.provenance),
        observed_at=stamp(figure.observed_at),
    )
