"""Addresses of posts on known platforms, as data: a host counts with the paths of its posts only."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit


def is_post_address(url: str) -> bool:
    """True for https, the platform's own host on its usual port, and the path of a post; query and fragment say nothing."""
    parts = urlsplit(url)
    paths = _paths().get((parts.hostname or "").rstrip("."))
    return (
        parts.scheme == "https"
        and paths is not None
        and parts.port in (None, 443)
        and paths.fullmatch(parts.path) is not None
    )


@cache
def _paths() -> Mapping[str, re.Pattern[str]]:
    read = tomllib.loads(files(__package__).joinpath("addresses.toml").read_text("utf-8"))
    return {
        host: re.compile("|".join(f"(?:{path})" for path in platform["paths"]), re.ASCII)
        for platform in read["platform"]
        for host in platform["hosts"]
    }
