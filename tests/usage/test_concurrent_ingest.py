import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum

from tests.usage.conftest import NOON, event
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import EventValue, Report
from usage.models import EventKey, UsageEvent, UsageRollup
from usage.rollups import roll_up

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, EVENTS = 50, 1000


def batch_of(client: int) -> list[EventValue]:
    """The same ids for everybody; every fifth client resends every tenth with another time."""
    other = timedelta(days=40) if client % 5 == 4 else timedelta()
    events = [
        event(f"e{i}", occurred_at=NOON - (other if i % 10 == 0 else timedelta(seconds=i)))
        for i in range(EVENTS)
    ]
    shift = client * 37 % EVENTS
    return events[shift:] + events[:shift]


def test_fifty_clients_with_the_same_thousand_ids_store_each_once(caller: Caller) -> None:
    reports: list[Report] = []
    start = threading.Barrier(CLIENTS)

    def work(client: int) -> None:
        try:
            batch = batch_of(client)
            start.wait()
            reports.append(ingest(batch, caller))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(reports) == CLIENTS
    answers = Counter(receipt.status for report in reports for receipt in report.results)
    assert sum(answers.values()) == CLIENTS * EVENTS
    assert answers["accepted"] == EVENTS
    assert set(answers) <= {"accepted", "duplicate", "conflict"}
    assert UsageEvent.objects.count() == EventKey.objects.count() == EVENTS
    accepted = sum(
        Decimal(str(receipt.cost))
        for report in reports
        for receipt in report.results
        if receipt.status == "accepted"
    )
    roll_up(wait=True)
    summed = UsageRollup.objects.aggregate(events=Sum("events"), cost=Sum("cost"))
    assert summed == {"events": EVENTS, "cost": accepted}
    assert accepted == Decimal("4.5")
