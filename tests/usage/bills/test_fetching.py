import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django_celery_beat.models import PeriodicTask

from tests.budgets.channels.sink import Answer
from tests.usage.bills.provider import (
    ANTHROPIC_KEY,
    COST,
    NOON,
    USAGE,
    YESTERDAY,
    Clock,
    Provider,
    a_source,
    anthropic_day,
    cells,
    cost,
    failing,
    fetch,
    page,
    used,
)
from usage import tasks
from usage.bills.fetching import Busy, fetch_bills, fetch_source
from usage.bills.storing import Stored
from usage.bills.values import BillFault
from usage.models import BillDay, BillLine, BillProject, BillSource, Reconciliation
from usage.selectors.bills import BillCell, billed_days

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def fault_of(source: BillSource, clock: Clock | None = None, seconds: float = 60) -> str:
    with pytest.raises(BillFault):
        fetch_source(source, NOON, (clock or Clock()).patience(seconds))
    source.refresh_from_db()
    assert ANTHROPIC_KEY not in source.fault
    assert source.failing_since == NOON
    return source.fault


def test_all_pages_of_both_reports_are_one_bill(provider: Provider) -> None:
    provider.will_answer(USAGE, page(anthropic_day(YESTERDAY, used()), next_page="p2"))
    provider.will_answer(USAGE, page(anthropic_day(YESTERDAY, used(workspace_id="w1", model="m"))))
    written = "cache_creation.ephemeral_1h_input_tokens"
    provider.will_answer(COST, page(anthropic_day(YESTERDAY, cost("123.78912")), next_page="p3"))
    provider.will_answer(
        COST,
        page(
            anthropic_day(
                YESTERDAY,
                cost("0.5", token_type=written),
                cost("10", cost_type="web_search", token_type=None, model=None,
                     description="Web Search Usage", workspace_id="w1"),
            )
        ),
    )  # fmt: skip
    source = a_source()
    result = fetch(source)
    assert result == Stored(frozenset((YESTERDAY,)), lines=5)

    own, search, other = cells(source)
    assert own == BillCell(
        YESTERDAY, "", None, "claude-sonnet-4-5", "USD",
        {"input_tokens": 3200, "cache_read_tokens": 200, "cache_write_tokens": 1500,
         "cache_write_1h_tokens": 1000, "output_tokens": 500, "web_searches": 10},
        {"input_tokens": Decimal("1.2378912"), "cache_write_1h_tokens": Decimal("0.005")},
    )  # fmt: skip
    assert own.total == Decimal("1.2428912")
    assert (search.external_id, search.model, search.amounts) == (
        "w1", "", {"web_searches": Decimal("0.1")},
    )  # fmt: skip
    assert search.descriptions == ["Web Search Usage"]
    assert (other.model, other.currency, other.amounts) == ("m", "", {})

    first, second = provider.asked(USAGE)
    assert first == {
        "starting_at": "2026-11-03T00:00:00Z", "ending_at": "2026-11-04T00:00:00Z",
        "bucket_width": "1d", "limit": "31",
        "group_by[]": ["workspace_id", "model", "service_tier"],
    }  # fmt: skip
    assert second == {**first, "page": "p2"}
    assert provider.asked(COST)[0]["group_by[]"] == ["workspace_id", "description"]
    headers = provider.sink.requests[0].headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == (ANTHROPIC_KEY, "2023-06-01")
    assert (source.fetched_until, source.worked_at, source.fault) == (YESTERDAY, NOON, "")
    assert billed_days(source.pk, YESTERDAY - DAY, YESTERDAY) == {YESTERDAY}


def test_usage_that_is_paid_by_contract_is_not_counted_as_billed(provider: Provider) -> None:
    priority = used(service_tier="priority", server_tool_use=None, cache_creation=None)
    provider.will_answer(USAGE, page(anthropic_day(YESTERDAY, priority)))
    source = a_source()
    fetch(source)
    (cell,) = cells(source)
    assert cell.quantities == {}
    assert cell.unbilled == {"input_tokens": 1700, "cache_read_tokens": 200, "output_tokens": 500}


