"""Templates: one environment by language, with the filters that write numbers, times and enum values for the page's reader."""

from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from console.assets import names
from console.look.formats import Formats, at
from console.look.menu import menu, searches
from console.look.tones import tone_of
from console.words import LANGUAGES, translations
from console.words.enums import label
from console.words.goods import GOODS, LAWS

FOLDER = Path(__file__).parent.parent / "templates"
COMMON_ZONES = (
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Tokyo", "Asia/Singapore", "Asia/Kolkata", "Europe/London", "Europe/Berlin", "UTC",
    "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Sao_Paulo", "Australia/Sydney",
)  # fmt: skip


def environments() -> Mapping[str, Environment]:
    """Environment by language.

    Jinja takes what a catalog says as HTML and as a format. A word that people wrote may come that way too, such as a category
    that no catalog has: so what a catalog says is escaped, and is a format only where values are given.
    """
    return {lang: _environment(lang) for lang in LANGUAGES}


def _environment(lang: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.install_gettext_callables(*_told(lang), newstyle=False)  # type: ignore[attr-defined]
    made.globals |= {
        "asset": _asset,
        "menu": menu,
        "searches": searches,
        "languages": LANGUAGES,
        "common_zones": COMMON_ZONES,
        "form_token": _form_token,
        "token": lambda page: Markup('<input type="hidden" name="_form" value="{}">').format(_form_token(page)),
    }
    made.filters |= {name: _written(name) for name in FORMATS}
    made.filters |= {"label": _label, "tone": _tone, "iso": lambda moment: at(moment).astimezone(UTC).isoformat()}
    made.filters |= {"goods": _named(GOODS), "law": _named(LAWS)}
    made.tests["marked_in"] = lambda field, content: f'id="{field}-wrong"' in content
    return made


def _told(lang: str) -> tuple[Callable[..., Markup], Callable[..., Markup]]:
    """`_("...", name=value)` and `ngettext`, whose values are escaped too; the count is `num` there."""
    catalog = translations(lang)

    def gettext(text: str, **values: Any) -> Markup:
        told = escape(catalog.gettext(text))
        return told % values if values else told

    def ngettext(one: str, many: str, num: int, **values: Any) -> Markup:
        return escape(catalog.ngettext(one, many, num)) % {"num": num, **values}

    return gettext, ngettext


FORMATS = ("money", "amount", "number", "short", "ratio", "share", "day", "exact", "relative")


def _written(name: str) -> Any:
    """Filter that writes as the page's reader reads: `{{ minor|money("CNY") }}`."""

    @pass_context
    def write(context: Context, value: Any, *arguments: Any) -> str:
        formats: Formats = context["page"].formats
        return str(getattr(formats, name)(value, *arguments))

    return write


def _named(names: Mapping[str, str]) -> Any:
    """Filter that names a word of the contracts; one without a name stays as it is."""

    @pass_context
    def name(context: Context, word: str) -> str:
        return str(context["page"].words(names[word])) if word in names else word

    return name


@pass_context
def _label(context: Context, message: Message, field: str, number: int | None = None) -> str:
    """`{{ campaign|label("status") }}`: the value's name; of a repeated field give the number."""
    told: str = context["page"].words(label(*_value(message, field, number)))
    return told


def _tone(message: Message, field: str, number: int | None = None) -> str:
    enum, chosen = _value(message, field, number)
    value = enum.values_by_number.get(chosen)
    return tone_of(value.name if value else "")


def _value(message: Message, field: str, number: int | None) -> tuple[Any, int]:
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    if enum is None:
        raise TypeError(f"{message.DESCRIPTOR.full_name}.{field} is no enum")
    chosen: int = getattr(message, field) if number is None else number
    return enum, chosen


@cache
def _asset(name: str) -> str:
    return f"/assets/{names()[name]}"


def _form_token(page: Any) -> str:
    return str(page.request.state.form_token)
