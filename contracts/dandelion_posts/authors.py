"""The author of a post as a digest: what campaigns expects and compliance compares, without either storing a name.

The digest is salted with the creator's id, so that one account with two creators has two digests.
"""

import hashlib
import unicodedata


def author_digest(creator_id: str, platform: str, *, account_id: str = "", handle: str = "") -> str:
    """SHA-256, hex, of the account with the platform's own id, or of the one with a handle where no id is known; "" for neither.

    `platform` is the word of common.v1.Platform.
    """
    if not account_id and not handle:
        return ""
    named = f"id\x1f{account_id}" if account_id else f"handle\x1f{handle_key(handle)}"
    return hashlib.sha256(f"{creator_id}\x1f{platform}\x1f{named}".encode()).hexdigest()


def is_author(expected: str, creator_id: str, platform: str, *, account_id: str, handle: str) -> bool:
    """Whether the account that a platform names as a post's author is the expected one; everybody is where none is expected."""
    seen = (
        author_digest(creator_id, platform, account_id=account_id),
        author_digest(creator_id, platform, handle=handle),
    )
    return not expected or expected in seen


def handle_key(handle: str) -> str:
    """The form in which handles are compared and stored: NFKC, case folded, without blanks around and a leading @."""
    return unicodedata.normalize("NFKC", handle).strip().removeprefix("@").casefold()
