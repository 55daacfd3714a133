"""docker-compose.yml as far as a file says it: variables documented, containers kept, settings valid, everything scraped."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.embedded import WIRED, roles_of
from console.settings import ConsoleSettings, addresses
from kernel.adapters.database import POOL_SIZE
from sandbox import keys
from sandbox.identity.asking import CLIENT_ID
from sandbox.identity.settings import IdentitySettings
from sandbox.secret_files import EDGES, containers
from tests.deploy.composed_secrets import modes, wrong
from tests.deploy.conftest import ROOT
from tests.deploy.secret_rules import SEARCH_FILE, keeps_personal_data
from tools.deploy.kubectl import K8S

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROMETHEUS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text())
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
OURS = {name: one for name, one in SERVICES.items() if str(one.get("image", "")).startswith("dandelion:")}
ONCE = {name for name, one in SERVICES.items() if one.get("restart") == "no"}
LASTING = sorted(set(SERVICES) - ONCE)


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def told(name: str) -> dict[str, str]:
    """A container's environment with the defaults of its variables."""
    values = SERVICES[name].get("environment", {})
    return {key: VARIABLE.sub(lambda found: found[2], str(value)) for key, value in values.items()}


def roles(name: str) -> tuple[str, list[str]]:
    """`services.<service>` and the roles a container runs; ("", []) when it runs something else."""
    _, module, *rest = SERVICES[name].get("command", ["", "", ""])
    return (module.removeprefix("services."), rest) if module.startswith("services.") else ("", [])


def test_every_variable_is_in_the_example_with_its_default() -> None:
    assert dict(VARIABLE.findall(TEXT)) == example()
    assert len(re.findall(r"\$\{", TEXT)) == len(VARIABLE.findall(TEXT)), "a variable without a default"


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_watched_and_bounded(name: str) -> None:
    one = SERVICES[name]
    assert one["restart"] == "unless-stopped"
    assert "test" in one.get("healthcheck", {}) or name in OURS  # ours have the image's
    assert one["mem_limit"]
    assert one.get("security_opt") == ["no-new-privileges:true"] or name == "postgres"  # it changes its user itself


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_may_do_nothing_special(name: str) -> None:
    one = OURS[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "user"} & set(one)
    written = [volume for volume in one["volumes"] if not volume.endswith(":ro")]
    stores = {one: [f"{one}:/var/lib/dandelion"] for one in ("discovery", "sandbox", "identity")}
    assert written == stores.get(name, []) or name == "keys"


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", ())]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_waits_are_for_what_is_ready() -> None:
    for name, one in SERVICES.items():
        for needed, how in one.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how["condition"] == wanted, f"{name} waits for {needed}"
            assert SERVICES[needed].get("healthcheck") != {"disable": True} or needed in ONCE


def test_every_service_runs_every_role_it_has_once() -> None:
    seen: dict[str, list[str]] = {name: [] for name in WIRED}
    for name in SERVICES:
        service, run = roles(name)
        if service:
            seen[service] += run
    assert {name: sorted(run) for name, run in seen.items()} == {
        name: sorted([*roles_of(name), "migrate"]) for name in WIRED
    }


