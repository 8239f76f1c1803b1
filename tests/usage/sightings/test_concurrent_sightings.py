from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from django.db import connection

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller
from usage.models import UsageEvent
from usage.sightings.intake import take_in
from usage.sightings.values import Sighting

CALLS = 10


def told(number: int) -> list[Sighting]:
    request, message = f"req_{number}", f"msg_{number}"
    return [
        Sighting(event(request)),
        Sighting(event(message, cache_read_tokens=300)),
        Sighting(event(f"{message}:{request}", cache_read_tokens=800), (message, request)),
    ]


@pytest.mark.django_db(transaction=True)
def test_sources_that_tell_of_the_same_calls_at_once_count_each_once(caller: Caller) -> None:
    def send(seed: int) -> None:
        batches = [[sighting] for number in range(CALLS) for sighting in told(number)]
        Random(seed).shuffle(batches)
        try:
            for batch in batches:
                take_in(batch, caller)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    counted = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    assert sorted(counted.values_list("input_tokens", "cache_read_tokens")) == (
        [(1000, 800)] * CALLS
    )
