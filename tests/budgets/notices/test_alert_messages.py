from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from budgets.models import Alert, BudgetWindow, Channel, Forecast, Notice
from budgets.notices.advising import Adviser
from budgets.notices.message import Message
from budgets.notices.rendering.html import as_html
from budgets.notices.rendering.payload import as_payload
from budgets.notices.rendering.slack import as_slack
from budgets.notices.rendering.text import as_text
from budgets.notices.writing import alert_message
from budgets.notices.writing import test_message as message_of_a_test
from tests.budgets.notices.windows import NOW, budget, reach, window
from tests.config.site_data import OPUS, at, event, send
from usage.formats import dated
from usage.models import Organization, Subject

pytestmark = pytest.mark.usefixtures("usage")

FACTS: dict[str, dict[str, Any]] = {
    Alert.Kind.UNPRICED: {
        "provider": "local", "model": "llama", "calls": 12, "tokens": 3000,
        "first_seen": "2026-11-12T12:00:00+00:00",
    },
    Alert.Kind.STALE: {"name": "API key ci", "last_seen": "2026-11-12T12:00:00+00:00"},
    Alert.Kind.ANOMALY: {
        "what": "project web", "spent": "12.5", "usual": "2.5", "factor": "5",
        "causes": [{"what": "ann", "spent": "10"}, "a word"],
    },
    Alert.Kind.SYSTEM: {"what": "sums lag behind", "hint": "Look at the worker."},
}  # fmt: skip


def told(alert: Alert, kind: str = Notice.Kind.ALERT, now: datetime = NOW, **said: Any) -> Message:
    return alert_message(alert, notice_kind=kind, now=now, **said)


def figures(message: Message) -> dict[str, str]:
    return {line.label: line.value for line in message.lines}


def in_every_form(message: Message) -> Iterator[str]:
    kept = Message.from_content(message.as_content())
    yield as_text(kept)
    yield as_html(kept)
    yield str(as_slack(kept))
    yield str(as_payload("a-notice", kept, NOW))


def test_a_level_is_told_with_figures_that_add_up(settings: LazySettings) -> None:
    settings.TALLYMAN_PUBLIC_URL = "https://cost.example.org"
    row = budget("web", limit="150", contact="adam@example.org")
    message = told(reach(row, "120.06", unpriced_events=3))
    assert message.title == "acme / web · monthly: 80 % of $150 used"
    assert message.type == "budget.threshold_reached"
    assert message.severity == "warning"
    assert message.url == f"https://cost.example.org/admin/budgets/budget/{row.pk}/"
    assert message.summary == (
        "It reached its level of 80 %: $120.06 used of $150. At the rate so far it comes to"
        " $200.10 in 12 days, $50.10 more than allowed."
    )
    assert figures(message) == {
        "Budget": "acme / web · monthly, soft: warns",
        "Level reached": "80 %",
        "Used": "$120.06, 80 % of $150",
        "Left": "$29.94 (19 %)",
        "Period": dated(at(1).date(), at(30).date()),
        "Days left": "12 (18 of 30 days gone)",
        "Rate per day": "$6.67 a day",
        "At this rate": "$200.10 = $120.06 + 12 \N{MULTIPLICATION SIGN} $6.67",
        "Then over the limit by": "$50.10",
        "Without a price": "3 calls, not in these figures",
        "Whom to ask": "adam@example.org",
    }
    # 29.94 are 37.4 % of the 80.04 that the next 12 days would take.
    assert message.advice[0].startswith("Use 63 % less from now on, $2.49 a day in place of $6.67")
    assert message.sections[0].table[1:] == (("s1", "web", "$0.60", "1"),)
    pace = message.data["pace"]
    assert (pace["gone"], pace["left"], pace["cut_percent"]) == (18, 12, 63)
    assert pace["projected"] == "200.1000000000"
    assert message.data["window"]["remaining"] == "29.9400000000"
    assert message.data["threshold"]["percent"] == "80"
    assert message.data["alert"]["url"].startswith("https://cost.example.org/admin/budgets/alert/")


def test_the_stored_forecast_stands_beside_the_rate() -> None:
    row = budget("web")
    alert = reach(row, "170")
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    Forecast.objects.create(
        budget=row, start=start, end=end, made_at=NOW - timedelta(hours=1), spent=160,
        expected=230, low=210, high=250, days_of_history=60,
    )  # fmt: skip
    message = told(alert)
    assert figures(message)["Expected"] == (
        "$230.00 by the weekdays of the past, $210.00 to $250.00 four times of five"
    )
    assert message.data["forecast"] == {
        "expected": "230.0000000000", "low": "210.0000000000", "high": "250.0000000000",
    }  # fmt: skip
    Forecast.objects.update(made_at=NOW - timedelta(days=2))
    assert "Expected" not in figures(told(alert))


