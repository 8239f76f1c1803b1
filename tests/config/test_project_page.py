from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.dashboards.project.agent_types import agent_label
from tests.config.project_data import WEB, a_project_month, job, shown, stop_the_clock
from tests.config.site_data import at, event, send
from usage.formats import money, percent
from usage.models import Organization, Project

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def month(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_the_clock(monkeypatch)
    a_project_month()


def cards(answer: Any) -> dict[str, tuple[str, str]]:
    return {card.label: (card.value, card.context) for card in answer.context["cards"]}


def read(client: Client, path: str, query: str = "") -> Any:
    answer = client.get(f"/api/v1/projects/{path}/?organization=acme{query}")
    assert answer.status_code == 200
    return answer.json()


def test_four_cards_tell_of_the_present_month(admin_client: Client) -> None:
    assert cards(shown(admin_client)) == {
        "Total spend, November": ("$2.70", "forecast $3 \N{EN DASH} $16 by 30 Nov"),
        "Token usage": ("420.5 k", "0 % of input from cache"),
        "Agent jobs": ("4", "completed · 1 failed (20.0 %)"),
        "Budget used": ("no limit", ""),
    }
    assert [card.unpriced for card in shown(admin_client).context["cards"]] == [1, 0, 0, 0]


def test_a_range_in_another_month_tells_of_that_month(admin_client: Client) -> None:
    answer = shown(admin_client, "range=last-month")

    assert cards(answer)["Total spend, October"] == ("$3.00", "none in the month before")
    assert [row.panel.name for row in answer.context["rows"]] == ["Research"]


def test_agent_types_are_ranked_by_spend(admin_client: Client) -> None:
    rows = [
        (row.panel.name, row.panel.sums.events, row.panel.cost, percent(row.panel.percent),
         percent(row.success))
        for row in shown(admin_client).context["rows"]
    ]  # fmt: skip

    assert rows == [
        ("Implementation", 2, Decimal("1.80"), "67 %", "100 %"),
        ("UI/UX", 1, Decimal("0.60"), "22 %", "0 %"),
        ("Poetry", 1, Decimal("0.30"), "11 %", "100 %"),
        ("not given", 1, None, "—", "100 %"),
    ]


def test_many_agent_types_end_in_what_the_others_come_to(admin_client: Client) -> None:
    send(job(f"k{n}", at(19), agent_type=f"kind{n}", input_tokens=10_000) for n in range(50))
    answer = shown(admin_client)
    rows = [row.panel for row in answer.context["rows"]]

    assert (len(rows), rows[-1].name, rows[-1].url) == (25, "30 others", "")
    assert sum(row.sums.cost for row in rows) == Decimal("4.20")
    assert sum(row.sums.events for row in rows) == 55


def test_an_agent_type_has_one_colour_in_chart_tab_and_badge(admin_client: Client) -> None:
    answer = shown(admin_client)
    drawn = {agent_label(each.name): each.colour for each in answer.context["spend"].plot.series}
    tab = {row.panel.name: row.panel.colour for row in answer.context["rows"]}
    recent = shown(admin_client, "tab=recent").context["rows"]

    assert len(set(tab.values())) == len(tab)
    assert tab == {name: drawn[name] for name in tab}
    assert {row.label: row.colour for row in recent} == {**drawn, "Research": 6}


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("implementation", "Implementation"),
        ("ui_ux", "UI/UX"),
        ("UI/UX", "UI/UX"),
        ("ui-ux", "UI/UX"),
        ("DEPENDENCY", "Dependency"),
        ("sales-poet", "sales-poet"),
        ("", "not given"),
        (None, "not given"),
    ],
)
def test_known_agent_types_have_names_and_others_are_shown_as_given(
    given: str | None, label: str
) -> None:
    assert agent_label(given) == label


def test_the_trend_holds_six_months_with_links_to_their_events(admin_client: Client) -> None:
    answer = shown(admin_client, "tab=months")
    rows = answer.context["rows"]

    assert [(row.name, money(row.cost, "USD"), row.bar) for row in rows] == [
        ("June 2026", "$0.00", 0),
        ("July 2026", "$0.00", 0),
        ("August 2026", "$0.00", 0),
        ("September 2026", "$0.00", 0),
        ("October 2026", "$3.00", 100),
        ("November 2026", "$2.70", 90),
    ]
    assert "from=2026-10-01&through=2026-10-31" in rows[4].events_url
    assert "organization=acme&project=web" in rows[4].events_url
    assert '<rect class="c1" width="90"' in answer.text


