from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from budgets.models import Budget, BudgetChange, Channel
from tests.budgets.budget_clients import BUDGET, CALL, Caller
from tests.config.site_data import staff
from usage.models import Organization, Project, Subject, Team

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def acme() -> Caller:
    return Caller()


def test_a_budget_is_made_before_anything_it_counts_is_known(acme: Caller) -> None:
    Channel.objects.create(name="ops", kind="email")
    made = acme.budget(
        scope={"project": "web", "team": "core", "subject": "ann", "model": "claude-opus-4-5"},
        period="day", limit="4.00", thresholds=[{"percent": 50}, {"amount": "3.25"}],
        channels=["ops"], contact="the platform team", priority=-2, unpriced="block",
    )  # fmt: skip

    shown = acme.get(f"budgets/{made['id']}")
    assert shown == made
    expected = {
        "name": "month", "title": "month", "per": "", "measure": "cost", "period": "day",
        "limit": "4.0000000000", "currency": "", "enforcement": "hard", "unpriced": "block",
        "thresholds": [{"percent": "50"}, {"amount": "3.2500000000"}], "channels": ["ops"],
        "priority": -2, "contact": "the platform team", "enabled": True, "starts_on": None,
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert {name: word for name, word in made["scope"].items() if word} == {
        "organization": "acme", "project": "web", "team": "core", "subject": "ann",
        "model": "claude-opus-4-5",
    }  # fmt: skip
    assert (Project.objects.count(), Team.objects.count(), Subject.objects.count()) == (1, 1, 1)
    change = BudgetChange.objects.get()
    assert (change.action, change.made_by) == ("set_ai_budget", None)
    assert change.actor.startswith("API key acme key (tm_")


def test_a_budget_warns_and_does_not_block_unless_told_so(acme: Caller) -> None:
    made = acme.post("budgets/", {"limit": 5}, 201)

    assert (made["enforcement"], made["thresholds"]) == ("soft", [{"percent": "80"}])
    assert (made["measure"], made["period"], made["limit"]) == ("cost", "month", "5.0000000000")
    assert made["title"] == "acme"


def test_amounts_are_taken_exactly_as_written(acme: Caller) -> None:
    exact = b'{"name": "exact", "limit": 123456789012345678.0123456789, "period": "total"}'
    answer = acme.client.post("/api/v1/budgets", exact, content_type="application/json")

    assert answer.json()["limit"] == "123456789012345678.0123456789"
    assert acme.budget(name="none", limit=None)["limit"] is None
    assert acme.budget(name="nothing", limit=0)["limit"] == "0.0000000000"
    assert acme.post("budgets/check/", CALL)["decision"] == "block"


def test_the_window_tells_what_was_used_held_and_is_left(acme: Caller) -> None:
    made = acme.budget(limit="1.00", enforcement="hard", thresholds=[{"percent": 40}])
    acme.sent(input_tokens=100_000)
    acme.post("reservations/", {**CALL, "amount": "0.5", "reservation_key": "k"}, 201)
    acme.sent("e2", input_tokens=100_000)

    window = acme.get(f"budgets/{made['id']}/")["window"]

    # 0.60 was used; 0.50 of the 1.00 fits beside the 0.50 held, the rest is overage.
    expected = {
        "limit": "1.0000000000", "spent": "0.5000000000", "reserved": "0.5000000000",
        "overage": "0.1000000000", "remaining": "-0.1000000000", "percent": 60.0,
        "state": "warn", "currency": "USD", "member": None, "members": None,
        "time_zone": "UTC", "unpriced_events": 0,
    }  # fmt: skip
    assert {name: window[name] for name in expected} == expected
    now = datetime.now(UTC)
    assert window["start"] == f"{now:%Y-%m}-01T00:00:00Z"
    days = (datetime.fromisoformat(window["end"]) - datetime.fromisoformat(window["start"])).days
    assert Decimal(window["forecast"]) == pytest.approx(Decimal("0.6") / now.day * days)


def test_the_window_is_of_the_organizations_own_days(acme: Caller) -> None:
    Organization.objects.filter(slug="acme").update(time_zone="Asia/Kathmandu")
    window = acme.budget(period="day")["window"]

    assert window["start"].endswith("T00:00:00+05:45")
    assert window["time_zone"] == "Asia/Kathmandu"


def test_a_limit_for_each_shows_who_used_most(acme: Caller) -> None:
    made = acme.budget(per="subject", limit="1")
    acme.sent("e1", subject="bob", input_tokens=100_000)
    acme.sent("e2", subject="ann", input_tokens=200_000)

    window = acme.get(f"budgets/{made['id']}/")["window"]
    assert (window["member"], window["members"], window["spent"]) == ("ann", 2, "0.6000000000")
    found = acme.get(f"budgets/{made['id']}/windows/?limit=1")
    again = acme.ask("get", found["next"].removeprefix("http://testserver/api/v1/"))
    used = [(row["member"], row["spent"]) for row in (*found["results"], *again["results"])]
    assert used == [("ann", "0.6000000000"), ("bob", "0.3000000000")]
    (bob,) = acme.get(f"budgets/{made['id']}/windows/?member=bob")["results"]
    assert bob["spent"] == "0.3000000000"
    assert acme.get(f"budgets/{made['id']}/windows/?member=eve")["results"] == []


def test_putting_sets_all_and_patching_what_is_named(acme: Caller) -> None:
    made = acme.budget(contact="ops", scope={"project": "web"})
    path = f"budgets/{made['id']}"

    patched = acme.ask("patch", path, {"limit": "0.25", "scope": {"team": "core"}})
    assert (patched["contact"], patched["limit"]) == ("ops", "0.2500000000")
    assert (patched["scope"]["project"], patched["scope"]["team"]) == ("web", "core")
    put = acme.ask("put", f"{path}/", {"name": "other", "limit": "3", "thresholds": []})
    assert (put["name"], put["contact"], put["thresholds"]) == ("other", "", [])
    assert put["scope"] == {**dict.fromkeys(put["scope"]), "organization": "acme"}
    assert put["enforcement"] == "soft"
    recorded = BudgetChange.objects.order_by("pk").values_list("before__limit", "after__limit")
    assert list(recorded) == [(None, "10"), ("10", "0.25"), ("0.25", "3")]


def test_a_deleted_budget_limits_nothing_and_keeps_its_history(acme: Caller) -> None:
    made = acme.budget(limit="0")
    for _ in range(2):
        acme.ask("delete", f"budgets/{made['id']}/", status=204)

    assert acme.post("budgets/check/", CALL)["decision"] == "allow"
    assert acme.get("budgets/")["results"] == []
    (kept,) = acme.get("budgets/?enabled=false")["results"]
    assert (kept["id"], kept["enabled"], kept["window"]) == (made["id"], False, None)
    assert BudgetChange.objects.count() == 2


def test_the_list_is_by_priority_then_by_kind_and_comes_in_pages(
    acme: Caller, django_assert_max_num_queries: Any
) -> None:
    acme.budget(name="person", scope={"subject": "ann"})
    acme.budget(name="project", scope={"project": "web"}, period="day")
    acme.budget(name="whole")
    acme.budget(name="first", scope={"subject": "bob"}, priority=-1, measure="tokens")
    other = Caller("globex")
    other.budget(scope={})

    def names(query: str) -> list[str]:
        return [row["name"] for row in acme.get(f"budgets/?{query}")["results"]]

    # As many statements for many budgets as for few.
    with django_assert_max_num_queries(9):
        assert names("") == ["first", "whole", "project", "person"]
    assert names("project=web") == ["project"]
    assert names("period=month&measure=cost") == ["whole", "person"]
    assert names("organization=globex") == []
    page = acme.get("budgets/?limit=3")
    rest = acme.get(page["next"].removeprefix("http://testserver/api/v1/"))
    assert [row["name"] for row in rest["results"]] == ["person"]
    assert rest["previous"]
    assert acme.get("budgets/?color=red", 400)["errors"][0]["field"] == "color"
    acme.get("budgets/?cursor=abc", 400)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"colour": "red"}, ("colour", "unknown_field")),
        ({"scope": {"colour": "red"}}, ("scope.colour", "unknown_field")),
        ({"scope": {"project": ""}}, ("scope.project", "empty")),
        ({"scope": {"project": "a\tb"}}, ("scope.project", "invalid")),
        ({"scope": {"api_key": "nothere"}}, ("scope.api_key", "unknown_api_key")),
        ({"limit": -1}, ("limit", "min_value")),
        ({"limit": "NaN"}, ("limit", "invalid")),
        ({"limit": "0.12345678901"}, ("limit", "max_decimal_places")),
        ({"limit": 1e300}, ("limit", "max_digits")),
        ({"period": "decade"}, ("period", "not_a_choice")),
        ({"currency": "euro"}, ("currency", "pattern")),
        ({"currency": "XYZ", "limit": 1}, ("currency", "invalid")),
        ({"currency": "XYZ", "thresholds": [{"amount": 1}]}, ("currency", "invalid")),
        ({"measure": "tokens", "currency": "EUR"}, ("currency", "invalid")),
        ({"starts_on": "2026-11-01"}, ("starts_on", "invalid")),
        ({"per": "subject", "scope": {"subject": "ann"}}, ("per", "invalid")),
        ({"thresholds": [{"percent": 80}, {"percent": "x"}]},
         ("thresholds[1].percent", "not_a_number")),
        ({"thresholds": [{"percent": 80}, {}]}, ("thresholds[1]", "invalid")),
        ({"thresholds": [{"percent": 0}]}, ("thresholds[0].percent", "min_value")),
        ({"thresholds": [{"percents": 1}]}, ("thresholds[0].percents", "unknown_field")),
        ({"thresholds": [{"amount": "Infinity"}]}, ("thresholds[0].amount", "invalid")),
        ({"scope": {"organization": "globex"}}, ("scope.organization", "foreign_organization")),
        ({"scope": {"organization": None}}, ("scope.organization", "foreign_organization")),
        ({"enabled": "yes"}, ("enabled", "wrong_type")),
    ],
)  # fmt: skip
def test_every_fault_is_told_by_its_place(
    acme: Caller, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert acme.faults("post", "budgets/", body) == [fault]
    assert Budget.objects.count() == 0
    assert Project.objects.count() == 0


def test_what_is_no_object_and_what_exists_already_is_refused(acme: Caller) -> None:
    for body in (b"", b"[]", b"{", b'"x"', rb'{"name": "a\u0000b"}', rb'{"scope": {"\u0000": 1}}'):
        answer = acme.client.post("/api/v1/budgets/", body, content_type="application/json")
        assert answer.status_code == 400
    made = acme.budget(name=r"\u0000")
    acme.ask("patch", f"budgets/{made['id']}/", {"name": "month"})
    assert acme.faults("post", "budgets/", BUDGET, 409) == [("name", "exists")]
    other = acme.budget(name="other")
    assert acme.faults("patch", f"budgets/{other['id']}/", {"name": "month"}, 409) == [
        ("name", "exists")
    ]
    acme.ask("delete", f"budgets/{made['id']}/", status=204)
    acme.budget()


def test_a_site_key_says_which_organization_is_meant(acme: Caller) -> None:
    site = Caller(None)
    named = site.budget(scope={"organization": "acme", "project": "web"})
    whole = site.budget(scope={"organization": None})

    assert (named["scope"]["organization"], whole["scope"]["organization"]) == ("acme", None)
    assert site.faults("post", "budgets/", {"limit": 1}) == [("scope.organization", "required")]
    assert site.faults("post", "budgets/", {"scope": {"organization": "nowhere"}}) == [
        ("scope.organization", "unknown_organization")
    ]
    assert site.faults("post", "budgets/", {"scope": {"organization": None, "project": "x"}}) == [
        ("scope.project", "invalid")
    ]
    assert site.ask("patch", f"budgets/{whole['id']}/", {"limit": 3})["scope"] == whole["scope"]
    moved = site.ask("patch", f"budgets/{whole['id']}/", {"scope": {"organization": "acme"}})
    assert moved["scope"]["organization"] == "acme"
    assert [row["id"] for row in acme.get("budgets/")["results"]] == [moved["id"], named["id"]]


def test_others_budgets_are_not_there(acme: Caller) -> None:
    site, other = Caller(None), Caller("globex")
    mine = acme.budget()["id"]
    whole = site.budget(scope={"organization": None})["id"]

    assert site.get(f"budgets/{mine}/")["id"] == mine
    for caller, budget in ((other, mine), (acme, whole), (acme, 10**30), (acme, "x"), (acme, -1)):
        for method in ("get", "put", "patch", "delete"):
            caller.ask(method, f"budgets/{budget}/", None if method == "get" else {}, 404)
        for part in ("windows", "decisions", "raises"):
            caller.get(f"budgets/{budget}/{part}/", 404)
        caller.post(f"budgets/{budget}/raises/", {}, 404)
    assert Budget.objects.filter(enabled=True).count() == 2


def test_a_key_needs_the_scope_and_staff_may_only_read(acme: Caller) -> None:
    made = acme.budget()
    paths = ("budgets/", f"budgets/{made['id']}/")
    reader, checker = Caller("acme", "read"), Caller("acme", "check")
    for path in paths:
        reader.get(path)
        checker.get(path, 403)
    writes = (("post", paths[0]), ("put", paths[1]), ("patch", paths[1]), ("delete", paths[1]),
              ("post", f"{paths[1]}raises/"))  # fmt: skip
    session = Client()
    session.force_login(staff("vera", "acme", role="admin"))
    for method, path in writes:
        Caller("acme", "read", "check", "ingest").ask(method, path, {}, 403)
        answer = getattr(session, method)(f"/api/v1/{path}", {}, "application/json")
        assert answer.status_code == 403
    assert session.get("/api/v1/budgets/").json()["results"][0]["id"] == made["id"]
