"""The gateway lets in what is for callers: every route of the APIs, every query, and no probe, metric or reflection."""

from pathlib import Path

import pytest

from cli.embedded import WIRED
from kernel.edge.dev_issuer import Issuer
from kernel.host.app import open_app
from tests.deploy.conftest import ROOT
from tests.deploy.objects import Object, name_of, named, of
from tests.kit.running import settings_in

OURS_ONLY = {"/healthz/live", "/healthz/ready", "/metrics"}


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
    paths = set(service.http(app).openapi()["paths"])
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
