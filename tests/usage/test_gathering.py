import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tests.usage.conftest import event
from usage.ingest import gathering
from usage.ingest.gathering import Gatherer, gatherer_of
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.rows import Rated
from usage.ingest.store import Stored, store
from usage.ingest.values import EventValue, Report
from usage.keys import create_key
from usage.models import DirtyMark, EventKey, UsageEvent
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored_together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []

    def watched(rated: Sequence[Rated], *, strict: bool) -> Stored:
        sizes.append(len(rated))
        return store(rated, strict=strict)

    monkeypatch.setattr(gathering, "store", watched)
    return sizes


def acmes() -> Gatherer:
    return gatherer_of(ensure_organization("acme").pk)


def at_once(*requests: Callable[[], Report]) -> list[Report]:
    answers: dict[int, Report] = {}

    def work(place: int) -> None:
        try:
            answers[place] = requests[place]()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(requests))]
    gatherer = acmes()
    with gatherer._storing:
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while len(gatherer._waiting) < len(requests) and time.monotonic() < deadline:
            time.sleep(0.005)
    for thread in threads:
        thread.join()
    return [answers[place] for place in range(len(requests))]


def posting(caller: Caller, *events: EventValue, **options: Any) -> Callable[[], Report]:
    return lambda: ingest(events, caller, **options)


def statuses(report: Report) -> list[str]:
    return [receipt.status for receipt in report.results]


def test_requests_that_wait_are_stored_in_one_transaction_and_answered_apart(
    caller: Caller, stored_together: list[int]
) -> None:
    key, _ = create_key("acme", ["ingest"], "other")
    other = replace(caller, api_key_id=key.pk)

    first, second, third = at_once(
        posting(caller, event("a"), event("b", input_tokens=2000)),
        posting(other, event("c")),
        posting(caller, event("d", model="nobody-knows-it", provider="")),
    )

    assert stored_together == [4]
    assert [receipt.event_id for receipt in first.results] == ["a", "b"]
    assert [receipt.cost for receipt in first.results] == ["0.0045000000", "0.0075000000"]
    assert statuses(second) == ["accepted"]
    assert (third.accepted, third.unpriced) == (1, 1)
    keys = dict(UsageEvent.objects.values_list("event_id", "api_key_id"))
    assert keys == {"a": None, "b": None, "c": key.pk, "d": None}


def test_requests_with_the_same_key_are_stored_one_after_the_other(
    caller: Caller, stored_together: list[int]
) -> None:
    ingest([event("known")], caller)
    answers = at_once(
        posting(caller, event("same"), event("known")),
        posting(caller, event("same")),
        posting(caller, event("same", input_tokens=7)),
        posting(caller, event("new"), event("known", output_tokens=7)),
    )

    assert (len(stored_together), sum(stored_together)) == (4, 7)
    said = sorted(status for report in answers[:3] for status in statuses(report))
    assert said[0] == "accepted"
    assert said.count("accepted") == 1
    assert statuses(answers[3]) == ["accepted", "conflict"]
    assert UsageEvent.objects.count() == EventKey.objects.count() == 3


@pytest.mark.parametrize("fault", [IntegrityError, ZeroDivisionError])
def test_what_fails_together_is_tried_again_alone(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def fragile(rated: Sequence[Rated], *, strict: bool) -> Stored:
        if len(rated) > 1 or rated[0].prepared.event.event_id == "bad":
            raise fault("one of them harms the others")
        return store(rated, strict=strict)

    monkeypatch.setattr(gathering, "store", fragile)

    def refused() -> Report:
        with pytest.raises(fault):
            ingest([event("bad")], caller)
        return Report(0, 0, 0, 0, 0, [])

    answers = at_once(posting(caller, event("a")), refused, posting(caller, event("b")))

    assert [report.accepted for report in answers] == [1, 0, 1]
    assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {"a", "b"}
    assert acmes()._waiting == []


def test_corrections_strict_large_and_other_organizations_requests_wait_for_nobody(
    caller: Caller, stored_together: list[int]
) -> None:
    ingest([event("a")], caller)
    other = Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))
    with acmes()._storing:
        ingest([event("theirs")], other)
        ingest([event("b", corrects="a")], caller)
        ingest([event("c")], caller, strict=True)
        ingest([event(f"many-{n}") for n in range(gathering.AT_MOST + 1)], caller)
        with transaction.atomic():
            ingest([event("inside")], caller)
            transaction.set_rollback(True)

    assert stored_together == [1, 1, 1, 1, gathering.AT_MOST + 1, 1]
    assert not UsageEvent.objects.filter(event_id="inside").exists()
    assert DirtyMark.objects.exists()
