"""The gateway lets in what is for callers: every route of the APIs, every query, and no probe, metric or reflection."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from cli.embedded import WIRED
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.edge.tokens.open_streams import STREAM_LIMIT_S
from kernel.host.app import open_app
from kernel.runtime.settings import Settings, networks_of
from tests.deploy.conftest import ROOT
from tests.deploy.objects import Object, containers, environment, name_of, named, of, ours
from tests.kit.running import settings_in

OURS_ONLY = {"/healthz/live", "/healthz/ready"}


@pytest.fixture(params=sorted(WIRED))
async def routes(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, set[str]]:
    """A service and the paths of its API."""
    service = WIRED[request.param]
    Issuer.at(tmp_path / "issuer", "x", "y")
    more = {}
    if service.name == "ledger":
        (tmp_path / "psp").write_text("whsec_c2FuZGJveC1zZWNyZXQtdGhhdC1ub2JvZHktbXVzdC11c2U=\n")
        more = dict.fromkeys(("psp_key_file", "psp_webhook_secrets_file"), tmp_path / "psp")
    app = open_app(service, settings_in(tmp_path, service.settings, **more))
    paths = set(app.api().openapi()["paths"])
    await app.close()
    return service.name, paths


def let_in(objects: list[Object], service: str) -> list[str]:
    route = named(objects, "HTTPRoute", service)
    return [match["path"]["value"] for rule in route["spec"]["rules"] for match in rule["matches"]]


def admitted(path: str, prefixes: list[str]) -> bool:
    """PathPrefix matches whole segments."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def test_every_route_is_let_in_and_operations_are_not(routes: tuple[str, set[str]], operated: list[Object]) -> None:
    service, paths = routes
    prefixes = let_in(operated, service)
    assert {path for path in paths if not admitted(path, prefixes)} == OURS_ONLY
    assert [prefix for prefix in prefixes if not any(admitted(path, [prefix]) for path in paths)] == []


def test_every_query_service_is_let_in_by_its_name(operated: list[Object]) -> None:
    declared = set()
    for file in (ROOT / "proto").rglob("*.proto"):
        words = [line.split() for line in file.read_text().splitlines()]
        package = next(line[1].rstrip(";") for line in words if line[:1] == ["package"])
        declared |= {f"{package}.{line[1]}" for line in words if line[:1] == ["service"]}
    matched = {
        match["method"]["service"]
        for route in of(operated, "GRPCRoute")
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
    }
    assert matched == declared


def test_routes_lead_to_ports_that_exist(operated: list[Object]) -> None:
    gateway = named(operated, "Gateway", "dandelion")
    listeners = {one["name"] for one in gateway["spec"]["listeners"]}
    for route in of(operated, "HTTPRoute", "GRPCRoute"):
        assert {(one["name"], one["sectionName"]) for one in route["spec"]["parentRefs"]} <= {
            (name_of(gateway), listener) for listener in listeners
        }
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                service = named(operated, "Service", backend["name"])
                assert backend["port"] in [port["port"] for port in service["spec"]["ports"]]


def test_only_addresses_of_the_gateways_own_are_believed(operated: list[Object]) -> None:
    """A private range holds every other pod too, and each of them could invent an address."""
    for workload in ours(operated):
        told = environment(operated, workload, containers(workload)[0])["DANDELION_TRUSTED_PROXIES"]
        assert told
        assert all(network.num_addresses == 1 for network in networks_of(told))


@pytest.mark.parametrize("wide", ["10.0.0.0/8", "192.168.0.0/23", "fd00::/8", "127.0.0.1, 0.0.0.0/0", "::/0"])
def test_a_range_of_others_is_no_proxy(wide: str, tmp_path: Path) -> None:
    Issuer.at(tmp_path / "issuer", "x", "y")
    with pytest.raises(ValidationError, match="proxies' own addresses only"):
        settings_in(tmp_path, WIRED["metrics"].settings, trusted_proxies=wide)


def test_the_gateway_waits_as_long_as_a_request_may_take_to_arrive(operated: list[Object]) -> None:
    wait_s = Settings.model_fields["head_limit_s"].default + Settings.model_fields["body_limit_s"].default
    for route in of(operated, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            is_watch = [match["path"]["value"] for match in rule["matches"]] == ["/watch"]
            lasts = is_watch or name_of(route) == "console"  # pages with live numbers hold their request open
            assert rule["timeouts"]["request"] == (f"{STREAM_LIMIT_S:.0f}s" if lasts else f"{wait_s}s")


def test_compose_has_the_limits_of_the_code() -> None:
    compose, example = (ROOT / "docker-compose.yml").read_text(), (ROOT / ".env.example").read_text()
    for name, variable, default in re.findall(r"DANDELION_(\w+): \$\{(\w+):-([\d.]+)\}", compose):
        if name.lower() not in Settings.model_fields:
            continue  # a service's own: compose's visitors may all come from one address
        kind = Settings.model_fields[name.lower()]
        assert (float(default), f"{variable}={default}" in example) == (float(kind.default), True), name
