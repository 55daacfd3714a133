"""A social platform: posts that can be published, looked at, edited and taken down; it is busy now and then."""

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import Bounded
from sandbox.chance import Chance
from sandbox.settings import SandboxSettings

Title = Annotated[str, Field(max_length=500)]
Text = Annotated[str, Field(max_length=20_000)]
Label = Annotated[str, Field(max_length=100)]


class Published(BaseModel):
    """`post_id` is the author's choice; `label` is the platform's own paid-partnership mark, "" for none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    post_id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")]
    author: Annotated[str, Field(min_length=1, max_length=100)]
    text: Text
    title: Title = ""
    label: Label = ""
    media_sha256: Annotated[str, Field(max_length=64)] = ""


class Edited(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Text | None = None
    title: Title | None = None
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Post:
    post_id: str
    author: str
    text: str
    title: str
    label: str
    media_sha256: str
    revision: int = 1
    deleted: bool = False


def router(settings: SandboxSettings) -> APIRouter:
    """`/platform/posts`."""
    posts: Bounded[Post] = Bounded()
    looked: Bounded[bool] = Bounded()
    chance = Chance(settings.seed)
    made = APIRouter(prefix="/platform", tags=["social platform"])

    def standing(post_id: str) -> Post:
        post = posts.get(post_id)
        if post is None:
            raise HTTPException(404, "no such post")
        if post.deleted:
            raise HTTPException(410, "taken down")
        return post

    def shown(post: Post) -> dict[str, Any]:
        return {**asdict(post), "url": f"http://{settings.host}:{settings.port}/platform/posts/{post.post_id}"}

    @made.post("/posts", status_code=201)
    async def publish(published: Published) -> dict[str, Any]:
        """Publishes; the same again is the same post, the same id with other content is refused."""
        label = "" if chance.hits(published.post_id, "stripped", settings.stripped_bps) else published.label
        post = Post(**published.model_dump() | {"label": label})
        known = posts.get(post.post_id)
        if known is not None and known != post:
            raise HTTPException(409, "there is another post of this id")
        posts.put(post.post_id, post)
        return shown(post)

    @made.get("/posts/{post_id}")
    async def look(post_id: str) -> dict[str, Any]:
        """The post as it stands; some first looks meet a busy platform."""
        first = looked.get(post_id) is None
        looked.put(post_id, True)
        if first and chance.hits(post_id, "busy", settings.platform_busy_bps):
            raise HTTPException(503, "busy")
        return shown(standing(post_id))

    @made.patch("/posts/{post_id}")
    async def edit(post_id: str, edited: Edited) -> dict[str, Any]:
        """Changes text, title or label, as an author might after approval."""
        changes = {name: value for name, value in edited.model_dump().items() if value is not None}
        post = standing(post_id)
        posts.put(post_id, replace(post, revision=post.revision + 1, **changes))
        return shown(standing(post_id))

    @made.delete("/posts/{post_id}", status_code=204)
    async def take_down(post_id: str) -> None:
        """Takes the post down; it answers 410 from then on."""
        posts.put(post_id, replace(standing(post_id), deleted=True))

    return made
