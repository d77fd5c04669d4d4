"""The API reference as one page without scripts: it needs none, so the content security policy has nothing to allow."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Any, Final

from gateway.openapi.merge import Document, operations

STYLE_PATH: Final = "/api/docs/style.css"

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1917; --soft: #57534e; --line: #e7e5e4; --paper: #fafaf9; --card: #fff;
  --accent: #0f766e; }
@media (prefers-color-scheme: dark) { :root { --ink: #f5f5f4; --soft: #a8a29e; --line: #44403c; --paper: #1c1917;
  --card: #292524; --accent: #5eead4; } }
body { margin: 0 auto; max-width: 56rem; padding: 2rem 1.25rem 4rem; font: 16px/1.6 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.9rem; line-height: 1.2; } h2 { margin-top: 2.5rem; font-size: 1.2rem; text-transform: capitalize; }
p { color: var(--soft); } a { color: var(--accent); }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
summary { cursor: pointer; padding: .6rem .9rem; } details > div { padding: 0 .9rem .9rem; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4.5rem; color: var(--accent); font: 600 .8rem ui-monospace, monospace; }
table { width: 100%; border-collapse: collapse; } td { padding: .3rem .6rem .3rem 0; vertical-align: top;
  border-top: 1px solid var(--line); }
.action { display: inline-block; padding: .6rem 1.1rem; border-radius: .5rem; background: var(--accent);
  color: var(--paper); text-decoration: none; font-weight: 600; }
""".strip()


def render(document: Document) -> str:
    """The page."""
    ordered = sorted(operations(document), key=lambda found: (_tag(found[2]), found[1]))
    sections = "".join(
        f"<h2>{escape(tag)}</h2>" + "".join(_entry(method, path, operation) for method, path, operation in group)
        for tag, group in groupby(ordered, key=lambda found: _tag(found[2]))
    )
    intro = (
        "<p>Send <code>Authorization: Bearer bw_…</code> with a key made in the app; <code>X-Org-ID</code> picks the "
        "organisation. Refusals are <code>application/problem+json</code> with a stable <code>error</code>. "
        'The document for tools: <a href="/api/openapi.json">/api/openapi.json</a>.</p>'
    )
    return html_page("Bidwright API", f"<h1>Bidwright API</h1>{intro}{sections}")


def html_page(title: str, body: str) -> str:
    """A small page in our style."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="stylesheet" href="{STYLE_PATH}"></head><body><main>{body}</main></body></html>'
    )


def _tag(operation: Document) -> str:
    tags = operation.get("tags") or ["other"]
    return str(tags[0])


def _entry(method: str, path: str, operation: Document) -> str:
    text = operation.get("description") or operation.get("summary") or ""
    rows = "".join(
        f"<tr><td><code>{escape(str(item.get('name')))}</code></td><td>{escape(str(item.get('in')))}</td>"
        f"<td>{escape(str(item.get('description', '')))}</td></tr>"
        for item in operation.get("parameters", [])
    )
    body = (
        f"<p>Takes <code>{escape(_schema_name(operation.get('requestBody', {})))}</code></p>"
        if (operation.get("requestBody"))
        else ""
    )
    answers = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(str(answer.get('description', '')))}</td>"
        f"<td><code>{escape(_schema_name(answer))}</code></td></tr>"
        for status, answer in operation.get("responses", {}).items()
    )
    table = f"<table>{rows}{answers}</table>"
    return (
        f"<details><summary><b>{method}</b><code>{escape(path)}</code></summary>"
        f"<div><p>{escape(text)}</p>{body}{table}</div></details>"
    )


def _schema_name(holder: dict[str, Any]) -> str:
    for kind, content in holder.get("content", {}).items():
        schema = content.get("schema", {})
        reference = schema.get("$ref", "")
        return reference.rpartition("/")[2] or str(schema.get("title") or kind)
    return ""
