"""Looking at posts: the intent LookRequested is carried out on the platform, and what was seen comes back as a command.

And deleting the key of who was erased, once the archive of adverts may go.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from dandelion_posts.authors import is_author
from dandelion_posts.normal_form import digest

from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.faults import Unavailable
from kernel.core.ids import derived_id
from kernel.core.personal import ErasureDone
from kernel.eventlog.writer import Writer
from kernel.host.app import App
from kernel.processors.erasing import erasing
from kernel.processors.processes import SYSTEM, Effect
from services.compliance.domain.disclosure import Shown, carries
from services.compliance.domain.live import LookRequested, Post, RecordLook
from services.compliance.domain.packs import day_of
from services.compliance.packs import shipped_packs
from services.compliance.ports import HttpPlatform, Platform, Seen, Unreadable
from services.compliance.settings import ComplianceSettings


def effects(app: App, platform: Platform | None = None) -> list[Effect]:
    """Every effect of compliance; `platform` stands in place of the one that the settings name.

    Looks at least once for every intent; a repeated look records nothing new.
    """
    assert isinstance(app.settings, ComplianceSettings)
    perform = _perform(platform or HttpPlatform(app.settings.platform_url), app.writer)
    erase, scrub = erasing(lambda: app.personal, app.writer), Effect("scrub", (ErasureDone,), _scrub(app))
    return [Effect("look-at-posts", (LookRequested,), perform), erase, scrub]


def _scrub(app: App) -> Callable[[Delivered[Any]], Awaitable[None]]:
    async def scrub(incoming: Delivered[Any]) -> None:
        """Once the read model has dropped the person, the store drops its copies of the rows before."""
        await app.at_least(f"{app.service.name}:{incoming.position}:", "reviews")
        await app.database.scrub()

    return scrub


def _perform(platform: Platform, writer: Writer) -> Callable[[Delivered[Any]], Awaitable[None]]:
    async def perform(incoming: Delivered[Any]) -> None:
        asked: LookRequested = incoming.event
        seen = await platform.look(asked.post.platform, asked.post.post_id, asked.look_id)
        day = day_of(shipped_packs(), asked.post.jurisdiction, asked.requested_at)
        actor = Actor("effect:look-at-posts", incoming.tenant, SYSTEM)
        meta = Meta(derived_id("look", incoming.id), actor, "", incoming.correlation, incoming.id, incoming.traceparent)
        await writer.execute(
            incoming.stream, record_of(asked.ordinal, asked.post, seen, day, asked.about.creator_id), meta
        )

    return perform


def record_of(ordinal: int, post: Post, seen: Seen | Unreadable | None, day: date, creator_id: str = "") -> RecordLook:
    """What a look says: the label leads title or text, stands on the picture, or is the platform's own mark; the text has the
    agreed hash; the expected account posted it.

    The hash is of the normal form in which it was agreed, so what the platform itself rewrites is no change.
    """
    if seen is None:
        return RecordLook(ordinal, False, False, False, "")
    if isinstance(seen, Unreadable):
        return RecordLook(ordinal, False, False, False, "", seen.reason)
    try:
        text_hash = digest(post.normal_form, seen.text)
    except LookupError as error:  # a newer release of campaigns knows a form that this one does not
        raise Unavailable("platform.normal_form_unknown", form=post.normal_form[:40]) from error
    shown = Shown(seen.title, seen.text, seen.label, seen.overlay)
    labelled = carries(post.label, shown, day, post.placement)
    author = {"account_id": seen.author_id, "handle": seen.author_handle}
    if post.author_hash and not any(author.values()):
        return RecordLook(ordinal, False, False, False, "", "platform.author_unknown")
    differs = not is_author(post.author_hash, creator_id, post.platform, **author)
    return RecordLook(ordinal, True, labelled, text_hash == post.text_hash, text_hash, author_differs=differs)
