from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.config.site_data import OPUS, event, send
from usage.models import BillDay, BillLine, BillProject, BillSource, Organization, Project

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
NOW = datetime(2026, 11, 3, 8, tzinfo=UTC)
DATED = "claude-sonnet-4-5-20250929"
CLASSES = {
    "missing_here": Decimal("0.6"),
    "missing_there": Decimal("-0.6"),
    "price": Decimal("0.1"),
    "cache": Decimal("-0.27"),
    "timing": Decimal(0),
    "rounding": Decimal("-0.000999"),
    "other": Decimal("0.2"),
}
GAP = Decimal("0.029001")


def at(day: int, hour: int = 12, month: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def source_of(organization: str = "acme", **fields: Any) -> BillSource:
    values = {
        "name": "Anthropic",
        "kind": BillSource.Kind.ANTHROPIC,
        "providers": ["anthropic"],
        "first_day": FIRST,
        **fields,
    }
    return BillSource.objects.create(
        organization=Organization.objects.get(slug=organization), **values
    )


def bill_days(source: BillSource, first: date, last: date) -> None:
    for number in range((last - first).days + 1):
        for report in (BillDay.Report.USAGE, BillDay.Report.COST):
            BillDay.objects.get_or_create(
                source=source,
                day=first + timedelta(days=number),
                report=report,
                defaults={"digest": uuid4(), "changed_at": at(2, month=11)},
            )


def bill(
    source: BillSource,
    day: int,
    amounts: dict[str, str],
    *,
    model: str = DATED,
    project: str = "wrk_web",
    currency: str = "USD",
    description: str = "",
    tier: str = "",
    **quantities: int,
) -> None:
    external, _ = BillProject.objects.get_or_create(source=source, external_id=project)
    days = {each.report: each for each in BillDay.objects.filter(source=source, day=at(day).date())}
    common = {"bill_project": external, "model": model, "description": description, "tier": tier}
    if quantities:
        usage = days[BillDay.Report.USAGE]
        BillLine.objects.create(bill_day=usage, quantities=quantities, **common)
    for meter, amount in amounts.items():
        BillLine.objects.create(
            bill_day=days[BillDay.Report.COST],
            meter=meter,
            amount=Decimal(amount),
            currency=currency,
            **common,
        )


def record(calls: Iterable[tuple[object, datetime, dict[str, Any]]]) -> None:
    send([event(f"r{number}", when, **fields) for number, when, fields in calls])


def seeded() -> BillSource:
    """October with one difference of each class, each on days of its own."""
    whole = {"project": "web", "input_tokens": 200_000}
    record(
        [
            (2, at(2), {**whole, "output_tokens": 10_000}),
            (4, at(4), whole),
            (6, at(6), whole),
            (8, at(8), whole),
            (10, at(10), whole),
            (12, at(12, 23, minute=59), whole),
            (15, at(15), {**whole, "input_tokens": 333}),
            (20, at(20), {"project": "api", "model": OPUS, "input_tokens": 100_000}),
            # None of these is on the bill's side of the ledger.
            (21, at(21), {**whole, "billing_scope": "user"}),
            (22, at(22), {**whole, "provider": "openai", "model": "gpt-4o"}),
            (23, at(23), {**whole, "organization": "globex"}),
            (24, at(1, 0, month=11), whole),
        ]
    )
    source = source_of()
    bill_days(source, FIRST, LAST)
    for external, slug in (("wrk_web", "web"), ("wrk_api", "api")):
        project = Project.objects.get(organization__slug="acme", slug=slug)
        BillProject.objects.create(source=source, external_id=external, project=project)
    bill(source, 2, {"input_tokens": "0.60", "output_tokens": "0.15"},
         input_tokens=200_000, output_tokens=10_000)  # fmt: skip
    bill(source, 4, {"input_tokens": "1.20"}, input_tokens=400_000)
    bill(source, 8, {"input_tokens": "0.70"}, input_tokens=200_000)
    bill(source, 10, {"input_tokens": "0.30", "cache_read_tokens": "0.03"},
         input_tokens=200_000, cache_read_tokens=100_000)  # fmt: skip
    bill(source, 13, {"input_tokens": "0.60"}, input_tokens=200_000)
    bill(source, 15, {"input_tokens": "0.00"}, input_tokens=333)
    bill(source, 17, {"": "0.20"}, model="", description="Web searches")
    bill(source, 20, {"input_tokens": "0.50"}, model="claude-opus-4-5-20251101",
         project="wrk_api", input_tokens=100_000)  # fmt: skip
    return source
