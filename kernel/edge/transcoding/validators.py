"""ETags of answers, and `If-None-Match` (RFC 9110): a caller that has the answer already gets 304."""

import hashlib
from typing import Any

import orjson


def etag_of(told: dict[str, Any]) -> str:
    """Weak validator of an answer in plain values, with the positions of the read model (`as_of`) that it names.

    The page token is left out of it, as a token is encrypted anew each time."""
    page = told.get("page")
    if isinstance(page, dict):
        told = {**told, "page": {**page, "next_page_token": bool(page.get("next_page_token"))}}
    return f'W/"{hashlib.blake2b(orjson.dumps(told), digest_size=12).hexdigest()}"'


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether the header names the answer, by weak comparison."""
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return "*" in known or etag.removeprefix("W/") in known
