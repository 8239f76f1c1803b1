from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from budgets.demo import set_demo_budgets
from budgets.demo_alerts import set_demo_alerts
from budgets.demo_calls import ask_demo_calls
from budgets.models import Alert, BudgetWindow, Channel, DecisionCount, Reservation
from budgets.selectors.states import (
    BudgetState,
    Level,
    read_project_states,
    read_states,
    read_subject_states,
)
from budgets.setting import Level as Warning_
from budgets.setting import grant_raise, save_budget
from budgets.verification import verify_windows
from tests.budgets.budget_values import ACTOR, budget
from tests.config.site_data import OPUS, at
from usage.demo.stage import fill, settle
from usage.demo.year import Plan
from usage.models import Organization, Project, Subject
from usage.selectors.access import EVERYTHING, Viewer

# acme has spent 4.43 (of it web 2.10, ann 2.60 and bob 1.50) with five calls, globex 1.00.
NOW = at(12, 15)


def states(**scope: str) -> dict[str, BudgetState]:
    return {str(state.budget): state for state in read_states(EVERYTHING, NOW, **scope)}


def test_a_hard_budget_tells_what_is_held_and_what_went_beyond(usage: None) -> None:
    mine = budget(limit="5", period="year", enforcement="hard", now=NOW)
    BudgetWindow.objects.filter(budget=mine).update(
        spent=Decimal("4.50"), reserved=Decimal("0.50"), overage=Decimal("0.25")
    )

    (state,) = read_states(EVERYTHING, NOW)

    assert (state.spent, state.overage, state.used) == (
        Decimal("4.50"), Decimal("0.25"), Decimal("4.75"),
    )  # fmt: skip
    assert state.remaining == Decimal("-0.25")
    assert (state.percent, state.level) == (Decimal(95), Level.WARN)
    assert state.spent_text == "$4.75 of $5 · $0.50 held · $0.25 over"


def test_where_each_has_the_limit_to_itself_the_most_used_one_is_told(usage: None) -> None:
    each = budget(limit="10", per="subject", period="year", name="Each", now=NOW)
    grant_raise(
        each, member=Subject.objects.get(key="ann").pk, limit=Decimal(100), actor=ACTOR,
        now=NOW, until=NOW + timedelta(days=9),
    )  # fmt: skip

    (state,) = read_states(EVERYTHING, NOW)

    # ann used 2.60 of 100, bob 1.50 of 10.
    assert (state.member_name, state.members, state.percent) == ("bob", 2, Decimal(15))
    assert state.member_text == "bob, the most used of 2"
    ann = Subject.objects.select_related("organization").get(key="ann")
    (own,) = read_subject_states(EVERYTHING, ann, NOW)
    assert (own.member_name, own.used, own.limit) == ("ann", Decimal("2.60"), Decimal(100))


def test_tokens_requests_and_totals_have_their_own_words(usage: None) -> None:
    budget(limit="1000000", measure="tokens", period="total", name="T", now=NOW)
    budget(limit="4", measure="requests", period="year", name="R", now=NOW)
    budget(limit=None, period="year", name="N", now=NOW)

    found = states()

    tokens, requests, free = found["T · in total"], found["R · yearly"], found["N · yearly"]
    assert tokens.spent_text == "900,500 of 1,000,000 tokens"
    assert (tokens.end, tokens.reset_text) == (None, "never resets")
    assert (requests.level, requests.remaining_text) == (Level.OVER, "1 request over")
    assert (free.percent, free.level, free.spent_text) == (None, Level.OK, "$4.43, no limit")
    assert free.remaining_text == ""


def test_a_budget_of_all_organizations_is_for_those_who_see_everything(usage: None) -> None:
    budget(None, limit="50", period="year", name="Site", now=NOW)
    budget(None, limit="50", period="year", per="organization", name="Each", now=NOW)
    acme = Viewer(frozenset({Organization.objects.get(slug="acme").pk}))

    assert read_states(acme, NOW) == []
    site = states()["Site · yearly"]
    assert (site.used, site.whole, site.zone) == (Decimal("5.43"), "site", None)
    each = states(organization="globex")["Each · yearly"]
    assert (each.member_name, each.used) == ("globex", Decimal(1))


def test_a_project_is_bound_by_its_own_budgets_and_by_those_above(usage: None) -> None:
    scopes: dict[str, dict[str, Any]] = {
        "own": {"project": "web"},
        "own model": {"project": "web", "model": OPUS},
        "other": {"project": "api"},
        "owner": {},
        "owner's model": {"model": OPUS},
        "each project": {"per": "project"},
        "each person": {"per": "subject"},
        "elsewhere": {"organization": "globex"},
        "site": {"organization": None},
    }
    for name, fields in scopes.items():
        budget(limit="100", period="year", name=name, **fields, now=NOW)
    web = Project.objects.select_related("organization").get(slug="web")
    acme = Viewer(frozenset({web.organization_id}))

    found = {state.budget.name: state for state in read_project_states(acme, web, NOW)}

    assert set(found) == {"own", "own model", "owner", "each project"}
    assert found["each project"].used == found["own"].used == Decimal("2.10")
    bound = {state.budget.name for state in read_project_states(EVERYTHING, web, NOW)}
    assert bound - set(found) == {"site"}


def test_amounts_and_percentages_both_warn_the_lowest_first(usage: None) -> None:
    made = budget(limit="100", period="year", now=NOW)
    save_budget(
        made, [Warning_(percent=Decimal(50)), Warning_(amount=Decimal("4.43"))], ACTOR, now=NOW
    )

    (state,) = read_states(EVERYTHING, NOW)

    assert (state.warns_at, state.level, state.ticks) == (
        (Decimal("4.43"), Decimal(50)), Level.WARN, [4, 50],
    )  # fmt: skip


def test_the_demonstration_shows_budgets_of_every_level_and_kind(catalogue: None) -> None:
    now = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    fill(Plan(1, now, 40, 0.02), lambda _: None)
    settle()

    set_demo_budgets(now)
    set_demo_budgets(now)

    found = read_states(EVERYTHING, now)
    assert [state.level for state in found] == [Level.OVER, *[Level.WARN] * 2, *[Level.OK] * 5]
    kinds = {(state.budget.enforcement, state.budget.measure) for state in found}
    assert kinds == {("soft", "cost"), ("hard", "cost"), ("soft", "tokens")}
    assert [state.members > 1 for state in found if state.budget.per] == [True]


def test_calls_of_the_demonstration_asked_and_were_answered_in_every_way(catalogue: None) -> None:
    now = datetime.now(UTC)
    fill(Plan(1, now, 40, 0.02), lambda _: None)
    settle()
    set_demo_budgets(now)

    ask_demo_calls(now)
    ask_demo_calls(now)

    assert set(DecisionCount.objects.values_list("outcome", flat=True)) == {
        "allow", "warn", "block",
    }  # fmt: skip
    assert set(Reservation.objects.values_list("status", flat=True)) == {
        "held", "settled", "released",
    }  # fmt: skip
    assert not verify_windows().drifts

    set_demo_alerts(now)
    set_demo_alerts(now)
    kinds = set(Alert.objects.exclude(state="resolved").values_list("kind", flat=True))
    assert kinds >= {"threshold", "blocked", "unpriced"}
    assert Alert.objects.filter(state="acknowledged").count() == 1
    assert sorted(Channel.objects.filter(enabled=False).values_list("kind", flat=True)) == [
        "email", "other", "slack", "webhook",
    ]  # fmt: skip
