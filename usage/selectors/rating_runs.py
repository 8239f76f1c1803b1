"""What a re-rating changes, summed by organization, model or day."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.db import connection

from usage.models import RatingChange, RatingRun

_NAMES = {
    "organization": "o.slug",
    "model": "concat_ws('/', nullif(k.provider, ''), k.model)",
    "day": "to_char(c.occurred_at AT TIME ZONE o.time_zone, 'YYYY-MM-DD')",
}
_BY_SIZE = "abs(coalesce(sum(c.after_cost), 0) - coalesce(sum(c.before_cost), 0)) DESC, 1"
_ORDERS = {"organization": _BY_SIZE, "model": _BY_SIZE, "day": "1"}
_TOTALS = """
    SELECT {name} AS name, count(*), coalesce(sum(c.before_cost), 0) AS before,
           coalesce(sum(c.after_cost), 0) AS after,
           coalesce(sum(c.after_cost), 0) - coalesce(sum(c.before_cost), 0) AS difference
    FROM usage_ratingchange c
    JOIN usage_organization o ON o.id = c.organization_id
    JOIN usage_callkind k ON k.id = c.kind_id
    WHERE c.run_id = %s AND c.outcome <> {skipped}
    GROUP BY 1 ORDER BY {order}
"""


@dataclass(frozen=True, slots=True)
class RunTotal:
    """A share of what a run changes; costs in the ledger currency, unpriced calls adding none."""

    name: str
    events: int
    before: Decimal
    after: Decimal
    difference: Decimal


def totals_by(run: RatingRun, what: Literal["organization", "model", "day"]) -> list[RunTotal]:
    """The changes of a run but those skipped, by slug, `provider/model` or day (ISO date).

    Days are those of each organization's time zone, ascending; the others come by the size of
    their difference, the largest first.
    """
    statement = _TOTALS.format(
        name=_NAMES[what], skipped=RatingChange.Outcome.SKIPPED.value, order=_ORDERS[what]
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, (run.pk,))
        return [RunTotal(*row) for row in cursor.fetchall()]
