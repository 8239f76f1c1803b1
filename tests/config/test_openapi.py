import json
import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from tests.config.api_urls import operations

ERRORS = {"400", "401", "403", "429", "503"}
PROBLEM = "application/problem+json"
OTLP = ("application/json", "application/x-protobuf")


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    found: dict[str, Any] = yaml.safe_load(target.read_text())
    return found


def test_the_urls_of_the_interface_are_found() -> None:
    assert {("/api/v1/events/", "POST"), ("/api/v1/events/{event_id}/", "GET")} <= set(operations())


@pytest.mark.parametrize(("path", "method"), sorted(set(operations())))
def test_every_operation_is_documented(contract: dict[str, Any], path: str, method: str) -> None:
    operation = contract["paths"][path][method.lower()]
    answers = operation["responses"]
    wanted = ERRORS | ({"404"} if "{" in path else set())
    telemetry = path.endswith(("/traces", "/logs", "/metrics"))
    if method in ("POST", "PUT", "PATCH"):
        wanted |= {"411", "413", "415", *(() if telemetry else ("422",))}
        bodies = operation["requestBody"]["content"].values()
        assert all(body["schema"] for body in bodies)
    assert wanted <= set(answers)
    good = {code: answer for code, answer in answers.items() if code.startswith("2")}
    assert good
    for code, answer in good.items():
        assert all(body["schema"] for body in answer.get("content", {}).values())
        assert bool(answer.get("content")) == (code != "204")
    for code in wanted:
        assert set(answers[code]["content"]) == (set(OTLP) if telemetry else {PROBLEM})
    assert operation["summary"]
    assert operation["description"]
    assert operation["security"]
    named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
    assert named == set(re.findall(r"{(\w+)}", path))
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter["name"]


def test_the_document_has_no_operation_that_is_not_there(contract: dict[str, Any]) -> None:
    documented = {
        (path, method.upper()) for path, found in contract["paths"].items() for method in found
    }
    assert documented == set(operations())


def test_the_contract_is_open_to_all_in_both_formats(client: Client) -> None:
    as_json = client.get("/api/v1/schema/?format=json")
    as_yaml = client.get("/api/v1/schema")
    assert as_json.json()["openapi"].startswith("3.1")
    assert yaml.safe_load(as_yaml.content) == json.loads(as_json.content)


def test_the_documentation_page_runs_no_inline_script(client: Client) -> None:
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert re.findall(r"<script(?! src=)", page.text) == []
    assert "<style" not in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    *assets, script = re.findall(r'<script src="([^"]+)"', page.text)
    assert len(assets) == 2
    code = client.get(script.replace("&amp;", "&"))
    assert code.headers["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema" in code.text