@pytest.mark.parametrize("name", sorted(name for name in SERVICES if roles(name)[0]))
def test_settings_load(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = WIRED[roles(name)[0]]
    every = {f"DANDELION_{field.upper()}" for one in WIRED.values() for field in one.settings.model_fields}
    for variable in every:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in told(name).items():
        assert variable in every
        monkeypatch.setenv(variable, value)
    settings = service.settings()
    user = "owner" if roles(name)[1] == ["migrate"] else "app"
    assert f"//{service.name}_{user}@postgres:5432/{service.name}" in settings.database_url
    assert str(settings.database_password_file) == f"/run/dandelion/{user}.password"


@pytest.mark.parametrize("name", sorted(name for name in SERVICES if roles(name)[0]))
def test_a_container_is_told_of_no_secret_of_another_service(name: str) -> None:
    known = {f"DANDELION_{field.upper()}" for field in WIRED[roles(name)[0]].settings.model_fields}
    files = {variable for variable in told(name) if variable.endswith("_FILE")} - {SEARCH_FILE}
    assert files <= known
    assert ("DANDELION_MASTER_KEYS_FILE" in files) == keeps_personal_data(roles(name)[0])


def test_who_answers_searches_and_nobody_else_keeps_the_index_where_it_outlasts_the_container() -> None:
    for name in filter(roles, SERVICES):
        path = told(name).get(SEARCH_FILE)
        assert (path is not None) == (roles(name)[0] == "discovery" and bool(EDGES & set(roles(name)[1]))), name
        assert path is None or f"{name}:{Path(path).parent}" in SERVICES[name]["volumes"]
    assert "discovery" in COMPOSE["volumes"]


def test_the_console_and_the_identity_provider_are_told_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    console, identity = told("console"), told("identity")
    assert {name.removeprefix("DANDELION_CONSOLE_").lower() for name in console} <= set(ConsoleSettings.model_fields)
    assert {name.removeprefix("IDENTITY_").lower() for name in identity} <= set(IdentitySettings.model_fields)
    for name, value in (console | identity).items():
        monkeypatch.setenv(name, value)
    seen, provider = ConsoleSettings(), IdentitySettings()
    assert (seen.base_url, seen.issuer, seen.client_id) == (provider.console_url, provider.url, CLIENT_ID)
    assert seen.issuer == told("ledger")["DANDELION_TOKEN_ISSUER"]
    assert seen.issuer_inside == f"http://identity:{provider.port}"
    for address, port in ((seen.http, "http_port"), (seen.rpc, "rpc_port")):
        for name, found in addresses(address).items():
            assert found.removeprefix("http://") == f"{name}:{WIRED[name].settings.model_fields[port].default}"
    assert Path(str(seen.session_keys_file)).name in containers()["console"]
    assert provider.key_file.name in containers()["identity"]


def test_each_container_is_given_the_files_of_its_roles_and_no_others() -> None:
    assert list(wrong(SERVICES)) == []


@pytest.mark.parametrize(
    ("name", "volumes", "what"),
    [
        ("ledger", ["keys:/run/dandelion:ro"], "is given"),
        ("campaigns", ["keys-ledger:/run/dandelion:ro"], "is given"),
        ("prometheus", ["keys-ledger:/secrets:ro"], "is given"),
        ("metrics-work", ["keys-metrics-work:/run/dandelion"], "may write"),
    ],
)
def test_another_mount_is_seen(name: str, volumes: list[str], what: str) -> None:
    (found,) = wrong({**SERVICES, name: {**SERVICES[name], "volumes": volumes}})
    assert f"{name} {what}" in found


def test_another_role_or_another_place_is_seen() -> None:
    works = {**SERVICES["ledger-work"], "command": ["-m", "services.ledger", "rest"]}
    assert "ledger-work runs ['rest'] and is dealt" in "".join(wrong({**SERVICES, "ledger-work": works}))
    moved = {**SERVICES["ledger"]["environment"], "DANDELION_JWKS": "/elsewhere"}
    told = wrong({**SERVICES, "ledger": {**SERVICES["ledger"], "environment": moved}})
    assert list(told) == ["ledger is not told where jwks.json is"]


def test_with_tls_every_edge_and_nothing_else_is_told_of_the_certificate_it_is_dealt() -> None:
    changes = yaml.safe_load((ROOT / "docker-compose.tls.yml").read_text())["services"]
    edges = {name for name in SERVICES if EDGES & set(roles(name)[1])}
    assert set(changes) == edges | {"sandbox", "console"}
    for name in edges:
        told_of = {file.removeprefix("/run/dandelion/") for file in changes[name]["environment"].values()}
        assert told_of == {"tls.crt", "tls.key"} <= set(containers()[name])
        assert set(changes[name]["environment"]) == {"DANDELION_TLS_CERTIFICATE_FILE", "DANDELION_TLS_KEY_FILE"}
    calls = changes["console"]["environment"]
    assert calls["DANDELION_CONSOLE_HTTP"] == told("console")["DANDELION_CONSOLE_HTTP"].replace("http://", "https://")
    assert calls["DANDELION_CONSOLE_PLAINTEXT"] == "false"
    assert Path(calls["DANDELION_CONSOLE_CA_FILE"]).name in containers()["console"]
    outside = changes["sandbox"]["environment"]
    assert outside["SANDBOX_WEBHOOK_URL"] == told("sandbox")["SANDBOX_WEBHOOK_URL"].replace("http://", "https://")
    assert Path(outside["SSL_CERT_FILE"]).name in containers()["sandbox"]


def test_the_key_that_signs_tokens_is_dealt_to_the_identity_provider_alone(tmp_path: Path) -> None:
    """Nor is the authority's, nor does anybody keep what the table no longer gives; each file is its reader's alone."""
    made, dealt = tmp_path / "made", tmp_path / "dealt"
    dealt.mkdir()
    assert keys.main([str(made), str(dealt)]) == 0
    (dealt / "ledger" / "issuer.pem").write_text("from before")
    first = {file: file.read_bytes() for file in dealt.rglob("*") if file.is_file()}
    assert keys.main([str(made), str(dealt)]) == 0
    again = {file: file.read_bytes() for file in dealt.rglob("*") if file.is_file()}
    assert again == {file: text for file, text in first.items() if file.name != "issuer.pem"}
    assert (made / "tls/authority.key").read_bytes() not in again.values()
    signs = (made / "issuer/key.pem").read_bytes()
    assert [file.parent.name for file, text in again.items() if text == signs] == ["identity"]
    for container, files in containers().items():
        found = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (dealt / container).iterdir()}
        assert found == modes(container)
        assert set(files) == set(found)
    passwords = [text for file, text in again.items() if file.name == "app.password"]
    assert len(passwords) == 10
    assert len(set(passwords)) == 5, "a service's password opens its own database"


