import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from budgets.models import Budget
from budgets.setting import Actor, Level, save_budget
from tests.budgets.test_what_if import dollars, october
from tests.config.site_data import send, staff
from usage.keys import create_key
from usage.models import Organization

PAGE = "/admin/what-if/"
DAYS = "range=custom&from=2026-10-01&through=2026-10-31"
HARD = f"{PAGE}?limit=2&enforcement=hard&{DAYS}"


@pytest.fixture
def spent(catalogue: None) -> None:
    send(
        [
            dollars(1, october(5), subject="ann", project="web"),
            dollars(2, october(6), subject="bob", project="web"),
            dollars(3, october(7), subject="ann", project="api"),
            dollars(4, october(5), subject="zoe", project="site", organization="globex"),
        ]
    )


@pytest.fixture
def viewer(spent: None) -> Client:
    client = Client()
    client.force_login(staff("vera", "acme"))
    return client


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def test_the_page_tells_what_would_have_happened_to_whom(viewer: Client) -> None:
    page = shown(viewer, HARD)
    assert "1 Oct \N{EN DASH} 31 Oct 2026" in page
    for figure in ("<b>acme</b>", "globex", "zoe"):
        assert figure not in page
    assert "33.3 % of them, the first on 7 Oct 12:00" in page
    assert "33.3 % of $3.00" in page
    assert "this call needs up to $1.00" in page
    assert re.search(r'people/acme/ann/[^"]*">ann</a></th><td class="n">0</td>', page)
    numbers = json.loads(re.findall(r'data-chart-numbers="(.*?)" tabindex', page)[0])
    assert [(s["label"], sum(s["data"])) for s in numbers["data"]["datasets"]] == [
        ("allowed", 1), ("warned", 1), ("blocked", 1),
    ]  # fmt: skip
    assert "Set this budget" not in page


def test_the_page_before_anything_is_tried_and_with_faults(viewer: Client) -> None:
    assert "Try a limit on the past" in shown(viewer, PAGE)
    assert "It would have had nothing to say" in shown(viewer, f"{PAGE}?limit=900&{DAYS}")
    assert "No calls to try it on" in shown(viewer, f"{PAGE}?limit=9&model=another&{DAYS}")
    faulty = shown(viewer, f"{PAGE}?limit=much&project=site&thresholds=half&{DAYS}")
    assert "<b>Limit:</b> Enter a number." in faulty
    assert "<b>Project:</b> There is none called “site” here." in faulty
    assert "“half” is neither a percentage" in faulty
    too_long = f"{PAGE}?limit=2&range=custom&from=2026-01-01&through=2026-10-31"
    assert "At most 92 days are tried" in shown(viewer, too_long)


def test_a_budget_is_tried_as_it_stands_by_those_who_see_it(viewer: Client) -> None:
    def saved(slug: str) -> Budget:
        owner = Organization.objects.get(slug=slug)
        row = Budget(organization=owner, limit=2, per="subject", measure="requests")
        return save_budget(row, [Level(amount=1)], Actor())  # type: ignore[arg-type]

    page = shown(viewer, f"{PAGE}?budget={saved('acme').pk}&{DAYS}")
    assert 'name="limit" value="2"' in page
    assert 'name="thresholds" value="1"' in page
    assert re.search(r'<option value="subject" selected', page)
    assert "/admin/people/acme/bob/" in page
    for other in (str(saved("globex").pk), "x", "9" * 30):
        assert viewer.get(f"{PAGE}?budget={other}").status_code == 404
    for slug in ("globex", "nobody"):
        unseen = shown(viewer, f"{PAGE}?limit=1&organization={slug}")
        assert f"There is none called “{slug}” here." in unseen


def test_administrators_may_go_on_to_set_it(spent: None) -> None:
    client = Client()
    client.force_login(staff("adam", "acme", role="admin"))
    page = shown(client, HARD)
    assert re.search(r"/admin/budgets/budget/add/\?organization=acme&[^\"]*limit=2", page)


def test_the_interface_answers_the_same_to_keys_that_may_read(spent: None) -> None:
    def post(body: dict[str, Any], scope: str = "read") -> Any:
        _, secret = create_key("acme", (scope,), scope)
        return Client(headers={"Authorization": f"Bearer {secret}"}).post(
            "/api/v1/budgets/what-if/", body, "application/json"
        )

    days = {"from": "2026-10-01", "to": "2026-11-01"}
    body = {"limit": "2", "enforcement": "hard", "thresholds": [{"percent": 50}], **days}
    found = post(body).json()
    assert (found["allowed"], found["warned"], found["blocked"]) == (0, 2, 1)
    assert (found["spent"], found["prevented"]) == ("2.0000000000", "1.0000000000")
    assert found["first_blocked"]["at"] == "2026-10-07T12:00:00Z"
    assert found["windows"][0]["used"] == "2.0000000000"
    assert [(who["name"], who["blocked"]) for who in found["subjects"]] == [("ann", 1), ("bob", 0)]
    assert len(found["days"]) == 31
    by_project = post({**body, "scope": {"project": "web"}, "per": "subject"}).json()
    assert by_project["window_count"] == 2

    faults = post({**body, "scope": {"project": "site"}, "limit": "-1"}).json()["errors"]
    assert {fault["field"] for fault in faults} == {"scope.project", "limit"}
    for wrong in ({"to": "2026-10-01"}, {"scope": {"organization": "globex"}}, {"until": 1}):
        assert post({**body, **wrong}).status_code == 422
    assert post(body, "ingest").status_code == 403