def test_a_day_that_the_provider_corrects_is_replaced_and_one_that_is_the_same_stays(
    provider: Provider,
) -> None:
    before = YESTERDAY - DAY
    source = a_source(first_day=before)
    kept = anthropic_day(before, cost("100", workspace_id="w1"))
    provider.will_answer(COST, page(kept, anthropic_day(YESTERDAY, cost("200"), cost("50"))))
    fetch(source)
    (stayed,) = BillLine.objects.filter(bill_day__day=before)
    BillProject.objects.filter(external_id="w1").update(external_name="Shop")

    provider.will_answer(COST, page(kept, anthropic_day(YESTERDAY, cost("205"))))
    result = fetch(source)
    assert result == Stored(frozenset((YESTERDAY,)), frozenset((before,)), lines=1)
    assert [cell.total for cell in cells(source)] == [Decimal(1), Decimal("2.05")]
    assert BillLine.objects.filter(pk=stayed.pk).exists()
    assert BillProject.objects.get(external_id="w1").external_name == "Shop"

    provider.will_answer(COST, page(anthropic_day(YESTERDAY)))
    fetch(source)
    assert cells(source) == []
    assert billed_days(source.pk, before, YESTERDAY) == {before, YESTERDAY}


def test_it_catches_up_month_by_month_and_reads_the_last_days_again(provider: Provider) -> None:
    source = a_source(first_day=YESTERDAY - 39 * DAY)
    fetch(source)
    starts = [asked["starting_at"][:10] for asked in provider.asked(COST)]
    assert starts == ["2026-09-25", "2026-10-26"]
    assert BillDay.objects.filter(report="cost").count() == 40
    provider.sink.requests.clear()
    fetch(source)
    (asked,) = provider.asked(COST)
    assert (asked["starting_at"], asked["ending_at"]) == (
        "2026-11-01T00:00:00Z", "2026-11-04T00:00:00Z",
    )  # fmt: skip


def test_a_busy_provider_is_asked_again_when_it_says(provider: Provider) -> None:
    clock = Clock()
    provider.will_answer(USAGE, failing(429, retry_after="7"), failing(529))
    fetch_source(a_source(), NOON, clock.patience())
    assert clock.slept == [7, 2]
    assert len(provider.asked(USAGE)) == 3


def test_it_does_not_wait_longer_than_it_may(provider: Provider) -> None:
    clock = Clock()
    provider.will_answer(USAGE, failing(429, retry_after="120"))
    assert fault_of(a_source(), clock) == "127.0.0.1 answered 429. Tried 1 time."
    assert clock.slept == []


def test_a_provider_that_stays_out_of_order_is_given_up_and_tried_the_next_time(
    provider: Provider,
) -> None:
    clock = Clock()
    provider.will_answer(COST, *(failing(503) for _ in range(5)))
    source = a_source()
    assert fault_of(source, clock) == "127.0.0.1 answered 503. Tried 5 times."
    assert clock.slept == [1, 2, 4, 8]
    assert not BillDay.objects.exists()
    assert (source.fetched_until, source.busy_until) == (None, None)
    fetch(source)
    assert (source.fetched_until, source.fault, source.failing_since) == (YESTERDAY, "", None)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (failing(401), "127.0.0.1 does not accept the key (it answered 401)."),
        (failing(403), "127.0.0.1 does not accept the key (it answered 403)."),
        (
            Answer(302, {"location": "http://127.0.0.1:9/"}),
            "127.0.0.1 redirects elsewhere (302), which is not followed.",
        ),
        (failing(400), '127.0.0.1 answered 400: {"error": "…"}.'),
        (Answer(404, body=b"no such thing\n"), "127.0.0.1 answered 404: no such thing."),
        (Answer(body=b"<html>"), "It is not a report: JSON is malformed: invalid character"),
        (
            page(anthropic_day(YESTERDAY, used(uncached_input_tokens="many"))),
            "It is not a report: Expected `int`",
        ),
        (page(anthropic_day(YESTERDAY, used(output_tokens=-1))), "It holds a count that cannot"),
        (
            page({"starting_at": "0001-01-01T00:00:00+14:00", "results": [used()]}),
            "It holds a time that is none",
        ),
        (page(next_page=""), "The provider tells of more pages, but not how to get the next one."),
    ],
)
def test_what_cannot_be_read_is_told_on_the_source(
    provider: Provider, answer: Answer, fault: str
) -> None:
    provider.will_answer(USAGE, answer, answer)
    assert fault_of(a_source()).startswith(fault)


