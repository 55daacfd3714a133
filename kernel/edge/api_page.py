"""`/docs`: the OpenAPI document as one page for people. Made here, so it loads nothing from anywhere and runs no script."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from kernel.edge.fields import WORDS_OF_PATTERN

METHODS = ("get", "put", "post", "patch", "delete")
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{margin-bottom:0}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}code,pre{font:13px/1.45 ui-monospace,monospace}
details{margin:.4rem 0;border:1px solid #ddd;border-radius:4px;padding:.3rem .7rem}summary{cursor:pointer}
pre{background:#f5f5f3;padding:.6rem;overflow:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #eee}.m{display:inline-block;
min-width:3.6rem;font-weight:600}.q{color:#666}a{color:#0b57a4}
@media(prefers-color-scheme:dark){body{color:#e4e4e4;background:#161616}pre{background:#222}a{color:#8ab4f8}
details,th,td,h2{border-color:#444}.q{color:#aaa}}
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
}
INTRODUCTION = """<p>Every call sends <code>Authorization: Bearer &lt;access token&gt;</code>. Commands send
<code>Idempotency-Key</code> too: the same key and body give the first answer again. A refusal is a problem of RFC 9457 with a
stable <code>code</code>. Queries are asked here by GET, and by gRPC on another port. The document itself:
<a href="/openapi.json">/openapi.json</a>.</p>"""


def install(app: FastAPI) -> None:
    """Adds the page; it is made at its first use, when all routes are there, and kept."""
    made: list[str] = []

    @app.get("/", include_in_schema=False)
    async def here() -> dict[str, str]:
        """What is here, for whoever tries the address itself."""
        return {"service": app.title, "routes": "/docs", "openapi": "/openapi.json", "ready": "/healthz/ready"}

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        if not made:
            made.append(page(app.openapi()))
        return HTMLResponse(made[0], headers=HEADERS)


def page(document: Mapping[str, Any]) -> str:
    """The whole document as HTML: operations by tag, then the schemas that they name."""
    info, schemas = document["info"], document.get("components", {}).get("schemas", {})
    by_tag: dict[str, list[str]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                tag = (operations[method].get("tags") or ["other"])[0]
                by_tag[tag].append(_operation(method, path, operations[method]))
    tags = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in sorted(by_tag.items()))
    named = "".join(_schema(name, schema) for name, schema in sorted(schemas.items()))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>{INTRODUCTION}"
        f"{tags}<h2>Schemas</h2>{named}</body></html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    said = escape(operation.get("description") or operation.get("summary", ""))
    parameters = [
        (one["name"], one["in"], _type(one.get("schema", {})), one.get("required", False), one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    bodies = operation.get("requestBody", {}).get("content", {})
    body = "".join(f"<p>Body ({escape(kind)}): {_type(one.get('schema', {}))}</p>" for kind, one in bodies.items())
    answers = "".join(
        f"<li><code>{escape(status)}</code> {escape(answer.get('description', ''))} "
        f"{', '.join(_type(one.get('schema', {})) for one in answer.get('content', {}).values())}</li>"
        for status, answer in operation.get("responses", {}).items()
    )
    return (
        f'<details><summary><span class="m">{method.upper()}</span><code>{escape(path)}</code> '
        f'<span class="q">{said.partition(chr(10))[0]}</span></summary><p>{said}</p>'
        f"{_table(('name', 'in', 'type', '', 'meaning'), parameters) if parameters else ''}"
        f"{body}"
        f"<pre>{escape(_example(method, path, operation))}</pre><ul>{answers}</ul></details>"
    )


def _example(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """The call as curl: a command has an idempotency key, a query has none, whatever its method."""
    bodies = operation.get("requestBody", {}).get("content", {})
    lines = [f'curl -X {method.upper()} "$URL{path}" -H "Authorization: Bearer $TOKEN"']
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", [])):
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if bodies:
        lines.append(f'-H "Content-Type: {next(iter(bodies))}" -d @body')
    return " \\\n  ".join(lines)


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required, fields = schema.get("required", ()), schema.get("properties", {})
    rows = [(field, "", _type(one), field in required, one.get("description", "")) for field, one in fields.items()]
    body = _table(("field", "", "type", "", "meaning"), rows) if rows else f"<p>{_type(schema)}</p>"
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> <span class="q">'
        f"{escape(schema.get('description', ''))}</span></summary>{body}</details>"
    )


def _table(head: Iterable[str], rows: Iterable[tuple[str, str, str, bool, str]]) -> str:
    """Rows of (name, place, type as HTML, required, meaning)."""
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(place)}</td><td>{kind}</td>"
        f"<td>{'required' if required else ''}</td><td>{escape(meaning)}</td></tr>"
        for name, place, kind, required, meaning in rows
    )
    return f"<table><tr>{''.join(f'<th>{escape(one)}</th>' for one in head)}</tr>{lines}</table>"


BOUNDS = {
    "minimum": "from {}", "maximum": "to {}", "exclusiveMinimum": "above {}", "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters", "maxLength": "at most {} characters", "minItems": "at least {}",
    "maxItems": "at most {}", "default": "{} when left out", "const": "{}",
}  # fmt: skip


def _type(schema: Mapping[str, Any]) -> str:
    """A type in words, with its bounds, as HTML: a named one is a link to where it stands."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(_type(one) for one in schema[several] if one.get("type") != "null")
    kind = escape(str(schema.get("format") or schema.get("type", "any")))
    if schema.get("type") == "array":
        kind = f"list of {_type(schema.get('items', {}))}"
    return ", ".join([kind, *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterable[str]:
    if "enum" in schema:
        yield f"one of {escape(', '.join(map(str, schema['enum'])))}"
    if "pattern" in schema:
        yield escape(WORDS_OF_PATTERN.get(schema["pattern"], schema["pattern"]))
    for name, words in BOUNDS.items():
        if schema.get(name) not in (None, ""):
            yield escape(words.format(schema[name]))
