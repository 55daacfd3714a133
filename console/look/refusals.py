"""Problems in words: what a refusal means and what to do, by its code, else by its kind."""

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from console.calls.problems import Problem
from console.words import mark

CODES = Path(__file__).parent.parent / "words" / "codes.json"
"""Meaning and remedy of each code, written by `make reference`."""
OF_KIND: Mapping[str, tuple[str, str]] = {
    "invalid": (mark("Something typed here cannot be right."), mark("Look at the marked fields.")),
    "unauthenticated": (mark("You are not signed in."), mark("Sign in, then try again.")),
    "forbidden": (mark("You may not do this."), mark("Somebody with the right role can.")),
    "not_found": (mark("There is no such thing, or none that you may see."), mark("Look at the address, or search.")),
    "refused": (mark("This is not possible now."), mark("Load the page again to see what changed.")),
    "conflict": (mark("It was changed meanwhile."), mark("Load the page again and repeat what is still right.")),
    "exhausted": (mark("A limit is used up."), mark("Wait a moment, then try again.")),
    "unavailable": (
        mark("A service does not answer now."),
        mark("Send it again in a moment: it will not happen twice."),
    ),
    "pending": (mark("It was accepted and is not visible yet."), mark("Load the page again in a moment.")),
    "internal": (mark("Something broke on our side."), mark("Tell the platform's operator what you did and when.")),
}
OWN: Mapping[str, tuple[str, str]] = {
    "form.not_ours": (
        mark("This form is too old or came from elsewhere."),
        mark("Load the page again and send it from there."),
    ),
    "page.not_found": (mark("There is no such page."), mark("Look at the address, or start from home.")),
    "identity.away": (
        mark("The sign-in service does not answer now."),
        mark("Nothing is lost: try again in a moment."),
    ),
    "identity.not_begun": (
        mark("This sign-in was not begun in this browser, or too long ago."),
        mark("Sign in again."),
    ),
    "identity.refused": (
        mark("The sign-in service refused this sign-in."),
        mark("Sign in again. If that does not help, tell the platform's operator the word below."),
    ),
    "session.none": (mark("You are not signed in."), mark("Sign in, then try again.")),
    "request.invalid": (mark("Something typed here cannot be right."), mark("Look at the marked fields.")),
}
SAID = re.compile(r"([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)(?: \((.*)\))?", re.DOTALL)
"""A fault as the services write it: its code, and its facts in brackets."""
PLACE = re.compile(r"\{(\w+)\}")


@cache
def _codes() -> Mapping[str, list[str]]:
    loaded: dict[str, list[str]] = json.loads(CODES.read_text("utf-8"))
    return loaded


def explained(problem: Problem, facts: Collection[str] = ()) -> tuple[str, str]:
    """(what it means, what to do) in English, both keys of the catalogs, with `{name}` for a fact.

    A sentence that needs a fact which is not in `facts` gives way to the one of the refusal's kind.
    """
    general = OF_KIND.get(problem.kind, OF_KIND["internal"])
    known = OWN.get(problem.code) or _codes().get(problem.code) or general
    meaning, remedy = (
        told if set(PLACE.findall(told)) <= set(facts) else instead
        for told, instead in zip(known, general, strict=True)
    )
    return meaning, remedy


def said(sentence: str) -> Problem | None:
    """The refusal that a service's sentence about a field stands for; None for a sentence about a rule."""
    found = SAID.fullmatch(sentence)
    if found is None:
        return None
    facts = dict(one.split("=", 1) for one in (found[2] or "").split(", ") if "=" in one)
    return Problem("invalid", found[1], facts)
