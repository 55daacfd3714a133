"""Where a sign-in leads: pages of the console's own, and nothing else."""

from urllib.parse import urlsplit

LIMIT_BYTES = 1_000
_NOT_AFTER = ("/sign-in", "/signed-in", "/sign-out")


def own_path(wanted: str) -> str:
    """`wanted` where it is a path of this host, else "/". Browsers take `\\` for `/` and leave out tabs and line ends."""
    is_long = len(wanted.encode("utf-8", "replace")) > LIMIT_BYTES
    if is_long or not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return "/"
    if any(ord(sign) <= 0x20 or ord(sign) == 0x7F for sign in wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc or parts.path in _NOT_AFTER else wanted
