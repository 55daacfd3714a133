"""How a person reads: language, zone and colours, kept in a cookie of the browser."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from console.forms import Filled
from console.look.formats import ZONES
from console.page import READER, Visitor
from console.words import LANGUAGES

YEAR_S = 365 * 24 * 3600
router = APIRouter()


@router.post("/reader")
async def read_as(visit: Visitor, form: Filled) -> Response:
    """Keeps the choice and goes back to where it was made."""
    lang = form.first("lang") if form.first("lang") in LANGUAGES else visit.lang
    zone = form.first("zone") if form.first("zone") in ZONES else visit.zone
    theme = form.first("theme") if form.first("theme") in ("", "light", "dark") else ""
    response = RedirectResponse(ours(form.first("next")), 303)
    response.set_cookie(READER, f"{lang}|{zone}|{theme}", YEAR_S, secure=True, httponly=True, samesite="lax")
    return response


def ours(path: str) -> str:
    """`path` if it is one of this console's, else home."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


@router.get("/signed-in-again")
async def signed_in_again(visit: Visitor) -> Response:
    """Where a sign-in ends that was begun to send a form once more."""
    return visit.show("signed_in_again.html")
