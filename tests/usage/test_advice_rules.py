from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pricing.compiled import MeterPrice, PriceValue, compile_price
from usage.selectors.advice.caching import low_cache_rates
from usage.selectors.advice.failures import failed_calls, retried_runs
from usage.selectors.advice.models import cheaper_models
from usage.selectors.advice.sessions import dear_sessions
from usage.selectors.advice.values import (
    CacheUse,
    Counts,
    FailedCalls,
    FailedRuns,
    ModelUse,
    SessionCost,
)

SPEND = {"acme": Decimal(100), "globex": Decimal(100)}
# Dollars per million: input, output, cached input.
PRICES = {
    "opus": ("5", "25", "0.5"), "sonnet": ("3", "15", "0.3"), "haiku": ("1", "5", "0.1"),
    "half": ("4", "20", "0.4"),
}  # fmt: skip


def price_of(organization: str, provider: str, model: str, tier: str) -> PriceValue | None:
    if model not in PRICES:
        return None
    meters = ("input_tokens", "output_tokens", "cache_read_tokens")
    return compile_price(
        price_version_id=1, provider=provider, model=model, service_tier=tier, currency="USD",
        prices=[
            MeterPrice(meter, Decimal(price), 1_000_000)
            for meter, price in zip(meters, PRICES[model], strict=True)
        ],
    )  # fmt: skip


def counts(events: int, **given: Any) -> Counts:
    zeros = dict.fromkeys(
        ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
         "cache_write_1h_tokens"), 0,
    )  # fmt: skip
    return Counts(events=events, **{**zeros, "cost": Decimal(0), **given})


SESSION = SessionCost("acme", "web", "chat", "s1", Decimal(10), Decimal("0.5"), 40)


def test_a_dear_session_would_have_saved_what_is_above_five_medians() -> None:
    (advice,) = dear_sessions([SESSION], SPEND)
    assert (advice.code, advice.saving) == ("dear_session", Decimal("7.5"))
    assert advice.about == {"project": "web", "session": "s1"}
    assert advice.title == "Look at the session that cost $10.00"
    assert advice.detail == (
        "Session s1 (project web) cost $10.00: 20 times the median of $0.50 of the 40 chat"
        " sessions there, and 10 % of the spend. Stopped at 5 times the median it would have cost"
        " $7.50 less."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": Decimal("2.5")},
        {"sessions": 19},
        {"median": Decimal(0)},
        {"cost": Decimal("0.99"), "median": Decimal("0.01")},
    ],
)
def test_sessions_that_are_not_dear_get_no_advice(changes: dict[str, Any]) -> None:
    assert not list(dear_sessions([replace(SESSION, **changes)], SPEND))


def test_five_dear_sessions_of_an_organization_are_told() -> None:
    many = [replace(SESSION, session=f"s{n}", cost=Decimal(10 + n)) for n in range(7)]
    found = list(dear_sessions([*many, replace(SESSION, organization="globex")], SPEND))
    assert [a.about["session"] for a in found] == ["s6", "s5", "s4", "s3", "s2", "s1"]


# 10,000 tokens a call, of which 1,000 and 8,000 are cached.
LOW = CacheUse("acme", "web", "x", "sonnet",
               counts(100, input_tokens=1_000_000, cache_read_tokens=100_000))  # fmt: skip
HIGH = replace(
    LOW, project="api", counts=counts(100, input_tokens=1_000_000, cache_read_tokens=800_000)
)


def test_a_low_hit_rate_would_have_saved_the_difference_in_price_of_the_tokens_moved() -> None:
    (advice,) = low_cache_rates([LOW, HIGH], [LOW, HIGH], price_of, {"acme": Decimal(3)})
    # 100 calls of 7,000 tokens at ($3.00 - $0.30) per million.
    assert (advice.code, advice.saving) == ("low_cache_rate", Decimal("1.89"))
    assert advice.about == {"project": "web", "provider": "x", "model": "sonnet"}
    assert "10 % came from the cache; project api reaches 80 %" in advice.detail


def test_only_tokens_that_are_neither_read_nor_written_can_move() -> None:
    written = replace(
        LOW,
        counts=replace(LOW.counts, cache_write_tokens=700_000),
    )
    (advice,) = low_cache_rates([written], [HIGH], price_of, SPEND | {"acme": Decimal(1)})
    # 10,000 - 1,000 - 7,000 = 2,000 fresh tokens a call.
    assert advice.saving == Decimal("0.54")


