from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from budgets.links import budget_url, decision_url, reservation_url
from budgets.models import Budget, BudgetChange, BudgetWindow, Decision, Reservation
from budgets.setting import Actor, Level, save_budget
from tests.budgets.asking import check, hold, refuse
from tests.budgets.budget_values import ACTOR, budget
from tests.config.site_data import event, send, staff
from usage.models import Membership, Organization

DECISIONS, RESERVATIONS = "/admin/budgets/decision/", "/admin/budgets/reservation/"
QUICK = "/admin/budgets/budget/set/"


def spend(number: str, tokens: int, **fields: str) -> None:
    # At 3 dollars a million.
    given = {"project": "web", "subject": "ann", **fields}
    send([event(number, datetime.now(UTC), input_tokens=tokens, **given)])


def raise_url(row: Budget, *more: object) -> str:
    return reverse(f"admin:budgets_budget_{'end_' if more else ''}raise", args=[row.pk, *more])


@pytest.fixture
def outsider(usage: None) -> Client:
    client = Client()
    client.force_login(staff("gus", "globex", role=Membership.Role.ADMIN))
    return client


def test_the_page_reckons_what_remains(administrator: Client) -> None:
    row = budget(limit="1", period="day", enforcement="hard", contact="ops@acme.example")
    spend("a", 100_000)
    kept = hold("0.5", "build-1", project="web")
    spend("b", 200_000)

    page = administrator.get(budget_url(row)).text

    # 1 - 0.90 used - 0.50 held: 0.40 beyond the limit, 0.50 within it.
    for told in (
        "$0.50 within the limit, $0.40 beyond it", "$0.40 over", "ops@acme.example", "build-1",
        reservation_url(kept), "from=", "at midnight in",
        "near · 90 %", "80 %", "/admin/what-if/?", "Raise for a while",
    ):  # fmt: skip
        assert told in page, told
    assert administrator.get(budget_url(row) + "?history=9").status_code == 200


def test_the_page_tells_every_period_and_who_used_most(administrator: Client) -> None:
    row = budget(limit="0.6", period="day", per="subject")
    whole = budget(limit="4")
    spend("a", 100_000)
    spend("b", 150_000, subject="bob")
    past = timezone.now() - timedelta(days=40)
    for number in range(14):
        BudgetWindow.objects.create(
            budget=whole, start=past - timedelta(days=31 * number), is_hard=False, limit=5,
            end=past - timedelta(days=31 * number - 31), spent=Decimal(number),
        )  # fmt: skip

    shared = administrator.get(budget_url(row))
    alone = administrator.get(budget_url(whole))

    assert [state.member_name for state in shared.context["member_rows"]] == ["bob", "ann"]
    (period,) = shared.context["shared"]
    assert (period.members, period.reached, period.used) == (2, 0, Decimal("0.75"))
    assert "bob, the most used of 2" in shared.text
    assert len(alone.context["rows"]) == 12
    more = administrator.get(budget_url(whole) + "?history=2").context["rows"]
    assert [state.used for state in more] == [11, 12, 13]
    assert more[0].percent == 220


def test_the_page_tells_who_changed_what(administrator: Client) -> None:
    row = budget(limit="10", name="Acme")
    row.limit, row.enforcement = Decimal(0), "hard"
    save_budget(row, [Level(percent=Decimal(50))], Actor(name="key ci"))

    (latest, differences), (first, said) = administrator.get(budget_url(row)).context["changes"]

    assert (latest.actor, first.actor) == ("key ci", "tests")
    told = {(each.name, each.before, each.after) for each in differences}
    assert told == {
        ("limit", "10", "0"), ("enforcement", "soft", "hard"), ("thresholds", "80 %", "50 %")
    }  # fmt: skip
    assert ("scope: organization", "", "acme") in {(e.name, e.before, e.after) for e in said}


