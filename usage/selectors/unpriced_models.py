"""Models that organizations use and nobody knows a price for."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from usage.rerating.ratings import ADJUSTED, IS_CALL

# The index of unpriced events leads to them; of a closed month an adjustment may have priced them.
_UNPRICED = f"""
    SELECT e.organization_id, k.provider, k.model, count(*),
           sum(e.input_tokens::bigint + e.output_tokens)::bigint,
           min(e.occurred_at), max(e.occurred_at)
    FROM usage_usageevent e JOIN usage_callkind k ON k.id = e.kind_id
    WHERE e.cost IS NULL AND {IS_CALL} AND e.occurred_at >= %(since)s
      AND NOT EXISTS (
          SELECT FROM usage_ratingchange c
          WHERE c.event_pk = e.id AND c.outcome = {ADJUSTED} AND c.after_cost IS NOT NULL
      )
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """Unpriced calls of one organization to a model, as they name it ("" = not given); UTC."""

    organization_id: int
    provider: str
    model: str
    calls: int
    tokens: int
    first_at: datetime
    last_at: datetime


def unpriced_models(since: datetime) -> list[UnpricedModel]:
    """What every organization has used from `since` (aware) on without a price."""
    with connection.cursor() as cursor:
        cursor.execute(_UNPRICED, {"since": since})
        return [UnpricedModel(*row) for row in cursor.fetchall()]