def test_peers_of_the_own_organization_count_before_others() -> None:
    theirs = replace(HIGH, organization="globex")
    better = replace(LOW, project="api", counts=replace(LOW.counts, cache_read_tokens=150_000))
    assert not list(low_cache_rates([LOW], [LOW, better, theirs], price_of, {}))
    (advice,) = low_cache_rates([LOW], [LOW, theirs], price_of, {})
    assert "project api of globex reaches 80 %" in advice.detail


@pytest.mark.parametrize(
    ("use", "peer"),
    [
        (LOW, replace(HIGH, counts=replace(HIGH.counts, cache_read_tokens=299_000))),
        (LOW, replace(HIGH, model="opus")),
        (LOW, replace(HIGH, counts=replace(HIGH.counts, events=49))),
        (LOW, replace(HIGH, counts=counts(60, input_tokens=240_000, cache_read_tokens=200_000))),
        (replace(LOW, counts=replace(LOW.counts, events=1_000)), HIGH),
        (replace(LOW, model="unheard-of"), replace(HIGH, model="unheard-of")),
    ],
)
def test_without_a_comparable_better_peer_there_is_no_advice(use: CacheUse, peer: CacheUse) -> None:
    assert not list(low_cache_rates([use], [peer], price_of, {}))


# 1,000 tokens in and 100 out a call: $0.0075 by Opus, $0.0045 by Sonnet, $0.0015 by Haiku.
DEAR = ModelUse(
    "acme",
    "web",
    "x",
    "opus",
    "chat",
    "standard",
    120,
    counts(100, input_tokens=100_000, output_tokens=10_000, cost=Decimal("0.75")),
)
OTHERS = [replace(DEAR, model=model, calls=1, short=counts(1)) for model in ("sonnet", "haiku")]


def test_short_answers_are_repriced_at_the_nearest_cheaper_model() -> None:
    (advice,) = cheaper_models([DEAR, *OTHERS], price_of, {"acme": Decimal(10)})
    assert (advice.code, advice.saving) == ("cheaper_model", Decimal("0.30"))
    assert advice.title == "Try sonnet in place of opus for short answers"
    assert "100 of 120 calls (83 %)" in advice.detail
    assert advice.about == {"project": "web", "provider": "x", "model": "opus"}


@pytest.mark.parametrize(
    "uses",
    [
        [replace(DEAR, calls=200), *OTHERS],
        [replace(DEAR, short=replace(DEAR.short, events=49)), *OTHERS],
        [DEAR],
        [DEAR, replace(OTHERS[0], organization="globex")],
        [DEAR, replace(OTHERS[0], provider="y")],
        [DEAR, replace(OTHERS[0], operation="embeddings")],
        [DEAR, replace(OTHERS[0], model="half")],
        [DEAR, replace(OTHERS[0], model="unheard-of")],
    ],
)
def test_without_a_cheaper_model_in_use_there_is_no_advice(uses: list[ModelUse]) -> None:
    assert not list(cheaper_models(uses, price_of, {}))


RUNS = FailedRuns("acme", "web", "cron", 3, 30, 12, Decimal(4), "r7")


def test_retried_runs_would_have_saved_what_the_failed_ones_cost() -> None:
    (advice,) = retried_runs([RUNS], SPEND)
    assert (advice.code, advice.saving, advice.about["run"]) == ("retried_runs", Decimal(4), "r7")
    assert "3 runs started by cron (project web) failed (12 of 30 calls" in advice.detail
    assert not list(retried_runs([replace(RUNS, cost=Decimal("0.49"))], SPEND))


def test_failed_calls_would_have_saved_what_they_cost() -> None:
    calls = FailedCalls("acme", None, "x", "opus", 1, Decimal(2))
    (advice,) = failed_calls([calls], SPEND)
    assert (advice.code, advice.saving) == ("failed_calls", Decimal(2))
    assert advice.detail.startswith(
        "At least 1 call to opus (no project) failed but were billed $2.00:"
    )
    assert not list(failed_calls([replace(calls, cost=Decimal("0.4"))], SPEND))