def test_a_limit_is_raised_for_a_while_and_the_raise_ended(administrator: Client) -> None:
    row = budget(limit="1", per="subject", period="day")
    spend("a", 100_000)
    page = administrator.get(raise_url(row))
    assert "ann" in page.text
    assert "Limit (USD)" in page.text
    until = timezone.now() + timedelta(hours=3)
    ann = BudgetWindow.objects.get(budget=row).member
    given = {"limit": "7.5", "member": ann, "until": f"{until:%Y-%m-%dT%H:%M}", "reason": "release"}
    past = {**given, "until": "2026-01-01T00:00"}
    assert "This has passed already" in administrator.post(raise_url(row), past).text
    for wrong in ({"limit": "-1"}, {"limit": ""}, {"is_unlimited": "on"}):
        assert administrator.post(raise_url(row), {**given, **wrong}).status_code == 200
    assert not row.raises.exists()

    assert administrator.post(raise_url(row), given).status_code == 302
    (granted,) = row.raises.all()
    assert (granted.limit, granted.member, granted.reason) == (Decimal("7.5"), ann, "release")
    assert BudgetWindow.objects.get(budget=row).limit == Decimal("7.5")
    assert "$7.50" in administrator.get(budget_url(row)).text

    assert administrator.get(raise_url(row, granted.pk)).status_code == 405
    assert administrator.post(raise_url(row, granted.pk)).status_code == 302
    assert BudgetWindow.objects.get(budget=row).limit == 1
    actions = [change.action for change in BudgetChange.objects.filter(budget=row)]
    assert actions.count("raise_ai_budget") == 2


def test_a_refusal_tells_every_budget_tested(administrator: Client, outsider: Client) -> None:
    hard = budget(limit="1", period="day", enforcement="hard", name="Acme as a whole")
    budget(project="web", limit="100", measure="tokens", period="day")
    check("0.1", project="web", subject="ann")
    check("0.85", project="web", subject="ann")
    decision = refuse("2", project="web", subject="ann")

    listed = administrator.get(DECISIONS)
    page = administrator.get(decision_url(decision))

    for told in ("blocked", "warned", "Acme as a whole", "<b>1</b> allowed", "<b>1</b> blocked"):
        assert told in listed.text, told
    assert [row.outcome for row in listed.context["cl"].result_list] == ["block", "warn"]
    assert "Resets" in page.text
    assert decision.message in page.text.replace("&quot;", '"').replace("&#x27;", "'")
    tested = page.context["tested"]
    assert [each.name for each in tested] == ["Acme as a whole", "acme / web"]
    assert (tested[0].limit, tested[0].amount, tested[0].remaining) == (1, 2, 1)
    only = {"outcome": "warn", "project": "web", "subject": "ann", "organization": "acme"}
    queries = ((only, 1), ({"budget": str(hard.pk)}, 2), ({"budget": "99"}, 0),
               ({"through": "2026-01-05"}, 0))  # fmt: skip
    for query, count in queries:
        found = administrator.get(DECISIONS, query).context["cl"].result_list
        assert len(found) == count, query
    assert "Acme as a whole" in administrator.get(budget_url(hard)).text
    assert outsider.get(decision_url(decision)).status_code == 404
    assert len(outsider.get(DECISIONS).context["cl"].result_list) == 0
    assert "<b>0</b> blocked" in outsider.get(DECISIONS).text


def test_whom_waiting_does_not_help_is_not_told_to_wait(administrator: Client) -> None:
    budget(limit="1", period="day", name="Soft")
    hold("1.25", "job", project="web")
    budget(limit="0", period="day", enforcement="hard", name="Closed", per="subject")
    decision = refuse("2", project="web", subject="ann")

    closed = "AI call blocked. The hard budget “Closed”, person ann allows nothing a day."
    assert decision.message == closed
    assert "$0.25 over" in administrator.get(decision_url(decision)).text
    assert "+ $1.25 held" in administrator.get("/admin/organizations/acme/").text


def test_a_budget_of_the_whole_site_is_named_without_its_figures(
    administrator: Client, admin_client: Client
) -> None:
    budget(None, limit="3.25", period="day", enforcement="hard", name="Everything")
    kept = hold("0.1", "job")
    decision = refuse("9")

    for url in (decision_url(decision), DECISIONS, reservation_url(kept)):
        seen = administrator.get(url).text
        assert "budget of the whole site" in seen
        assert "Everything" not in seen
        assert "3.25" not in seen
        assert "Everything" in admin_client.get(url).text


