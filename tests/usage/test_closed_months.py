from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User

from tests.usage.conftest import event
from tests.usage.repricing import price
from usage.ingest.pipeline import Caller, ingest
from usage.models import ClosedMonth, Organization
from usage.organizations import change_time_zone, ensure_organization
from usage.rerating import RatingRefused, close_month, continue_runs
from usage.rollups import roll_up

SEPTEMBER = date(2026, 9, 1)
IN_SEPTEMBER = datetime(2026, 9, 10, 8, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(caller: Caller) -> Organization:
    return Organization.objects.get(slug="acme")


def test_a_month_that_has_ended_is_closed_with_who_and_when(acme: Organization) -> None:
    user = User.objects.create(username="olga")
    closed = close_month(acme, SEPTEMBER, user)
    closed.refresh_from_db()
    assert (closed.month, closed.closed_by) == (SEPTEMBER, user)
    assert closed.closed_at.tzinfo is not None


def test_a_month_is_closed_once(acme: Organization) -> None:
    close_month(acme, SEPTEMBER)
    with pytest.raises(RatingRefused, match="September 2026 of acme is closed already"):
        close_month(acme, SEPTEMBER)


def test_the_present_month_stays_open(acme: Organization) -> None:
    present = datetime.now(UTC).date().replace(day=1)
    with pytest.raises(RatingRefused, match="has not ended yet in UTC"):
        close_month(acme, present)
    with pytest.raises(RatingRefused, match="first day"):
        close_month(acme, date(2026, 9, 2))


def test_usage_must_be_summed_before(acme: Organization, caller: Caller) -> None:
    ingest([event("a", occurred_at=IN_SEPTEMBER)], caller)
    with pytest.raises(RatingRefused, match="still being summed up"):
        close_month(acme, SEPTEMBER)
    roll_up()
    close_month(acme, SEPTEMBER)


def test_marks_of_other_months_and_organizations_do_not_matter(
    acme: Organization, caller: Caller
) -> None:
    ingest([event("a", occurred_at=datetime(2026, 10, 1, tzinfo=UTC))], caller)
    close_month(acme, SEPTEMBER)
    close_month(ensure_organization("other"), date(2026, 10, 1))
    assert ClosedMonth.objects.count() == 2


def test_calls_without_a_price_keep_a_month_open(acme: Organization, caller: Caller) -> None:
    unknown = [event(name, occurred_at=IN_SEPTEMBER, model="nobody-knows-9") for name in ("a", "b")]
    ingest(unknown, caller)
    roll_up()
    with pytest.raises(RatingRefused, match="2 calls have no price in September 2026"):
        close_month(acme, SEPTEMBER)
    price("1", "1", model="nobody-knows-9")
    continue_runs()
    close_month(acme, SEPTEMBER)


def test_the_month_is_the_one_of_the_time_zone(acme: Organization, caller: Caller) -> None:
    change_time_zone(acme, "Asia/Kolkata")
    ingest([event("a", occurred_at=datetime(2026, 9, 30, 19, tzinfo=UTC))], caller)
    close_month(acme, SEPTEMBER)
    with pytest.raises(RatingRefused, match="October 2026 is still"):
        close_month(acme, date(2026, 10, 1))
