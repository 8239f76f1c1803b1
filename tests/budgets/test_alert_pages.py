from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from budgets.alerts.keeping import Finding, keep
from budgets.links import alert_url, budget_url
from budgets.models import Alert
from budgets.notices.message import Message
from budgets.notices.rendering.text import as_text
from budgets.selectors.bell import read_bell
from tests.budgets.alerting import SYNC, channel, notice, overspent, silent, unsynced
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send, staff
from usage.models import Organization
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

LIST = "/admin/budgets/alert/"
STANDING = f"{LIST}standing/"


def listed(client: Client, query: str = "") -> list[int]:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer
    return [row.pk for row in answer.context["cl"].result_list]


def budget_page(alert: Alert) -> str:
    assert alert.budget
    return budget_url(alert.budget)


def post(client: Client, alert: Alert, what: str, back: str = "") -> str:
    answer = client.post(f"{LIST}{alert.pk}/{what}/", headers={"Referer": back} if back else {})
    if answer.status_code != 302:
        return str(answer.status_code)
    alert.refresh_from_db()
    return alert.state


def act(client: Client, what: str, *alerts: Alert) -> str:
    chosen = {"action": f"{what}_selected", "_selected_action": [row.pk for row in alerts]}
    return client.post(LIST, chosen, follow=True).text


def auditor(*codenames: str) -> Client:
    user: User = staff("olga")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_every_page_tells_how_many_alerts_are_open_and_the_newest_critical_one(
    usage: None, admin_client: Client, viewer: Client
) -> None:
    quiet = admin_client.get("/admin/budgets/budget/")
    assert "No alerts" in quiet.text
    assert "tm-alarm" not in quiet.text

    silent("globex")
    assert "<b>1</b> alert · warning" in admin_client.get("/admin/").text
    assert "tm-alarm" not in admin_client.get("/admin/").text
    first, second = overspent(), overspent(limit="0.20", name="Tight")

    for page in ("/admin/", "/admin/budgets/budget/", "/admin/password_change/"):
        shown = admin_client.get(page).text
        # Of both budgets 80 % and all of it.
        assert "<b>5</b> alerts · critical" in shown
        assert "Tight · daily: 150 % of $0.20 used" in shown
        assert "and 1 more" in shown
        assert f"{alert_url(second)}" in shown
    shown = viewer.get("/admin/").text
    assert "<b>4</b> alerts · critical" in shown
    assert "globex" not in shown
    assert first.severity == "critical"


def test_the_badge_is_refreshed_by_a_view_that_tells_when_it_changed(
    usage: None, viewer: Client
) -> None:
    before = viewer.get(STANDING)
    alert = overspent()
    after = viewer.get(STANDING)

    assert "no-store" in before.headers["Cache-Control"]
    assert (before.json()["count"], before.json()["line"].strip()) == (0, "")
    told = after.json()
    assert (told["count"], told["severity"]) == (2, "critical")
    assert told["version"] != before.json()["version"]
    assert alert_url(alert) in told["line"]
    assert "<b>2</b> alerts" in told["badge"]
    assert Client().get(STANDING).status_code == 302


