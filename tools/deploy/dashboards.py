"""`python -m tools.deploy.dashboards` writes Grafana's dashboards: what is on them stands here, their JSON is generated."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from tools.deploy.kubectl import K8S

FOLDER = K8S / "components" / "monitoring" / "dashboards"
WIDTH, HEIGHT, ACROSS = 8, 8, 3
HERE = 'service=~"$service"'


@dataclass(frozen=True)
class Panel:
    """One graph: a query in PromQL, the legend's template, Grafana's unit."""

    title: str
    query: str
    legend: str
    unit: str = "short"


def _rate(metric: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{HERE}{more}}}[$__rate_interval]))"


def _p99(metric: str, by: str) -> str:
    return f"histogram_quantile(0.99, {_rate(f'{metric}_bucket', f'{by}, le')})"


def _worst(metric: str, by: str) -> str:
    return f"max by ({by}) ({metric}{{{HERE}}})"


def _console(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


DASHBOARDS = {
    "edges": ("Dandelion: edges", [
        Panel("Commands a second", _rate("http_requests_total", "service"), "{{service}}", "reqps"),
        Panel("Commands refused and failed", _rate("http_requests_total", "service, status", ',status=~"[45].."'),
              "{{service}} {{status}}", "reqps"),
        Panel("Commands, 99th percentile", _p99("http_request_seconds", "service"), "{{service}}", "s"),
        Panel("Queries a second", _rate("rpc_requests_total", "service"), "{{service}}", "reqps"),
        Panel("Queries not answered with OK", _rate("rpc_requests_total", "service, status", ',status!="OK"'),
              "{{service}} {{status}}", "reqps"),
        Panel("Queries, 99th percentile", _p99("rpc_request_seconds", "service"), "{{service}}", "s"),
        Panel("Routes by load", f"topk(10, {_rate('http_requests_total', 'service, method, route')})",
              "{{service}} {{method}} {{route}}", "reqps"),
        Panel("Event loop late", _worst("event_loop_lag_seconds", "service, role"), "{{service}} {{role}}", "s"),
        Panel("Memory", _worst("process_resident_memory_bytes", "service, role"), "{{service}} {{role}}", "bytes"),
    ]),
    "flow": ("Dandelion: flow", [
        Panel("Events not yet in Kafka", _worst("relay_lag_events", "service"), "{{service}}"),
        Panel("Age of the oldest of them", _worst("relay_lag_seconds", "service"), "{{service}}", "s"),
        Panel("Read models behind", _worst("projection_lag_events", "service, projection"),
              "{{service}} {{projection}}"),
        Panel("Messages missing", _worst("guard_holes", "service, projection"), "{{service}} {{projection}}"),
        Panel("Keys parked", _worst("parked_keys", "service, projection"), "{{service}} {{projection}}"),
        Panel("Readers stopped", _worst("reader_stopped", "service, projection"), "{{service}} {{projection}}"),
        Panel("Calls outside that wait", _worst("effects_pending", "service, effect"), "{{service}} {{effect}}"),
        Panel("Deadlines past due", _worst("deadlines_due", "service"), "{{service}}"),
        Panel("Commands decided at once, mean", f"{_rate('writer_batch_size_sum', 'service')} / "
              f"{_rate('writer_batch_size_count', 'service')}", "{{service}}"),
        Panel("Appends a second", _rate("append_seconds_count", "service"), "{{service}}", "ops"),
        Panel("Appends, 99th percentile", _p99("append_seconds", "service"), "{{service}}", "s"),
    ]),
    "console": ("Dandelion: console", [
        Panel("Pages a second", _console("console_page_seconds_count", "outcome"), "{{outcome}}", "reqps"),
        Panel("Pages, 95th percentile", f"histogram_quantile(0.95, {_console('console_page_seconds_bucket', 'le')})",
              "all pages", "s"),
        Panel("Routes by time, 95th percentile",
              f"topk(10, histogram_quantile(0.95, {_console('console_page_seconds_bucket', 'route, le')}))", "{{route}}", "s"),
        Panel("Sign-ins", _console("console_sign_ins_total", "outcome"), "{{outcome}}", "ops"),
        Panel("Sessions refreshed", _console("console_refreshes_total", "outcome"), "{{outcome}}", "ops"),
    ]),
}  # fmt: skip


def dashboard(uid: str) -> dict[str, Any]:
    """The JSON model of a dashboard."""
    title, panels = DASHBOARDS[uid]
    return {
        "uid": f"dandelion-{uid}", "title": title, "tags": ["dandelion"], "timezone": "utc", "schemaVersion": 39,
        "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "editable": False,
        "templating": {"list": [_source(), _service()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }  # fmt: skip


def _source() -> dict[str, Any]:
    return {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _service() -> dict[str, Any]:
    query = "label_values(relay_lag_events, service)"
    return {
        "name": "service", "type": "query", "datasource": {"type": "prometheus", "uid": "$source"}, "query": query,
        "refresh": 2, "multi": True, "includeAll": True, "allValue": ".+", "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    place = {"x": number % ACROSS * WIDTH, "y": number // ACROSS * HEIGHT, "w": WIDTH, "h": HEIGHT}
    source = {"type": "prometheus", "uid": "$source"}
    return {
        "id": number + 1, "type": "timeseries", "title": panel.title, "gridPos": place, "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": panel.query, "legendFormat": panel.legend, "datasource": source}],
    }  # fmt: skip


def text(uid: str) -> str:
    """What the dashboard's file holds."""
    return json.dumps(dashboard(uid), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Writes every dashboard."""
    FOLDER.mkdir(exist_ok=True)
    for uid in DASHBOARDS:
        (FOLDER / f"{uid}.json").write_text(text(uid))
    return 0


if __name__ == "__main__":
    sys.exit(main())
