"""An approval by hand takes two reviewers unless the platform is told otherwise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dandelion.common.v1 import common_pb2 as common

from services.compliance.settings import ComplianceSettings
from tests.integration.compliance.client import Compliance, running
from tests.integration.compliance.test_reviews import UNSURE, submitted

DEFAULT = ComplianceSettings.model_fields["four_eyes"].default
SECOND = ("sam", "platform", "reviewer")


@pytest.fixture
async def compliance(tmp_path: Path) -> AsyncIterator[Compliance]:
    async with running(tmp_path, four_eyes=DEFAULT) as made:
        yield made


async def test_one_reviewer_alone_clears_nothing(compliance: Compliance) -> None:
    deal, body = await submitted(compliance, UNSURE), {"approved": True, "reason": "有依据"}
    await compliance.reviewed(deal.submission_id)
    path = f"/reviews/{deal.submission_id}/decide"
    for _ in range(2):
        token = (await compliance.post(path, body)).json()["token"]
        assert (await compliance.review(deal.submission_id, at_least=token)).verdict == common.VERDICT_NEEDS_HUMAN
    token = (await compliance.post(path, body, SECOND)).json()["token"]
    assert (await compliance.review(deal.submission_id, at_least=token)).verdict == common.VERDICT_CLEAR
