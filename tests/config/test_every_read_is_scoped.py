import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from tests.config.api_urls import operations
from tests.config.tenants import SCOPES, Tenant, signed_in
from tests.databases import load_prices_if_there_are_none
from usage.keys import create_key

pytestmark = pytest.mark.django_db

OURS, THEIRS = "quokka", "zanzibar"
ORGANIZATION = "organization_slug"
READS: dict[str, dict[str, str]] = {
    "/api/v1/advice/": {},
    "/api/v1/alerts/": {},
    "/api/v1/alerts/{alert_id}/": {"alert_id": "alert_id"},
    "/api/v1/budgets/": {},
    "/api/v1/budgets/{budget_id}/": {"budget_id": "budget_id"},
    "/api/v1/budgets/{budget_id}/decisions/": {"budget_id": "budget_id"},
    "/api/v1/budgets/{budget_id}/raises/": {"budget_id": "budget_id"},
    "/api/v1/budgets/{budget_id}/windows/": {"budget_id": "budget_id"},
    "/api/v1/channels/": {},
    "/api/v1/channels/{channel_id}/": {"channel_id": "channel_id"},
    "/api/v1/chargeback/": {},
    "/api/v1/decisions/": {},
    "/api/v1/decisions/counts/": {},
    "/api/v1/decisions/{decision_id}/": {"decision_id": "decision_id"},
    "/api/v1/events/": {},
    "/api/v1/events/{event_id}/": {"event_id": "event_id"},
    "/api/v1/exports/": {},
    "/api/v1/exports/focus/": {},
    "/api/v1/exports/{export_id}/": {"export_id": "export_id"},
    "/api/v1/exports/{export_id}/download/": {"export_id": "export_id"},
    "/api/v1/forecast/": {},
    "/api/v1/organizations/{slug}/summary/": {"slug": ORGANIZATION},
    "/api/v1/policies/": {},
    "/api/v1/prices/": {},
    "/api/v1/projects/": {},
    "/api/v1/projects/{slug}/recent/": {"slug": "project"},
    "/api/v1/projects/{slug}/summary/": {"slug": "project"},
    "/api/v1/projects/{slug}/trend/": {"slug": "project"},
    "/api/v1/reconciliations/": {},
    "/api/v1/reconciliations/{reconciliation_id}/": {"reconciliation_id": "reconciliation_id"},
    "/api/v1/reservations/": {},
    "/api/v1/reservations/{reservation_id}/": {"reservation_id": "reservation_id"},
    "/api/v1/runs/": {},
    "/api/v1/runs/{run_id}/": {"run_id": "run_id"},
    "/api/v1/sessions/": {},
    "/api/v1/sessions/{session_id}/": {"session_id": "session_id"},
    "/api/v1/subjects/{key}/": {"key": "subject"},
    "/api/v1/summary/": {},
    "/api/v1/usage/": {},
}
"""Every read, with what its path names. A read that is missing here fails below."""

NAMELESS = {"/api/v1/decisions/counts/", "/api/v1/usage/"}
"""Reads whose plain answer names nothing of an organization's."""

QUESTIONS: tuple[dict[str, str], ...] = (
    {"group_by": "project"},
    {"format": "csv"},
    {"format": "json"},
    {"format": "parquet"},
    {"format": "line"},
    {"organization": THEIRS},
    {"project": f"{THEIRS}-project"},
    {"model": f"{THEIRS}-model"},
    {"provider": f"{THEIRS}-provider"},
    {"rate_card": f"{THEIRS} contract"},
    {"event_id": f"{THEIRS}-event_id"},
    {f"tag:{THEIRS}-tag": f"{THEIRS}-value"},
    *(
        {"group_by": name}
        for name in (
            "organization", "project", "subject", "team", "provider", "model", "operation",
            "action", "agent_type", "session", "run", "api_key", f"tag:{THEIRS}-tag",
            "cost_centre",
        )
    ),
)  # fmt: skip
"""What is asked of every read; what it does not know it refuses."""


def test_no_read_is_forgotten() -> None:
    assert {path for path, method in operations() if method == "GET"} == set(READS)


class Tenants(NamedTuple):
    """Both organizations, and what reads without names answered while there was one."""

    ours: Tenant
    alone: dict[str, str]
    theirs: Tenant


