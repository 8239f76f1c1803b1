from collections.abc import Callable

from django.contrib.auth.models import User

from budgets.links import alert_url, budget_url, channel_url, decision_url, reservation_url
from tests.browser.pages import Open
from tests.browser.sweep import findings
from tests.budgets.alerting import channel, notice, overspent
from tests.budgets.asking import hold, refuse
from tests.budgets.budget_values import budget
from tests.config.dashboard_routes import OWN

ALSO = (
    "/admin/budgets/budget/",
    "/admin/budgets/budget/add/",
    "/admin/budgets/decision/",
    "/admin/budgets/reservation/",
    "/admin/budgets/notice/",
    "/admin/usage/usageevent/",
    "/admin/usage/export/",
    f"/admin/?subject={'x' * 128}&model={'y' * 128}",
)
PAGES = (
    "/admin/organizations/acme/",
    "/admin/projects/acme/p1/ai-cost/",
    "/admin/people/acme/a-person-with-a-rather-long-name-and-no-spaces@example.com/",
    "/admin/sessions/acme/a-session-with-a-rather-long-name-and-no-spaces/",
    "/admin/runs/acme/r1/",
    "/admin/models/anthropic/claude-sonnet-4-5/",
)
TABS = ("months", "runs", "recent")


def test_no_page_of_one_thing_has_a_serious_finding_or_goes_sideways(
    open_as: Callable[[User], Open], boss: User, busy_site: None
) -> None:
    # A project's short address leads to its page, and its file is none.
    assert len(PAGES) == len(OWN) - 2
    tabs = [f"/admin/projects/acme/p1/ai-cost/?tab={tab}" for tab in TABS]

    assert findings(open_as(boss), [*PAGES, *tabs]) == []


def test_no_list_or_form_beside_the_dashboards_has_one(
    open_as: Callable[[User], Open], boss: User, busy_site: None
) -> None:
    row = budget(limit="100000", enforcement="hard", per="project", name="Each")
    kept, refused = hold("1", "job-1", project="p1"), refuse("200000", project="p1")
    own = [budget_url(row), f"{budget_url(row)}raise/", decision_url(refused),
           reservation_url(kept)]  # fmt: skip
    told = notice(channel(kind="webhook", to="https://hooks.example.org/x"), overspent())
    own += [alert_url(told.alert), channel_url(told.channel)] if told.alert else []

    assert findings(open_as(boss), [*ALSO, *own]) == []
