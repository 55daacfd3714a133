"""Ids of posts: how each platform writes them. An id is put into addresses, so it is checked before anybody believes it."""

import re
import tomllib
from functools import cache
from importlib.resources import files

OTHER = "*"


def is_post_id(platform: str, post_id: str) -> bool:
    """True for an id as this platform writes them; `platform` is the word in common.v1.Platform."""
    patterns = _patterns()
    return patterns.get(platform, patterns[OTHER]).fullmatch(post_id) is not None


def shape(platform: str) -> str:
    """The pattern of this platform's ids, for messages."""
    patterns = _patterns()
    return patterns.get(platform, patterns[OTHER]).pattern


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    read = tomllib.loads(files(__package__).joinpath("platforms.toml").read_text("utf-8"))
    return {platform: re.compile(pattern, re.ASCII) for platform, pattern in read["ids"].items()}
