"""A step before what cannot be undone: the page says what will happen, then the same form is sent again under the same key."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import Response

from console.forms import Form
from console.page import SignedIn

SURE = "_sure"


@dataclass(frozen=True, slots=True)
class Question:
    """What is about to happen, in the reader's words: `pairs` are (name, value), `back` leads to where nothing is done."""

    title: str
    pairs: Sequence[tuple[str, str]]
    warning: str
    button: str
    back: str
    is_grave: bool = False


def is_sure(form: Form) -> bool:
    return form.is_set(SURE)


def confirm(page: SignedIn, form: Form, question: Question) -> Response:
    """The page that asks; raises Problem when something typed cannot be read."""
    form.check()
    kept = [(name, value) for name, values in form.values.items() for value in values if name not in (SURE, "_form")]
    return page.show("confirm.html", question=question, kept=kept, to=page.path)