def test_the_badge_takes_one_statement_through_an_index(usage: None, admin_client: Client) -> None:
    owner = Organization.objects.get(slug="acme")
    found = [Finding(f"k{n}", "warning", {"what": f"{n}"}, owner.pk) for n in range(300)]
    keep("system", found, timezone.now())
    Alert.objects.filter(key__lt="k2").update(state="resolved", resolved_at=timezone.now())

    with CaptureQueriesContext(connection) as asked:
        bell = read_bell(EVERYTHING)
    assert (bell.count, len(asked)) == (Alert.objects.filter(state="open").count(), 1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        assert "budgets_alert_live" in str(cursor.fetchall())
    assert read_bell(Viewer(frozenset((owner.pk,)))).count == bell.count
    with CaptureQueriesContext(connection) as asked:
        assert read_bell(NOTHING).count == 0
    assert len(asked) == 0


def test_the_list_shows_figures_in_words_and_finds_by_what_is_asked(
    usage: None, admin_client: Client, viewer: Client
) -> None:
    over, quiet, site = overspent(), silent("globex", "nightly"), unsynced()
    low = Alert.objects.get(percent=80)

    page = admin_client.get(LIST).text
    for told in (
        "acme · daily: 120 % of $0.25 used", "Threshold crossed: 80 %", "Threshold crossed: 100 %",
        "globex: no usage from nightly", "Usage stopped arriving", SYNC,
    ):  # fmt: skip
        assert told in page
    assert listed(admin_client) == [site.pk, quiet.pk, *sorted((over.pk, low.pk), reverse=True)]
    assert set(listed(viewer)) == {over.pk, low.pk}
    owner = Organization.objects.get(slug="globex")
    for query, found in {
        "severity__exact=critical": {over.pk},
        "kind__exact=stale": {quiet.pk},
        f"organization__id__exact={owner.pk}": {quiet.pk},
        f"budget={over.budget_id}": {over.pk, low.pk},
        "budget=x": set(),
        "budget=9999999999999999999999": set(),
        "q=globex": {quiet.pk},
        "q=openrouter": {site.pk},
        "state__exact=resolved": set(),
    }.items():
        assert set(listed(admin_client, query)) == found, query
    assert listed(viewer, f"organization__id__exact={owner.pk}") == []
    assert "No alerts here." in viewer.get(f"{LIST}?state__exact=resolved").text


def test_the_list_costs_no_more_statements_for_many(usage: None, admin_client: Client) -> None:
    each = budget(limit="0.01", per="subject", period="day", name="Each")
    statements = []
    for number in (2, 20):
        send(
            event(f"m{number}-{n}", datetime.now(UTC), subject=f"p{n}", input_tokens=100_000)
            for n in range(number)
        )
        with CaptureQueriesContext(connection) as asked:
            shown = admin_client.get(LIST).text
        assert "Each · daily, person p1: 3000 % of $0.01 used" in shown or "person p1" in shown
        statements.append(len(asked))
    assert Alert.objects.filter(budget=each).count() >= 40
    assert statements[0] == statements[1]


def test_an_alert_has_a_page_of_then_and_now_and_who_was_told(
    usage: None, administrator: Client, viewer: Client
) -> None:
    alert = overspent()
    send([event("more", datetime.now(UTC), input_tokens=100_000)])
    told = notice(channel(), alert, state="sent", ended_at=timezone.now())

    page = administrator.get(alert_url(alert)).text

    for shown in (
        "<h1>acme · daily: 120 % of $0.25 used</h1>", "<td>$0.30</td><td>$0.60</td>",
        "<td>120 %</td><td>240 %</td>", budget_page(alert), "Opened", "ops was told",
        f"/admin/budgets/notice/{told.pk}/change/", "as it was sent last",
        escape(as_text(Message.from_content(told.content))),
    ):  # fmt: skip
        assert shown in page, shown
    assert "nobody was told yet" in administrator.get(alert_url(Alert.objects.get(percent=80))).text
    seen = viewer.get(alert_url(alert)).text
    assert "120 %" in seen
    assert "/acknowledge/" not in seen


def test_alerts_of_others_and_of_the_site_are_not_there(
    usage: None, viewer: Client, administrator: Client
) -> None:
    for alert in (silent("globex"), unsynced()):
        for client in (viewer, administrator):
            assert client.get(alert_url(alert)).status_code in (302, 404)
            assert post(client, alert, "acknowledge") == "404"
            assert post(client, alert, "resolve") == "404"
            act(client, "resolve", alert)
        alert.refresh_from_db()
        assert alert.state == "open"


def test_administrators_acknowledge_and_resolve_and_others_do_not(
    usage: None, administrator: Client, viewer: Client
) -> None:
    alert = overspent()
    assert post(viewer, alert, "acknowledge") == "403"
    assert administrator.get(f"{LIST}{alert.pk}/acknowledge/").status_code == 405

    assert post(administrator, alert, "acknowledge", "http://testserver/admin/advice/") == (
        "acknowledged"
    )
    assert "Acknowledged by adam" in viewer.get(alert_url(alert)).text
    assert "tm-alarm" not in administrator.get("/admin/").text
    assert post(administrator, alert, "resolve") == "resolved"
    assert "Resolved by adam" in viewer.get(alert_url(alert)).text
    assert post(administrator, alert, "acknowledge") == "resolved"


@pytest.mark.parametrize(
    ("referer", "leads"),
    [("http://testserver/admin/advice/?a=1", "http://testserver/admin/advice/?a=1"),
     ("https://evil.example/", ""), ("", "")],
)  # fmt: skip
def test_who_acknowledges_in_the_header_stays_on_the_page(
    usage: None, administrator: Client, referer: str, leads: str
) -> None:
    alert = overspent()
    url = reverse("admin:budgets_alert_acknowledge", args=[alert.pk])
    answer = administrator.post(url, headers={"Referer": referer})
    assert answer["Location"] == (leads or alert_url(alert))


def test_many_are_acknowledged_at_once_as_far_as_they_are_ones_own(
    usage: None, administrator: Client, viewer: Client
) -> None:
    ours, theirs = silent(), silent("globex", "other")

    assert "1 acknowledged." in act(administrator, "acknowledge", ours, theirs)
    assert "1 resolved." in act(administrator, "resolve", ours, theirs)
    assert "None was resolved" in act(administrator, "resolve", theirs)
    states = {row.pk: row.state for row in Alert.objects.all()}
    assert states == {ours.pk: "resolved", theirs.pk: "open"}
    assert "acknowledge_selected" not in viewer.get(LIST).text


def test_alerts_of_the_site_are_for_who_sees_all_and_handled_with_the_permission(
    usage: None,
) -> None:
    alert = unsynced()
    seeing = auditor("view_all_organizations")
    assert seeing.get(alert_url(alert)).status_code == 200
    assert post(seeing, alert, "acknowledge") == "403"
    User.objects.filter(username="olga").delete()
    assert post(auditor("view_all_organizations", "change_alert"), alert, "acknowledge") == (
        "acknowledged"
    )


def test_the_page_of_a_budget_has_its_alerts(usage: None, viewer: Client) -> None:
    alert = overspent()
    page = viewer.get(budget_page(alert)).text
    assert "This period" in page
    assert "told to the default channels" in page
    assert page.count("acme · daily: 120 % of $0.25 used") == 3
    Alert.objects.update(window_end=datetime(2026, 1, 1, tzinfo=UTC))
    assert "Earlier" in viewer.get(budget_page(alert)).text
    Alert.objects.all().delete()
    assert (
        "None so far. The budget tells when 80 % is reached." in viewer.get(budget_page(alert)).text
    )