def test_a_page_that_names_itself_as_the_next_one_ends(provider: Provider) -> None:
    provider.will_answer(USAGE, page(next_page="p2"), page(next_page="p2"))
    assert "more pages" in fault_of(a_source())


def test_what_was_read_before_a_fault_stays(provider: Provider) -> None:
    source = a_source(first_day=YESTERDAY - 39 * DAY)
    provider.will_answer(COST, page(), failing(401))
    fault_of(source)
    assert source.fetched_until == date(2026, 10, 25)


def test_only_one_process_fetches_a_source(provider: Provider) -> None:
    source = a_source(busy_until=NOON + DAY)
    with pytest.raises(Busy):
        fetch(source)
    BillSource.objects.update(busy_until=NOON - DAY)
    fetch(source)
    assert source.busy_until is None


def test_a_regular_run_leaves_out_what_fails_or_is_switched_off(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = a_source(name="Crashed")
    monkeypatch.setattr(
        "usage.bills.fetching.name_projects", lambda row, *_: 1 / (row.pk != crashed.pk)
    )
    good = a_source()
    a_source(name="Off", enabled=False)
    a_source(BillSource.Kind.FILE, name="Files")
    broken = a_source(name="Broken", sealed_key="another key sealed this")
    assert list(fetch_bills(NOON)) == [good.pk]
    crashed.refresh_from_db()
    assert (crashed.busy_until, crashed.fault) == (
        None, "It ended by ZeroDivisionError; the log tells more."
    )  # fmt: skip
    broken.refresh_from_db()
    assert broken.fault.startswith("The key cannot be used. It was sealed with another SECRET_KEY")


def test_the_schedule_fetches_bills_and_compares_them_with_what_was_recorded(
    provider: Provider,
) -> None:
    source = a_source()
    provider.will_answer(COST, page(anthropic_day(YESTERDAY, cost("150"))))
    tasks.fetch_bills()
    (found,) = Reconciliation.objects.filter(source=source, first_day=date(2026, 11, 1))
    assert found.billed == Decimal("1.5")
    assert PeriodicTask.objects.get(task="usage.tasks.fetch_bills").enabled


def test_projects_get_the_names_that_the_provider_has_for_them(provider: Provider) -> None:
    path = "/v1/organizations/workspaces"
    costs = [cost("1", workspace_id="w1"), cost("2", workspace_id="w2"), cost("3")]
    for _ in range(2):
        provider.will_answer(COST, page(anthropic_day(YESTERDAY, *costs)))
    source = a_source()
    provider.will_answer(path, failing(403))
    fetch(source)
    assert (source.fault, provider.asked(path)[0]["limit"]) == ("", "100")

    first = {"data": [{"id": "w1", "name": "Shop"}], "has_more": True, "last_id": "w1"}
    provider.will_answer(path, Answer(body=json.dumps(first).encode()))
    provider.will_answer(path, page({"id": "w2", "name": "Search"}))
    fetch(source)
    assert provider.asked(path)[-1]["after_id"] == "w1"
    names = BillProject.objects.values_list("external_id", "external_name")
    assert dict(names) == {"": "", "w1": "Shop", "w2": "Search"}
    provider.sink.requests.clear()
    fetch(source)
    assert provider.asked(path) == []
