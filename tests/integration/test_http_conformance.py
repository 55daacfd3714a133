"""The API keeps what its OpenAPI document says, for inputs that follow the document and for inputs that do not."""

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from kernel.edge.tokens.dev_issuer import Issuer
from tests.kit.issuing import ACME
from tests.kit.notes import make_app

FOLDER = Path(tempfile.mkdtemp(prefix="dandelion-notes-"))
atexit.register(shutil.rmtree, FOLDER)
ISSUER = Issuer.at(FOLDER, "https://issuer.test", "dandelion")
APP = make_app(FOLDER, [], body_limit_bytes=256 * 1024)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)


@SCHEMA.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_conformance(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {ISSUER.issue('ann', ACME)}"})


def test_the_document_is_3_1_and_names_scheme_and_problem() -> None:
    document = APP.openapi()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    put = document["paths"]["/notes/{note_id}"]["put"]
    assert put["security"] == [{"bearer": []}]
    for status in ("401", "409", "422", "429", "503"):
        (content,) = put["responses"][status]["content"].items()
        assert content == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}})
    assert {"Idempotency-Key"} == {
        one["name"] for one in put["parameters"] if one["in"] == "header" and one["required"]
    }


def test_no_route_is_undocumented() -> None:
    with pytest.raises(KeyError):
        APP.openapi()["paths"]["/docs"]
