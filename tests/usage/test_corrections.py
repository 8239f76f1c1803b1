import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum

from tests.usage.conftest import NOON, event
from usage.ingest.pipeline import Caller, ingest
from usage.models import EventKey, UsageEvent, UsageRollup
from usage.rollups import roll_up


def totals() -> tuple[int, Decimal]:
    roll_up(wait=True)
    sums = UsageRollup.objects.aggregate(events=Sum("events"), cost=Sum("cost"))
    return sums["events"] or 0, sums["cost"] or Decimal(0)


@pytest.mark.django_db
def test_a_correction_takes_the_place_of_the_earlier_event(caller: Caller) -> None:
    ingest([event("a")], caller)
    assert totals() == (1, Decimal("0.0045"))

    report = ingest([event("b", input_tokens=2000, corrects="a")], caller)

    assert report.accepted == 1
    assert totals() == (1, Decimal("0.0075"))
    earlier = UsageEvent.objects.get(event_id="a")
    assert (earlier.state, earlier.superseded_by) == (UsageEvent.State.SUPERSEDED, "b")


@pytest.mark.django_db
def test_a_correction_may_move_the_event_to_another_month(caller: Caller) -> None:
    ingest([event("a")], caller)
    totals()

    ingest([event("b", corrects="a", occurred_at=NOON.replace(month=3))], caller)

    assert totals() == (1, Decimal("0.0045"))
    assert UsageRollup.objects.get().bucket.month == 3


@pytest.mark.django_db
def test_a_correction_of_zero_counts_is_a_plain_reversal(caller: Caller) -> None:
    ingest([event("a"), event("keep")], caller)

    ingest([event("b", corrects="a", input_tokens=0, output_tokens=0)], caller)

    assert totals() == (1, Decimal("0.0045"))
    assert UsageEvent.objects.get(event_id="b").state == UsageEvent.State.REVERSAL


@pytest.mark.django_db
def test_an_event_and_its_correction_may_arrive_together(caller: Caller) -> None:
    correction = event("b", input_tokens=0, output_tokens=100, corrects="a")

    report = ingest([correction, event("a")], caller)

    assert report.accepted == 2
    assert totals() == (1, Decimal("0.0015"))


@pytest.mark.django_db
def test_corrections_can_be_corrected_but_an_event_only_once(caller: Caller) -> None:
    ingest([event("a")], caller)
    ingest([event("b", corrects="a", input_tokens=2000)], caller)

    second = ingest([event("c", corrects="a", input_tokens=3000)], caller)
    chained = ingest([event("d", corrects="b", input_tokens=4000)], caller)

    assert second.results[0].errors[0].code == "already_superseded"
    assert chained.accepted == 1
    assert totals() == (1, Decimal("0.0135"))
    assert not EventKey.objects.exclude(
        occurred_at__in=UsageEvent.objects.values("occurred_at")
    ).exists()
    assert not UsageEvent.objects.filter(event_id="c").exists()
    retried = ingest([event("c", input_tokens=1)], caller)
    assert retried.accepted == 1


@pytest.mark.django_db
def test_the_same_correction_again_is_a_duplicate(caller: Caller) -> None:
    ingest([event("a")], caller)
    ingest([event("b", corrects="a", input_tokens=2000)], caller)

    again = ingest([event("b", corrects="a", input_tokens=2000)], caller)

    assert again.duplicates == 1
    assert totals() == (1, Decimal("0.0075"))


@pytest.mark.django_db
def test_a_refused_correction_leaves_its_batch_alone(caller: Caller) -> None:
    report = ingest([event("x"), event("b", corrects="nothing"), event("y")], caller)

    assert [receipt.status for receipt in report.results] == ["accepted", "rejected", "accepted"]
    assert totals() == (2, Decimal("0.009"))


@pytest.mark.django_db(transaction=True)
def test_of_many_corrections_at_once_exactly_one_wins(caller: Caller) -> None:
    ingest([event("a")], caller)
    outcomes: list[str] = []

    def correct(number: int) -> None:
        try:
            value = event(f"c{number}", corrects="a", input_tokens=number)
            outcomes.append(ingest([value], caller).results[0].status)
        finally:
            connection.close()

    threads = [threading.Thread(target=correct, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["accepted"] + ["rejected"] * 7
    assert totals()[0] == 1
