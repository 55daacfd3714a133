"""The console in a cluster: its settings load, its files are mounted, and nothing of it is in plaintext where edges are not."""

from pathlib import Path

import pytest

from cli.embedded import WIRED
from console.settings import ConsoleSettings, addresses
from tests.deploy.objects import Object, containers, environment, name_of, named, of, pod

ENCRYPTED = ("TLS_CERTIFICATE_FILE", "TLS_KEY_FILE", "TLS_CLIENT_CA_FILE", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE")


def told(objects: list[Object]) -> dict[str, str]:
    workload = named(objects, "Deployment", "console")
    return environment(objects, workload, containers(workload)[0])


def mounted(objects: list[Object]) -> set[str]:
    workload = named(objects, "Deployment", "console")
    volumes = {one["name"]: one.get("secret") for one in pod(workload)["volumes"]}
    return {
        f"{mount['mountPath']}/{item['path']}"
        for mount in containers(workload)[0]["volumeMounts"]
        for item in (volumes[mount["name"]] or {}).get("items", ())
    }


def test_its_settings_load_and_lead_to_every_service(overlay: list[Object], monkeypatch: pytest.MonkeyPatch) -> None:
    values = told(overlay)
    assert {name.removeprefix("DANDELION_CONSOLE_").lower() for name in values} <= set(ConsoleSettings.model_fields)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = ConsoleSettings()
    for address, kind in ((settings.http, "rest"), (settings.rpc, "rpc")):
        found = {name: one.partition("://")[2] or one for name, one in addresses(address).items()}
        ports = {
            f"{name}-{kind}": named(overlay, "Service", f"{name}-{kind}")["spec"]["ports"][0]["port"] for name in WIRED
        }
        assert found == {name: f"{name}-{kind}:{ports[f'{name}-{kind}']}" for name in WIRED}
    assert (settings.port, settings.ops_port) == (8100, 8190)


def test_it_is_given_the_files_that_it_reads_and_no_others(overlay: list[Object]) -> None:
    assert mounted(overlay) == {value for name, value in told(overlay).items() if name.endswith("_FILE")}


def test_its_issuer_is_that_of_the_services(overlay: list[Object]) -> None:
    issuer = next(one["data"] for one in of(overlay, "ConfigMap") if name_of(one).startswith("platform-"))[
        "DANDELION_TOKEN_ISSUER"
    ]
    assert told(overlay)["DANDELION_CONSOLE_ISSUER"] == issuer


def test_it_is_encrypted_on_both_sides_and_a_confidential_client(operated: list[Object]) -> None:
    values = told(operated)
    assert {f"DANDELION_CONSOLE_{name}" for name in (*ENCRYPTED, "CLIENT_SECRET_FILE")} <= set(values)
    assert all(one.startswith("https://") for one in addresses(values["DANDELION_CONSOLE_HTTP"]).values())
    assert values.get("DANDELION_CONSOLE_PLAINTEXT", "false") == "false"
    assert named(operated, "Service", "console")["spec"]["ports"][0]["appProtocol"] == "https"
    assert named(operated, "BackendTLSPolicy", "console")["spec"]["validation"]["hostname"] == "console"
    certificates = {name_of(one): one["spec"] for one in of(operated, "Certificate")}
    assert certificates["console-tls"]["dnsNames"] == ["console"]
    assert certificates["console-caller"]["issuerRef"]["name"] == "gateway"


def test_the_gateway_leads_people_to_it_by_the_name_that_it_believes_to_have(operated: list[Object]) -> None:
    (host,) = named(operated, "HTTPRoute", "console")["spec"]["hostnames"]
    assert told(operated)["DANDELION_CONSOLE_BASE_URL"] == f"https://{host}"


def test_in_the_dev_overlay_it_signs_in_at_the_stand_in(overlay: list[Object]) -> None:
    providers = [one for one in of(overlay, "Deployment") if name_of(one) == "identity"]
    if not providers:
        return
    variables = {one["name"]: one["value"] for one in containers(providers[0])[0]["env"]}
    assert told(overlay)["DANDELION_CONSOLE_ISSUER_INSIDE"] == "http://identity:8111"
    mount = next(one for one in containers(providers[0])[0]["volumeMounts"] if one["name"] == "keys")
    assert Path(variables["IDENTITY_KEY_FILE"]).parent == Path(mount["mountPath"])
