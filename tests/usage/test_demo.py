from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from pricing.price_book import current_book
from usage.demo.cast import COMPANIES
from usage.demo.offers import Market, Offer, offers_until
from usage.demo.stage import fill, is_filled, settle
from usage.demo.year import Plan, make_days
from usage.ingest.values import EventValue
from usage.models import DailyRollup, DirtyMark, Organization, Subject, UsageEvent
from usage.selectors.access import EVERYTHING
from usage.selectors.advice import advise
from usage.selectors.chargeback import chargeback

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture
def made(catalogue: None) -> Callable[..., list[EventValue]]:
    def make(seed: int = 1, now: datetime = NOW, days: int = 28) -> list[EventValue]:
        plan = Plan(seed, now, days, 0.05)
        return [e for day in make_days(plan, offers_until(now, current_book())) for e in day]

    return make


def test_equal_seeds_make_equal_events(made: Callable[..., list[EventValue]]) -> None:
    assert made() == made()
    assert made() != made(seed=2)


def test_an_hour_later_the_same_day_only_adds_events(
    made: Callable[..., list[EventValue]],
) -> None:
    earlier, later = made(), made(now=NOW + timedelta(hours=1))
    assert [event for event in later if event.occurred_at <= NOW] == earlier
    assert len(later) > len(earlier)


def test_ids_are_unique_and_nothing_lies_in_the_future(
    made: Callable[..., list[EventValue]],
) -> None:
    events = made()
    assert len({(event.organization, event.event_id) for event in events}) == len(events)
    assert max(event.occurred_at for event in events) <= NOW
    assert [e.occurred_at for e in events[:50]] == sorted(e.occurred_at for e in events[:50])


def test_a_night_of_one_agent_stands_out(made: Callable[..., list[EventValue]]) -> None:
    tokens: dict[date, int] = {}
    for event in made():
        if event.organization == "acme":
            day = event.occurred_at.date()
            tokens[day] = tokens.get(day, 0) + event.input_tokens
    spike = max(tokens, key=lambda day: tokens[day])
    assert spike == date(2026, 11, 11)
    assert tokens[spike] > 3 * sorted(tokens.values())[-2]


def test_people_rest_at_night_and_at_weekends(made: Callable[..., list[EventValue]]) -> None:
    chats = [e.occurred_at for e in made() if e.organization == "globex" and e.action == "chat"
             and e.agent_type == ""]  # fmt: skip
    at_night = [at for at in chats if 4 <= at.hour < 11]
    at_weekends = [at for at in chats if at.weekday() >= 5]
    assert len(chats) > 30
    assert len(at_night) < len(chats) / 20
    assert len(at_weekends) < len(chats) / 6


def test_models_come_and_go_as_they_really_did(catalogue: None) -> None:
    offers = offers_until(NOW, current_book())
    early, late = (
        {offer.model for offer in Market(offers, day).lane("flagship")[0]}
        for day in (date(2025, 12, 1), date(2026, 11, 20))
    )
    assert "claude-opus-4-1" in early - late
    assert "claude-opus-5-5" in late - early
    assert {offer.provider for offer in offers} >= {
        "anthropic", "openai", "google", "mistral", "deepseek", "local",
    }  # fmt: skip


def test_every_offer_is_priced_unless_it_is_meant_not_to_be(catalogue: None) -> None:
    offers = offers_until(NOW, current_book())
    assert len(offers) == 39
    assert [offer.model for offer in offers if not offer.priced] == ["qwen3-coder:30b", "triage-7b"]


def test_an_offer_is_adopted_slowly_and_fades() -> None:
    offer = Offer("small", "p", "m", 2.0, date(2026, 1, 1), date(2026, 6, 1))
    shares = [
        offer.share(day)
        for day in (
            date(2025, 12, 31),
            date(2026, 1, 1),
            date(2026, 1, 21),
            date(2026, 3, 1),
            date(2026, 5, 31),
            date(2026, 6, 1),
        )
    ]
    assert shares == [0, 0.1, 1.1, 2.0, pytest.approx(0.15), 0]


