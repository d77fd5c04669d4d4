"""Several documents made one."""

from __future__ import annotations

from typing import Any

from gateway.openapi.merge import merge
from gateway.openapi.page import render


def document(path: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
    wrong = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}}}
    operation = {"tags": ["<b>"], "description": "Says <hello>.", "responses": {"200": answer, "422": wrong}}
    return {
        "paths": {path: {"get": operation}, "/healthz": {"get": {}}},
        "components": {"schemas": {name: schema, "HTTPValidationError": {}}},
    }


class TestMerge:
    def test_a_shared_name_with_other_content_is_told_apart(self) -> None:
        merged = merge(
            {
                "ai": document("/api/a", "Item", {"type": "string"}),
                "billing": document("/api/b", "Item", {"type": "integer"}),
                "uploads": document("/api/u", "Item", {"type": "string"}),
            }
        )
        assert list(merged["paths"]) == ["/api/a", "/api/b", "/api/u"]
        assert set(merged["components"]["schemas"]) == {"Problem", "Item", "BillingItem"}
        answer = merged["paths"]["/api/b"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer == {"$ref": "#/components/schemas/BillingItem"}

    def test_every_refusal_is_a_problem(self) -> None:
        merged = merge({"ai": document("/api/a", "Item", {})})
        responses = merged["paths"]["/api/a"]["get"]["responses"]
        assert set(responses) == {"200", "default"}
        assert "application/problem+json" in responses["default"]["content"]


class TestRender:
    def test_the_page_escapes_what_it_shows_and_has_no_script(self) -> None:
        page = render(merge({"ai": document("/api/a", "Item", {})}))
        assert "Says &lt;hello&gt;." in page
        assert "<hello>" not in page
        assert "<script" not in page
        assert "style=" not in page
