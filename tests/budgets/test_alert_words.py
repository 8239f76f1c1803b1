from datetime import UTC, datetime, timedelta

from django.test import Client

from budgets.links import alert_url, budget_url
from budgets.models import Alert
from tests.budgets.alerting import channel, notice
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send


def test_whose_share_an_alert_is_about_is_told_wherever_it_is_named(
    usage: None, administrator: Client
) -> None:
    row = budget("acme", "0.25", period="day", per="subject")
    send([event("m", datetime.now(UTC), subject="ann", input_tokens=100_000)])
    alert = Alert.objects.filter(budget=row).latest("percent")
    told = notice(channel(), alert)
    title = "each person of acme \u00b7 daily, person ann: 120 % of $0.25 used"
    lists = [f"/admin/{name}" for name in ("", "budgets/alert/", "budgets/notice/")]
    pages = [*lists, alert_url(alert), budget_url(row), f"/admin/budgets/notice/{told.pk}/change/"]
    for page in pages:
        main = administrator.get(page).text.partition('<div class="tm-alarm">')[2]
        line, _, rest = main.partition("</form>")
        assert title in line, page
        assert title in rest, page


def test_a_forecast_is_shown_in_words(usage: None, administrator: Client) -> None:
    row = budget("acme", "40")
    facts = {
        "used": "12.5", "limit": "40", "expected": "50.256", "low": "45", "high": "61",
        "run_rate": "55", "chance": "99.84", "error": "17.02", "crosses_on": "2026-11-27",
    }  # fmt: skip
    start = datetime(2026, 11, 1, tzinfo=UTC)
    alert = Alert.objects.create(
        kind="forecast", severity="warning", key="f", budget=row, facts=facts,
        organization=row.organization, window_start=start, window_end=start + timedelta(days=30),
    )  # fmt: skip
    page = administrator.get(alert_url(alert)).text
    for shown in ("$50.26", "$45.00 \u2013 $61.00", "27 Nov 2026", "&gt;99 %", "17 %", "$55.00",
                  "1 Nov \u2013 30 Nov 2026 (UTC)"):  # fmt: skip
        assert f"<td>{shown}</td>" in page, shown