def test_the_demonstration_is_stored_priced_and_summed(catalogue: None) -> None:
    out = StringIO()
    call_command("demo", "--days", "40", "--scale", "0.05", stdout=out)
    events = UsageEvent.objects.aggregate(
        events=Count("id"), cost=Sum("cost"), input_tokens=Sum("input_tokens")
    )
    assert events["events"] > 800
    zones = Organization.objects.values_list("slug", "time_zone", "name")
    assert set(zones) == {(c.slug, c.time_zone, c.name) for c in COMPANIES}
    assert {e["organization__slug"] for e in UsageEvent.objects.values("organization__slug")} == {
        "acme", "globex", "initech",
    }  # fmt: skip
    sums = DailyRollup.objects.aggregate(
        events=Sum("events"), cost=Sum("cost"), input_tokens=Sum("input_tokens")
    )
    assert sums == events
    assert not DirtyMark.objects.exists()
    kinds: dict[str, set[Any]] = {
        name: set(UsageEvent.objects.values_list(f"kind__{name}", flat=True))
        for name in ("action", "agent_type", "run_trigger", "service_tier", "billing_scope")
    }
    assert kinds["action"] == {"agent", "batch", "chat", "index", "label", "review"}
    assert {"Implementation", "Testing", "Security", "Revenue", "Support"} <= kinds["agent_type"]
    assert {"push", "cron", "manual", "pull_request"} <= kinds["run_trigger"]
    assert kinds["service_tier"] == {"standard", "batch"}
    assert kinds["billing_scope"] == {"org", "user"}
    assert UsageEvent.objects.filter(cost=None).exists()
    for status in UsageEvent.Status:
        assert UsageEvent.objects.filter(status=status).exists(), status
    assert Subject.objects.exclude(email="").exclude(display_name="").count() > 15
    assert f"demo: {events['events']:,} events for acme, globex, initech" in out.getvalue()


def test_every_kind_of_advice_has_a_case_and_cost_centres_are_charged(catalogue: None) -> None:
    plan = Plan(1, NOW, 28, 0.35)
    fill(plan, lambda _: None)
    settle()
    first, last = plan.first_day, plan.last_day
    advice = advise(EVERYTHING, start=first, end=last + timedelta(days=1), time_zone="UTC")
    assert {each.code for each in advice} >= {
        "dear_session", "low_cache_rate", "cheaper_model", "retried_runs",
    }  # fmt: skip
    assert advice[0].about["session"].endswith("runaway")
    charged = chargeback(EVERYTHING, first_month=first, last_month=last)
    accounts = {account.code: sums.cost for account, sums, _ in charged.by_account()}
    assert accounts.keys() >= {"4100", "4200", "4300", "APP", "R&D", "10-200", "10-300", ""}
    assert all(accounts.values())


def test_a_second_call_does_nothing(catalogue: None) -> None:
    call_command("demo", "--days", "3", "--scale", "0.02", stdout=StringIO())
    before = UsageEvent.objects.count()
    out = StringIO()
    call_command("demo", "--days", "9", stdout=out)
    assert "already there" in out.getvalue()
    assert UsageEvent.objects.count() == before


def test_a_demonstration_that_broke_off_is_completed(
    catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(1, NOW, 3, 0.02)
    monkeypatch.setattr("usage.demo.stage.CHUNK", 10)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(plan, stop)
    stored = UsageEvent.objects.count()
    assert stored
    assert not is_filled()
    filled = fill(plan, lambda _: None)
    assert is_filled()
    assert filled.repeated == stored
    assert UsageEvent.objects.count() == stored + filled.accepted


def test_without_prices_nothing_is_made(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.demo.stage.offers_until", lambda *_: [])
    with pytest.raises(CommandError, match="there are no prices yet"):
        call_command("demo")
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("options", [("--days", "0"), ("--scale", "0"), ("--scale", "1000")])
def test_impossible_sizes_are_bad_usage(options: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("demo", *options)
    assert caught.value.returncode == 2
