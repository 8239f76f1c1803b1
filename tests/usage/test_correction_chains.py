from decimal import Decimal

import pytest
from django.db.models import Sum

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import Report
from usage.models import EventKey, UsageEvent, UsageRollup
from usage.rollups import roll_up

pytestmark = pytest.mark.django_db


def cost() -> Decimal:
    roll_up(wait=True)
    return UsageRollup.objects.aggregate(cost=Sum("cost"))["cost"] or Decimal(0)


def outcomes(report: Report) -> list[str]:
    return [r.errors[0].code if r.errors else r.status for r in report.results]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_a_whole_chain_of_corrections_may_arrive_at_once(
    caller: Caller, order: tuple[int, ...]
) -> None:
    chain = [
        event("a"),
        event("b", corrects="a", input_tokens=2000),
        event("c", corrects="b", input_tokens=3000),
        event("d", corrects="c", input_tokens=4000),
    ]

    report = ingest([chain[position] for position in order], caller)

    assert report.accepted == 4
    assert UsageEvent.objects.get(state=UsageEvent.State.COUNTED).event_id == "d"
    assert cost() == Decimal("0.0135")


def test_corrections_in_a_circle_are_refused_and_leave_nothing(caller: Caller) -> None:
    report = ingest(
        [event("a", corrects="b"), event("b", corrects="a"), event("c", corrects="a")], caller
    )

    assert outcomes(report) == ["circular", "circular", "circular"]
    assert not UsageEvent.objects.exists()
    assert not EventKey.objects.exists()


def test_a_correction_of_a_refused_correction_is_refused_too(caller: Caller) -> None:
    batch = [
        event("end", corrects="middle"),
        event("middle", corrects="start"),
        event("start", corrects="nobody"),
        event("other"),
    ]

    report = ingest(batch, caller)

    assert outcomes(report) == ["unknown_event"] * 3 + ["accepted"]
    assert cost() == Decimal("0.0045")
    assert ingest([event("start")], caller).accepted == 1
    assert cost() == Decimal("0.0090")
