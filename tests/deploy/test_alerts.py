"""Alerts and dashboards mean something: their metrics exist and are fed, each alert fires in promtool and has a runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram

from console import operations
from kernel.runtime import telemetry
from tests.deploy.conftest import ROOT, fetched
from tests.deploy.objects import Object, named
from tools.deploy import dashboards
from tools.deploy.prometheus import binary
from tools.speed import patience

RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"
CONSOLE: dict[str, Counter | Histogram] = {
    "console_page_seconds": operations.PAGE_SECONDS,
    "console_sign_ins_total": operations.SIGN_INS,
    "console_refreshes_total": operations.REFRESHES,
}
VARIABLES = {
    "console_page_seconds": "PAGE_SECONDS",
    "console_sign_ins_total": "SIGN_INS",
    "console_refreshes_total": "REFRESHES",
}
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
WORDS = {
    "sum",
    "max",
    "min",
    "min_over_time",
    "by",
    "rate",
    "histogram_quantile",
    "absent",
    "or",
    "topk",
    "le",
    "__rate_interval",
}
FROM_PYTHON = {"process_resident_memory_bytes"}
"""Of the process itself, which the registry collects too."""


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def registered() -> dict[str, set[str]]:
    """Each series' name with its labels."""
    found: dict[str, set[str]] = {name: set(labels) for name, (_, labels) in telemetry.COUNTERS.items()}
    found |= {name: set(labels) for name, (_, labels) in telemetry.GAUGES.items()}
    for name, (_, labels, _) in telemetry.HISTOGRAMS.items():
        found |= {f"{name}_{part}": {*labels, "le"} for part in ("bucket", "sum", "count")}
    for series, one in CONSOLE.items():
        parts = [f"{series}_{part}" for part in ("bucket", "sum", "count")] if isinstance(one, Histogram) else [series]
        found |= {part: {*one._labelnames, *(["le"] if len(parts) > 1 else [])} for part in parts}
    return found | {name: set() for name in FROM_PYTHON}


def metrics_in(query: str) -> set[str]:
    """Names in a query that are neither functions, labels nor values."""
    bare = re.sub(r'"[^"]*"|\$\w+|by \([^)]*\)', " ", query)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    return {name for name in NAME.findall(bare) if name not in WORDS and not name.isdigit()}


def labels_in(query: str) -> set[str]:
    grouped = {name for group in re.findall(r"by \(([^)]*)\)", query) for name in NAME.findall(group)}
    return grouped | {name for part in re.findall(r"\{([^}]*)\}", query) for name in re.findall(r"(\w+)\s*[!=]", part)}


def panels() -> list[str]:
    return [panel.query for _, found in dashboards.DASHBOARDS.values() for panel in found]


def queries() -> list[str]:
    return [*[rule["expr"] for rule in rules()], *panels()]


@pytest.mark.parametrize("query", queries())
def test_every_metric_and_label_of_a_query_exists(query: str) -> None:
    known = registered()
    found = metrics_in(query)
    assert found
    assert found <= set(known)
    assert labels_in(query) <= {"service", "role"}.union(*[known[name] for name in found])


def fed() -> set[str]:
    """Names that the product's code sets; a registered metric that nobody feeds would make an alert that never fires."""
    code = "".join(one.read_text() for folder in ("kernel", "services") for one in (ROOT / folder).rglob("*.py"))
    told = set(re.findall(r"telemetry\.(?:count|gauge|observe|timed)\(\s*\"(\w+)\"", code))
    pages = "".join(one.read_text() for one in (ROOT / "console").rglob("*.py"))
    return told | {
        name for name, variable in VARIABLES.items() if re.search(rf"{variable}\.labels\(.*\)\.(inc|observe)", pages)
    }


@pytest.mark.parametrize("query", queries())
def test_every_metric_of_a_query_is_fed(query: str) -> None:
    plain = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics_in(query)} - FROM_PYTHON
    assert plain <= fed()


def test_both_prometheuses_have_the_same_rules(operated: list[Object]) -> None:
    rule = named(operated, "PrometheusRule", "dandelion")
    assert rule["spec"] == yaml.safe_load(RULES.read_text())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    runbook = ROOT / rule["annotations"]["runbook"]
    text = runbook.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Look", "Do", "It is over when"]
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_runbook_belongs_to_an_alert_and_every_alert_has_a_unit_test() -> None:
    assert {f"docs/runbooks/{one.name}" for one in RUNBOOKS.glob("*.md")} == {
        rule["annotations"]["runbook"] for rule in rules()
    }
    tests = yaml.safe_load(RULES.with_name("alerts.test.yaml").read_text())["tests"]
    fires = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    stays = {case["alertname"] for test in tests for case in test["alert_rule_test"] if not case["exp_alerts"]}
    assert fires == stays == {rule["alert"] for rule in rules()}


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    with fetched():
        return subprocess.run(
            [binary("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=patience(120)
        )


def test_promtool_runs_the_alerts_tests() -> None:
    done = promtool("test", "rules", str(RULES.with_name("alerts.test.yaml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_query_parses(tmp_path: Path) -> None:
    plain = [one.replace("$service", ".+").replace("$__rate_interval", "1m") for one in queries()]
    group = {"name": "queries", "rules": [{"record": f"a:{n}", "expr": one} for n, one in enumerate(plain)]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    done = promtool("check", "rules", str(tmp_path / "rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("uid", sorted(dashboards.DASHBOARDS))
def test_dashboards_are_as_generated(uid: str) -> None:
    assert (dashboards.FOLDER / f"{uid}.json").read_text() == dashboards.text(uid), "python -m tools.deploy.dashboards"
