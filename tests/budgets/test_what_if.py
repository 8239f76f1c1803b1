from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from budgets.counting import count_usage
from budgets.matching import BudgetValue
from budgets.replay import trial
from budgets.replay.drafts import DraftForm
from budgets.replay.findings import Findings, Tally
from budgets.replay.trial import try_budget
from budgets.spans import Span
from tests.config.site_data import OPUS, UNKNOWN, event, send
from usage.models import Organization
from usage.selectors import past_calls as pages
from usage.selectors.access import EVERYTHING

DOLLAR = 200_000
"""Input tokens of Opus 4.5 that cost one."""
OCTOBER = date(2026, 10, 1), date(2026, 11, 1)


def october(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def dollars(number: int, when: datetime, amount: str = "1", **fields: Any) -> Any:
    tokens = int(Decimal(amount) * DOLLAR)
    return event(number, when, **{"model": OPUS, "input_tokens": tokens, **fields})


def tried(first: date = OCTOBER[0], end: date = OCTOBER[1], **words: str) -> Findings:
    form = DraftForm({"organization": "acme", **words}, EVERYTHING)
    assert form.is_valid(), form.errors
    return try_budget(form.draft, first, end)


def answers(tally: Tally) -> tuple[int, int, int]:
    return tally.allowed, tally.warned, tally.blocked


@pytest.fixture
def a_month(catalogue: None) -> None:
    send(
        [
            dollars(1, october(5), subject="ann", project="web"),
            dollars(2, october(6), subject="bob", project="web"),
            dollars(3, october(7), subject="ann", project="web"),
            dollars(4, october(8), "0.5", subject="bob", project="api"),
            dollars(5, october(8, 13), "0", subject="ann", project="api", status="error"),
            dollars(6, october(9), subject="ann", organization="globex"),
            dollars(7, datetime(2026, 9, 30, 23, tzinfo=UTC)),
            dollars(8, datetime(2026, 11, 1, tzinfo=UTC)),
        ]
    )


def test_a_hard_budget_blocks_what_does_not_fit_and_tells_when_for_whom_and_how_much(
    a_month: None,
) -> None:
    found = tried(limit="3", enforcement="hard")
    assert answers(found.total) == (2, 1, 2)
    assert (found.total.spent, found.total.prevented) == (Decimal(3), Decimal("0.5"))
    assert found.warned
    assert found.warned.at == october(7)
    assert found.blocked
    assert found.blocked.at == october(8)
    assert (
        "allows $3 a month: $3.00 spent, and this call needs up to $0.50" in found.blocked.message
    )
    assert answers(found.days[date(2026, 10, 8)]) == (0, 0, 2)
    assert len(found.days) == 31
    (window,) = found.windows
    assert (window.start, window.end) == (october(1, 0), datetime(2026, 11, 1, tzinfo=UTC))
    assert [window.limit, window.before, window.used] == [3, 0, 3]
    assert (window.warned_at, window.blocked_at) == (october(7), october(8))
    people = [
        (who.name, who.tally.warned, who.tally.blocked) for who in found.affected["subject"][0]
    ]
    assert people == [("ann", 1, 1), ("bob", 0, 1)]
    projects = {what.name: what.tally.prevented for what in found.affected["project"][0]}
    assert projects == {"api": Decimal("0.5"), "web": 0}
    assert [what.name for what in found.affected["model"][0]] == [OPUS]


def test_what_is_blocked_leaves_room_for_what_is_smaller(catalogue: None) -> None:
    send(
        [
            dollars(1, october(5), "8"),
            dollars(2, october(6), "3"),
            dollars(3, october(7), "2"),
            dollars(4, october(7), "0.01"),
        ]
    )
    found = tried(limit="10", enforcement="hard", thresholds="100 %")
    assert answers(found.total) == (1, 1, 2)
    assert found.total.prevented == Decimal("3.01")
    soft = tried(limit="10", thresholds="100 %")
    assert answers(soft.total) == (1, 3, 0)
    assert soft.windows[0].used == Decimal("13.01")


def test_no_limit_and_a_limit_of_zero_and_thresholds_in_amounts(a_month: None) -> None:
    assert answers(tried(limit="").total) == (5, 0, 0)
    assert answers(tried(limit="", thresholds="2").total) == (1, 4, 0)
    assert answers(tried(limit="0", enforcement="hard").total) == (0, 0, 5)
    assert answers(tried(limit="0").total) == (0, 5, 0)


def test_each_person_has_the_limit_to_themselves_and_each_day_is_new(catalogue: None) -> None:
    send(
        [
            dollars(1, october(5), subject="ann"),
            dollars(2, october(5, 13), subject="ann"),
            dollars(3, october(5, 14), subject="bob"),
            dollars(4, october(6), subject="ann"),
            dollars(5, october(6)),
        ]
    )
    found = tried(limit="1", period="day", per="subject", enforcement="hard")
    assert answers(found.total) == (0, 3, 1)
    assert found.opened == 3
    shown = [(w.member_name, w.start.day, w.tally.blocked) for w in found.windows]
    assert shown == [("ann", 5, 1), ("bob", 5, 0), ("ann", 6, 0)]
    assert found.blocked
    assert "ann" in found.blocked.message


def test_days_begin_in_the_zone_of_the_organization(catalogue: None) -> None:
    send([dollars(1, october(5, 18)), dollars(2, october(5, 18, 30)), dollars(3, october(6, 18))])
    Organization.objects.filter(slug="acme").update(time_zone="Asia/Kathmandu")
    found = tried(limit="1", period="day", enforcement="hard")
    assert {d.day: answers(t) for d, t in found.days.items() if t.calls} == {
        5: (0, 1, 0),
        6: (0, 1, 1),
    }
    assert [w.start for w in found.windows] == [october(4, 18, 15), october(5, 18, 15)]


def test_what_was_used_earlier_in_the_first_window_counts_as_it_was(a_month: None) -> None:
    found = tried(date(2026, 10, 7), limit="3", enforcement="hard")
    assert answers(found.total) == (0, 1, 2)
    assert [found.windows[0].before, found.windows[0].used] == [2, 3]


def test_a_quarter_is_tried_at_most(catalogue: None) -> None:
    send([dollars(1, october(5))])
    assert tried(date(2026, 8, 1), limit="1").total.calls == 1
    with pytest.raises(ValidationError, match="92 days"):
        tried(date(2026, 7, 31), limit="1")


def test_tokens_requests_and_a_scope_of_words(a_month: None) -> None:
    assert answers(tried(limit="2", measure="requests", enforcement="hard").total) == (1, 1, 3)
    tokens = tried(limit="500000", measure="tokens", enforcement="hard", thresholds="99 %")
    assert answers(tokens.total) == (2, 1, 2)
    assert answers(tried(limit="1", subject="bob", model=OPUS).total) == (0, 2, 0)
    assert tried(limit="1", model="another").total.calls == 0


def test_calls_without_a_price_follow_the_policy(catalogue: None) -> None:
    send(
        [
            event(1, october(5), model=UNKNOWN, provider="local", input_tokens=DOLLAR),
            event(2, october(6), model=UNKNOWN, provider="anthropic", input_tokens=DOLLAR),
        ]
    )
    for policy, expected in (("allow", (2, 0, 0)), ("block", (0, 0, 2)), ("estimate", (0, 0, 2))):
        assert answers(tried(limit="1", enforcement="hard", unpriced=policy).total) == expected
    assert tried(limit="1", unpriced="allow").windows[0].unpriced == 2


def test_what_is_replaced_does_not_count_and_pages_join_without_a_seam(
    a_month: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    send([dollars(9, october(10), "4", corrects="e2"), dollars(10, october(10), "2")])
    send([event(11, october(11), model=OPUS, corrects="e10")])
    whole = tried(limit="5", thresholds="1")
    monkeypatch.setattr(trial, "MAX_CALLS", 4)
    with pytest.raises(ValidationError, match="5 calls"):
        tried(limit="5")
    monkeypatch.undo()
    monkeypatch.setattr(pages, "PAGE", 2)
    paged = tried(limit="5", thresholds="1")
    assert replace(paged, budget=whole.budget) == whole
    assert answers(paged.total) == (0, 5, 0)
    value = BudgetValue.from_budget(whole.budget)
    actual = count_usage(value, Span(whole.start, whole.end))[0]
    assert whole.windows[0].used == actual.used == Decimal("6.5")
