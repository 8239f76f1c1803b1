from datetime import timedelta
from typing import Any

from budgets.models import Alert
from budgets.watching.unpriced import watch_unpriced
from tests.budgets.watching.seen import live, spent, store
from tests.config.site_data import at, two_organizations
from tests.usage.conftest import NOON
from usage.models import Organization, UsageEvent

UNPRICED = Alert.Kind.UNPRICED


def unknown(number: int, **fields: Any) -> Any:
    said = {"provider": "in:house", "model": "m:1", "input_tokens": 100, "output_tokens": 5}
    return spent("0", NOON + timedelta(minutes=number), **{**said, **fields})


def test_a_model_without_a_price_is_told_once_to_each_organization(catalogue: None) -> None:
    two_organizations()
    store([unknown(0), unknown(1), unknown(2, provider="in", model="house:m:1")])
    for minute in (2, 3):
        watch_unpriced(NOON + timedelta(minutes=minute))

    acme = Organization.objects.get(slug="acme")
    alerts = live(UNPRICED)
    assert {alert.organization for alert in alerts} == {acme}
    assert [(alert.facts["provider"], alert.facts["model"]) for alert in alerts] == [
        ("in:house", "m:1"), ("in", "house:m:1"), ("local", "llama-farm-7b"),
    ]  # fmt: skip
    assert alerts[0].facts == {
        "provider": "in:house", "model": "m:1", "calls": 2, "tokens": 210,
        "first_seen": "2026-11-20T12:00:00Z", "last_seen": "2026-11-20T12:01:00Z",
    }  # fmt: skip
    assert {alert.occasion for alert in alerts} == {1}

    UsageEvent.objects.filter(kind__provider="in:house").update(
        cost=1, input_cost=1, output_cost=0, cache_cost=0
    )
    watch_unpriced(at(12) + timedelta(days=30))
    assert [alert.facts["provider"] for alert in live(UNPRICED)] == ["in", "local"]

    watch_unpriced(at(12) + timedelta(days=30, seconds=1))
    assert [alert.facts["provider"] for alert in live(UNPRICED)] == ["in"]


def test_the_first_call_stays_the_first_however_long_it_goes_on(catalogue: None) -> None:
    first = NOON - timedelta(days=31)
    store([spent("0", when, provider="p" * 128, model="m" * 128) for when in (first, NOON)])
    watch_unpriced(first + timedelta(days=1))
    watch_unpriced(NOON)

    (alert,) = live(UNPRICED)
    assert alert.facts["first_seen"] == "2026-10-20T12:00:00Z"
    assert alert.facts["calls"] == 1


def test_callers_who_make_up_models_do_not_make_an_alert_of_each(catalogue: None) -> None:
    store([unknown(n, model=f"made-up-{n}") for n in range(30)])
    watch_unpriced(NOON + timedelta(hours=1))
    store([unknown(90, model="a-newer")])
    watch_unpriced(NOON + timedelta(hours=2))

    facts = [alert.facts for alert in live(UNPRICED)]
    assert len(facts) == 21
    assert [(said["model"], said["calls"]) for said in facts if not said["provider"]] == [
        ("more models", 11)
    ]
    assert {"made-up-0", "made-up-19"} < {said["model"] for said in facts}
