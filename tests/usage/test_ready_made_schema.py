import msgspec
import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import event
from tests.usage.summaries import store
from usage.api.schema.episodes import RunBody, RunList, SessionBody, SessionList
from usage.api.schema.projects import (
    ProjectList,
    ProjectRecentBody,
    ProjectSummaryBody,
    ProjectTrendBody,
)
from usage.api.schema.subjects import SubjectBody
from usage.api.schema.summaries import OrganizationSummaryBody, SummaryBody
from usage.ingest.pipeline import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_twentieth")]

BODIES: dict[str, type[msgspec.Struct]] = {
    "summary/": SummaryBody,
    "organizations/acme/summary/": OrganizationSummaryBody,
    "projects/": ProjectList,
    "projects/web/summary/": ProjectSummaryBody,
    "projects/web/trend/": ProjectTrendBody,
    "projects/web/recent/": ProjectRecentBody,
    "subjects/ann/": SubjectBody,
    "sessions/?from=2026-11-01&to=2026-12-01": SessionList,
    "sessions/s/": SessionBody,
    "runs/?from=2026-11-01&to=2026-12-01&limit=1": RunList,
    "runs/r/": RunBody,
}


@pytest.mark.parametrize("path", BODIES)
def test_answers_are_what_the_openapi_document_says(
    caller: Caller, client: APIClient, path: str
) -> None:
    store(
        caller,
        event("a", session_id="s", run_id="r", agent_type="research"),
        event("b", session_id="s", run_id="q", billing_scope="user", project=None, provider=""),
        event("c", model="nobody-knows-9", subject=None),
    )
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/json"
    msgspec.json.decode(response.content, type=BODIES[path])
