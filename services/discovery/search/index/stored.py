"""A snapshot as blocks of bytes and back: a header of JSON, then every array; sealed block by block under a key of the file.

A file is written beside the one before and takes its place when it is whole and on the disk: whoever is killed meanwhile leaves
the one before. A block that was changed, left out, moved or is another file's does not open.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.adapters.vault.personal import decrypted, encrypted
from kernel.core.faults import Internal
from services.discovery.search.index.columns.labels import Labels
from services.discovery.search.index.columns.letters import Alphabet
from services.discovery.search.index.columns.numbers import Numbers
from services.discovery.search.index.columns.texts import Texts
from services.discovery.search.index.filters import Vocabulary, Words
from services.discovery.search.index.segment import Segment
from services.discovery.search.index.snapshot import Part, Snapshot

MAGIC = b"dandelion search index\n"
VERSION = 1
"""Goes up with any change of what is stored: a file of another version is left alone and written anew."""
BLOCK, SEAL = 8 * 1024 * 1024, 28
"""Bytes of a block, and how many more its nonce and tag take."""
UNREADABLE = "search.file_unreadable"
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in front of the blocks: whose key opens them, and `form`, what the index held columns of."""

    key_name: str
    form: str


def write(path: Path, head: Head, key: bytes, snapshot: Snapshot, mark: int) -> int:
    """Replaces the file; returns its size in bytes. Raises OSError."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(MAGIC + json.dumps({"version": VERSION, "key": head.key_name, "form": head.form}).encode() + b"\n")
        for number, block in enumerate(_blocks(_parts(snapshot, mark))):
            sealed = encrypted(key, block, (head.key_name, str(number), str(len(block) < BLOCK)))
            file.write(len(sealed).to_bytes(4, "big") + sealed)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size


def head_of(path: Path) -> Head | None:
    """The head of a file of this version; None without one."""
    try:
        with path.open("rb") as file:
            if file.readline() != MAGIC:
                return None
            told = json.loads(file.readline())
    except (FileNotFoundError, ValueError):
        return None
    return Head(told["key"], told["form"]) if told.get("version") == VERSION else None


def read(path: Path, head: Head, key: bytes) -> tuple[Snapshot, int]:
    """The snapshot and its mark; raises Internal `search.file_unreadable` for a file that is not whole or not under the key."""
    with path.open("rb") as file:
        file.readline()
        file.readline()
        whole = bytearray()
        for number in range(os.path.getsize(path)):
            sealed = file.read(int.from_bytes(file.read(4), "big"))
            rest = len(sealed) < BLOCK + SEAL
            block = decrypted(key, sealed, (head.key_name, str(number), str(rest)), UNREADABLE)
            whole += block
            if rest:
                return _snapshot(whole)
    raise Internal(UNREADABLE)


def _blocks(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """The parts in blocks of one size, the last one smaller."""
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= BLOCK:
            yield bytes(held[:BLOCK])
            del held[:BLOCK]
    yield bytes(held)


def _parts(snapshot: Snapshot, mark: int) -> Iterator[bytes | memoryview]:
    held = [_arrays(part) for part in snapshot.parts]
    listed = [{name: [array.dtype.str, array.shape] for name, array in arrays.items()} for arrays in held]
    words = snapshot.words
    header = json.dumps({
        "mark": mark, "letters": words.alphabet.letters, "parts": listed,
        "labels": {name: one.labels for name, one in words.vocabularies.items()},
        "sizes": [[part.segment.size, part.segment.texts.fields] for part in snapshot.parts],
    }).encode()  # fmt: skip
    yield len(header).to_bytes(8, "big") + header
    for arrays in held:
        for array in arrays.values():
            yield np.ascontiguousarray(array).tobytes()


def _arrays(part: Part) -> Arrays:
    """Every array of a part by its place."""
    segment, texts = part.segment, part.segment.texts
    made: Arrays = {
        "standing": part.standing,
        "ids": segment.sorted_ids,
        "rank": segment.rank,
        "doc_of": segment.doc_of,
    }
    made |= {"ends": texts.ends, "keys": texts.keys, "starts": texts.starts, "positions": texts.positions}
    for name, numbers in segment.numbers.items():
        made[f"values {name}"] = numbers.values
        if numbers.docs is not None:
            made[f"docs {name}"] = numbers.docs
    for name, labels in segment.labels.items():
        for field in LABEL_ARRAYS:
            made[f"{field} of {name}"] = getattr(labels, field)
    return made


LABEL_ARRAYS = ("starts", "docs", "of_doc", "codes", "frequent", "bitsets")


def _snapshot(whole: bytearray) -> tuple[Snapshot, int]:
    start = 8 + int.from_bytes(whole[:8], "big")
    told = json.loads(whole[8:start])
    vocabularies = {
        name: Vocabulary({label: code for code, label in enumerate(labels) if label}, labels)
        for name, labels in told["labels"].items()
    }
    parts = []
    for listed, (size, fields) in zip(told["parts"], told["sizes"], strict=True):
        arrays: Arrays = {}
        for name, (kind, shape) in listed.items():
            count = int(np.prod(shape))
            arrays[name] = np.frombuffer(whole, np.dtype(kind), count, start).reshape(shape)
            start += arrays[name].nbytes
        parts.append(_part(arrays, size, fields))
    return Snapshot(Words(Alphabet(told["letters"]), vocabularies), tuple(parts)), told["mark"]


def _part(arrays: Arrays, size: int, fields: int) -> Part:
    numbers = {
        name.removeprefix("values "): Numbers(size, array, arrays.get(f"docs {name.removeprefix('values ')}"))
        for name, array in arrays.items()
        if name.startswith("values ")
    }
    labelled = [name.removeprefix("bitsets of ") for name in arrays if name.startswith("bitsets of ")]
    labels = {name: Labels(size, *[arrays[f"{field} of {name}"] for field in LABEL_ARRAYS]) for name in labelled}
    texts = Texts(size, fields, arrays["ends"], arrays["keys"], arrays["starts"], arrays["positions"])
    segment = Segment(size, arrays["ids"], arrays["rank"], arrays["doc_of"], numbers, labels, texts)
    return Part(segment, arrays["standing"])