def test_top_pipelines_are_the_dearest_runs_of_the_month(admin_client: Client) -> None:
    send([job(f"m{n}", at(17), run_id=f"cheap{n}", input_tokens=n) for n in range(1, 6)])
    answer = shown(admin_client, "tab=runs")
    rows = answer.context["rows"]

    assert [(each.run.id, each.bar) for each in rows] == [
        ("r1", 100), ("r2", 33), ("cheap5", 0), ("cheap4", 0), ("cheap3", 0),
    ]  # fmt: skip
    first = rows[0]
    assert (first.run.run_trigger, first.started, first.cost) == (
        "push",
        at(18),
        Decimal("1.80"),
    )
    assert (first.run.sums.events, first.run.sums.total_tokens) == (2, 200_000)
    assert first.url.startswith("/admin/runs/acme/r1/")
    assert "run=r1" in rows[0].events_url
    assert '<span class="tm-badge o">error</span>' in answer.text


def test_recent_calls_come_newest_first_fifty_at_most(admin_client: Client) -> None:
    rows = shown(admin_client, "tab=recent").context["rows"]
    assert [(row.label, row.run.whole, row.call.input_tokens, row.call.output_tokens,
             money(row.call.cost, "USD")) for row in rows] == [
        ("not given", "", 500, 0, "unpriced"),
        ("Poetry", "", 0, 20_000, "$0.30"),
        ("UI/UX", "r2", 200_000, 0, "$0.60"),
        ("Implementation", "r1", 0, 100_000, "$1.50"),
        ("Implementation", "r1", 100_000, 0, "$0.30"),
        ("Research", "", 0, 200_000, "$3.00"),
    ]  # fmt: skip

    send([job(f"m{n}", at(19, 1, n), input_tokens=1) for n in range(50)])
    rows = shown(admin_client, "tab=recent").context["rows"]
    assert len(rows) == 50
    page = admin_client.get(rows[0].call.url)
    assert page.status_code == 200
    assert "a5" in page.text


def test_recent_calls_pass_the_filters(admin_client: Client) -> None:
    rows = shown(admin_client, "tab=recent&agent_type=implementation").context["rows"]
    assert [row.label for row in rows] == ["Implementation"] * 2
    assert (
        "last 50 calls of 22 Oct \N{EN DASH} 20 Nov 2026"
        in shown(admin_client, "tab=recent&agent_type=implementation").text
    )


def test_the_page_and_the_interface_tell_the_same(admin_client: Client) -> None:
    summary = read(admin_client, "web/summary")
    answer = shown(admin_client)
    totals = answer.context["month"].agents.totals
    rows = [row.panel for row in answer.context["rows"]]

    assert Decimal(summary["totals"]["cost"]) == totals.cost
    assert summary["totals"]["total_tokens"] == totals.total_tokens
    assert [(each["agent_type"], Decimal(each["cost"]), each["events"])
            for each in summary["agent_breakdown"]] == [
        (row.group["agent_type"], row.sums.cost, row.sums.events)
        for row in answer.context["month"].agents.rows
    ]  # fmt: skip
    assert [each["percent_of_total"] for each in summary["agent_breakdown"]] == [
        float(round(row.percent or 0, 2)) for row in rows
    ]
    runs = [each.run for each in shown(admin_client, "tab=runs").context["rows"]]
    assert [(each["run_id"], Decimal(each["cost"])) for each in summary["top_runs"]] == [
        (run.id, run.sums.cost) for run in runs
    ]
    months = shown(admin_client, "tab=months").context["rows"]
    assert [Decimal(each["cost"]) for each in read(admin_client, "web/trend")["results"]] == [
        row.sums.cost for row in months
    ]
    calls = [row.call.instant for row in shown(admin_client, "tab=recent").context["rows"]]
    assert len(calls) == len(read(admin_client, "web/recent")["results"])


