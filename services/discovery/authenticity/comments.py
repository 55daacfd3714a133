"""Sameness of comments, and circles that comment on each other: counted where they come in; texts and authors are not kept."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.discovery.domain.authenticity.evidence import Comments

COMMENTS, COMMENTS_LIMIT = 50, 5_000
SHORT = 6
"""Characters: everybody writes "so nice"; Chinese characters count double."""
REPEATS = 3
POSTS, MOST = 6, 0.6
"""A circle is of those who commented on this part of at least so many posts."""


@dataclass(frozen=True, slots=True)
class Comment:
    """`author` and `post` are anything that tells one from another."""

    post: str
    author: str
    text: str


def comments_of(comments: Sequence[Comment]) -> Comments | None:
    """What the comments show; None for fewer than COMMENTS."""
    if len(comments) < COMMENTS:
        return None
    newest = comments[-COMMENTS_LIMIT:]
    words = [_normal(one.text) for one in newest]
    often = {text for text, count in Counter(words).items() if count >= REPEATS and _length(text) >= SHORT}
    same = sum(text in often for text in words)
    posts_of: dict[str, set[str]] = defaultdict(set)
    for one in newest:
        posts_of[one.author].add(one.post)
    posts = len({one.post for one in newest})
    circle = {author for author, seen in posts_of.items() if len(seen) >= MOST * posts} if posts >= POSTS else set()
    inside = len({(one.author, one.post) for one in newest if one.author in circle})
    pairs = len({(one.author, one.post) for one in newest})
    return Comments(len(newest), posts, 10_000 * same // len(newest), 10_000 * inside // pairs)


def _normal(text: str) -> str:
    """Letters only, in one case and width: what is left of a text when marks, digits, blanks and emoji are gone."""
    return "".join(mark for mark in unicodedata.normalize("NFKC", text).casefold() if mark.isalpha())


def _length(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)
