"""Request bodies of samples, appeals and rulings."""

from typing import Annotated

from pydantic import Field, StringConstraints

from kernel.core.bounds import whole
from kernel.edge.fields import Body, LongText
from services.discovery.authenticity.comments import COMMENTS_LIMIT, Comment
from services.discovery.authenticity.posts import POSTS_LIMIT
from services.discovery.authenticity.sampling import SAMPLE_LIMIT
from services.discovery.domain.authenticity.commands import Appeal, Rule, Verdict
from services.discovery.domain.checks import COUNT_LIMIT

Count = Annotated[int, Field(ge=0, lt=COUNT_LIMIT)]
Mark = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class ProfileRowBody(Body):
    """What is known of an account; what is left out is neither for nor against it. No name and no text."""

    followers: Count | None = None
    following: Count | None = None
    posts: Count | None = None
    has_picture: bool | None = None
    has_bio: bool | None = None
    has_link: bool | None = None
    username_length: Annotated[int, Field(ge=1, le=100)] | None = None
    username_digits: Annotated[int, Field(ge=0, le=100)] | None = None


class SampleBody(Body):
    profiles: Annotated[tuple[ProfileRowBody, ...], Field(max_length=SAMPLE_LIMIT)]


class OwnAccountBody(Body):
    profile: ProfileRowBody


class PostBody(Body):
    likes: Count
    comments: Count


class PostsBody(Body):
    posts: Annotated[tuple[PostBody, ...], Field(max_length=POSTS_LIMIT)]


class CommentBody(Body):
    """`post` and `author` are anything that tells one from another, such as hashes."""

    post: Mark
    author: Mark
    text: Annotated[str, StringConstraints(max_length=1_000)]

    def comment(self) -> Comment:
        return Comment(self.post, self.author, self.text)


class CommentsBody(Body):
    comments: Annotated[tuple[CommentBody, ...], Field(max_length=COMMENTS_LIMIT)]


class AppealBody(Body):
    statement: Annotated[LongText, whole(Appeal, "statement")]


class RuleBody(Body):
    verdict: Verdict
    reason: Annotated[LongText, whole(Rule, "reason")]
