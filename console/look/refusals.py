"""Problems in words: what a refusal means and what to do, by its code; what is wrong with a field, by its rule."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from console.calls.problems import Problem
from console.words import mark

CODES = Path(__file__).parent.parent / "words" / "codes.json"
"""Meaning and remedy of each code, from `make reference`, as docs/reference/errors.md has them."""
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
RULES: tuple[tuple[str, str], ...] = (
    (r"at least (\d+) character", mark("At least {n} characters.")),
    (r"at most (\d+) character", mark("At most {n} characters.")),
    (r"greater than or equal to (-?[\d.]+)", mark("Not less than {n}.")),
    (r"less than or equal to (-?[\d.]+)", mark("Not more than {n}.")),
    (r"greater than (-?[\d.]+)", mark("More than {n}.")),
    (r"less than (-?[\d.]+)", mark("Less than {n}.")),
    (r"at least (\d+) item", mark("At least {n} of them.")),
    (r"at most (\d+) item", mark("At most {n} of them.")),
    (r"(?i)field required", mark("Please fill this in.")),
    (r"(?i)valid (?:integer|number)", mark("Please write a number.")),
    (r"(?i)valid (?:datetime|date)", mark("Please give a day and a time.")),
)
"""Sentences for what the services say of a field, by a pattern of their words; another sentence is shown as it came."""


@cache
def _codes() -> Mapping[str, list[str]]:
    loaded: dict[str, list[str]] = json.loads(CODES.read_text("utf-8"))
    return loaded


def explained(problem: Problem) -> tuple[str, str]:
    """(what it means, what to do) in English, both keys of the catalogs."""
    if problem.code in OWN:
        return OWN[problem.code]
    known = _codes().get(problem.code)
    if known is not None:
        return known[0], known[1]
    return OF_KIND.get(problem.kind, OF_KIND["internal"])


def of_field(sentence: str) -> tuple[str, Mapping[str, str]]:
    """A sentence of the catalogs, and the number in it, for what a service said of a field."""
    for pattern, told in RULES:
        if found := re.search(pattern, sentence):
            return told, {"n": found[1]} if found.groups() else {}
    return sentence, {}
