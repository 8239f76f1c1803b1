from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import Granularity, UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db


def ask(**fields):
    fields = {"viewer": EVERYTHING, "start": date(2026, 11, 1), "end": date(2026, 12, 1), **fields}
    return query_usage(UsageQuery(**fields))


def test_smoke(caller: Caller) -> None:
    ingest([event("a", tags={"x": "1"}), event("b", session_id="s", run_id="r")], caller)
    roll_up()
    for granularity in Granularity:
        for group_by in (
            (),
            ("project",),
            ("session", "run", "model"),
            ("tag:x", "organization", "api_key"),
        ):
            for zone in ("UTC", "Asia/Kathmandu", "America/New_York"):
                for order in ("", "-start", "-cost", "total_tokens"):
                    answer = ask(
                        granularity=granularity, group_by=group_by, time_zone=zone, order_by=order
                    )
                    assert answer.totals.events == 2, (granularity, group_by, zone)
                    assert answer.totals.cost == Decimal("0.009")
                    assert sum(row.sums.events for row in answer.rows) == 2
                    paged = ask(
                        granularity=granularity,
                        group_by=group_by,
                        time_zone=zone,
                        order_by=order,
                        limit=1,
                    )
                    rows = paged.rows
                    for _ in range(3):
                        if paged.next_cursor:
                            paged = ask(
                                granularity=granularity,
                                group_by=group_by,
                                time_zone=zone,
                                order_by=order,
                                limit=1,
                                cursor=paged.next_cursor,
                            )
                            rows += paged.rows
                    assert rows == answer.rows[: len(rows)]
    print(ask(granularity="day" and Granularity.WEEK).rows)