def test_levels_that_are_passed_together_are_named_in_one_message() -> None:
    row = budget("web", levels=("50", "80"), enforcement="hard")
    over = reach(row, "190", reserved=Decimal(10))
    others = Alert.objects.exclude(pk=over.pk).order_by("-percent")
    message = told(over, others=others)
    assert message.title == "acme / web · monthly: 100 % of $200 used or held"
    assert message.severity == "critical"
    assert figures(message)["Level reached"] == "100 %, and 80 %, 50 %"
    assert figures(message)["Held by calls under way"] == "$10.00"
    assert figures(message)["Used"] == "$190.00, 95 % of $200"
    assert "What does not fit is blocked until 1 Dec 2026 00:00 (UTC)." in message.summary


def test_usage_of_a_period_that_is_over_says_so_and_expects_nothing() -> None:
    row = budget("web")
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    window(row, start, end, alert_at=Decimal(0))
    BudgetWindow.objects.filter(budget=row, start=start).update(spent=Decimal(165))
    Alert.objects.filter(window_start=start).update(opened_at=at(22))
    message = told(Alert.objects.get(window_start=start), now=at(23))
    period = dated(start.date(), (end - timedelta(days=1)).date())
    assert (
        f"This is about {period}: usage arrived late (22 Nov), after the period had ended."
    ) in message.summary
    assert not {"Days left", "Rate per day", "At this rate"} & figures(message).keys()
    assert message.advice[0].startswith("See why this usage was reported so late")
    assert message.data["pace"] is None
    Alert.objects.filter(window_start=start).update(opened_at=start)
    in_time = told(Alert.objects.get(window_start=start), now=at(23))
    assert f"Its period, {period}, is over." in in_time.summary
    assert "late" not in f"{in_time.summary} {in_time.advice}"


def test_a_day_is_told_in_hours_and_tokens_in_tokens() -> None:
    row = budget("web", limit="1000", period="day", measure="tokens")
    message = told(reach(row, "840"), now=at(18, 13, 30))
    assert message.title == "acme / web · daily: 84 % of 1,000 tokens used"
    assert figures(message)["Hours left"] == "10 (14 of 24 hours gone)"
    assert figures(message)["Rate per hour"] == "60 tokens an hour"
    assert figures(message)["Then over the limit by"] == "440 tokens"


def test_a_member_is_named_and_only_its_sessions_are_told() -> None:
    send([event(20, at(17), subject="bob", output_tokens=100_000, session_id="s-of-bob")])
    row = budget(limit="2", per="subject")
    ann = Subject.objects.get(key="ann")
    BudgetWindow.objects.filter(member=ann.pk).update(spent=Decimal("2.6"))
    message = told(Alert.objects.get(budget=row, member=ann.pk, percent=100))
    assert message.title == "each person of acme · monthly, person ann: 130 % of $2 used"
    assert figures(message)["Person"] == "ann"
    assert [cells[0] for cells in message.sections[0].table[1:]] == ["s1"]
    assert message.data["window"]["member"] == "ann"


def test_a_cheaper_model_is_told_with_what_it_would_have_saved() -> None:
    calls = [
        event(f"o{n}", at(10 + n % 7), project="web", model=OPUS, input_tokens=10_000,
              output_tokens=100)
        for n in range(60)
    ]  # fmt: skip
    send(calls)
    alert = reach(budget("web"), "170")
    advice = told(alert).advice
    # 60 calls of 10,000 tokens in and 100 out: 3.15 by Opus, 1.89 by Sonnet.
    assert any("claude-sonnet-4-5 in place of claude-opus-4-5" in each for each in advice), advice
    assert any("it would have saved $1.26 in the last 28 days" in each for each in advice), advice
    assert not any(
        "in place of claude-opus" in each for each in told(reach(budget("api"), "170")).advice
    )


def test_messages_of_one_run_ask_what_they_have_in_common_once() -> None:
    alerts = [reach(budget("web", name=f"b{n}"), "170") for n in range(3)]
    adviser = Adviser()
    with CaptureQueriesContext(connection) as first:
        told(alerts[0], adviser=adviser)
    with CaptureQueriesContext(connection) as second:
        told(alerts[1], adviser=adviser)
    assert len(second) <= 3 < len(first)