def test_the_daily_chart_has_one_bar_per_day_of_the_range(admin_client: Client) -> None:
    for name, days in (("7d", 7), ("14d", 14), ("30d", 30), ("90d", 90)):
        plot = shown(admin_client, f"range={name}").context["spend"].plot
        assert len(plot.periods) == days
    assert len(shown(admin_client).context["spend"].plot.periods) == 30
    chart = admin_client.get(shown(admin_client).context["spend"].url).json()
    day = chart["titles"].index("Wed 18 Nov 2026")
    assert chart["notes"][day] == ["Total $1.80", "200,000 tokens", "2 jobs"]


def test_a_tab_keeps_the_view_and_the_view_keeps_the_tab(admin_client: Client) -> None:
    answer = shown(admin_client, "range=7d&tab=runs&group=model")

    assert 'href="?range=7d&amp;tab=months&amp;group=model#tabs"' in answer.text.replace(
        "range=7d&amp;group=model&amp;tab=months", "range=7d&amp;tab=months&amp;group=model"
    )
    assert 'aria-current="page">Top pipelines' in answer.text
    assert all("tab=runs" in url for _, url, _ in answer.context["bar"]["ranges"])
    assert shown(admin_client, "tab=nonsense").context["tab"].name == "agents"


def test_a_project_without_usage_tells_how_to_send_some(admin_client: Client) -> None:
    acme = Organization.objects.get(slug="acme")
    Project.objects.create(organization=acme, slug="idle", name="Idle")
    path = "/admin/projects/acme/idle/ai-cost/"
    answer = shown(admin_client, path=path)

    assert "No usage yet" in answer.text
    assert "/admin/usage/apikey/add/" in answer.text
    assert (
        "&quot;project&quot;: &quot;idle&quot;" in answer.text or '"project": "idle"' in answer.text
    )
    assert cards(answer)["Total spend, November"] == ("$0.00", "since 1 Nov")
    for tab in ("months", "runs", "recent"):
        assert shown(admin_client, f"tab={tab}", path).status_code == 200
    assert (
        "No usage yet"
        not in shown(admin_client, "range=custom&from=2026-01-01&through=2026-01-02").text
    )


def test_a_month_of_unpriced_usage_costs_nobody_knows_what(admin_client: Client) -> None:
    send([event("u1", at(19), project="dark", model="llama-farm-7b", provider="local",
                agent_type="research", input_tokens=500, run_id="r9")])  # fmt: skip
    path = "/admin/projects/acme/dark/ai-cost/"

    assert cards(shown(admin_client, path=path))["Total spend, November"][0] == "unpriced"
    assert shown(admin_client, path=path).context["rows"][0].panel.cost is None
    assert shown(admin_client, "tab=months", path).context["rows"][-1].cost is None
    assert "$0.00" not in shown(admin_client, "tab=runs", path).text.split('id="tab-title"')[1]


@pytest.mark.parametrize("tab", ["agents", "months", "runs", "recent"])
def test_the_number_of_statements_does_not_grow_with_usage(
    admin_client: Client,
    tab: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    shown(admin_client, f"tab={tab}")
    with django_assert_max_num_queries(60) as before:
        shown(admin_client, f"tab={tab}")
    send(
        job(f"q{n}", at(19), agent_type=f"kind{n}", run_id=f"run{n}", input_tokens=n + 1)
        for n in range(50)
    )
    send([job(f"w{n}", at(19), project=f"other{n}", input_tokens=1) for n in range(20)])

    with django_assert_max_num_queries(len(before)):
        shown(admin_client, f"tab={tab}")


def test_the_address_without_its_last_part_leads_to_the_page(admin_client: Client) -> None:
    answer = admin_client.get("/admin/projects/acme/web/?range=7d")

    assert (answer.status_code, answer["Location"]) == (302, f"{WEB}?range=7d")
    assert admin_client.post("/admin/projects/acme/web/").status_code == 405
    assert admin_client.get("/admin/projects/acme/nothing/").status_code == 404


def test_the_line_of_a_month_covers_all_of_it_whatever_days_are_asked_for(
    admin_client: Client,
) -> None:
    page = shown(admin_client, "range=custom&from=2026-10-01&through=2026-10-10")

    assert len(page.context["cards"][0].points.split()) == 31
