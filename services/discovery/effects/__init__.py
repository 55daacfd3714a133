"""What discovery does in the world for its own events: looks at profiles, sends letters, judges anew, and deletes the
key and texts of who is to be forgotten. A module per system outside."""

from collections.abc import Sequence
from typing import Any

from kernel.adapters.bus import PARTITIONS
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, is_id, partition_of, split_stream, stream_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from kernel.processors.erasing import ACTOR, erasing
from kernel.processors.processes import SYSTEM, Effect
from services.discovery.authenticity.gathering import Gathering
from services.discovery.authenticity.growth import POINTS
from services.discovery.domain.authenticity.authenticity import CATEGORY
from services.discovery.domain.authenticity.commands import Assess
from services.discovery.domain.commands import ForgetCreator
from services.discovery.domain.contact.contact import ForgetContact
from services.discovery.domain.events import AudienceReported, CreatorForgotten, FollowersReported, PerformanceReported
from services.discovery.effects.letters import sending_codes
from services.discovery.effects.proofs import looking_at_profiles
from services.discovery.ports.mail import Mail, mail_of
from services.discovery.ports.profiles import HttpProfiles, Profiles
from services.discovery.search.following.file import forget_files
from services.discovery.settings import DiscoverySettings

FIGURES = (FollowersReported, PerformanceReported, AudienceReported)
ASSESSOR = Actor("effect:assess", "platform", SYSTEM)


def effects(app: App, profiles: Profiles | None = None, mail: Mail | None = None) -> list[Effect]:
    """Every effect of discovery: key, texts, accounts and the events that say so of who is erased go in one transaction.

    `profiles` and `mail` stand in place of those that the settings name.
    """

    async def scrub(incoming: Delivered[Any]) -> None:
        """Once the read model has dropped the person, search files do, and the store drops its copies of the rows before."""
        await app.at_least(_token(app, incoming), "creators")
        await forget_files(app.database, app.personal)
        await app.database.scrub()

    gathering, settings = Gathering(app), app.settings
    assert isinstance(settings, DiscoverySettings)

    async def assess(incoming: Delivered[Any]) -> None:
        """Judges a creator anew when its figures change, once there are enough reports to show a habit.

        The creators of an import have fewer: for them nothing is read.
        """
        if incoming.version <= POINTS:
            return
        creator_id = split_stream(incoming.stream)[1]
        await app.at_least(_token(app, incoming), "creators")
        found = await gathering.evidence(creator_id)
        if found.growth is not None:
            meta = Meta(derived_id("assess", incoming.id), ASSESSOR)
            command = Assess(creator_id, found, settings.authenticity_holds)
            await app.writer.execute(stream_id(CATEGORY, creator_id), command, meta)

    return [
        erasing(lambda: app.personal, app.writer, _forget),
        Effect("scrub", (CreatorForgotten,), scrub),
        Effect("assess", FIGURES, assess),
        looking_at_profiles(app, profiles or HttpProfiles(settings.platform_url)),
        sending_codes(app, mail or mail_of(settings.mail_url, settings.mail_from, settings.mail_password_file)),
    ]


def _token(app: App, incoming: Delivered[Any]) -> str:
    """What says that a read model has an event."""
    return f"{app.service.name}:{incoming.position}:{partition_of(incoming.stream, PARTITIONS)}"


def _forget(subject: str, event_id: str) -> Sequence[QueuedCommand]:
    """The creator's own part of an erasure, and its contact's; others who are erased are no creators."""
    if not is_id(subject):
        return ()
    meta = Meta(derived_id("forgotten", event_id), ACTOR)
    return (
        QueuedCommand(stream_id("creator", subject), ForgetCreator(), meta),
        QueuedCommand(stream_id("contact", subject), ForgetContact(), meta),
    )