def test_an_older_folder_keeps_the_passwords_that_its_databases_know(tmp_path: Path) -> None:
    (tmp_path / "app.password").write_text("of before")
    keys.make(tmp_path)
    assert (tmp_path / "ledger.app.password").read_text() == "of before"
    assert (tmp_path / "ledger.owner.password").read_text() != "of before"


def test_the_image_has_a_place_for_what_each_container_is_dealt() -> None:
    """A new volume gets the folder's owner; below a folder that is not there it would be root's."""
    text = (ROOT / "Dockerfile").read_text()
    listed = re.search(r"for service in ([a-z ]+); do \\\n +install -d -o 10001 -g 10001 ([^;]+);", text)
    assert listed
    made = {word.replace("$service", name) for name in listed[1].split() for word in listed[2].split()}
    made |= set(re.findall(r"/run/dealt/[a-z]+", text))
    assert made == {f"/run/dealt/{name}" for name in containers()}


def test_published_ports_are_those_of_the_settings() -> None:
    for name, service in WIRED.items():
        ports = {int(VARIABLE.sub("0", port).rsplit(":", 1)[1]) for port in SERVICES[name]["ports"]}
        assert ports == {service.settings.model_fields[field].default for field in ("http_port", "rpc_port")}


def test_no_secret_is_in_a_variable() -> None:
    for name, one in SERVICES.items():
        secret = [key for key in one.get("environment", {}) if re.search("PASSWORD|SECRET|KEY|TOKEN", key)]
        kept = [key for key in secret if key.endswith(("_FILE", "_DIR", "__FILE", "_ISSUER")) or key in {"KEYS"}]
        assert secret == kept, name


def test_everything_is_scraped_under_the_labels_of_alerts_and_dashboards() -> None:
    targets = {
        (target, one["labels"]["service"])
        for job in PROMETHEUS["scrape_configs"]
        for one in job["static_configs"]
        for target in one["targets"]
    }
    running = {(f"{name}:8190", roles(name)[0]) for name in LASTING if roles(name)[0]} | {("console:8190", "console")}
    assert targets == running


def test_connections_fit() -> None:
    limit = int(SERVICES["postgres"]["command"][-1].partition("=")[2])
    assert len([name for name in LASTING if roles(name)[0]]) * 2 * POOL_SIZE < limit


def test_grafana_finds_its_dashboards_and_its_prometheus() -> None:
    provider = yaml.safe_load((ROOT / "deploy/grafana/dashboards/dandelion.yaml").read_text())["providers"][0]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    folder = next(source for source, target in mounts.items() if target == provider["options"]["path"])
    assert (ROOT / folder).resolve() == (K8S / "components/monitoring/dashboards").resolve()
    assert {json.loads(one.read_text())["uid"] for one in (ROOT / folder).glob("*.json")}
    source = yaml.safe_load((ROOT / "deploy/grafana/datasources/prometheus.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert SERVICES["grafana"]["profiles"] == ["dashboards"]
