"""Narrow sums by one dimension beside days and months, filled from what is summed already.

Rollups can be read all the while, and events stored; only roll ups wait until it is done. Workers of
a former version must not roll up afterwards, since they would leave the new tables as they are.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

COUNTS = (
    "events", "errors", "unpriced_events", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", "duration_ms",
)  # fmt: skip
COSTS = ("cost", "input_cost", "output_cost", "cache_cost")
PERIODS = {"hour": "hourly", "day": "daily", "month": "monthly"}

_NAMES = ", ".join(COUNTS + COSTS)
_SUMS = ", ".join([f"sum({name})::bigint" for name in COUNTS] + [f"sum({name})" for name in COSTS])
_DAYS = {
    "name": "daily",
    "period": "day",
    "source": "usage_dailyrollup",
    "value": "day",
}
_HOURS = {
    "name": "hourly",
    "period": "hour",
    "source": "usage_usagerollup",
    "value": "date_bin('1 hour', bucket, 'epoch')",
}
_FROM_ALL = """
    INSERT INTO usage_{name}facet (organization_id, {period}, facet, member_id, {names})
    SELECT organization_id, {value}, CASE 0 {cases} ELSE 0 END, coalesce({members}), {sums}
    FROM {source} GROUP BY organization_id, {value}, GROUPING SETS ({sets}, ())
"""
_FROM_DAYS = """
    INSERT INTO usage_monthlyfacet (organization_id, month, facet, member_id, {names})
    SELECT organization_id, date_trunc('month', day::timestamp)::date, facet, member_id, {sums}
    FROM usage_dailyfacet GROUP BY 1, 2, 3, 4
"""


def _from_all(level: dict[str, str], members: dict[str, int]) -> str:
    cases = (f"WHEN GROUPING({member}) THEN {facet}" for member, facet in members.items())
    return _FROM_ALL.format(
        **level,
        names=_NAMES,
        sums=_SUMS,
        cases=" ".join(cases),
        members=", ".join(members),
        sets=", ".join(f"({member})" for member in members),
    )


FILL = (
    "LOCK TABLE usage_usagerollup, usage_dailyrollup, usage_monthlyrollup IN SHARE MODE",
    _from_all(_HOURS, {"project_id": 1, "team_id": 2, "kind_id": 4}),
    _from_all(_DAYS, {"project_id": 1, "team_id": 2, "subject_id": 3, "kind_id": 4}),
    _FROM_DAYS.format(names=_NAMES, sums=_SUMS),
    "ANALYZE usage_hourlyfacet, usage_dailyfacet, usage_monthlyfacet",
)


def _fields(period: str) -> list[tuple[str, models.Field[Any, Any]]]:
    when = models.DateTimeField() if period == "hour" else models.DateField()
    counts = [(name, models.BigIntegerField()) for name in COUNTS]
    costs = [(name, models.DecimalField(decimal_places=10, max_digits=28)) for name in COSTS]
    of = ((0, "Whole"), (1, "Project"), (2, "Team"), (3, "Subject"), (4, "Kind"))
    return [
        *counts,
        *costs,
        ("id", models.BigAutoField(primary_key=True, serialize=False)),
        ("facet", models.SmallIntegerField(choices=of)),
        ("member_id", models.IntegerField(null=True)),
        (period, when),
        (
            "organization",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.organization",
            ),
        ),
    ]


def _keys(period: str, name: str) -> list[Any]:
    return [
        migrations.AddConstraint(
            f"{name}facet",
            models.UniqueConstraint(
                fields=("organization", "facet", period, "member_id"),
                name=f"usage_{name}_facet_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            f"{name}facet",
            models.Index(
                fields=["organization", "facet", "member_id", period],
                name=f"usage_{name}_facet_member",
            ),
        ),
    ]


def _members(period: str, name: str) -> list[Any]:
    return [
        migrations.AddIndex(
            f"{name}rollup",
            models.Index(fields=["organization", member, period], name=f"usage_{name}_{member}"),
        )
        for member in ("project", "subject")
    ]


class Migration(migrations.Migration):
    dependencies = [("usage", "0010_reconciliations")]

    operations = [
        *(
            migrations.CreateModel(f"{name.title()}Facet", _fields(period))
            for period, name in PERIODS.items()
        ),
        # Keys are made quicker over rows that are there.
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        *(key for period, name in PERIODS.items() for key in _keys(period, name)),
        *_members("day", "daily"),
        *_members("month", "monthly"),
    ]
