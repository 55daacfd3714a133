"""What a message of any type says, as values by path; and a value as people read it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pool import Default
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from console.page import SignedIn
from console.pages.deals.terms import lasting
from console.words.enums import values_by_name

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WHOLE = re.compile(r"-?\d{1,18}")
OF_YEAR = frozenset(
    {"year_base_minor", "year_tax_minor", "year_income_minor", "year_withheld_before_minor", "rate_cny_minor"}
)
"""Amounts in the currency of the tax year, where that is another one."""
LONG = 300
"""Characters of a value that are shown."""


def flat(holder: AnyMessage) -> dict[str, str]:
    """Values by path of a message of any type; empty for none, and for a type that this console does not know."""
    if not holder.type_url:
        return {}
    try:
        kind = GetMessageClass(Default().FindMessageTypeByName(holder.TypeName()))
    except KeyError:
        return {}
    return dict(_values("", MessageToDict(kind.FromString(holder.value), preserving_proto_field_name=True)))


def told(page: SignedIn, path: str, values: Mapping[str, str]) -> str:
    """The value at a path: times in the reader's zone, names of enums in words, shares as percents, seconds as days or
    hours, amounts with the currency that stands beside them or further out; any other value as the contract has it."""
    value, name = values[path], path.rpartition(".")[2]
    if TIME.fullmatch(value):
        return page.formats.exact(datetime.fromisoformat(value))
    if not WHOLE.fullmatch(value):
        return ", ".join(page.words(_labels()[one]) if one in _labels() else one for one in value.split(", "))
    currency = _currency(path, values) if name.endswith("_minor") else ""
    if currency:
        return page.formats.money(int(value), currency)
    if name.endswith("_bps"):
        return page.formats.share(int(value))
    return lasting(page.formats, int(value)) if name.endswith("_s") else value


@cache
def _labels() -> Mapping[str, str]:
    return dict(values_by_name())


def _currency(path: str, values: Mapping[str, str]) -> str:
    """The nearest one, from the amount outwards; "" where none is told."""
    *around, name = path.split(".")
    called = ("year_currency", "currency") if name in OF_YEAR else ("currency",)
    places = (".".join([*around[:depth], one]) for depth in range(len(around), -1, -1) for one in called)
    return next((values[place] for place in places if values.get(place)), "")


def _values(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _values(f"{path}.{name}" if path else name, one)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for place, one in enumerate(value):
            yield from _values(f"{path}.{place + 1}", one)
    else:
        said = ", ".join(map(str, value)) if isinstance(value, list) else _plain(value)
        yield path, said if len(said) <= LONG else f"{said[:LONG]}…"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
