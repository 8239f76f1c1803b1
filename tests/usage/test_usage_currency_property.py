from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.usage.asking import ask
from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.rollups import roll_up
from usage.selectors.questions import Granularity

FIRST = datetime(2026, 11, 16, tzinfo=UTC)
DAYS = [FIRST.date() + timedelta(days=number) for number in range(-1, 6)]
examples = count()
calls = st.tuples(
    st.integers(0, 5 * 24 * 60 - 1).map(lambda minutes: FIRST + timedelta(minutes=minutes)),
    st.integers(1, 10**7),
    st.sampled_from(["chat", "review"]),
)
rates_of_days = st.lists(
    st.decimals(min_value="0.000001", max_value=10**4, places=12),
    min_size=len(DAYS),
    max_size=len(DAYS),
)


def shown(exact: Decimal) -> Decimal:
    return exact.quantize(Decimal("1E-10"), ROUND_HALF_UP)


@pytest.mark.django_db
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sent=st.lists(calls, min_size=1, max_size=8),
    rates=rates_of_days,
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]),
)
def test_a_converted_sum_is_the_sum_of_what_each_day_converts_to(
    caller: Caller,
    sent: list[tuple[datetime, int, str]],
    rates: list[Decimal],
    zone: str,
) -> None:
    project = f"example-{next(examples)}"
    by_day = dict(zip(DAYS, rates, strict=True))
    dated = [DatedRate("USD", "EUR", day, rate) for day, rate in by_day.items()]
    set_rates(dated, Provenance("test"))
    events = [
        event(
            f"{project}-{number}", project=project, occurred_at=at, action=action,
            input_tokens=0, output_tokens=tokens,
        )
        for number, (at, tokens, action) in enumerate(sent)
    ]  # fmt: skip
    ingest(events, caller)
    roll_up()

    exact: dict[str, Decimal] = defaultdict(Decimal)
    for at, tokens, action in sent:
        day = at.astimezone(ZoneInfo(zone)).date()
        exact[action] += Decimal(tokens * 15) / 1_000_000 * by_day[day]
    for granularity in Granularity:
        answer = ask(
            granularity=granularity, group_by=("action",), filters={"project": [project]},
            time_zone=zone, currency="EUR",
        )  # fmt: skip
        assert answer.totals.cost == shown(sum(exact.values(), Decimal(0)))
        found: dict[str | None, Decimal] = defaultdict(Decimal)
        for row in answer.rows:
            found[row.group["action"]] += row.sums.cost
        # Each row shown may be half a last place off.
        for action, cost in exact.items():
            assert abs(found[action] - cost) <= len(answer.rows) * Decimal("0.5E-10")
        if granularity is Granularity.TOTAL:
            assert found == {action: shown(cost) for action, cost in exact.items()}
