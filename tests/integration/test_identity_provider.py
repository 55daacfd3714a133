"""docs/identity.md against an OpenID provider that is not ours: its realm signs people in, and services believe its tokens."""

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from dandelion.campaigns.v1.queries_pb2 import ListCampaignsRequest
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion_contracts.channel import connect

from kernel.core.clock import system_clock
from kernel.core.faults import Unauthenticated
from kernel.core.ids import new_id
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.keys import KeyPolicy
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.story import brief_body
from tests.kit.oidc_running import REALM, SETTINGS, provider
from tests.kit.running import ROLES, Running, running

BELLA = REALM["users"][0]["attributes"]["tenant"][0]


async def campaigns_of(at: Running, token: str) -> list[str]:
    async with connect(f"127.0.0.1:{at.app.settings.rpc_port}", token=token) as channel:
        answer = await CampaignQueryServiceStub(channel).ListCampaigns(ListCampaignsRequest(brand_id=BELLA))
    return [one.campaign_id for one in answer.campaigns]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_the_page_s_people_call_a_service_with_the_providers_tokens(tmp_path: Path, algorithm: str) -> None:
    with provider(tmp_path, REALM, algorithm) as identity:
        told = {"jwks": identity.jwks(), "token_issuer": identity.issuer, "token_algorithms": algorithm}
        async with running(SERVICE, CampaignsSettings, tmp_path, ROLES, **told) as campaigns:
            tokens = identity.sign_in("bella")
            answer = await put_campaign(campaigns, tokens["access_token"])
            assert answer.status_code == 201, answer.text
            at_least = answer.json()["token"]
            async with connect(f"127.0.0.1:{campaigns.app.settings.rpc_port}", token=tokens["access_token"]) as channel:
                request = ListCampaignsRequest(brand_id=BELLA, at_least=at_least)
                (found,) = (await CampaignQueryServiceStub(channel).ListCampaigns(request)).campaigns
            assert found.brand_id == BELLA
            refused = await put_campaign(campaigns, tokens["id_token"])
            assert (refused.status_code, refused.json()["code"]) == (401, "token.type_not_allowed")
            assert await campaigns_of(campaigns, identity.access("fay")) == [found.campaign_id], "staff sees it"
            with pytest.raises(grpc.aio.AioRpcError) as no:
                await campaigns_of(campaigns, tokens["id_token"])
            assert no.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def put_campaign(at: Running, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id()}
    async with at.http() as client:
        return await client.put(f"/campaigns/{new_id()}", json={"brief": brief_body()}, headers=headers)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_the_providers_keys_rotate_under_a_service(tmp_path: Path, algorithm: str) -> None:
    """As the page says: a new key is found when a token names it, and a key that left the set is refused."""
    later = timedelta()
    with provider(tmp_path, REALM, algorithm) as identity:
        verifier = identity.verifier(clock=lambda: system_clock() + later)
        before = identity.access("bella")
        assert (await verifier.verify(before)).tenant == BELLA
        identity.told("rotate")
        later = timedelta(seconds=KeyPolicy().retry_s)
        after = identity.access("bella")
        assert (await verifier.verify(after)).tenant == BELLA
        assert (await verifier.verify(before)).tenant == BELLA
        identity.told("retire")
        later += timedelta(seconds=KeyPolicy().refresh_s)
        assert await refusal(verifier, before) == "token.unknown_key"
        assert (await verifier.verify(identity.access("fay"))).roles == {"finance"}


async def refusal(verifier: Verifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(token)
    return refused.value.code


def changed(change: str) -> dict[str, Any]:
    """The page's realm with one mistake."""
    realm: dict[str, Any] = copy.deepcopy(REALM)
    bella, mappers = realm["users"][0], next(one for one in realm["clients"] if one.get("publicClient"))
    match change:
        case "no audience":
            mappers["protocolMappers"][0]["config"]["included.client.audience"] = "account"
        case "no tenant":
            del bella["attributes"]
        case "no roles":
            del bella["clientRoles"]
        case "a role of staff":
            bella["clientRoles"]["dandelion"] = ["finance"]
        case "a long life":
            realm["accessTokenLifespan"] = 864_000
    return realm


@pytest.mark.parametrize(
    ("change", "told", "code"),
    [
        ("no audience", {}, "token.wrong_audience"),
        ("no tenant", {}, "token.claim_malformed"),
        ("no roles", {}, "token.claim_malformed"),
        ("a role of staff", {}, "token.role_not_of_tenant"),
        ("a long life", {}, "token.lives_too_long"),
        ("", {"issuer": SETTINGS["DANDELION_TOKEN_ISSUER"]}, "token.wrong_issuer"),
        ("", {"algorithms": {"EdDSA"}}, "token.algorithm_not_allowed"),
    ],
    ids=["audience", "tenant", "roles", "staff", "life", "issuer", "algorithm"],
)
async def test_a_mistake_in_the_realm_is_named(tmp_path: Path, change: str, told: dict[str, Any], code: str) -> None:
    with provider(tmp_path, changed(change), "RS256") as identity:
        assert await refusal(identity.verifier(**told), identity.access("bella")) == code
