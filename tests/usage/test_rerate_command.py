from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.usage.conftest import event
from tests.usage.repricing import costs, price
from usage.ingest.pipeline import Caller, ingest
from usage.models import Organization, RatingRun
from usage.rollups import roll_up

NOVEMBER = ("--from", "2026-11-01", "--to", "2026-12-01")

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest([event("a"), event("b", model="gpt-4o", provider="openai")], caller)
    roll_up()
    price("6", "30")


def rerate(*arguments: str) -> str:
    out = StringIO()
    call_command("rerate", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_shows_the_difference_by_organization_model_and_day(stored: None) -> None:
    before = costs()
    out = rerate(*NOVEMBER)
    run = RatingRun.objects.get()
    assert costs() == before
    for words in ("acme", "anthropic/claude-sonnet-4-5", "2026-11-20", "0.0090", "+0.0045"):
        assert words in out
    assert f"re-rating {run.pk} (dry run): 2 events examined, 1 would change" in out
    assert "$0.0045 before, $0.0090 after" in out


def test_apply_makes_it_so_and_roll_back_undoes_it(stored: None) -> None:
    before = costs()
    out = rerate(*NOVEMBER, "--reason", "bill", "--apply")
    number = RatingRun.objects.get().pk
    assert f"re-rating {number}: applied; 1 events changed, 0 adjusted, 0 skipped" in out
    assert str(costs()["a"]) == "0.0090000000"
    assert "bill" in rerate("--list")

    assert "rolled back" in rerate("--roll-back", str(number))
    assert costs() == before


def test_a_planned_run_is_applied_by_its_number(stored: None) -> None:
    rerate(*NOVEMBER)
    number = str(RatingRun.objects.get().pk)
    assert "dry run" in rerate("--run", number)
    assert "applied" in rerate("--run", number, "--apply")
    assert RatingRun.objects.count() == 1


def test_filters_narrow_the_run(stored: None) -> None:
    assert "0 events examined" in rerate(*NOVEMBER, "--organization", "acme", "--model", "o3")
    assert "1 events examined" in rerate(*NOVEMBER, "--provider", "openai")
    assert "0 events examined" in rerate(*NOVEMBER, "--unpriced")
    assert "nothing to apply" in rerate(*NOVEMBER, "--unpriced", "--apply")


def test_days_are_those_of_the_site(stored: None, settings: Settings) -> None:
    settings.TALLYMAN_TIME_ZONE = "Asia/Tokyo"
    rerate("--from", "2026-11-20", "--to", "2026-11-21")
    run = RatingRun.objects.get()
    assert (run.start.isoformat(), run.end.isoformat()) == (
        "2026-11-19T15:00:00+00:00",
        "2026-11-20T15:00:00+00:00",
    )


def test_where_a_second_person_is_needed_the_command_says_so(stored: None) -> None:
    Organization.objects.update(rating_needs_approval=True)
    assert "waits for a second person" in rerate(*NOVEMBER, "--apply")
    assert str(costs()["a"]) == "0.0045000000"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "--from and --to are needed"),
        (("--from", "2026-11-01"), 2, "--from and --to are needed"),
        (("--from", "2026-11-02", "--to", "2026-11-02"), 2, "--to must come after --from"),
        (("--list", "--model", "x"), 2, "--model asks for a new run"),
        (("--roll-back", "1", "--apply"), 2, "--apply goes with"),
        (("--run", "9"), 1, "there is no re-rating 9"),
        (("--roll-back", "9"), 1, "there is no re-rating 9"),
        ((*NOVEMBER, "--organization", "nobody"), 1, "there is no organization 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    db: None, arguments: tuple[str, ...], code: int, message: str
) -> None:
    with pytest.raises(CommandError, match=message) as failure:
        rerate(*arguments)
    assert failure.value.returncode == code
    assert "\n" not in str(failure.value)


def test_a_refusal_is_one_line_too(stored: None) -> None:
    rerate(*NOVEMBER)
    number = str(RatingRun.objects.get().pk)
    with pytest.raises(CommandError, match="is dry run; that cannot be done") as failure:
        rerate("--roll-back", number)
    assert failure.value.returncode == 1


def test_help_has_an_example(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        call_command("rerate", "--help")
    assert "manage.py rerate --roll-back 12" in capsys.readouterr().out