def test_reservations_are_listed_and_released_by_administrators_only(
    administrator: Client, outsider: Client, viewer: Client
) -> None:
    row = budget(limit="5", period="day", enforcement="hard")
    mine, other = hold("1", "mine", subject="ann"), hold("1.5", "other", project="web")
    theirs = hold("1", "theirs", organization="globex")

    listed = administrator.get(RESERVATIONS, {"state": "held", "budget": str(row.pk)})
    assert {each.pk for each in listed.context["cl"].result_list} == {mine.pk, other.pk}
    assert "$1.5000" in listed.text
    page = administrator.get(reservation_url(mine))
    assert "Release what it holds" in page.text
    assert budget_url(row) in page.text
    release = reverse("admin:budgets_reservation_release", args=[mine.pk])
    assert "Release what it holds" not in viewer.get(reservation_url(mine)).text
    assert viewer.post(release).status_code == 403
    for client in (outsider, Client()):
        client.post(release)
    assert outsider.get(reservation_url(mine)).status_code == 404
    assert outsider.post(release).status_code == 404
    assert Reservation.objects.filter(status="held").count() == 3

    assert administrator.get(release).status_code == 405
    assert administrator.post(release).status_code == 302
    chosen = [str(each.pk) for each in (other, theirs)]
    action = {"action": "release_selected", "_selected_action": chosen}
    assert administrator.post(RESERVATIONS, action).status_code == 302
    assert list(Reservation.objects.filter(status="held")) == [theirs]
    assert BudgetWindow.objects.get(budget=row).reserved == 0
    assert "Nothing any more" in administrator.get(reservation_url(mine)).text


def test_a_monthly_budget_is_set_from_the_pages_of_organizations_and_projects(
    administrator: Client, viewer: Client
) -> None:
    page = "/admin/organizations/acme/"
    web = "/admin/projects/acme/web/ai-cost/"
    given = {"organization": "acme", "limit": "120", "enforcement": "hard", "next": page}
    for where in (page, web):
        assert 'action="/admin/budgets/budget/set/"' in administrator.get(where).text
        assert 'action="/admin/budgets/budget/set/"' not in viewer.get(where).text

    assert administrator.post(QUICK, given)["Location"] == page
    again = {**given, "limit": "150", "enforcement": "soft", "next": "https://elsewhere.example/"}
    assert administrator.post(QUICK, again)["Location"] == "/admin/budgets/budget/"
    administrator.post(QUICK, {**given, "project": "web", "limit": "0", "next": web})

    acme, part = Budget.objects.order_by("pk")
    assert (acme.limit, acme.is_hard, acme.period) == (Decimal(150), False, "month")
    assert acme.project is None
    assert (part.limit, part.is_hard, str(part)) == (Decimal(0), True, "acme / web · monthly")
    assert 'value="150"' in administrator.get(page).text
    for wrong in ({"limit": "-1"}, {"limit": ""}, {"organization": "globex"}, {"project": "none"}):
        answer = administrator.post(QUICK, {**given, **wrong}, follow=True)
        assert "error" in answer.text
    assert viewer.post(QUICK, given).status_code == 302
    assert Client(enforce_csrf_checks=True).post(QUICK, given).status_code in (302, 403)
    assert administrator.get(QUICK).status_code == 405
    assert Budget.objects.count() == 2
    assert Budget.objects.get(pk=acme.pk).limit == 150


def test_pages_ask_as_many_statements_for_much_as_for_little(admin_client: Client) -> None:
    Organization.objects.create(slug="acme")
    row = budget(limit="900", enforcement="hard", per="subject")

    def fill(numbers: range) -> None:
        for number in numbers:
            hold("1", f"k{number}", subject=f"s{number}")
            refuse("950", subject=f"s{number}")
            row.limit = Decimal(900 + number)
            save_budget(row, None, ACTOR)

    def statements(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(url).status_code == 200
        return len(captured)

    def pages() -> list[str]:
        latest = Decision.objects.latest("pk"), Reservation.objects.latest("held_at")
        return [budget_url(row), DECISIONS, RESERVATIONS, decision_url(latest[0]),
                reservation_url(latest[1])]  # fmt: skip

    fill(range(2))
    for url in pages():
        statements(url)
    few = [statements(url) for url in pages()]
    fill(range(2, 8))

    assert [statements(url) for url in pages()] == few
