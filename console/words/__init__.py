"""Words of the pages. English stands in the code and is the key; Chinese stands in `zh_CN/<noun>.po`, a file for each room.

`python -m console.words` finds every marked text and writes what is missing into the catalogs (an empty `msgstr`); a test refuses
a text without its translation. Mark a text of Python by `mark("...")` or `page.words("...")`; in templates `_("...")` and
`{% trans %}`.
"""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent
LANGUAGES: Mapping[str, str] = {"zh-CN": "简体中文", "en": "English"}
"""Languages by their BCP 47 tag, each named in itself."""
CATALOGS: Mapping[str, str] = {"zh-CN": "zh_CN"}
"""Folder of a language's catalogs; English needs none."""


def mark(text: str) -> str:
    """`text` itself: marks a text of Python that a page translates when it is shown."""
    return text


@cache
def translations(lang: str) -> NullTranslations:
    """All catalogs of a language as one."""
    merged = NullTranslations()
    if lang in CATALOGS:
        merged = Translations()
        for file in sorted((FOLDER / CATALOGS[lang]).glob("*.po")):
            compiled = _compiled(file, lang)
            merged.merge(compiled)
            merged.plural = compiled.plural
    return merged


def _compiled(file: Path, lang: str) -> Translations:
    with file.open("rb") as source:
        catalog = read_po(source, locale=CATALOGS[lang], abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def chosen(wanted: str, accepted: str) -> str:
    """The language of a visitor: the one chosen before, else the first of `Accept-Language` that there is, else English."""
    if wanted in LANGUAGES:
        return wanted
    for one in accepted.split(","):
        tag = one.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return "en"