def figures_of(answer: Any) -> str:
    return re.sub(r'"as_of":"[^"]+"', "", body_of(answer))


@pytest.fixture(scope="module")
def tenants(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Tenants]:
    """Both organizations, made once: what the tests below write is rolled back to here."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_prices_if_there_are_none()
        ours = Tenant(OURS)
        alone = {path: figures_of(ours.key.get(path)) for path in NAMELESS}
        yield Tenants(ours, alone, Tenant(THEIRS))
        transaction.set_rollback(True)


@pytest.fixture
def ours(tenants: Tenants, db: None) -> Tenant:
    return tenants.ours


@pytest.fixture
def theirs(tenants: Tenants, db: None) -> Tenant:
    return tenants.theirs


def path_of(template: str, tenant: Tenant, export: str) -> str:
    return template.format(
        **{name: name_of(tenant, what, export) for name, what in READS[template].items()}
    )


def name_of(tenant: Tenant, what: str, export: str) -> str:
    ids = {ORGANIZATION: tenant.word, "export_id": export, **tenant.ids}
    return ids.get(what, f"{tenant.word}-{what}")


def body_of(answer: Any) -> str:
    content: bytes = answer.getvalue() if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


@pytest.mark.parametrize("template", READS)
def test_a_caller_reads_of_its_own_organization_alone(
    ours: Tenant, theirs: Tenant, template: str
) -> None:
    for caller, export in ours.callers:
        path = path_of(template, ours, export)
        plain = caller.get(path)
        told = body_of(plain)
        assert plain.status_code == 200, told
        assert (OURS in told) is (template not in NAMELESS)
        assert THEIRS not in told
        for question in QUESTIONS if caller is ours.key else QUESTIONS[:4]:
            answer = caller.get(path, question)
            told = body_of(answer)
            assert answer.status_code in (200, 400, 404), (question, told)
            if answer.status_code == 200:
                # Columns are called what was asked for.
                for word in [word for pair in question.items() for word in pair if THEIRS in word]:
                    told = told.replace(word, "")
                assert THEIRS not in told, question


@pytest.mark.parametrize("template", sorted(NAMELESS))
def test_figures_are_those_of_the_own_organization(
    tenants: Tenants, ours: Tenant, template: str
) -> None:
    alone = tenants.alone[template]
    assert figures_of(ours.key.get(template)) == alone
    assert figures_of(ours.member.get(template)) == alone
    without_membership = figures_of(signed_in("olga").get(template))
    assert (without_membership == alone) is False


@pytest.mark.parametrize("template", [path for path, named in READS.items() if named])
def test_what_others_have_is_not_there(ours: Tenant, theirs: Tenant, template: str) -> None:
    their_key, export = theirs.callers[0]
    path = path_of(template, theirs, export)
    ids = (export, theirs.ids["reservation_id"])
    word = next((each for each in ids if each in path), THEIRS)
    absent = path.replace(word, re.sub(r"\w", "0", word))
    for caller in (ours.key, ours.member, signed_in("olga")):
        answer, unknown = caller.get(path), caller.get(absent)
        assert answer.status_code == 404, body_of(answer)
        assert body_of(answer).replace(word, re.sub(r"\w", "0", word)) == body_of(unknown)
        named = caller.get(path, {"organization": THEIRS})
        assert named.status_code in (400, 404)
        assert "unknown" in body_of(named) or named.status_code == 404
    assert their_key.get(path).status_code == 200


@pytest.mark.parametrize("template", READS)
def test_an_outsider_reads_nothing(ours: Tenant, theirs: Tenant, template: str) -> None:
    path = path_of(template, ours, ours.exports[0])
    without_membership = signed_in("olga").get(path)
    assert without_membership.status_code == (404 if READS[template] else 200)
    seen = re.sub(r"There is no .*?\.", "", body_of(without_membership))
    assert OURS not in seen
    assert THEIRS not in seen
    for nobody in (APIClient(), signed_in("nils", is_staff=False)):
        refused = nobody.get(path)
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert OURS not in body_of(refused)
    allowed = ("read", "check") if template.startswith("/api/v1/reservations/") else ("read",)
    scopes = [scope for scope in SCOPES if scope not in allowed]
    _, secret = create_key(OURS, scopes, "writer")
    writer = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert writer.get(path).status_code == 403
