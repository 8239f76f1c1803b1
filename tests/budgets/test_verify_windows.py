from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from budgets.models import BudgetChange, BudgetWindow, Hold, Reservation
from budgets.verification import verify_windows
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send
from usage.models import Organization

NOW = datetime.now(UTC)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("verify", *arguments, stdout=out)
    return out.getvalue()


def break_windows(values: str, condition: str = "true") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE budgets_budgetwindow SET {values} WHERE {condition}")
        assert cursor.rowcount > 0


@pytest.fixture
def counted(usage: None) -> None:
    budget(limit="100", period="year")
    budget(project="web", limit="100000000", period="year", measure="tokens")
    budget(limit="10", period="year", per="subject", enforcement="hard", name="Each")
    budget("globex", limit="5", period="day", name="off", enabled=False)
    send([event("new", NOW, project="web", subject="ann", input_tokens=100_000)])


def test_windows_that_say_what_usage_comes_to_agree(counted: None) -> None:
    # All together, tokens of web, and one each for ann and bob.
    assert verify_windows().count == 4
    assert "4 windows of budgets and all their sums agree" in run()


@pytest.mark.parametrize(
    ("values", "figure"),
    [
        ("spent = spent + 1", "used of acme · yearly from"),
        ("unpriced_events = 7", "unpriced events of acme · yearly"),
        ("reserved = 2", "reserved of acme · yearly"),
        ("spent = spent - 1, overage = overage + 2", "used of Each · yearly (ann) from"),
        ("alert_at = NULL", "levels without an alert of acme · yearly from"),
    ],
)
def test_a_window_that_drifted_is_named_and_repaired(
    counted: None, values: str, figure: str
) -> None:
    before = list(BudgetWindow.objects.order_by("pk").values())
    break_windows(values, "is_hard" if "overage" in values else "NOT is_hard AND spent < 100")

    with pytest.raises(CommandError, match="figures differ"):
        run()
    assert any(drift.figure.startswith(figure) for drift in verify_windows().drifts)

    assert "windows of budgets counted anew" in run("--repair")
    assert list(BudgetWindow.objects.order_by("pk").values()) == before
    record = BudgetChange.objects.filter(action=BudgetChange.Action.REPAIR).first()
    assert record is not None
    assert record.actor == "manage.py verify"
    assert record.before != record.after
    assert "agree" in run("--repair")


def test_what_an_ended_reservation_still_holds_is_found_and_let_go(counted: None) -> None:
    window = BudgetWindow.objects.filter(is_hard=True)[0]
    ended = Reservation.objects.create(
        organization=Organization.objects.get(slug="acme"), reservation_key="r", payload=1,
        status=Reservation.Status.RELEASED, held_at=NOW, expires_at=NOW,
    )  # fmt: skip
    Hold.objects.create(reservation=ended, window=window, amount=2)
    break_windows("reserved = 2", f"id = {window.pk}")

    assert [drift.figure.split(" of ")[0] for drift in verify_windows().drifts] == [
        "held by ended reservations"
    ]
    run("--repair")
    assert not Hold.objects.exists()
    assert verify_windows().drifts == []


def test_windows_are_not_repaired_from_sums_that_are_wrong_themselves(counted: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_dailyrollup SET cost = cost + 1 WHERE cost > 0")
    before = list(BudgetWindow.objects.order_by("pk").values())

    with pytest.raises(CommandError, match="figures differ"):
        run("--repair")
    assert list(BudgetWindow.objects.order_by("pk").values()) == before


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("verify", "--help")
    assert "manage.py verify --repair" in capsys.readouterr().out
