from time import monotonic

import pytest

from tests.usage.conftest import event
from tests.usage.repricing import price
from usage import keys
from usage.ingest.pipeline import Caller, ingest
from usage.keys import caller_of, create_key, recognise

MODEL = "zyx-quux-9"


@pytest.mark.django_db
def test_prices_set_while_a_body_was_on_its_way_hold_for_its_events(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = create_key("acme", ("ingest",), "slow")
    holder = recognise(secret)
    before = event("before", provider="", model=MODEL)
    assert ingest([before], caller_of(holder, [])).unpriced == 1

    price("2", "10", model=MODEL)
    late = monotonic() + keys.REVISION_HOLDS
    monkeypatch.setattr(keys, "monotonic", lambda: late)

    after = event("after", provider="", model=MODEL)
    assert ingest([after], caller_of(holder, [])).unpriced == 0
