from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from budgets.alerts.keeping import Finding, keep
from budgets.models import Alert, Channel, Notice
from tests.budgets.budget_clients import Caller

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def acme() -> Caller:
    caller = Caller()
    caller.budget(limit="0.01", enforcement="soft", thresholds=[{"percent": "80"}])
    # 3,000 tokens at 3 dollars a million are $0.009: 90 % of the limit.
    caller.sent(input_tokens=3_000)
    return caller


def ids(caller: Caller, asked: str = "") -> Sequence[int]:
    return [alert["id"] for alert in caller.get(f"alerts/?{asked}")["results"]]


def of_the_site(key: str = "beat", severity: str = Alert.Severity.WARNING) -> Alert:
    keep(Alert.Kind.SYSTEM, [Finding(key, severity, {"what": "late"})], timezone.now(), among=[key])
    return Alert.objects.get(key=key)


def test_an_alert_is_told_with_its_budget_figures_and_messages(acme: Caller) -> None:
    alert = Alert.objects.get()
    channel = Channel.objects.create(name="ops", kind="email")
    now = timezone.now()
    Notice.objects.create(
        channel=channel, kind="alert", alert=alert, state="sent", attempts=2, due_at=now,
        ended_at=now,
    )  # fmt: skip
    (told,) = acme.get("alerts")["results"]

    assert {
        name: told[name]
        for name in ("kind", "severity", "state", "occasion", "organization", "member")
    } == {
        "kind": "threshold", "severity": "warning", "state": "open", "occasion": 1,
        "organization": "acme", "member": None,
    }  # fmt: skip
    assert told["budget"]["id"] == alert.budget_id
    assert told["threshold"] == {"percent": "80"}
    assert (told["facts"]["used"], told["facts"]["level"]) == ("0.0090000000", "0.0080000000")
    assert told["window"]["start"] < told["opened_at"] < told["window"]["end"]
    assert "90 %" in told["title"]
    assert told["url"].endswith(f"/admin/budgets/alert/{alert.pk}/change/")
    assert told["url"].startswith("http")
    (notice,) = told["notices"]
    assert (notice["channel"], notice["state"], notice["attempts"]) == ("ops", "sent", 2)
    assert notice["sent_at"]
    whole = acme.get(f"alerts/{alert.pk}/")
    assert {name: whole[name] for name in told} == told
    assert whole["summary"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_alerts_are_acknowledged_and_resolved_once(acme: Caller, slash: str) -> None:
    alert = Alert.objects.get()
    path = f"alerts/{alert.pk}"
    for _ in range(2):
        told = acme.post(f"{path}/acknowledge{slash}", {})
        assert (told["state"], told["acknowledged_by"]) == (
            "acknowledged", f"API key {acme.key}",
        )  # fmt: skip
    for _ in range(2):
        told = acme.post(f"{path}/resolve{slash}", {})
        assert (told["state"], told["resolution"]) == ("resolved", "hand")
    refused = acme.post(f"{path}/acknowledge{slash}", {}, 409)
    assert refused["type"] == "urn:tallyman:problem:wrong_state"
    assert acme.faults("post", f"{path}/resolve{slash}", {"why": "x"}) == [("why", "unknown_field")]


def test_alerts_are_narrowed_and_paged(acme: Caller) -> None:
    site = Caller(None)
    first, second = Alert.objects.get(), of_the_site(severity=Alert.Severity.CRITICAL)
    third = of_the_site("sync")

    assert ids(site) == [third.pk, second.pk, first.pk]
    assert ids(site, "organization=acme") == ids(site, f"budget={first.budget_id}") == [first.pk]
    assert ids(site, "severity=critical") == [second.pk]
    assert ids(site, "kind=system&state=open") == [third.pk, second.pk]
    site.post(f"alerts/{third.pk}/resolve/")
    assert ids(site, "state=live") == [second.pk, first.pk]
    assert ids(site, "since=2000-01-01&state=resolved") == [third.pk]
    assert ids(site, "since=2100-01-01T00:00:00Z") == []
    page = site.get("alerts/?limit=2")
    following = site.get(page["next"].split("/api/v1/")[1])
    assert [a["id"] for a in page["results"] + following["results"]] == ids(site)
    for wrong in ("state=x", "kind=x", "severity=x", "budget=x", "since=x", "color=red"):
        site.get(f"alerts/?{wrong}", 400)


def test_alerts_are_for_who_sees_their_organization_and_may_set_its_budgets(acme: Caller) -> None:
    own, site_wide = Alert.objects.get(), of_the_site()
    assert ids(acme) == [own.pk]
    assert ids(Caller("globex")) == []
    for caller, alert in ((acme, site_wide), (Caller("globex"), own)):
        caller.get(f"alerts/{alert.pk}/", 404)
        caller.post(f"alerts/{alert.pk}/acknowledge/", {}, 404)
    Caller("acme", "read").post(f"alerts/{own.pk}/resolve/", {}, 403)
    for unknown in ("0", "x", str(2**70)):
        acme.get(f"alerts/{unknown}/", 404)


def test_a_page_of_alerts_takes_as_many_statements_as_one_alert(acme: Caller) -> None:
    site = Caller(None)

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            site.get("alerts/")
        return len(asked)

    acme.get("alerts/")
    few = statements()
    for number in range(5):
        of_the_site(f"key-{number}")
    each: dict[str, Any] = {"per": "subject", "limit": "0.001", "name": "each"}
    acme.budget(**each)
    acme.sent("e2", subject="bob")
    assert statements() <= few + 1  # the names of members