def test_an_organization_is_told_nothing_of_another() -> None:
    globex = Organization.objects.get(slug="globex")
    for row, names in ((budget(limit="200"), {"s1"}), (budget(organization=globex), {"s9"})):
        table = told(reach(row, "170")).sections[0].table
        assert {cells[0] for cells in table[1:]} == names


def test_repetitions_and_ends_say_what_they_are() -> None:
    alert = reach(budget("web"), "170")
    again = told(alert, Notice.Kind.REPEAT)
    assert again.title.startswith("Still: acme / web")
    assert again.summary.startswith("Nobody has acknowledged this yet.")
    alert.state, alert.resolution = Alert.State.RESOLVED, Alert.Resolution.LIMIT
    over = told(alert, Notice.Kind.RESOLVED)
    assert (over.type, over.severity) == ("alert.resolved", "info")
    assert over.title.startswith("Resolved: acme / web")
    assert over.summary.startswith("The limit was raised")
    assert (over.advice, over.sections) == ((), ())


def test_blocked_calls_and_forecasts_are_told_of_the_window() -> None:
    row = budget("web", enforcement="hard")
    given = {"budget": row, "organization": row.organization, "severity": "critical",
             "window_start": datetime(2026, 11, 1, tzinfo=UTC),
             "window_end": datetime(2026, 12, 1, tzinfo=UTC)}  # fmt: skip
    BudgetWindow.objects.filter(budget=row).update(spent=Decimal(120))
    asked = {"asked": "90", "who": "ann", "project": "", "model": OPUS}
    blocked = told(Alert.objects.create(kind="blocked", key="b", facts=asked, **given))
    assert blocked.title == "acme / web · monthly: calls are blocked, 60 % of $200 used"
    assert blocked.type == "budget.calls_blocked"
    assert "one asked for $90.00 with $120.00 used of $200." in blocked.summary
    assert blocked.advice[0] == "Raise the limit if calls cannot wait until 1 Dec 2026 00:00 (UTC)."
    unknown = Alert.objects.create(kind="blocked", key="u", facts={"asked": None}, **given)
    assert told(unknown).advice[0].startswith("Give the model a price")
    assert figures(blocked)["Asked for"] == f"$90.00, model {OPUS}, by ann"
    facts = {"expected": "230", "limit": "200", "crosses_on": "2026-11-27", "chance": "83.5",
             "low": "210", "high": "250", "error": "7.4"}  # fmt: skip
    ahead = told(Alert.objects.create(kind="forecast", key="f", facts=facts, **given))
    assert "$120.00 used of $200 by now, $230.00 expected." in ahead.summary
    assert ahead.title == "acme / web · monthly: $230.00 expected, $200 allowed"
    assert figures(ahead)["Will pass the limit"] == "on 27 Nov 2026 with a chance of 84 %"
    assert figures(ahead)["Expected"].startswith("$230.00 by the weekdays of the past")
    assert figures(ahead)["Forecasts missed by"] == "7 % on average"


@pytest.mark.parametrize("kind", FACTS)
@pytest.mark.parametrize("notice", [Notice.Kind.ALERT, Notice.Kind.REPEAT, Notice.Kind.RESOLVED])
def test_findings_are_told_in_every_form_with_and_without_facts(kind: str, notice: str) -> None:
    owner = None if kind == "system" else Organization.objects.get(slug="acme")
    for facts in (FACTS[kind], {}, dict.fromkeys(FACTS[kind]), {"what": ["x"]}):
        alert = Alert(pk=1, kind=kind, organization=owner, severity="warning", facts=facts)
        alert.opened_at = NOW
        message = told(alert, notice)
        assert all(in_every_form(message))
        assert message.data["facts"] == facts


def test_what_has_no_price_leads_to_the_inbox() -> None:
    owner = Organization.objects.get(slug="acme")
    alert = Alert(pk=1, kind="unpriced", organization=owner, facts=FACTS["unpriced"], opened_at=NOW)
    message = told(alert)
    assert message.title == "acme: no price for local / llama (12 calls)"
    assert message.url.endswith("/admin/unpriced/")
    assert figures(message)["First call"] == "12 Nov 2026 12:00 (UTC)"


def test_a_test_names_its_channel() -> None:
    message = message_of_a_test(Channel(name="ops", kind="email"))
    assert message.title == "Test of the channel ops"
    assert message.type == "test"
    assert all(in_every_form(message))
