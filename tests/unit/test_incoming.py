"""Who a request comes from: what proxies wrote is believed, what a client invents is not; HEAD is GET without the body."""

from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from kernel.edge.incoming import HOPS_LIMIT, HeadAsGet, TrustedProxies, client_address, principal_of

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("192.0.2.7/32")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        pytest.param("203.0.113.9", [], "203.0.113.9", id="no_proxy"),
        pytest.param("203.0.113.9", ["198.51.100.1"], "203.0.113.9", id="an_invented_header_of_a_stranger"),
        pytest.param("127.0.0.1", ["198.51.100.1"], "127.0.0.1", id="loopback_is_not_trusted_by_itself"),
        pytest.param("10.1.2.3", ["198.51.100.1"], "198.51.100.1", id="one_proxy"),
        pytest.param("10.1.2.3", ["1.2.3.4, 198.51.100.1"], "198.51.100.1", id="what_the_client_wrote_before"),
        pytest.param("10.1.2.3", ["1.2.3.4", "198.51.100.1"], "198.51.100.1", id="in_a_line_of_its_own"),
        pytest.param("10.1.2.3", ["198.51.100.1, 192.0.2.7"], "198.51.100.1", id="two_proxies"),
        pytest.param("10.1.2.3", ["10.9.9.9"], "10.9.9.9", id="only_proxies_as_far_as_is_known"),
        pytest.param("10.1.2.3", [], "10.1.2.3", id="a_proxy_that_says_nothing"),
        pytest.param("10.1.2.3", ["unknown"], "10.1.2.3", id="a_hidden_client"),
        pytest.param("10.1.2.3", ["198.51.100.1, nonsense"], "10.1.2.3", id="nothing_is_believed_past_nonsense"),
        pytest.param("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1", id="with_a_port"),
        pytest.param("10.1.2.3", ['"[2001:db8::1]:4711"'], "2001:db8::1", id="ipv6_with_a_port"),
        pytest.param("fd00::1", ["2001:db8::1"], "2001:db8::1", id="ipv6"),
        pytest.param("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1", id="an_ipv4_proxy_on_an_ipv6_socket"),
        pytest.param("10.1.2.3", [", , 198.51.100.1"], "198.51.100.1", id="empty_entries_before"),
        pytest.param("10.1.2.3", [",".join(["10.0.0.1"] * 500)], "10.0.0.1", id="a_long_header_is_cut"),
        pytest.param("testclient", ["198.51.100.1"], "testclient", id="a_peer_without_an_address"),
    ],
)
def test_client_address(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


def test_a_walk_through_proxies_is_bounded() -> None:
    far = ["198.51.100.1", *["10.0.0.1"] * HOPS_LIMIT]
    assert client_address("10.1.2.3", [",".join(far)], TRUSTED) == "10.0.0.1"
    assert client_address("10.1.2.3", [",".join(far[:HOPS_LIMIT])], TRUSTED) == "198.51.100.1"


@pytest.mark.parametrize(
    ("address", "principal"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_one_customers_addresses_share_a_bucket(address: str, principal: str) -> None:
    assert principal_of(address) == principal


def made() -> FastAPI:
    app = FastAPI()

    @app.get("/who")
    async def who(request: Request) -> PlainTextResponse:
        head = getattr(request.state, "head", False)
        return PlainTextResponse(f"{request.client.host if request.client else ''} {head}")

    return app


async def test_the_route_sees_the_client_behind_the_proxy() -> None:
    transport = httpx.ASGITransport(TrustedProxies(made(), TRUSTED), client=("10.1.2.3", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/who", headers={"X-Forwarded-For": "1.2.3.4, 198.51.100.1"})
    assert answer.text == "198.51.100.1 False"


async def test_head_is_answered_by_the_get_route_without_its_body() -> None:
    transport = httpx.ASGITransport(HeadAsGet(made()), client=("10.1.2.3", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.head("/who")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == str(len("10.1.2.3 True"))
        assert (await client.head("/nothing")).status_code == 404
