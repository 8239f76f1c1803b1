"""Who and what a large installation has: organizations, people, kinds of calls, budgets."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import connection

from budgets.book import new_edition
from budgets.models import Budget
from budgets.opening import roll_over
from pricing.price_book import current_book
from pricing.rating import PriceValue
from usage.ingest.identities import kind_ids
from usage.keys import create_key
from usage.models import Organization, Project, Subject, Team
from usage.organizations import ensure_organization

ORGANIZATIONS = (
    ("acme", "UTC", 120, 1200),
    ("borealis", "Europe/Berlin", 30, 300),
    ("cascade", "America/New_York", 20, 200),
    ("delta", "UTC", 20, 200),
    ("ember", "UTC", 10, 100),
)
"""Slug, time zone, projects and people."""
MODELS = (
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-4-8"),
    ("anthropic", "claude-haiku-4-5"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5-mini"),
    ("openai", "gpt-4.1"),
    ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.5-pro"),
    ("mistral", "mistral-large-latest"),
    ("x-ai", "grok-4"),
    ("in-house", "house-1"),
)
"""Provider and model; nobody has a price for the last one."""
ROLES = (
    ("chat", "", ""),
    ("review", "Testing", "merge request"),
    ("agent", "Implementation", ""),
    ("agent", "Research", "schedule"),
)
"""Action, agent type and what triggers a run."""
TEAMS = 4
METERS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


class Person(NamedTuple):
    """Someone who works mostly in one project, mostly with one model."""

    organization: int
    time_zone: str
    subject: int
    team: int
    api_key: int
    home: int
    projects: list[int]
    favourite: int


def make_population() -> None:
    """Fill the tables `bench_person` and `bench_kind`, which `scale` draws from, and their like."""
    people = [person for row in ORGANIZATIONS for person in _people_of(*row)]
    random.Random(7).shuffle(people)
    User.objects.create_superuser("bench", password="bench")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE UNLOGGED TABLE bench_person (n int PRIMARY KEY, organization int, zone text,"
            " subject int, team int, api_key int, home int, projects int[], favourite int)"
        )
        cursor.executemany(
            "INSERT INTO bench_person VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(number, *person) for number, person in enumerate(people)],
        )
        cursor.execute(
            "CREATE UNLOGGED TABLE bench_kind (model int, role int, kind int, provider text,"
            " version int, per_input numeric, per_read numeric, per_write numeric,"
            " per_output numeric, PRIMARY KEY (model, role))"
        )
        cursor.executemany(
            "INSERT INTO bench_kind VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", list(_kinds())
        )


def make_budgets(count: int = 1000) -> None:
    """Budgets of every project by month, and of people, half of them hard; windows are opened."""
    projects = list(Project.objects.order_by("pk"))
    people = list(Subject.objects.order_by("pk")[: max(0, count - len(projects))])
    Budget.objects.bulk_create(
        [
            Budget(
                organization_id=project.organization_id, project=project, limit=2000 + 50 * number,
                counts_since=SINCE,
            )
            for number, project in enumerate(projects[:count])
        ]
        + [
            Budget(
                organization_id=person.organization_id, subject=person, limit=10**6,
                enforcement=("hard", "soft")[number % 2], counts_since=SINCE,
            )
            for number, person in enumerate(people)
        ]
    )  # fmt: skip
    new_edition()
    roll_over(datetime.now(UTC))


def _people_of(slug: str, time_zone: str, projects: int, people: int) -> Iterator[Person]:
    owner = ensure_organization(slug)
    Organization.objects.filter(pk=owner.pk).update(time_zone=time_zone)
    key, _ = create_key(slug, ["ingest", "read"], "bench")
    named = [f"project-{number:03}" for number in range(projects)]
    homes = Project.objects.bulk_create([Project(organization=owner, slug=n) for n in named])
    named = [f"team-{number}" for number in range(TEAMS)]
    teams = Team.objects.bulk_create([Team(organization=owner, slug=name) for name in named])
    subjects = Subject.objects.bulk_create(
        [
            Subject(organization=owner, key=f"person-{number:04}", email=f"p{number}@{slug}.test")
            for number in range(people)
        ]
    )
    chance = random.Random(slug)
    for number, subject in enumerate(subjects):
        yield Person(
            owner.pk,
            time_zone,
            subject.pk,
            teams[number % TEAMS].pk,
            key.pk,
            homes[number % projects].pk,
            [home.pk for home in homes],
            min(chance.randrange(len(MODELS)), chance.randrange(len(MODELS))),
        )


def _kinds() -> Iterator[list[int | str | Decimal | None]]:
    words = {
        (model, role): (
            *MODELS[model], MODELS[model][1], "chat", *ROLES[role], "org", "standard", False,
        )
        for model in range(len(MODELS)) for role in range(len(ROLES))
    }  # fmt: skip
    ids = kind_ids(set(words.values()))
    book, now = current_book(), datetime.now(UTC)
    for (model, role), said in words.items():
        price = book.find(said[0], said[1], now)
        version = price.price_version_id if price else None
        yield [model, role, ids[said], said[0], version, *_unit_prices(price)]


def _unit_prices(price: PriceValue | None) -> list[Decimal | None]:
    lines = {line.meter: line.unit_price for line in price.plan} if price else {}
    return [lines.get(meter) for meter in METERS]
