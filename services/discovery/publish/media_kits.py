"""The public form of the events of a `kit-` stream: that a kit is shown, or no more. Addresses and openings are private."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import media_kit_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from services.discovery.domain.media_kit.commands import Figure
from services.discovery.domain.media_kit.events import Event, KitPublished, KitWithdrawn


def wire_of(event: Event, creator_id: str, at: datetime) -> Message | None:
    form = FORMS.get(type(event))
    return form(event, creator_id, at) if form else None


def _published(event: KitPublished, creator_id: str, at: datetime) -> Message:
    return events.MediaKitPublished(
        creator_id=creator_id, version=event.version, sections=event.sections, published_at=stamp(at)
    )


def _withdrawn(event: KitWithdrawn, creator_id: str, at: datetime) -> Message:
    return events.MediaKitWithdrawn(creator_id=creator_id, version=event.version, withdrawn_at=stamp(at))


FORMS: dict[type, Callable[[Any, str, datetime], Message]] = {KitPublished: _published, KitWithdrawn: _withdrawn}


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
