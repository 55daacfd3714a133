"""What a pod is told is what the code asks for: its settings load, and each file it is told of is mounted there."""

from pathlib import Path

import pytest

from cli.embedded import WIRED
from kernel.adapters.kafka_url import Brokers
from kernel.host.app import ROLES
from sandbox.secret_files import EDGES
from tests.deploy.objects import PLATFORM, Object, containers, environment, ours, pod, title
from tests.deploy.secret_rules import SEARCH_FILE, read_files


def test_every_pod_starts_with_valid_settings(overlay: list[Object], monkeypatch: pytest.MonkeyPatch) -> None:
    for workload in ours(overlay):
        values = environment(overlay, workload, containers(workload)[0])
        service = WIRED[values["DANDELION_SERVICE"]]
        known = {f"DANDELION_{name.upper()}" for name in service.settings.model_fields}
        unknown = {name for name in values if name.startswith("DANDELION_")} - known - {*PLATFORM}
        assert unknown == set(), title(workload)
        for name in known:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        settings = service.settings()
        assert settings.host == "0.0.0.0"
        assert settings.ops_port == 8190


def test_every_pod_runs_roles_that_its_service_has(overlay: list[Object]) -> None:
    seen: dict[str, set[str]] = {}
    for workload in ours(overlay):
        container = containers(workload)[0]
        service = environment(overlay, workload, container)["DANDELION_SERVICE"]
        module, *roles = container["args"][1:]
        assert module == "services.$(DANDELION_SERVICE)"
        assert container["command"] == ["python"]
        seen.setdefault(service, set()).update(roles)
    for name, roles in seen.items():
        wanted = {*ROLES, "migrate"} - (set() if WIRED[name].stream else {"stream"})
        assert roles == wanted, name
    assert set(seen) == set(WIRED)


def test_every_file_that_a_pod_reads_is_mounted(overlay: list[Object]) -> None:
    for workload in ours(overlay):
        container = containers(workload)[0]
        values, have = environment(overlay, workload, container), set(_files(workload, container))
        migrates = container["args"][-1] == "migrate"
        wanted = {values["DANDELION_DATABASE_PASSWORD_FILE"]}
        if not migrates:
            wanted |= read_files(overlay, workload)
            brokers = Brokers.of(values["DANDELION_BUS_URL"])
            wanted |= {one for one in (brokers.password_file, brokers.ca_file) if one}
        wanted |= {values[name] for name in ("PGSSLROOTCERT",) if name in values}
        assert {one for one in wanted if not _covered(one, have)} == set(), title(workload)


def test_who_answers_searches_and_nobody_else_keeps_the_index_where_it_outlasts_the_container(
    overlay: list[Object],
) -> None:
    for workload in ours(overlay):
        container = containers(workload)[0]
        values = environment(overlay, workload, container)
        answers = values["DANDELION_SERVICE"] == "discovery" and not EDGES.isdisjoint(container["args"][2:])
        path = values.get(SEARCH_FILE)
        assert (path is not None) == answers, title(workload)
        if path is not None:
            kept = [one for one in container["volumeMounts"] if one["mountPath"] == str(Path(path).parent)]
            volumes = {one["name"]: one for one in pod(workload)["volumes"]}
            assert [volumes[one["name"]]["emptyDir"]["sizeLimit"] for one in kept] == ["4Gi"]
            assert not kept[0].get("readOnly")


def _files(workload: Object, container: Object) -> list[str]:
    """Paths of single files where the volume names its items, and folders (ending in /) where it does not."""
    volumes = {one["name"]: one for one in pod(workload)["volumes"]}
    found = []
    for mount in container["volumeMounts"]:
        items = volumes[mount["name"]].get("secret", {}).get("items")
        found += [f"{mount['mountPath']}/{item['path']}" for item in items] if items else [f"{mount['mountPath']}/"]
    return found


def _covered(path: str, have: set[str]) -> bool:
    return path in have or f"{Path(path).parent}/" in have


def test_migrations_act_as_owner_and_nobody_else_does(overlay: list[Object]) -> None:
    for workload in ours(overlay):
        container = containers(workload)[0]
        values = environment(overlay, workload, container)
        service, migrates = values["DANDELION_SERVICE"], container["args"][-1] == "migrate"
        user = f"{service}_owner" if migrates else f"{service}_app"
        assert values["DANDELION_DATABASE_URL"] == f"postgresql+asyncpg://{user}@{service}-db-rw:5432/{service}"
        secret = next(one["secret"] for one in pod(workload)["volumes"] if one["name"] == "database")
        assert secret["secretName"].startswith(f"{service}-{'owner' if migrates else 'database'}")


def test_a_wrong_setting_stops_a_pod_with_a_sentence_that_names_it(
    prod: list[Object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kernel.runtime.settings import load

    workload = next(one for one in ours(prod) if one["metadata"]["name"] == "ledger-rest")
    for name, value in environment(prod, workload, containers(workload)[0]).items():
        monkeypatch.setenv(name, value)
    assert load(WIRED["metrics"].settings).database_password_file
    monkeypatch.setenv("DANDELION_OPS_PORT", "many")
    monkeypatch.delenv("DANDELION_PSP_KEY_FILE")
    with pytest.raises(SystemExit) as stopped:
        load(WIRED["ledger"].settings)
    assert stopped.value.code == 78
    told = capsys.readouterr().err
    assert "DANDELION_OPS_PORT" in told
    assert "DANDELION_PSP_KEY_FILE" in told
