"""The contracts as a promise: what was ever sent stays readable, what is generated is current, what breaks is refused."""

import json
import re
import shutil
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dandelion.common.v1 import common_pb2
from dandelion.metrics.v1.events_pb2 import EngagementEnvelope
from dandelion_contracts import events, words
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message

from tools import proto, samples

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
KINDS: dict[str, type[Message]] = {**events.EVENTS, **events.COMMANDS, events.ENVELOPE_TYPE: EngagementEnvelope}
SAMPLES = [
    pytest.param(json.loads(line), id=f"{file.stem}-{json.loads(line)['type']}")
    for file in sorted(CORPUS.glob("wire-*.jsonl"))
    for line in file.read_text().splitlines()
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_was_ever_sent_is_read_as_it_was_meant(sample: dict[str, Any]) -> None:
    message = KINDS[sample["type"]].FromString(bytes.fromhex(sample["bytes"]))
    assert MessageToDict(message) == sample["json"]


def test_the_newest_corpus_has_every_message_of_the_topics_in_full() -> None:
    release = tomllib.loads((ROOT / "contracts" / "pyproject.toml").read_text())["project"]["version"]
    kept = (CORPUS / f"wire-{release}.jsonl").read_text()
    assert kept == "".join(samples.samples()), "unreleased messages changed: python -m tools.samples"


def test_a_truncated_sample_is_not_read_as_something_else() -> None:
    """Of the samples cut in their last field none gives the same message."""
    for parameter in SAMPLES:
        sample: Any = parameter.values[0]
        raw, kind = bytes.fromhex(sample["bytes"]), KINDS[sample["type"]]
        with suppress(DecodeError):
            assert MessageToDict(kind.FromString(raw[:-1])) != sample["json"]


def test_generated_code_is_current_well_formed_and_compatible() -> None:
    assert proto.main(["--check"]) == 0


def test_drift_is_seen(tmp_path: Path) -> None:
    fresh, kept = tmp_path / "fresh", tmp_path / "kept"
    for folder, files in {fresh: {"a": "1", "b": "2"}, kept: {"a": "1", "b": "3", "left_over": ""}}.items():
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    assert proto.drift(fresh, kept) == ["b", "left_over"]
    assert proto.drift(kept, fresh) == ["b", "left_over"]
    assert proto.drift(fresh, fresh) == []


OF_THE_CAMPAIGN = {"dandelion.campaigns.v1.ApplicationReleased"}
"""Its amount is in the currency of the campaign's budget."""
BREAKS = {
    "field_removed": (r"  int64 gross_minor = 6;\n", ""),
    "number_changed": (r"gross_minor = 6;", "gross_minor = 60;"),
    "type_changed": (r"int64 gross_minor = 6;", "string gross_minor = 6;"),
    "message_removed": (r"message EscrowRefused \{[^}]*\}", ""),
    "enum_value_removed": (r"  RELEASE_KIND_KILL_FEE = 2;\n", ""),
}


@pytest.mark.parametrize(("pattern", "instead"), BREAKS.values(), ids=BREAKS.keys())
def test_a_breaking_change_is_refused(tmp_path: Path, pattern: str, instead: str) -> None:
    changed = shutil.copytree(proto.PROTO, tmp_path / "proto")
    file = changed / "dandelion" / "ledger" / "v1" / "events.proto"
    before = file.read_text()
    file.write_text(re.sub(pattern, instead, before, count=1))
    assert file.read_text() != before
    assert not proto.compatible(changed)


def test_a_new_field_is_compatible(tmp_path: Path) -> None:
    changed = shutil.copytree(proto.PROTO, tmp_path / "proto")
    file = changed / "dandelion" / "ledger" / "v1" / "events.proto"
    file.write_text(file.read_text().replace("int64 gross_minor = 6;", "int64 gross_minor = 6;\n  string note = 60;"))
    assert proto.compatible(changed)


def test_a_wrong_name_does_not_pass_the_lint(tmp_path: Path) -> None:
    changed = shutil.copytree(proto.PROTO, tmp_path / "proto")
    file = changed / "dandelion" / "ledger" / "v1" / "events.proto"
    file.write_text(file.read_text().replace("int64 gross_minor = 6;", "int64 GrossMinor = 6;"))
    assert not proto.lint(changed)


def test_every_service_says_what_it_refused_in_the_one_form_of_common() -> None:
    shared = DescriptorProto()
    common_pb2.CommandRefused.DESCRIPTOR.CopyToProto(shared)
    for service in events.SERVICES:
        own = DescriptorProto()
        events.EVENTS[f"dandelion.{service}.v1.CommandRefused"].DESCRIPTOR.CopyToProto(own)
        assert own == shared


def test_shapes_inside_of_events_are_no_events() -> None:
    assert "dandelion.campaigns.v1.ContentPublished" in events.EVENTS
    for name in (
        "campaigns.v1.Deliverable",
        "campaigns.v1.Terms",
        "discovery.v1.Rate",
        "metrics.v1.EngagementEnvelope",
    ):
        assert f"dandelion.{name}" not in events.EVENTS


def test_amounts_and_times_are_named_and_typed_alike() -> None:
    """`*_minor` is int64 in a message with its currency, `*_at` is a time."""
    for name, kind in KINDS.items():
        for field in kind.DESCRIPTOR.fields:
            if field.name.endswith("_minor"):
                assert field.cpp_type == field.CPPTYPE_INT64, (name, field.name)
                assert name in OF_THE_CAMPAIGN or "currency" in kind.DESCRIPTOR.fields_by_name, (name, field.name)
            if field.name.endswith("_at"):
                assert field.message_type, (name, field.name)
                assert field.message_type.name == "Timestamp", (name, field.name)


OF_THE_PROGRAM = {"ListRulePacksRequest", "ListRulesRequest", "ListRuleChangesRequest", "ScoreTextsRequest"}
"""Questions about what the program ships: no write changes them."""
NEWEST_FIRST = {"ListBriefVersionsRequest", "ListSubmissionsRequest"}
"""Lists of the versions of one thing have one order."""


def test_every_request_can_ask_for_its_own_write_and_every_list_has_pages() -> None:
    for file in sorted(proto.PROTO.glob("dandelion/*/v1/queries.proto")):
        found = dict(re.findall(r"^message (\w+Request) \{(.*?)^\}", file.read_text(), re.M | re.S))
        for name, body in found.items():
            reads_no_model = name.startswith("Watch") or "/operations/" in str(file) or name in OF_THE_PROGRAM
            assert reads_no_model or "string at_least" in body or "SearchCreatorsRequest search" in body, name
            if name.startswith(("List", "Search")):
                assert "int32 page_size" in body, name
                assert "string page_token" in body, name
                assert name in NEWEST_FIRST or "string order_by" in body, name


def test_words_and_numbers_of_an_enum_are_each_others_inverse() -> None:
    enums: list[Any] = [common_pb2.Platform, common_pb2.SubmissionStage, common_pb2.CompensationKind]
    for enum in enums:
        for word in words.words(enum):
            assert words.word(enum, words.number(enum, word)) == word
    assert words.number(common_pb2.Platform, "douyin") == common_pb2.PLATFORM_DOUYIN
    assert words.words(common_pb2.SubmissionStage) == ("outline", "draft", "final")


def test_unknown_words_are_refused_and_unknown_numbers_are_no_word() -> None:
    with pytest.raises(ValueError, match="PLATFORM_ORKUT"):
        words.number(common_pb2.Platform, "orkut")
    assert words.number(common_pb2.Platform, "") == common_pb2.PLATFORM_UNSPECIFIED
    assert words.word(common_pb2.Platform, common_pb2.PLATFORM_UNSPECIFIED) == ""
    from_a_newer_version: Any = 999
    assert words.word(common_pb2.Platform, from_a_newer_version) == ""


def test_the_wheel_needs_at_least_what_its_code_was_generated_for() -> None:
    needs = tomllib.loads((ROOT / "contracts" / "pyproject.toml").read_text())["project"]["dependencies"]
    message = (proto.GENERATED / "common" / "v1" / "common_pb2.py").read_text()
    stub = (proto.GENERATED / "ledger" / "v1" / "queries_pb2_grpc.py").read_text()
    protobuf = re.search(r"# Protobuf Python Version: (\S+)", message)
    grpcio = re.search(r"GRPC_GENERATED_VERSION = '(\S+)'", stub)
    assert protobuf
    assert grpcio
    assert f"protobuf>={protobuf[1]}" in needs
    assert f"grpcio>={grpcio[1]}" in needs
