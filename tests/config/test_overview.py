import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.dashboards.cards import change, sparkline
from config.dashboards.parsing import read_question
from tests.config.site_data import at, event, panels, send, staff
from usage.exports.cells import safe_cell
from usage.models import DirtyMark, Organization
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING, viewer_of
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def overview(client: Client, query: str = DAYS) -> Any:
    answer = client.get(f"/admin/?{query}")
    assert answer.status_code == 200
    return answer


def card_values(answer: Any) -> dict[str, str]:
    return {card.label: card.value for card in answer.context["cards"]}


def panel(answer: Any, title: str) -> Any:
    return next(panel for panel in panels(answer.context) if panel.title == title)


def test_the_cards_show_what_the_selectors_know(admin_client: Client, usage: None) -> None:
    admin = User.objects.get(username="admin")
    totals = query_usage(
        UsageQuery(viewer=viewer_of(admin), start=date(2026, 11, 9), end=date(2026, 11, 14))
    ).totals

    answer = overview(admin_client)

    assert totals.cost == Decimal("5.43")
    assert card_values(answer) == {
        "Spend (estimated)": "$5.43",
        "Tokens": "940.5 k",
        "Requests": "6",
        "Errors": "1",
    }
    assert answer.context["totals"] == totals
    assert "12 % of input from cache" in answer.text
    assert "16.7 % of requests failed" in answer.text
    assert 'title="940,500"' in answer.text


def test_a_period_is_compared_with_the_one_before(admin_client: Client, usage: None) -> None:
    answer = overview(admin_client, "range=custom&from=2026-11-11&through=2026-11-11")

    assert "▼ 4.8 % on the day before" in answer.text


def test_what_is_unpriced_is_counted_named_and_never_free(
    admin_client: Client, usage: None
) -> None:
    answer = overview(admin_client)

    assert "1 unpriced event</a>" in answer.text
    assert answer.context["unpriced_url"] in answer.text.replace("&amp;", "&")
    (model,) = answer.context["unpriced"]
    assert (model.name, model.events) == ("local / llama-farm-7b", 1)
    (row,) = [row for row in panel(answer, "Models").rows if row.name == "llama-farm-7b"]
    assert row.cost is None
    assert ">unpriced</a>" in answer.text


def test_panels_rank_by_spend_and_add_up_to_the_total(
    admin_client: Client, catalogue: None
) -> None:
    send(event(n, at(10), subject=f"p{n}", input_tokens=n * 1000) for n in range(1, 14))

    answer = overview(admin_client)

    people = panel(answer, "People")
    assert [row.name for row in people.rows] == [f"acme / p{n}" for n in range(13, 3, -1)]
    assert people.rest.sums.total_tokens == 6000
    assert people.rest.cost == Decimal("0.018")
    assert sum(row.cost for row in people.rows) + people.rest.cost == people.totals.cost
    assert sum(row.percent for row in people.rows) + people.rest.percent == pytest.approx(100)


