from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from budgets.models import Budget, BudgetWindow
from budgets.selectors.leading import read_leading
from budgets.selectors.states import read_states
from budgets.setting import grant_raise
from tests.budgets.budget_values import ACTOR, budget
from tests.config.site_data import at
from usage.models import Organization, Subject
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

NOW = at(12, 15)


@pytest.fixture
def budgets(usage: None) -> None:
    for period in ("day", "month", "year"):
        budget("acme", limit="5", period=period, now=NOW)
        budget("globex", limit="1000", period=period, now=NOW)
    budget("acme", project="web", limit="3", now=NOW)
    budget("globex", project="site", limit=None, now=NOW)
    budget("acme", limit="0", action="never", now=NOW)
    budget("acme", limit="7", per="subject", period="year", name="Each", now=NOW)
    budget("acme", limit="9", action="same", name="Twin", now=NOW)
    budget("acme", limit="9", action="also", name="Twin", now=NOW)
    budget(None, limit="100", per="organization", period="year", now=NOW)
    closed = budget("acme", limit="0", action="raised", now=NOW)
    grant_raise(
        closed, member=0, limit=Decimal(4), actor=ACTOR, now=NOW, until=NOW + timedelta(days=9)
    )
    BudgetWindow.objects.filter(budget__in=[closed.pk]).delete()
    BudgetWindow.objects.filter(budget__name="Twin").delete()


def test_the_first_budgets_are_those_of_all_budgets(budgets: None) -> None:
    acme = Viewer(frozenset(Organization.objects.filter(slug="acme").values_list("pk", flat=True)))
    wholes = [
        (viewer, scope, read_states(viewer, NOW, **scope))
        for viewer in (EVERYTHING, acme, NOTHING)
        for scope in ({}, {"organization": "acme"}, {"project": "web"}, {"organization": "no"})
    ]

    assert [len(states) for _, _, states in wholes[:4]] == [14, 10, 1, 1]
    for viewer, scope, states in wholes:
        for count in (0, 1, 4, 50):
            leading = read_leading(viewer, NOW, count, **scope)
            assert leading.states == states[:count], (scope, count)
            assert leading.total == len(states)


def test_a_budget_that_was_switched_off_a_moment_ago_is_left_out(budgets: None) -> None:
    read_leading(EVERYTHING, NOW, 4)
    Budget.objects.filter(name="Twin").update(enabled=False)

    leading = read_leading(EVERYTHING, NOW, 50)

    assert leading.states == read_states(EVERYTHING, NOW)
    assert leading.total == 12


def test_budgets_that_are_not_shown_are_not_read(usage: None) -> None:
    subject = Subject.objects.get(key="ann")
    for n in range(12):
        budget("acme", subject=subject, action=f"action {n}", limit="5", now=NOW)
    read_leading(EVERYTHING, NOW, 4)

    with CaptureQueriesContext(connection) as captured:
        read_leading(EVERYTHING, NOW, 4)

    read = [each["sql"] for each in captured if 'FROM "budgets_budget"' in each["sql"]]
    assert len(read) == 1
    assert " IN (" in read[0].split("WHERE")[1]
    assert len(captured) <= 5
