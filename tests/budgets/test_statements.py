from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from budgets.models import Budget, BudgetWindow, DecisionCount
from budgets.recording import count_tallies
from tests.budgets.budget_clients import CALL, Caller

pytestmark = pytest.mark.usefixtures("catalogue")

ASKED = {**CALL, "input_tokens": 1000, "max_output_tokens": 100}


@pytest.fixture
def acme() -> Caller:
    caller = Caller()
    caller.budget(limit="100", thresholds=[])
    caller.budget(name="each", per="subject", limit="50", enforcement="soft", thresholds=[])
    held = caller.post("reservations", ASKED, 201)
    caller.post(f"reservations/{held['id']}/settle", {"input_tokens": 1000})
    return caller


def statements(caller: Caller, path: str, body: Any, status: int = 200) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        caller.post(path, body, status)
    return [query["sql"] for query in captured.captured_queries]


def test_a_check_costs_one_statement_beside_the_key_however_many_budgets_there_are(
    acme: Caller,
) -> None:
    owner = acme.key.organization
    Budget.objects.bulk_create(
        Budget(organization=owner, action=f"a{n}", limit=1, name=f"a{n}") for n in range(50)
    )
    assert len(statements(acme, "budgets/check", ASKED)) == 2


def test_reserving_costs_one_statement_beside_the_key_and_settling_reads_no_model(
    acme: Caller,
) -> None:
    key, hold = statements(acme, "reservations", {**ASKED, "reservation_key": "k"}, 201)
    assert "usage_apikey" in key
    assert "budgets_reserve" in hold
    held = acme.post("reservations", {**ASKED, "reservation_key": "k"})

    settling = statements(acme, f"reservations/{held['id']}/settle", {"input_tokens": 900})

    reading = [sql for sql in settling if sql.lstrip().startswith("SELECT")]
    assert len([sql for sql in reading if "budgets_feed" in sql]) == 1
    assert len(reading) <= 5


def test_what_was_just_reserved_reads_as_it_does_later(acme: Caller) -> None:
    made = acme.post("reservations", {**ASKED, "team": "core", "ttl_seconds": 60}, 201)

    read = acme.get(f"reservations/{made['id']}")

    assert {name: made[name] for name in read} == read
    assert made["api_key"] == acme.key.prefix


def test_a_member_is_found_by_an_index_that_names_it(acme: Caller) -> None:
    row = Budget.objects.get(name="each")
    window = BudgetWindow.objects.get(budget=row)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM budgets_budgetwindow"
            " WHERE budget_id = %s AND member = %s AND start = %s",
            (row.pk, window.member, window.start),
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "budgets_window_once" in plan
    assert "Filter" not in plan


def test_answers_are_counted_once_whatever_they_are(acme: Caller) -> None:
    count_tallies()
    DecisionCount.objects.all().delete()
    acme.budget(name="small", limit="0.01", thresholds=[{"amount": "0.0001"}])

    acme.post("budgets/check", ASKED)
    acme.post("budgets/check", {**ASKED, "amount": "5"})
    acme.post("reservations", {**ASKED, "amount": "0.001"}, 201)
    acme.post("reservations", {**ASKED, "amount": "5"}, 402)
    count_tallies()

    counted = DecisionCount.objects.values_list("outcome", "count")
    assert dict(counted) == {"warn": 2, "block": 2}