def test_the_whole_view_lives_in_the_url(admin_client: Client, usage: None) -> None:
    asked = f"{DAYS}&organization=acme&model=claude-sonnet-4-5&group=subject&step=week"
    answer = overview(admin_client, f"{asked}&tz=Europe/Berlin")

    kept = ["organization=acme", "model=claude-sonnet-4-5", "group=subject", "tz=Europe%2FBerlin"]
    for url in (answer.context["spend"].url, answer.context["csv_url"]):
        assert all(part in url for part in [*kept, "step=week", "from=2026-11-09"])
    for _, url, name in answer.context["bar"]["ranges"]:
        assert all(part in url for part in [*kept, f"range={name}"])
    for name, value in (("model", "claude-sonnet-4-5"), ("tz", "Europe/Berlin"), ("step", "week")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in answer.text
    assert card_values(answer)["Spend (estimated)"] == "$2.43"


@pytest.mark.parametrize(
    "query",
    [
        "range=never", "range=custom&from=x&through=y", "from=2026-11-20&through=2026-11-01",
        "from=0001-01-01&through=9999-12-31", "from=2001-01-01", "group=secret", "step=15m",
        "tz=Mars/Olympus", "organization=%00", "model=%27%3B--", "step=hour&range=90d",
    ],
)  # fmt: skip
def test_a_url_that_makes_no_sense_is_answered(
    admin_client: Client, usage: None, query: str
) -> None:
    overview(admin_client, query)
    assert admin_client.get(f"/admin/charts/spend/?{query}").status_code == 200
    assert admin_client.get(f"/admin/charts/spend.csv?{query}").status_code == 200


def test_what_was_not_understood_is_said() -> None:
    question = read_question(
        {"range": "never", "group": "secret", "tz": "Mars"}, at(20), EVERYTHING
    )

    assert len(question.notices) == 3
    assert (question.range, question.group, question.zone.key) == ("30d", "model", "UTC")


def test_ranges_end_today_in_the_zone_asked_for() -> None:
    late = at(20, hour=23)

    assert read_question({"range": "today"}, late, EVERYTHING).first == date(2026, 11, 20)
    nepal = read_question({"range": "7d", "tz": "Asia/Kathmandu"}, late, EVERYTHING)
    assert (nepal.first, nepal.last) == (date(2026, 11, 15), date(2026, 11, 21))
    month = read_question({"range": "month"}, late, EVERYTHING)
    assert (month.first, month.last) == (date(2026, 11, 1), date(2026, 11, 20))


def test_staff_sees_its_own_organization_whatever_the_url_asks(viewer: Client) -> None:
    for query in (DAYS, f"{DAYS}&organization=globex", f"{DAYS}&group=organization&subject=zoe"):
        answer = overview(viewer, query)
        # The bar repeats what was asked for.
        text = answer.text.partition('id="figures"')[2].replace("organization=globex", "")
        assert "globex" not in text
        assert panel(answer, "People").totals.cost in (Decimal("4.43"), 0)
    assert card_values(overview(viewer))["Spend (estimated)"] == "$4.43"


def test_staff_with_the_permission_sees_every_organization(
    admin_client: Client, viewer: Client
) -> None:
    assert overview(viewer).context["system"] is None
    assert card_values(overview(admin_client))["Spend (estimated)"] == "$5.43"
    assert overview(admin_client).context["system"].pending == 0


def test_the_csv_holds_the_table_that_is_shown(admin_client: Client, usage: None) -> None:
    answer = admin_client.get(f"/admin/charts/spend.csv?{DAYS}")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert [row["from"] for row in rows[:-1]] == [f"2026-11-{day:02}" for day in range(9, 14)]
    for row in rows:
        models = ("claude-sonnet-4-5", "claude-opus-4-5", "llama-farm-7b")
        assert sum(Decimal(row[name]) for name in models) == Decimal(row["total USD"])
    assert rows[-1]["total USD"] == "5.4300000000"


def test_csv_cells_cannot_start_a_formula(admin_client: Client, catalogue: None) -> None:
    send([event(1, at(10), project='=HYPERLINK("http://x")', input_tokens=1000)])

    answer = admin_client.get(f"/admin/charts/spend.csv?{DAYS}&group=project")

    header = next(csv.reader(io.StringIO(answer.text)))
    assert header[3] == '\'=HYPERLINK("http://x")'
    assert [safe_cell(text) for text in ("+1", "-1", "@a", "\ta", "a")] == [
        "'+1", "'-1", "'@a", "'\ta", "a",
    ]  # fmt: skip


def test_an_empty_site_says_how_to_fill_it(admin_client: Client, db: None) -> None:
    answer = overview(admin_client, "")

    assert "No usage yet" in answer.text
    assert "curl http://testserver/api/v1/events/" in answer.text
    assert "/admin/usage/apikey/add/" in answer.text
    assert 'data-refresh-seconds="5"' in answer.text


def test_events_not_yet_summed_are_announced(admin_client: Client, db: None) -> None:
    organization = ensure_organization("acme")
    DirtyMark.objects.create(organization=organization, bucket=at(10))

    assert "being summed up" in overview(admin_client, "").text


def test_a_range_without_usage_shows_zeros_and_no_chart(admin_client: Client, usage: None) -> None:
    answer = overview(admin_client, "range=custom&from=2026-10-01&through=2026-10-02")

    assert "No usage in this range" in answer.text
    assert card_values(answer)["Spend (estimated)"] == "$0.00"
    assert "<canvas" not in answer.text


def test_names_are_escaped_everywhere(admin_client: Client, catalogue: None) -> None:
    send([event(1, at(10), project="<b>x", subject="<i>y", input_tokens=1000)])

    text = overview(admin_client, f"{DAYS}&group=project").text

    assert "<b>x" not in text
    assert "<i>y" not in text
    assert "&lt;b&gt;x" in text


def test_the_number_of_statements_does_not_grow_with_usage(
    admin_client: Client,
    usage: None,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(80) as before:
        overview(admin_client)
    for n in range(5):
        Organization.objects.create(slug=f"more{n}")
    send(event(f"x{n}", at(9 + n % 5), project=f"p{n}", input_tokens=5) for n in range(60))

    with django_assert_num_queries(len(before)):
        overview(admin_client)
    with django_assert_max_num_queries(18):
        admin_client.get(f"/admin/charts/spend/?{DAYS}")


def test_the_page_is_not_kept_by_shared_caches(admin_client: Client, usage: None) -> None:
    assert "private" in overview(admin_client)["Cache-Control"]


def test_a_deactivated_member_sees_nothing(client: Client, usage: None) -> None:
    user = staff("gone", "acme")
    client.force_login(user)
    user.is_active = False
    user.save()

    assert client.get("/admin/").status_code == 302


def test_changes_are_told_in_words() -> None:
    assert change(Decimal(112), Decimal(100), "30 days") == "▲ 12.0 % on the 30 days before"
    assert change(5, 10, "day") == "▼ 50.0 % on the day before"
    assert change(3, 0, "day") == "none in the day before"
    assert change(0, 0, "day") == "none in the day before either"
    assert change(2, 2, "7 days") == "same as the 7 days before"


def test_a_month_is_compared_with_a_month(
    admin_client: Client, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: at(20))
    send([event(1, at(3, 12) - timedelta(days=31), input_tokens=100_000), event(2, at(3))])
    spans = {"month": "same days of the month before", "last-month": "month before"}

    for name, words in spans.items():
        card = admin_client.get(f"/admin/?range={name}").context["cards"][0]
        assert card.context.endswith(f" the {words}"), name


def test_a_sparkline_spans_its_box() -> None:
    assert sparkline([0, Decimal(5), 10]) == "0.0,30.0 60.0,16.0 120.0,2.0"
    assert sparkline([0, 0]) == "0.0,30.0 120.0,30.0"
    assert sparkline([1]) == ""


def test_the_table_under_the_chart_adds_up(admin_client: Client, usage: None) -> None:
    table = overview(admin_client).text.split('id="spend-table"')[1].split("</table>")[0]

    foot = re.findall(r'<td class="n"[^>]*>([^<]*)<', table.split("<tfoot>")[1])
    assert foot == ["$3.00", "$2.43", "—", "$5.43", "940.5 k", "6"]
