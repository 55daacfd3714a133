"""Catalogs against the pages: which text is said where, what lacks a translation, what nobody says any more."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po

from console.words import CATALOGS, FOLDER
from console.words.enums import all_labels

ROOT = FOLDER.parent
COMMON = "common"
EXPLAINED = FOLDER / "codes.json"
KEYWORDS = {**DEFAULT_KEYWORDS, "mark": None, "words": None}
Text = str | tuple[str, ...]
CODES = "codes"
"""Room of the sentences that explain refusals."""


def said() -> Mapping[str, dict[Text, list[str]]]:
    """Texts by room, each with where it is said. A text that several rooms say belongs to `common`."""
    places: dict[Text, dict[str, list[str]]] = {}
    for file in sorted((*ROOT.rglob("*.py"), *ROOT.rglob("*.html"))):
        for text in _texts(file):
            places.setdefault(text, {}).setdefault(_room(file), []).append(str(file.relative_to(ROOT)))
    for label in all_labels():
        places.setdefault(label, {}).setdefault(COMMON, []).append("words/enums.py")
    for sentence in _sentences():
        places.setdefault(sentence, {}).setdefault(CODES, []).append(f"words/{EXPLAINED.name}")
    rooms: dict[str, dict[Text, list[str]]] = {}
    for text, by_room in places.items():
        room = next(iter(by_room)) if len(by_room) == 1 else COMMON
        rooms.setdefault(room, {})[text] = sorted({place for found in by_room.values() for place in found})
    return rooms


def _sentences() -> set[str]:
    explained: dict[str, list[str]] = json.loads(EXPLAINED.read_text("utf-8"))
    return {sentence for told in explained.values() for sentence in told}


def _texts(file: Path) -> Iterator[Text]:
    method = "python" if file.suffix == ".py" else "jinja2.ext:babel_extract"
    options = {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}
    with file.open("rb") as source:
        yield from (text for _, text, _, _ in extract(method, source, KEYWORDS, options=options) if text)


def _room(file: Path) -> str:
    """`pages/<noun>.py` and `templates/<noun>/` are the room <noun>, everything else is common."""
    parts = file.relative_to(ROOT).parts
    if parts[0] == "pages" and len(parts) > 1:
        return Path(parts[1]).stem
    return parts[1] if parts[0] == "templates" and len(parts) > 2 and parts[1] != "macros" else COMMON


def read(lang: str, room: str) -> Catalog:
    file = FOLDER / CATALOGS[lang] / f"{room}.po"
    if not file.exists():
        return Catalog(locale=CATALOGS[lang])
    with file.open("rb") as source:
        return read_po(source, locale=CATALOGS[lang], abort_invalid=True)


def update() -> tuple[int, int]:
    """Brings all catalogs up to what the pages say; (texts that came or went, texts without translation)."""
    changed = missing = 0
    for lang in CATALOGS:
        known = {one.id: one.string for room in _rooms(lang) for one in read(lang, room) if one.id}
        rooms = said()
        for room in sorted({*rooms, *_rooms(lang)}):
            before = {one.id for one in read(lang, room) if one.id}
            changed += len(before ^ set(rooms.get(room, {})))
            missing += _write(lang, room, rooms.get(room, {}), known)
    return changed, missing


def _rooms(lang: str) -> list[str]:
    return sorted(file.stem for file in (FOLDER / CATALOGS[lang]).glob("*.po"))


def _write(lang: str, room: str, texts: Mapping[Text, list[str]], known: Mapping[Any, Any]) -> int:
    catalog, missing = Catalog(locale=CATALOGS[lang], fuzzy=False, header_comment=""), 0
    for text, places in texts.items():
        translated = known.get(text)
        catalog.add(text, translated or None, locations=[(place, 0) for place in places])
        missing += not _is_whole(translated)
    file = FOLDER / CATALOGS[lang] / f"{room}.po"
    if not texts:
        file.unlink(missing_ok=True)
        return 0
    with file.open("wb") as target:
        write_po(target, catalog, width=120, sort_output=True, omit_header=True)
    return missing


def _is_whole(translated: Any) -> bool:
    return bool(translated) and (isinstance(translated, str) or all(translated))


def untranslated(lang: str) -> list[str]:
    """Texts that a page says and that have no translation, with the room."""
    known = {one.id: one.string for room in _rooms(lang) for one in read(lang, room) if one.id}
    texts = ((room, text) for room, all_of in said().items() for text in all_of)
    return [f"{room}: {text}" for room, text in texts if not _is_whole(known.get(text))]
