"""A form as it was typed: read with limits, checked for where it came from, turned into a command's body.

Fields are named by their path in the command's body (`brief.title`, `brief.deliverables.0.format`), so that a refusal of the
service finds its field. What cannot be read as the field's kind is a Problem at that field; nothing typed is lost, because the
page is shown again with the same Form.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from console.calls.problems import Problem
from console.look.formats import digits_of
from console.words import mark

FIELDS_LIMIT = 1_000
FIELD_LIMIT_BYTES = 1024 * 1024
"""As it is sent: a Chinese character of a form takes nine bytes."""
COOKIE = "__Host-form"
"""Cookie that each form repeats in its field `_form`: no other site can read the cookie, so no other site can send a form."""
V = TypeVar("V")
NUMBER = re.compile(r"^[+-]?[0-9]{1,18}(\.[0-9]{1,9})?$")
KEY = re.compile(r"^[\x21-\x7e]{8,128}$")

MISSING = mark("Please fill this in.")
NO_NUMBER = mark("Please write a number, such as 1200 or 1200.50.")
NO_WHOLE = mark("Please write a whole number.")
TOO_FINE = mark("This currency has fewer digits after the point.")
SHARE_TOO_FINE = mark("At most two digits after the point.")
NO_MOMENT = mark("Please give a day and a time.")


class Form:
    """Typed values by field; `key` is the idempotency key that was made with the form."""

    def __init__(self, values: Mapping[str, list[str]], files: Mapping[str, UploadFile] | None = None) -> None:
        self.values, self.files = values, files or {}
        given = self.first("_key")
        self.key = given if KEY.match(given) else str(uuid4())
        self.wrong: dict[str, str] = {}

    def first(self, name: str, otherwise: str = "") -> str:
        return next(iter(self.values.get(name, ())), otherwise)

    def text(self, name: str) -> str:
        """Without the blanks around it; line ends as `\\n`."""
        return self.first(name).replace("\r\n", "\n").strip()

    def needed(self, name: str) -> str:
        """The same, and a Problem at the field when nothing was typed."""
        return self.text(name) or self._refuse(name, MISSING, "")

    def many(self, name: str) -> list[str]:
        """All values of a field that stands several times, or of a text with one value in a line."""
        return [line.strip() for value in self.values.get(name, ()) for line in value.splitlines() if line.strip()]

    def is_set(self, name: str) -> bool:
        return self.first(name) not in ("", "false", "off")

    def decimal(self, name: str, otherwise: Decimal | None = None) -> Decimal:
        typed = self.text(name).replace(",", "").replace("，", "").replace("\u00a0", "").replace(" ", "")
        if not typed and otherwise is not None:
            return otherwise
        try:
            return Decimal(typed) if NUMBER.match(typed) else self._refuse(name, NO_NUMBER, Decimal(0))
        except InvalidOperation:
            return self._refuse(name, NO_NUMBER, Decimal(0))

    def whole(self, name: str, otherwise: int | None = None) -> int:
        number = self.decimal(name, None if otherwise is None else Decimal(otherwise))
        return int(number) if number == int(number) else self._refuse(name, NO_WHOLE, 0)

    def minor(self, name: str, currency: str, otherwise: int | None = None) -> int:
        """An amount as people write it, in minor units of the currency."""
        if otherwise is not None and not self.text(name):
            return otherwise
        amount = self.decimal(name).scaleb(digits_of(currency))
        return int(amount) if amount == int(amount) else self._refuse(name, TOO_FINE, 0)

    def basis_points(self, name: str, otherwise: int | None = None) -> int:
        """A share written in percents."""
        if otherwise is not None and not self.text(name):
            return otherwise
        points = self.decimal(name) * 100
        return int(points) if points == int(points) else self._refuse(name, SHARE_TOO_FINE, 0)

    def moment(self, name: str, zone: str, at: str = "") -> str:
        """A local time of the zone as RFC 3339 in UTC; with `at` (`T12:00`) that time of the day that was typed."""
        given = self.first(name)
        try:
            local = datetime.fromisoformat(given[:10] + at if at else given).replace(tzinfo=ZoneInfo(zone))
            moment = local.astimezone(UTC)
        except (ValueError, OverflowError):  # the first and the last day of the calendar have no UTC in every zone
            return self._refuse(name, NO_MOMENT, "")
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

    def check(self) -> None:
        """Raises the Problem of all fields that could not be read."""
        if self.wrong:
            raise Problem("invalid", "request.invalid", {}, dict(self.wrong))

    def _refuse(self, name: str, sentence: str, instead: V) -> V:
        self.wrong.setdefault(name, sentence)
        return instead


def body(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Nested JSON of dotted names: `{"brief.title": "x", "fees.0": 1}` is `{"brief": {"title": "x"}, "fees": [1]}`."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        place = nested
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return {name: _listed(value) for name, value in nested.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(one) for name, one in value.items()}


EMPTY = Form({})
"""The form of a page that nobody has filled in yet."""


async def typed(request: Request) -> Form:
    """What was typed, whoever sent it."""
    read = await request.form(max_files=4, max_fields=FIELDS_LIMIT, max_part_size=FIELD_LIMIT_BYTES)
    values: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    for name, value in read.multi_items():
        if isinstance(value, UploadFile):
            files[name] = value
        else:
            values.setdefault(name, []).append(value)
    return Form(values, files)


async def _read(request: Request) -> Form:
    form, cookie = await typed(request), request.cookies.get(COOKIE, "")
    if not cookie or not secrets.compare_digest(cookie.encode(), form.first("_form").encode()):
        raise Problem("forbidden", "form.not_ours")
    return form


Filled = Annotated[Form, Depends(_read)]
"""Parameter of a route that takes a form."""
