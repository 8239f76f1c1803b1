import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue, SubjectValue
from usage.keys import create_key
from usage.organizations import ensure_organization
from usage.rollups import roll_up

# An export reads in a snapshot of its own, which a test's transaction would not let it have.
pytestmark = pytest.mark.django_db(transaction=True)

MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")
QUERY = {"from": "2026-03-01", "to": "2026-04-01", "timezone": "UTC"}
# Dollars per million tokens in and out; cached ones cost a tenth of fresh ones.
PRICES = {"claude-sonnet-4-5": (3, 15), "claude-opus-4-5": (5, 25)}
Sums = dict[str, Decimal]


@pytest.fixture
def spent(catalogue: None) -> Sums:
    """Calls of March and around it; what those of March cost by project, by hand."""
    random = Random(7)
    spent: Sums = defaultdict(Decimal)
    slugs = ("acme", "globex")
    tenants = {slug: tenant_of(ensure_organization(slug)) for slug in slugs}
    events = []
    for number in range(300):
        at = datetime(2026, 2, 25, tzinfo=UTC) + timedelta(minutes=random.randrange(40 * 1440))
        project = random.choice(("web", "api", "ml"))
        model = random.choice(tuple(PRICES))
        fresh, cached, out = (random.randrange(1, top) for top in (9000, 5000, 900))
        if at.month == 3:
            price_in, price_out = PRICES[model]
            cost = Decimal(fresh * price_in * 10 + cached * price_in + out * price_out * 10)
            spent[project] += cost / 10_000_000
        events.append(
            EventValue(
                event_id=f"e{number}",
                occurred_at=at,
                organization=random.choice(slugs),
                project=project,
                subject=SubjectValue(random.choice("abc")),
                provider="anthropic",
                model=model,
                session_id=f"s{number % 20}",
                input_tokens=fresh + cached,
                cache_read_tokens=cached,
                output_tokens=out,
            )
        )
    assert ingest(events, Caller(Tenancy(None, tenants))).accepted == len(events)
    roll_up()
    return dict(spent)


@pytest.fixture
def api(spent: Sums) -> APIClient:
    _, secret = create_key(None, ("read",), "everything")
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def added(rows: Iterable[dict[str, Any]], name: str, cost: str) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for row in rows:
        sums[row[name]] += Decimal(row[cost])
    return dict(sums)


def ran(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def exported(kind: str, *arguments: str) -> str:
    with NamedTemporaryFile() as file:
        call_command("export", kind, *MARCH, *arguments, "--output", file.name)
        return Path(file.name).read_text()


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def streamed(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def by_usage_json(api: APIClient) -> Sums:
    answer = api.get("/api/v1/usage/", {**QUERY, "group_by": "project"}).json()
    return added(answer["results"], "project", "cost")


def by_usage_csv(api: APIClient) -> Sums:
    answer = api.get("/api/v1/usage/", {**QUERY, "group_by": "project", "format": "csv"})
    return added(lines(streamed(answer)), "project", "cost")


def by_days_of_subjects(api: APIClient) -> Sums:
    grouped = {"group_by": "subject,project,model", "granularity": "day", "format": "csv"}
    return added(lines(streamed(api.get("/api/v1/usage/", QUERY | grouped))), "project", "cost")


def by_events_csv(api: APIClient) -> Sums:
    answer = api.get("/api/v1/events/", {**QUERY, "format": "csv"})
    return added(lines(streamed(answer)), "project", "cost")


def by_focus_api(api: APIClient) -> Sums:
    answer = api.get("/api/v1/exports/focus/", {"from": QUERY["from"], "to": QUERY["to"]})
    return added(lines(streamed(answer)), "x_Project", "EffectiveCost")


def by_focus_command(_api: APIClient) -> Sums:
    return added(lines(exported("focus")), "x_Project", "EffectiveCost")


def by_usage_command(_api: APIClient) -> Sums:
    text = exported("usage", "--timezone", "UTC", "--group-by", "project")
    return added(lines(text), "project", "cost")


def by_events_command(_api: APIClient) -> Sums:
    text = exported("events", "--timezone", "UTC", "--format", "json")
    return added(json.loads(text), "project", "cost")


def by_cost_report(_api: APIClient) -> Sums:
    report = json.loads(ran("cost", "report", *MARCH, "--by-project", "--format", "json"))
    sums = added(report["by_project"], "project", "cost")
    assert Decimal(report["total"]) == sum(sums.values())
    return sums


def by_project_summaries(api: APIClient) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for organization in ("acme", "globex"):
        for project in ("web", "api", "ml"):
            address = f"/api/v1/projects/{project}/summary/"
            asked = {"organization": organization, "month": "2026-03", "timezone": "UTC"}
            sums[project] += Decimal(api.get(address, asked).json()["totals"]["cost"])
    return dict(sums)


WAYS = (
    by_usage_json, by_usage_csv, by_days_of_subjects, by_events_csv, by_focus_api,
    by_focus_command, by_usage_command, by_events_command, by_cost_report, by_project_summaries,
)  # fmt: skip


def in_admin(client: Client) -> dict[str, str]:
    shown = {"range": "custom", "from": "2026-03-01", "through": "2026-03-31", "tz": "UTC"}
    table = client.get("/admin/charts/spend.csv", {**shown, "group": "project"}).content.decode()
    return lines(table)[-1]


def test_every_way_of_asking_gives_the_same_digits(
    api: APIClient, admin_client: Client, spent: Sums
) -> None:
    assert {ask.__name__: ask(api) for ask in WAYS} == {ask.__name__: spent for ask in WAYS}
    shown = in_admin(admin_client)
    assert {name: Decimal(shown[name]) for name in spent} == spent
    assert Decimal(shown["total USD"]) == sum(spent.values())
