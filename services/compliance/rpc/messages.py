"""Rows of compliance's read models as they look on the wire."""

from dataclasses import dataclass

import orjson
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import queries_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from pydantic import TypeAdapter

from kernel.core.decider import Actor
from services.compliance.domain.findings import Evidence, Finding, Verdict
from services.compliance.projections import Voice
from services.compliance.publish import wire_evidence, wire_finding
from services.compliance.reads import Row

FINDING: TypeAdapter[Finding] = TypeAdapter(Finding)
EVIDENCE: TypeAdapter[list[Evidence]] = TypeAdapter(list[Evidence])
FINDINGS: TypeAdapter[list[Finding]] = TypeAdapter(list[Finding])
VOICES: TypeAdapter[list[Voice]] = TypeAdapter(list[Voice])


STAFF = ("reviewer", "operator", "auditor")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a caller sees of a review beyond its row: who the reviewers are, and how many have to approve."""

    names: bool
    voices_needed: int


def shown_to(actor: Actor, voices_needed: int) -> Shown:
    """What this caller sees."""
    return Shown(not actor.roles.isdisjoint(STAFF), voices_needed)


def wire_review(row: Row, shown: Shown) -> pb.Review:
    same = (
        "review_id", "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "jurisdiction",
        "product_category", "title", "text", "by_reviewer", "note", "label", "version", "product_used", "ai_made", "round",
        "language", "text_hash",
    )  # fmt: skip
    return pb.Review(
        **{name: row[name] for name in same},
        submission_id=row["review_id"],
        stage=number(common.SubmissionStage, row["stage"]),
        platform=number(common.Platform, row["platform"]),
        format=number(common.Format, row["format"]),
        tags=orjson.loads(row["tags"]),
        links=orjson.loads(row["links"]),
        evidence=map(wire_evidence, EVIDENCE.validate_json(row["evidence"])),
        verdict=number(common.Verdict, row["verdict"]),
        findings=map(wire_finding, FINDINGS.validate_json(row["findings"])),
        rule_packs=orjson.loads(row["rule_packs"]),
        placement=number(common.LabelPlacement, row["placement"]),
        submitted_at=stamp(row["submitted_at"]),
        completed_at=stamp(row["completed_at"]),
        voices=[_voice(one, shown) for one in VOICES.validate_json(row["voices"])],
        voices_needed=shown.voices_needed if row["verdict"] == Verdict.NEEDS_HUMAN.value else 0,
    )


def _voice(voice: Voice, shown: Shown) -> pb.Voice:
    return pb.Voice(
        reviewer_id=voice.reviewer_id if shown.names else "",
        approved=voice.approved,
        reason=voice.reason,
        decided_at=stamp(voice.decided_at),
    )


LOOK = (
    "look_id", "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "post_id", "url", "label",
    "jurisdiction", "ordinal", "ok", "found", "label_present", "text_unchanged", "author_differs", "unreadable",
)  # fmt: skip
"""Columns of a look that stand in its message by the same name."""


def wire_look(row: Row) -> pb.Look:
    return pb.Look(
        **{name: row[name] for name in LOOK},
        platform=number(common.Platform, row["platform"]),
        requested_at=stamp(row["requested_at"]),
        looked_at=stamp(row["looked_at"]),
        next_at=stamp(row["next_at"]),
    )


def wire_erasure(row: Row) -> pb.Erasure:
    return pb.Erasure(
        subject_id=row["subject_id"],
        step=number(pb.ErasureStep, row["step"]),
        reason=row["reason"],
        since=stamp(row["since"]),
        version=row["version"],
    )


def wire_finding_row(row: Row) -> pb.FindingRow:
    return pb.FindingRow(
        **{name: row[name] for name in ("review_id", "campaign_id", "brand_id", "creator_id")},
        verdict=number(common.Verdict, row["verdict"]),
        finding=wire_finding(FINDING.validate_json(row["finding"])),
        found_at=stamp(row["found_at"]),
    )
