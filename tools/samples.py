"""Every event, command and envelope with every field set, as bytes and as JSON: tests/unit/corpus/wire-<release>.jsonl.

`python -m tools.samples` writes the file of the release in contracts/pyproject.toml. Files of earlier releases are left alone.
"""

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "contracts"))

from dandelion_contracts.events import COMMANDS, ENVELOPE, ENVELOPE_TYPE, EVENTS  # noqa: E402
from google.protobuf.descriptor import FieldDescriptor  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402
from google.protobuf.message import Message  # noqa: E402
from google.protobuf.timestamp_pb2 import Timestamp  # noqa: E402

CORPUS = ROOT / "tests" / "unit" / "corpus"
NUMBERS = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT32}


def filled(kind: type[Message]) -> Message:
    """A message of this kind with every field set to a value that its number and name decide."""
    message = kind()
    fields = cast("list[FieldDescriptor]", list(message.DESCRIPTOR.fields))
    for field in fields:
        if field.message_type:
            _fill_message(message, field)
        elif field.is_repeated:
            getattr(message, field.name).extend([_scalar(field, 1), _scalar(field, 2)])
        else:
            setattr(message, field.name, _scalar(field, 1))
    return message


def _fill_message(message: Message, field: FieldDescriptor) -> None:
    """A repeated message gets two: a full one and an empty one."""
    part = getattr(message, field.name)
    if isinstance(part, Timestamp):
        part.FromMilliseconds(1_795_000_000_123 + field.number)
    elif field.is_repeated:
        full, _empty = part.add(), part.add()
        full.CopyFrom(filled(type(full)))
    else:
        part.CopyFrom(filled(type(part)))


def _scalar(field: FieldDescriptor, ordinal: int) -> Any:
    if field.enum_type:
        return field.enum_type.values[-ordinal].number
    if field.cpp_type in NUMBERS:
        return 1_000 * field.number + ordinal
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return field.number / 8
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return True
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return f"{field.name} {ordinal} 广告"
    raise ValueError(f"{field.full_name}: no sample for this type")


def samples() -> Iterator[str]:
    """JSON lines `{"type", "bytes" (hex, fields in order), "json"}`."""
    kinds = {**EVENTS, **COMMANDS, ENVELOPE_TYPE: ENVELOPE}
    for name in sorted(kinds):
        message = filled(kinds[name])
        row = {
            "type": name,
            "bytes": message.SerializeToString(deterministic=True).hex(),
            "json": MessageToDict(message),
        }
        yield json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    release = tomllib.loads((ROOT / "contracts" / "pyproject.toml").read_text())["project"]["version"]
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"wire-{release}.jsonl").write_text("".join(samples()))


if __name__ == "__main__":
    main()
