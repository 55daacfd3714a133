"""A page as a browser without script has it: its text, its links, its forms to fill in and send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

UNTYPED = frozenset({"hidden", "checkbox", "radio", "submit", "button", "file", "password"})


@dataclass
class PageForm:
    """A form as it came: where it goes, what its fields hold, and which of them are typed into."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._form: PageForm | None = None
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name = told.get("name", "")
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag == "form":
            self._form = PageForm(told.get("action", ""), told.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in told or self._select not in self._form.fields:
                self._form.fields[self._select] = [told.get("value", "")]
        elif tag == "textarea":
            self._textarea = name
            self._form.fields.setdefault(name, []).append("")
            self._form.typed.add(name)
        elif tag == "input" and name and (told.get("type") not in ("checkbox", "radio") or "checked" in told):
            self._form.fields.setdefault(name, []).append(told.get("value", ""))
            if told.get("type", "text") not in UNTYPED:
                self._form.typed.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag in ("select", "textarea"):
            self._select = self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._textarea:
            fields = self._form.fields[self._textarea]
            fields[-1] += data if fields[-1] else data.removeprefix("\n")  # as HTML reads a textarea's first line end
        elif data.strip():
            self.words.append(data.strip())
            if self._form is not None:
                self._form.labels.append(data.strip())


@dataclass
class Shown:
    """What came: `text` without tags, `forms`, `links`."""

    answer: httpx.Response

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.answer.text)
        self.forms, self.links, self.text = reader.forms, reader.links, " ".join(reader.words)

    def form(self, ending: str) -> PageForm:
        """The form whose action ends so."""
        return next(one for one in self.forms if one.action.partition("?")[0].endswith(ending))


async def opened(client: httpx.AsyncClient, path: str) -> Shown:
    return Shown(await client.get(path))


async def sent(client: httpx.AsyncClient, form: PageForm, values: Mapping[str, str | list[str]]) -> Shown:
    """The answer to the form with these values in it; redirects are followed."""
    given = {name: one if isinstance(one, list) else [one] for name, one in values.items()}
    return Shown(
        await client.post(form.action, data={**form.fields, **given}, headers={"sec-fetch-site": "same-origin"})
    )
