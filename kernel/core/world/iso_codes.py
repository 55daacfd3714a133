"""Codes of the world's countries and languages, as far as a check needs them."""

from functools import cache
from importlib.resources import files

_TWO_LETTERS = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka
    kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng
    nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st
    su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
LANGUAGES = frozenset(_TWO_LETTERS.split())
"""The two-letter codes of ISO 639-1."""
NO_LANGUAGES = frozenset({"mis", "mul", "und", "zxx"})
"""Three-letter codes of ISO 639-2 that name none."""


@cache
def countries() -> frozenset[str]:
    """The codes of ISO 3166-1, from the time zone database; it has neither `UK` nor `EU`, which are no countries there."""
    lines = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8").splitlines()
    return frozenset(line[:2] for line in lines if line and not line.startswith("#"))


def is_language(code: str) -> bool:
    """A code of ISO 639-1, or one of three letters, of which there are thousands: it is believed unless it says "none"."""
    return code in LANGUAGES if len(code) == 2 else code not in NO_LANGUAGES and not "qaa" <= code <= "qtz"
