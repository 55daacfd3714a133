"""Cookies of this host alone (`__Host-`): Secure, HttpOnly, SameSite=Lax; a long value lies in several."""

from collections.abc import Mapping

from starlette.responses import Response

SESSION, SIGN_IN = "__Host-dandelion", "__Host-dandelion-sign-in"
PART_BYTES = 3_800
"""A browser keeps 4,096 bytes of a cookie with its name and attributes (RFC 6265, 6.1)."""
PARTS = 4


class TooLarge(Exception):
    """A value of more than PARTS cookies: the provider's tokens are too long to be kept so."""


def read(cookies: Mapping[str, str], name: str) -> str:
    """The value, put together; "" without it, or where a part is missing."""
    first = cookies.get(name, "")
    count, _, value = first.partition(".")
    if not (count.isascii() and count.isdecimal()) or not 1 <= int(count[:2]) <= PARTS:
        return ""
    rest = [cookies.get(f"{name}-{number}", "") for number in range(1, int(count))]
    return "" if "" in rest else "".join([value, *rest])


def put(response: Response, cookies: Mapping[str, str], name: str, value: str, life_s: int) -> None:
    """Sets the value for `life_s` seconds; parts of a longer one before go. Raises TooLarge."""
    parts = [value[at : at + PART_BYTES] for at in range(0, len(value), PART_BYTES)]
    if len(parts) > PARTS:
        raise TooLarge(f"{len(value)} bytes, {PARTS * PART_BYTES} allowed")
    for number, part in enumerate(parts):
        _set(response, _part(name, number), part if number else f"{len(parts)}.{part}", life_s)
    _drop_from(response, cookies, name, len(parts))


def drop(response: Response, cookies: Mapping[str, str], name: str) -> None:
    """Takes the value from the browser."""
    _drop_from(response, cookies, name, 0)


def _part(name: str, number: int) -> str:
    return f"{name}-{number}" if number else name


def _drop_from(response: Response, cookies: Mapping[str, str], name: str, first: int) -> None:
    for number in range(first, PARTS):
        if _part(name, number) in cookies:
            _set(response, _part(name, number), "", 0)


def _set(response: Response, name: str, value: str, life_s: int) -> None:
    response.set_cookie(name, value, max_age=life_s, path="/", secure=True, httponly=True, samesite="lax")
