from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from budgets.selectors.states import BudgetState, Level, read_states
from budgets.spans import days_of
from budgets.thresholds import warning_amounts
from tests.budgets.budget_values import budget
from tests.config.site_data import OPUS, at, event, send
from usage.models import Organization
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

# On the 10th acme/web costs 0.60 and 1.50, on the 11th acme/api 2.00, on the 12th a failed call
# without a project 0.33 (100,000 tokens at 3 dollars, as many from the cache at 0.30) and one of
# an unknown price; globex/site costs 1.00.
NOW = at(12, 15)


def states(**scope: str) -> dict[str, BudgetState]:
    return {str(state.budget): state for state in read_states(EVERYTHING, NOW, **scope)}


def state_of(spent: str, limit: str, **fields: Any) -> BudgetState:
    made, most = budget(limit=limit, **fields), Decimal(limit)
    warns_at = warning_amounts(made, most, NOW, NOW)
    return BudgetState(
        made, date(2026, 11, 1), date(2026, 12, 1), most, Decimal(spent), 0, timedelta(9),
        warns_at=warns_at,
    )  # fmt: skip


def test_a_budget_of_an_organization_counts_all_that_it_spent_in_the_period(usage: None) -> None:
    for period in ("day", "week", "month", "quarter", "year"):
        budget(period=period)

    found = states()

    assert found["acme · daily"].spent == Decimal("0.33")
    assert found["acme · weekly"].spent == Decimal("4.43")
    assert found["acme · monthly"].spent == Decimal("4.43")
    assert found["acme · quarterly"].spent == found["acme · yearly"].spent == Decimal("4.43")
    assert found["acme · monthly"].remaining == Decimal("0.57")
    assert found["acme · monthly"].percent == Decimal("88.6")
    assert found["acme · monthly"].level is Level.WARN
    assert found["acme · monthly"].spent_text == "$4.43 of $5"
    assert found["acme · monthly"].unpriced_events == 1


def test_a_budget_of_a_project_counts_only_that_project(usage: None) -> None:
    budget(project="web", limit="2", name="site")
    budget(project="api", limit="4")
    budget(limit="4.43")

    found = states()

    assert found["site · monthly"].spent == Decimal("2.10")
    assert found["site · monthly"].spent_text == "$2.10 of $2 · $0.10 over"
    assert found["acme / api · monthly"].percent == 50
    assert found["acme · monthly"].level is Level.OVER
    assert list(found) == ["site · monthly", "acme · monthly", "acme / api · monthly"]


def test_a_project_of_the_same_name_elsewhere_is_another_one(usage: None) -> None:
    send([event("w", at(12), organization="globex", project="web", model=OPUS,
                input_tokens=1_000_000)])  # fmt: skip
    budget(project="web")
    budget("globex", project="web", limit="10")

    found = states()

    assert found["acme / web · monthly"].spent == Decimal("2.10")
    assert found["globex / web · monthly"].spent == 5


def test_states_are_of_the_organization_or_project_asked_for(usage: None) -> None:
    budget()
    budget(project="web")
    budget("globex")

    assert set(states(organization="acme")) == {"acme · monthly", "acme / web · monthly"}
    assert set(states(organization="acme", project="web")) == {"acme / web · monthly"}
    assert states(organization="nobody") == {}


def test_budgets_of_other_organizations_are_not_seen(usage: None) -> None:
    budget()
    budget("globex")
    acme = Viewer(frozenset({Organization.objects.get(slug="acme").pk}))

    assert [str(state.budget) for state in read_states(acme, NOW)] == ["acme · monthly"]
    assert read_states(NOTHING, NOW) == []


def test_a_budget_that_is_switched_off_has_no_state(usage: None) -> None:
    budget(enabled=False)

    assert read_states(EVERYTHING, NOW) == []


def test_the_day_is_that_of_the_organizations_zone(catalogue: None) -> None:
    ensure_organization("acme")
    Organization.objects.filter(slug="acme").update(time_zone="Asia/Kolkata")
    # 18:30 UTC is midnight in Kolkata.
    send([
        event("before", at(11, 18, 29), input_tokens=1_000_000),
        event("after", at(11, 18, 30), input_tokens=2_000_000),
    ])  # fmt: skip
    budget(period="day", limit="100")

    (state,) = read_states(EVERYTHING, at(11, 19))

    assert (state.start, state.end) == (date(2026, 11, 12), date(2026, 11, 13))
    assert state.left == timedelta(hours=23, minutes=30)
    assert state.reset_text == "resets in 23 h 30 m"
    # Above 200,000 tokens Sonnet 4.5 costs 6 dollars a million.
    assert state.spent == 12


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spent", "level", "shown"),
    [
        ("0", Level.OK, "0 %"),
        ("0.0000000001", Level.OK, "<1 %"),
        ("79.9999999999", Level.OK, "79 %"),
        ("80", Level.WARN, "80 %"),
        ("99.9999999999", Level.WARN, "99 %"),
        ("100", Level.OVER, "100 %"),
        ("1234.56", Level.OVER, "1,234 %"),
        ("-3", Level.OK, "-3 %"),
    ],
)
def test_levels_begin_exactly_at_the_threshold_and_at_the_limit(
    spent: str, level: Level, shown: str
) -> None:
    ensure_organization("acme")
    state = state_of(spent, "100")

    assert (state.level, state.percent_text) == (level, shown)
    assert 0 <= state.bar <= 100


@pytest.mark.django_db
def test_the_threshold_is_the_budgets_own() -> None:
    ensure_organization("acme")

    assert state_of("49", "100", warns_at=["50"]).level is Level.OK
    assert state_of("50", "200", warns_at=["25"], enabled=False).level is Level.WARN


@pytest.mark.django_db
def test_of_nothing_any_spend_is_over() -> None:
    ensure_organization("acme")

    unused = state_of("0", "0")
    assert (unused.percent, unused.level, unused.percent_text) == (None, Level.OK, "—")
    used = state_of("0.0000000001", "0", enabled=False)
    assert used.level is Level.OVER
    assert used.percent == 100
    assert used.spent_text == "<$0.01 of $0 · <$0.01 over"


def test_far_resets_are_days_and_limits_keep_their_cents(usage: None) -> None:
    budget(limit="12.5")

    (state,) = read_states(EVERYTHING, NOW)

    assert state.reset_text == "resets 1 Dec"
    assert state.limit_text == "$12.50"


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("day", date(2026, 12, 31), date(2027, 1, 1)),
        ("week", date(2026, 12, 28), date(2027, 1, 4)),
        ("month", date(2026, 12, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("year", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_periods_are_those_of_the_calendar(period: str, start: date, end: date) -> None:
    assert days_of(date(2026, 12, 31), period) == (start, end)
    assert days_of(start, period) == (start, end)


def test_many_budgets_are_read_with_as_many_statements_as_few(usage: None) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            read_states(EVERYTHING, datetime.now(UTC))
        return len(captured)

    budget()
    budget(project="web")
    few = statements()
    for number in range(10):
        budget(project="web", name=f"budget {number}")
        budget("globex", name=f"budget {number}")

    assert statements() == few
