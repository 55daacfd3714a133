"""A social platform: posts that can be published, looked at, edited and taken down; it is busy now and then.

It shows a text as the platform that a post names would (rewriting.py): not byte for byte as it was sent.
"""

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import Bounded
from sandbox.chance import Chance
from sandbox.rewriting import rewritten
from sandbox.settings import SandboxSettings
from sandbox.store import Store

Title = Annotated[str, Field(max_length=500)]
Text = Annotated[str, Field(max_length=20_000)]
Label = Annotated[str, Field(max_length=100)]


class Published(BaseModel):
    """`post_id` is the author's choice; `label` is the platform's own paid-partnership mark while its switch is on, "" for none;
    `overlay` are the words that stand on the picture all the time.

    `platform` names the platform that it is ("" for one that shows a text as it came).
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    post_id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")]
    author: Annotated[str, Field(min_length=1, max_length=100)]
    text: Text
    title: Title = ""
    label: Label = ""
    overlay: Label = ""
    media_sha256: Annotated[str, Field(max_length=64)] = ""
    platform: Annotated[str, Field(max_length=40)] = ""


class Edited(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Text | None = None
    title: Title | None = None
    label: Label | None = None
    overlay: Label | None = None


@dataclass(frozen=True, slots=True)
class Post:
    post_id: str
    author: str
    text: str
    title: str
    label: str
    media_sha256: str
    platform: str = ""
    overlay: str = ""
    revision: int = 1
    deleted: bool = False


class Posts:
    """The platform's posts, bounded, and kept in the store."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings, self._chance = settings, Chance(settings.seed)
        self._posts: Bounded[Post] = Bounded(shelf=store.shelf("post", asdict, lambda saved: Post(**saved)))
        self._looked: Bounded[bool] = Bounded(shelf=store.shelf("looked", bool, bool))

    def publish(self, published: Published) -> Post:
        stripped = self._chance.hits(published.post_id, "stripped", self._settings.stripped_bps)
        post = Post(**published.model_dump() | {"label": "" if stripped else published.label})
        known = self._posts.get(post.post_id)
        if known is not None and known != post:
            raise HTTPException(409, "there is another post of this id")
        return self.keep(post)

    def keep(self, post: Post) -> Post:
        self._posts.put(post.post_id, post)
        return post

    def look(self, post_id: str) -> Post:
        """Some first looks meet a busy platform."""
        first = self._looked.get(post_id) is None
        self._looked.put(post_id, True)
        if first and self._chance.hits(post_id, "busy", self._settings.platform_busy_bps):
            raise HTTPException(503, "busy")
        return self.standing(post_id)

    def standing(self, post_id: str) -> Post:
        post = self._posts.get(post_id)
        if post is None:
            raise HTTPException(404, "no such post")
        if post.deleted:
            raise HTTPException(410, "taken down")
        return post

    def shown(self, post: Post) -> dict[str, Any]:
        host, port = self._settings.host, self._settings.port
        text = rewritten(post.platform, post.text)
        return {**asdict(post), "text": text, "url": f"http://{host}:{port}/platform/posts/{post.post_id}"}


def router(settings: SandboxSettings, store: Store) -> APIRouter:
    """`/platform/posts`."""
    posts = Posts(settings, store)
    made = APIRouter(prefix="/platform", tags=["social platform"])

    @made.post("/posts", status_code=201)
    async def publish(published: Published) -> dict[str, Any]:
        """Publishes; the same again is the same post, the same id with other content is refused."""
        return posts.shown(posts.publish(published))

    @made.get("/posts/{post_id}")
    async def look(post_id: str) -> dict[str, Any]:
        """The post as it stands; 404 never there, 410 taken down."""
        return posts.shown(posts.look(post_id))

    @made.patch("/posts/{post_id}")
    async def edit(post_id: str, edited: Edited) -> dict[str, Any]:
        """Changes text, title, label or overlay, as an author might after approval."""
        changes = {name: value for name, value in edited.model_dump().items() if value is not None}
        post = posts.standing(post_id)
        return posts.shown(posts.keep(replace(post, revision=post.revision + 1, **changes)))

    @made.delete("/posts/{post_id}", status_code=204)
    async def take_down(post_id: str) -> None:
        """Takes the post down; it answers 410 from then on."""
        posts.keep(replace(posts.standing(post_id), deleted=True))

    return made
